//! The rules of reading and changing secrets, in any layout.

use strongroom_core::{
    Error, ErrorKind, ExposeSecret as _, Operation, Result, Secret, SecretKey, SecretMetadata,
    SecretString, Timestamp,
};

use crate::batch::{Batch, BatchChange};
use crate::vault::{EditVault, ReadVault};

/// Returns a secret, or `None` if it does not exist.
///
/// # Errors
///
/// `Expired` if it has expired.
pub(crate) fn get(
    vault: &dyn ReadVault,
    key: &SecretKey,
    now: Timestamp,
) -> Result<Option<Secret>> {
    match vault.get(key)? {
        Some(secret) if secret.is_expired(now) => Err(expired(key, &secret)),
        found => Ok(found),
    }
}

/// Stores a secret, and returns it with the metadata that the vault keeps.
pub(crate) fn set(
    vault: &mut dyn EditVault,
    key: &SecretKey,
    secret: Secret,
    now: Timestamp,
) -> Result<Secret> {
    let secret = stamped(vault, key, secret, now)?;
    vault.put(key, &secret)?;
    Ok(secret)
}

/// Stores a secret under a free key.
///
/// # Errors
///
/// `AlreadyExists` if the key is in use.
pub(crate) fn create(
    vault: &mut dyn EditVault,
    key: &SecretKey,
    secret: Secret,
    now: Timestamp,
) -> Result<()> {
    let secret = stamped(vault, key, secret, now)?;
    check_free(vault, key)?;
    vault.put_new(key, &secret)
}

/// Replaces the value of a secret and keeps its metadata.
///
/// # Errors
///
/// `NotFound` if there is no such secret.
pub(crate) fn update_value(
    vault: &mut dyn EditVault,
    key: &SecretKey,
    value: SecretString,
    now: Timestamp,
) -> Result<()> {
    let mut secret = Secret::new(value);
    secret.metadata = vault.metadata(key)?.ok_or_else(|| not_found(key))?;
    set(vault, key, secret, now).map(drop)
}

/// Replaces the secret `base` by `new`. `None` stands for an absent secret.
///
/// # Errors
///
/// `Conflict` if the vault does not hold `base`. That happens only if there is no lock between processes, or if
/// another program wrote the entry meanwhile.
pub(crate) fn replace(
    vault: &mut dyn EditVault,
    key: &SecretKey,
    base: Option<&Secret>,
    new: Option<Secret>,
    now: Timestamp,
) -> Result<()> {
    if !is_same(vault.get(key)?.as_ref(), base) {
        return Err(changed_by_another(key));
    }
    match new {
        Some(secret) => set(vault, key, secret, now).map(drop),
        None => vault.remove(key).map(drop),
    }
}

/// Gives a secret another key.
///
/// # Errors
///
/// `NotFound` if there is no secret under the old key; `AlreadyExists` if there is a secret under the new key.
pub(crate) fn rename(vault: &mut dyn EditVault, old: &SecretKey, new: &SecretKey) -> Result<()> {
    if vault.metadata(old)?.is_none() {
        return Err(not_found(old));
    }
    check_free(vault, new)?;
    vault.rename(old, new)
}

/// Makes the changes of a batch. All of them are checked before the first is made.
pub(crate) fn apply(vault: &mut dyn EditVault, batch: Batch, now: Timestamp) -> Result<()> {
    let none = SecretMetadata::default();
    for (key, change) in &batch.changes {
        vault.check(key, change.secret().map_or(&none, |secret| &secret.metadata))?;
        if matches!(change, BatchChange::Create(_)) {
            check_free(vault, key)?;
        }
    }
    // In the layout `entries` a failed batch is not undone. Storing first makes sure that nothing is deleted
    // before its replacement is stored.
    let (stored, deleted): (Vec<_>, Vec<_>) =
        batch.changes.into_iter().partition(|(_, change)| change.secret().is_some());
    for (key, change) in stored {
        change.into_secret().map(|secret| set(vault, &key, secret, now)).transpose()?;
    }
    deleted.iter().try_for_each(|(key, _)| vault.remove(key).map(drop))
}

/// Checks a secret and sets its times.
fn stamped(
    vault: &mut dyn EditVault,
    key: &SecretKey,
    mut secret: Secret,
    now: Timestamp,
) -> Result<Secret> {
    vault.check(key, &secret.metadata)?;
    vault.stamp(key, &mut secret.metadata, now)?;
    Ok(secret)
}

fn check_free(vault: &mut dyn EditVault, key: &SecretKey) -> Result<()> {
    if vault.metadata(key)?.is_none() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::AlreadyExists, Operation::Set)
        .with_message(format!("there is a secret {key} already; nothing was changed")))
}

fn is_same(one: Option<&Secret>, other: Option<&Secret>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            one.value.expose_secret() == other.value.expose_secret()
                && one.metadata == other.metadata
        }
        (one, other) => one.is_none() && other.is_none(),
    }
}

fn changed_by_another(key: &SecretKey) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Set)
        .with_message(format!("another process changed {key} meanwhile; nothing was changed"))
        .with_hint("Try again.")
}

fn not_found(key: &SecretKey) -> Error {
    Error::new(ErrorKind::NotFound, Operation::Set)
        .with_message(format!("there is no secret {key}; nothing was changed"))
}

fn expired(key: &SecretKey, secret: &Secret) -> Error {
    let since = secret.metadata.expires_at.map(|at| format!(" at {at:.0}")).unwrap_or_default();
    Error::new(ErrorKind::Expired, Operation::Get)
        .with_message(format!("the secret {key} expired{since}"))
}
