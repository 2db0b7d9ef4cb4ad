//! `set` and `update`: a secret's value and metadata.

use strongroom::advice::Sentence;
use strongroom::blocking::SecretManager;
use strongroom::{
    ErrorKind, Secret, SecretBytes, SecretInfo, SecretKey, SecretMetadata, SecretString, Timestamp,
};

use crate::answer::about_secret;
use crate::args::{Metadata, Set, Update};
use crate::exit::Exit;
use crate::failure::{Failure, Result, replace_or_use};
use crate::input::{self, NOTHING_STORED, Wanted};
use crate::output::Output;
use crate::settings::Settings;
use crate::times::{expires, local};
use crate::vault::{command, find, missing, open};

/// Stores a secret with the value and the metadata that are given. Nothing of an earlier secret stays.
pub(super) fn set(flags: &Set, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let key = flags.key.check_new()?;
    // Standard input is read before the store is asked: if the store fails, the program in front of the pipe has written
    // everything, and does not meet a closed pipe.
    let given = as_secret(input::given(settings, &flags.source)?.as_ref())?;
    let vault = open(settings)?;
    // Checked before the user types a value for nothing. `create` below is the check that counts.
    if flags.create_new && given.is_none() && vault.exists(&key)? {
        return Err(exists_already(&key));
    }
    let value = given.map_or_else(|| ask("set", &key, flags.source.exact, settings), Ok)?;
    let mut secret = Secret::new(value);
    flags.metadata.put_into(&mut secret.metadata);
    if flags.create_new {
        vault.create(&key, &secret).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => exists_already(&key),
            _ => error.into(),
        })?;
    } else {
        vault.set(&key, &secret)?;
    }
    report("Stored", &key, &secret.metadata, &vault, settings, output)
}

/// Changes the parts of a secret that the flags name, and keeps the rest. With flags for metadata alone, the value stays,
/// too.
pub(super) fn update(flags: &Update, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let key = flags.key.check()?;
    let wants_value = flags.ask || flags.metadata.is_empty();
    let given = match wants_value {
        true => input::given(settings, &flags.source)?,
        // In a script standard input may be empty, which is no mistake if only metadata changes.
        false => input::any_given(settings, &flags.source)?,
    };
    let given = as_secret(given.as_ref())?;
    let vault = open(settings)?;
    let found = find("update", &key, &vault, settings)?;
    if wants_value || given.is_some() {
        must_stay_valid(&found, &flags.metadata)?;
    }
    let value = match given {
        None if wants_value => Some(ask("update", &key, flags.source.exact, settings)?),
        given => given,
    };
    let mut changed = None;
    vault.update(&key, |old| {
        let mut secret = old?;
        if let Some(value) = value {
            secret.value = value;
        }
        flags.metadata.put_into(&mut secret.metadata);
        changed = Some(secret.metadata.clone());
        Some(secret)
    })?;
    match changed {
        Some(metadata) => report("Updated", &key, &metadata, &vault, settings, output),
        // Another process deleted the secret while the user was asked.
        None => Err(missing("update", &key, &vault.list()?, &vault, settings)),
    }
}

/// Refuses a new value that would count as expired at once.
fn must_stay_valid(secret: &SecretInfo, change: &Metadata) -> Result<()> {
    let now = Timestamp::now();
    if change.expires.is_some() || !secret.metadata.is_expired(now) {
        return Ok(());
    }
    let when = expires(secret.metadata.expires_at, now);
    let command = command("update", &secret.key, "--ask --expires WHEN");
    Err(Failure::new(
        Exit::Expired,
        ErrorKind::Expired.code(),
        format!("the secret {} {when}, and a new value would count as expired", secret.key),
        Sentence::from("Say how long the new value is valid: ")
            .command(command)
            .text(", such as 90d or never."),
    ))
}

fn exists_already(key: &SecretKey) -> Failure {
    Failure::new(
        Exit::Failed,
        ErrorKind::AlreadyExists.code(),
        format!("there is a secret {key} already; nothing was changed"),
        replace_or_use(command("update", key, "")),
    )
}

fn ask(
    verb: &'static str,
    key: &SecretKey,
    exact: bool,
    settings: &Settings,
) -> Result<SecretString> {
    let wanted = Wanted {
        name: &key.to_string(),
        exact,
        state: NOTHING_STORED,
        from_file: &command(verb, key, "--from-file PATH"),
    };
    input::asked_secret(&wanted, settings)
}

fn as_secret(value: Option<&SecretBytes>) -> Result<Option<SecretString>> {
    value.map(|value| input::secret(value, NOTHING_STORED)).transpose()
}

fn report(
    done: &str,
    key: &SecretKey,
    metadata: &SecretMetadata,
    vault: &SecretManager,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    let backend = vault.backend();
    output.answer(|| about_secret(key, metadata.clone(), &settings.service, vault));
    let until = metadata.expires_at.map(|end| format!(", valid until {}", local(end)));
    output.confirm(format_args!("{done} {key} in {backend}{}.", until.unwrap_or_default()));
    Ok(Exit::Done)
}

impl Metadata {
    /// Returns whether no metadata is given.
    const fn is_empty(&self) -> bool {
        self.provider.is_none() && self.scope.is_none() && self.expires.is_none()
    }

    /// Replaces the fields that are given, and keeps the rest.
    fn put_into(&self, metadata: &mut SecretMetadata) {
        if let Some(provider) = &self.provider {
            metadata.provider = Some(provider.clone());
        }
        if let Some(scope) = &self.scope {
            metadata.scope = Some(scope.clone());
        }
        if let Some(expiry) = self.expires {
            metadata.expires_at = expiry.at();
        }
    }
}
