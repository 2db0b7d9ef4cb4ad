//! Opens the vault, and words messages about its secrets.

use strongroom::advice::{Advice, Command, Sentence};
use strongroom::blocking::SecretManager;
use strongroom::keys::VaultKeys;
use strongroom::repair::VaultRepair;
use strongroom::{Error, ErrorKind, SecretInfo, SecretKey};
use strongroom_config::looks_like_a_secret;

use crate::args::Key;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::misuse;
use crate::settings::Settings;
use crate::words::printable;

/// Chooses the store and reads the vault.
pub(crate) fn open(settings: &Settings) -> Result<SecretManager, Error> {
    settings.config(settings.deadlines.call).open_blocking()
}

/// Chooses the store and leaves the vault unread, so that it may be damaged.
pub(crate) fn unread(settings: &Settings) -> Result<VaultRepair, Error> {
    settings.config(settings.deadlines.call).repair()
}

/// Chooses the store, for work on the vault's key slots.
pub(crate) fn keys(settings: &Settings) -> Result<VaultKeys, Error> {
    settings.config(settings.deadlines.call).keys()
}

/// Returns the key of a secret, if it is valid. Commands check it before they ask for a value.
pub(crate) fn key(name: &str, target: Option<&str>) -> Result<SecretKey> {
    let key = match target {
        Some(target) => SecretKey::with_target(name, target),
        None => SecretKey::new(name),
    };
    key.validate()?;
    Ok(key)
}

/// Returns the key of a secret to store, if it is valid and does not look like a value.
pub(crate) fn new_key(name: &str, target: Option<&str>) -> Result<SecretKey> {
    // `NAME=value`, as a shell takes it. The argument contains the value, so the error does not repeat it.
    let is_assignment = name.contains('=');
    if is_assignment || looks_like_a_secret(name) {
        let problem = match is_assignment {
            true => "a name has no \"=\"; nothing was stored",
            false => "this name has the form of a secret; nothing was stored",
        };
        return Err(Failure::usage(problem, misuse::VALUE));
    }
    key(name, target)
}

impl Key {
    pub(crate) fn check(&self) -> Result<SecretKey> {
        key(&self.name, self.target.as_deref())
    }

    pub(crate) fn check_new(&self) -> Result<SecretKey> {
        new_key(&self.name, self.target.as_deref())
    }
}

/// Returns a secret's metadata. It is an error if there is no such secret.
pub(crate) fn find(
    verb: &'static str,
    key: &SecretKey,
    vault: &SecretManager,
    settings: &Settings,
) -> Result<SecretInfo> {
    // The list contains expired secrets, too, and opens no value.
    let secrets = vault.list()?;
    match secrets.iter().find(|secret| secret.key == *key) {
        Some(secret) => Ok(secret.clone()),
        None => Err(missing(verb, key, &secrets, vault, settings)),
    }
}

/// Returns the failure for a secret that does not exist. The advice names secrets of the same name with another target.
///
/// `verb` is the command that failed.
pub(crate) fn missing(
    verb: &'static str,
    key: &SecretKey,
    secrets: &[SecretInfo],
    vault: &SecretManager,
    settings: &Settings,
) -> Failure {
    let (service, backend) = (printable(&settings.service), vault.backend());
    // A value in the place of the name is not repeated: errors go to logs.
    if looks_like_a_secret(key.name()) || key.target().is_some_and(looks_like_a_secret) {
        let message = format!("there is no such secret in the vault of \"{service}\" ({backend})");
        return Failure::new(Exit::NotFound, ErrorKind::NotFound.code(), message, misuse::VALUE);
    }
    let message = format!("there is no secret {key} in the vault of \"{service}\" ({backend})");
    let same_name = secrets.iter().map(|it| &it.key).filter(|it| it.name() == key.name());
    let same_name: Vec<_> = same_name.collect();
    let more = if verb == "rename" { "NEW" } else { "" };
    let others = same_name.first().map(|other| {
        let targets: Vec<_> = same_name.iter().map(|key| of_target(key)).collect();
        Sentence::from(format!("It is there {}: ", targets.join(", ")))
            .command(command(verb, other, more))
            .text(".")
    });
    let next = match verb {
        "get" | "update" => command("set", key, "").does("stores it"),
        _ => Command::new("list").does("shows what is there"),
    };
    let advice = others.map(Advice::from).unwrap_or_default().and(next);
    Failure::new(Exit::NotFound, ErrorKind::NotFound.code(), message, advice)
}

fn of_target(key: &SecretKey) -> String {
    match key.target() {
        Some(target) => format!("for target \"{}\"", printable(target)),
        None => "without a target".to_owned(),
    }
}

/// Returns a command on a secret, as advice.
pub(crate) fn command(verb: &'static str, key: &SecretKey, flags: &'static str) -> Command {
    let command = Command::new(verb).value(key.name(), "NAME");
    let command = match key.target() {
        Some(target) => command.words("--target").value(target, "TARGET"),
        None => command,
    };
    if flags.is_empty() { command } else { command.words(flags) }
}
