//! The error for a missing secret that the application requires.

use strongroom_core::{EntryName, Error, ErrorKind, Operation, SecretKey, UserName};

use crate::choose::ChoiceReason;
use crate::shared::Shared;
use crate::shell::{of_service, shell_word};
use crate::{Backend, Layout};

/// Returns a `NotFound` error for a secret, with the application's advice, or else the command that stores
/// it.
pub(crate) fn missing(shared: &Shared, key: &SecretKey) -> Error {
    let hint = shared.setup_hint.clone().unwrap_or_else(|| advice(shared, key));
    let error = Error::new(ErrorKind::NotFound, Operation::Get)
        .with_store(shared.chosen.store().name())
        .with_remedy(hint);
    match UserName::new(key.entry_name()) {
        Ok(user) => error
            .with_entry(&EntryName::from_parts(shared.engine.storage.service().clone(), user))
            .with_message("there is no such secret"),
        Err(_) => error.with_message(format!("there is no secret {key}")),
    }
}

fn advice(shared: &Shared, key: &SecretKey) -> String {
    let backend = shared.chosen.backend();
    let option = match (backend, shared.chosen.reason()) {
        // The command-line program has no access to these stores.
        (backend, _) if backend == Backend::Memory || !Backend::ALL.contains(&backend) => {
            return "Store it first.".to_owned();
        }
        // The command-line program chooses the same store without an option.
        (_, ChoiceReason::PlatformDefault | ChoiceReason::Bound) => String::new(),
        (backend, _) => format!(" --backend {backend}"),
    };
    let service = shared.engine.storage.service().as_str();
    match shared.layout() {
        Layout::Entries => entry_set(service, &key.entry_name(), &option),
        _ => setup(service, key, &option),
    }
}

/// Returns a sentence with the command that stores an entry, fit to be pasted into a shell.
fn entry_set(service: &str, name: &str, option: &str) -> String {
    match (shell_word(service), shell_word(name)) {
        (Some(service), Some(name)) => {
            format!("Run `strongroom entry set {service} {name}{option}`.")
        }
        _ => format!("Run `strongroom entry set SERVICE NAME{option}` with these names."),
    }
}

/// Returns a sentence with the command that stores a vault's secret, fit to be pasted into a shell.
fn setup(service: &str, key: &SecretKey, option: &str) -> String {
    let target = key.target().map(shell_word);
    let (Some(_), Some(name), false) =
        (shell_word(service), shell_word(key.name()), target == Some(None))
    else {
        return format!("Run `strongroom setup NAME --service SERVICE{option}` with these names.");
    };
    let target = target.flatten().map(|target| format!(" --target {target}")).unwrap_or_default();
    format!("Run `strongroom {}{option}`.", of_service(&format!("setup {name}{target}"), service))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_survives_a_shell() {
        let command = |service, name| entry_set(service, name, "");
        assert_eq!(command("app", "api-key"), "Run `strongroom entry set app api-key`.");
        assert_eq!(
            entry_set("app", "api-key", " --backend file"),
            "Run `strongroom entry set app api-key --backend file`."
        );
        assert_eq!(
            command("my app", "it's $HOME"),
            r"Run `strongroom entry set 'my app' 'it'\''s $HOME'`."
        );
        for name in ["--force", "a\nb", "a\u{1b}[31m", "a\u{202e}b"] {
            let hint = command("app", name);
            assert!(hint.contains("entry set SERVICE NAME"), "{hint}");
        }
    }

    #[test]
    fn the_command_for_a_vault_names_the_target() {
        assert_eq!(
            setup("my app", &("A", "b c").into(), " --backend file"),
            "Run `strongroom setup A --target 'b c' --service 'my app' --backend file`."
        );
        for (service, key) in
            [("--x", "A".into()), ("app", "-A".into()), ("app", ("A", "\n").into())]
        {
            let hint = setup(service, &key, "");
            assert!(hint.contains("setup NAME --service SERVICE`"), "{hint}");
        }
    }
}
