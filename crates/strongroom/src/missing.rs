//! The error for a missing secret that the application requires.

use strongroom_core::advice::{Command, Sentence};
use strongroom_core::{EntryName, Error, ErrorKind, Operation, SecretKey, UserName};

use crate::choose::ChoiceReason;
use crate::shared::Shared;
use crate::{Backend, Layout};

/// Returns a `NotFound` error for a secret, with the application's advice, or else with the command that stores
/// it.
pub(crate) fn missing(shared: &Shared, key: &SecretKey) -> Error {
    let error =
        Error::new(ErrorKind::NotFound, Operation::Get).with_store(shared.chosen.store().name());
    let error = match &shared.setup_hint {
        Some(hint) => error.with_remedy(hint.as_str()),
        None => advised(error.with_remedy("Store it first."), shared, key),
    };
    match UserName::new(key.entry_name()) {
        Ok(user) => error
            .with_entry(&EntryName::from_parts(shared.engine.storage.service().clone(), user))
            .with_message("there is no such secret"),
        Err(_) => error.with_message(format!("there is no secret {key}")),
    }
}

/// Adds the command that stores the secret, if the command-line program has access to its store.
fn advised(error: Error, shared: &Shared, key: &SecretKey) -> Error {
    let backend = shared.chosen.backend();
    if backend == Backend::Memory || !Backend::ALL.contains(&backend) {
        return error;
    }
    let service = shared.engine.storage.service().as_str();
    let command = match shared.layout() {
        Layout::Entries => entry_set(service, key),
        _ => store(service, key),
    };
    let command = match shared.chosen.reason() {
        // The command-line program chooses the same store without an option.
        ChoiceReason::PlatformDefault | ChoiceReason::Bound => command,
        _ => command.words("--backend").words(backend.name()),
    };
    error.with_sentence(Sentence::from("Run ").command(command).text("."))
}

/// Returns the command that stores an entry.
fn entry_set(service: &str, key: &SecretKey) -> Command {
    Command::new("entry set").value(service, "SERVICE").value(key.entry_name(), "NAME")
}

/// Returns the command that stores a vault's secret. `setup` takes no target.
fn store(service: &str, key: &SecretKey) -> Command {
    let command = Command::new(if key.target().is_some() { "set" } else { "setup" });
    let command = command.value(key.name(), "NAME").on(service);
    match key.target() {
        Some(target) => command.words("--target").value(target, "TARGET"),
        None => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_survives_a_shell() {
        let command = |service, name| entry_set(service, &SecretKey::from(name)).arguments();
        assert_eq!(command("app", "api-key"), "entry set app api-key");
        assert_eq!(command("my app", "it's $HOME"), r"entry set 'my app' 'it'\''s $HOME'");
        for name in ["--force", "a\nb", "a\u{1b}[31m", "a\u{202e}b"] {
            assert_eq!(command("app", name), "entry set app NAME");
        }
    }

    #[test]
    fn the_command_for_a_vault_names_the_target() {
        let with_target =
            |service, name, target| store(service, &(name, target).into()).arguments();
        assert_eq!(with_target("my app", "A", "b c"), "set A --target 'b c' --service 'my app'");
        assert_eq!(with_target("--x", "-A", "\n"), "set NAME --target TARGET --service SERVICE");
        assert_eq!(store("app", &"A".into()).arguments(), "setup A --service app");
    }
}
