//! `set` and `update`: a secret's value, and what is known about it.

use serde_json::{Value, json};
use strongroom::blocking::SecretManager;
use strongroom::{
    ErrorKind, Secret, SecretBytes, SecretInfo, SecretKey, SecretMetadata, SecretString, Timestamp,
};

use crate::args::{Metadata, Set, Update};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::input::{self, NOTHING_STORED, Wanted};
use crate::output::Output;
use crate::protection::with_protection;
use crate::settings::Settings;
use crate::times::{expires, local};
use crate::vault::{command, find, missing, open};

/// Stores a secret: exactly what is said, and nothing of the one before.
pub(super) fn set(flags: &Set, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let key = flags.key.check_new()?;
    // What is piped in is read before the store is asked, so that nobody writes into a closed pipe.
    let given = as_text(input::given(settings, &flags.source)?.as_ref())?;
    let vault = open(settings)?;
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

/// Replaces a value, and keeps what is known about it but for what is said.
pub(super) fn update(flags: &Update, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let key = flags.key.check()?;
    let given = as_text(input::given(settings, &flags.source)?.as_ref())?;
    let vault = open(settings)?;
    must_stay_valid(&find("update", &key, &vault, settings)?, &flags.metadata)?;
    let value = given.map_or_else(|| ask("update", &key, flags.source.exact, settings), Ok)?;
    let mut changed = None;
    vault.update(&key, |old| {
        let mut secret = old?;
        secret.value = value;
        flags.metadata.put_into(&mut secret.metadata);
        changed = Some(secret.metadata.clone());
        Some(secret)
    })?;
    match changed {
        Some(metadata) => report("Updated", &key, &metadata, &vault, settings, output),
        // Somebody deleted it while we asked.
        None => Err(missing("update", &key, &vault.list()?, &vault, settings)),
    }
}

/// A new value that counts as expired at once is not what anybody wants.
fn must_stay_valid(secret: &SecretInfo, change: &Metadata) -> Result<()> {
    let now = Timestamp::now();
    if change.expires.is_some() || !secret.metadata.is_expired(now) {
        return Ok(());
    }
    let when = expires(secret.metadata.expires_at, now);
    let command = command("update", &secret.key, "--expires WHEN");
    Err(Failure::new(
        Exit::Expired,
        "expired",
        format!("the secret {} {when}, and a new value would count as expired", secret.key),
        format!("Say how long the new value is valid: `{command}`, such as 90d or never."),
    ))
}

fn exists_already(key: &SecretKey) -> Failure {
    let update = command("update", key, "");
    Failure::new(
        Exit::Failed,
        "already_exists",
        format!("there is a secret {key} already; nothing was changed"),
        format!("Leave out `--create-new` to replace it, or use `{update}`."),
    )
}

fn ask(verb: &str, key: &SecretKey, exact: bool, settings: &Settings) -> Result<SecretString> {
    let wanted = Wanted {
        name: &key.to_string(),
        exact,
        state: NOTHING_STORED,
        from_file: &command(verb, key, "--from-file PATH"),
    };
    input::asked_text(&wanted, settings)
}

fn as_text(value: Option<&SecretBytes>) -> Result<Option<SecretString>> {
    value.map(|value| input::text(value, NOTHING_STORED)).transpose()
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
    if settings.json {
        let mut stored = as_json(key, metadata);
        stored["service"] = settings.service.as_str().into();
        stored["backend"] = backend.name().into();
        output.json(&with_protection(stored, vault))?;
    }
    let until = metadata.expires_at.map(|end| format!(", valid until {}", local(end)));
    output.confirm(format_args!("{done} {key} in {backend}{}.", until.unwrap_or_default()));
    Ok(Exit::Done)
}

fn as_json(key: &SecretKey, metadata: &SecretMetadata) -> Value {
    json!({
        "name": key.name(),
        "target": key.target(),
        "provider": metadata.provider,
        "scope": metadata.scope,
        "expires_at": metadata.expires_at.map(|end| end.to_string()),
    })
}

impl Metadata {
    /// What is said replaces what was; the rest stays.
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
