//! The operations on a vault's secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use strongroom_core::{
    Error, ErrorKind, ExposeSecret, Operation, Result, Secret, SecretKey, SecretMetadata,
    SecretString, Timestamp,
};

use super::content::{Content, Edit, Look};
use super::engine::Vault;
use super::entries::not_counted;
use crate::Layout;

/// A secret without its value, as [`list`](crate::SecretManager::list) returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SecretInfo {
    /// The secret's name and target.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub key: SecretKey,
    /// The secret's metadata.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub metadata: SecretMetadata,
}

/// Changes that are made together: all of them, or none.
///
/// Of several changes to the same secret, the last counts. If a vault's
/// [capabilities](crate::SecretManager::capabilities) say that changes are made one after the other, all
/// values are stored before any secret is deleted.
#[derive(Default)]
pub struct Batch {
    changes: BTreeMap<SecretKey, BatchChange>,
}

enum BatchChange {
    Set(Secret),
    Create(Secret),
    Delete,
}

impl Batch {
    /// Stores a secret, and replaces an existing secret of this key.
    pub fn set(&mut self, key: impl Into<SecretKey>, secret: Secret) -> &mut Self {
        self.changes.insert(key.into(), BatchChange::Set(secret));
        self
    }

    /// Stores a secret under a free key. If a secret of this key exists, the batch fails with `AlreadyExists`
    /// and changes nothing.
    pub fn create(&mut self, key: impl Into<SecretKey>, secret: Secret) -> &mut Self {
        self.changes.insert(key.into(), BatchChange::Create(secret));
        self
    }

    /// Deletes a secret. Deleting a missing secret changes nothing.
    pub fn delete(&mut self, key: impl Into<SecretKey>) -> &mut Self {
        self.changes.insert(key.into(), BatchChange::Delete);
        self
    }
}

impl BatchChange {
    const fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Set(secret) | Self::Create(secret) => Some(secret),
            Self::Delete => None,
        }
    }

    fn into_secret(self) -> Option<Secret> {
        match self {
            Self::Set(secret) | Self::Create(secret) => Some(secret),
            Self::Delete => None,
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.changes.keys()).finish()
    }
}

impl Vault {
    /// Returns whether the vault was read and does not exist yet. Always false in the layout `entries`.
    pub(crate) fn is_empty_vault(&self) -> bool {
        self.read_copy(|content| content.is_none() && content.layout() != Layout::Entries)
            == Some(true)
    }

    /// Returns the vault's layout, after reading the store if it may have changed.
    pub(crate) fn read_layout(&self) -> Result<Layout> {
        self.read_content(|content| Ok(content.layout()))
    }

    /// Reads the vault for the first time.
    pub(crate) fn open(&self) -> Result<()> {
        self.read(|vault| vault.generation().map(drop))
    }

    pub(crate) fn generation(&self) -> Result<u64> {
        self.read_content(|content| match content {
            Content::Entries(_) => Err(self.named(not_counted())),
            content => content.look().generation(),
        })
    }

    pub(crate) fn get(&self, key: &SecretKey) -> Result<Option<Secret>> {
        let now = self.now();
        self.read(|vault| look_up(vault, key, now))
    }

    /// As [`get`](Self::get), or `None` if the copy in memory is not sufficient.
    pub(crate) fn get_from_memory(&self, key: &SecretKey) -> Option<Result<Option<Secret>>> {
        let now = self.now();
        self.read_memory(|vault| look_up(vault, key, now))
    }

    /// Returns a secret, expired or not.
    pub(crate) fn peek(&self, key: &SecretKey) -> Result<Option<Secret>> {
        self.read(|vault| vault.get(key))
    }

    pub(crate) fn exists(&self, key: &SecretKey) -> Result<bool> {
        self.read(|vault| vault.contains(key))
    }

    /// As [`exists`](Self::exists), or `None` if the copy in memory is not sufficient.
    pub(crate) fn exists_in_memory(&self, key: &SecretKey) -> Option<bool> {
        self.read_memory(|vault| vault.contains(key))?.ok()
    }

    pub(crate) fn list(&self) -> Result<Vec<SecretInfo>> {
        self.read(|vault| vault.list())
    }

    pub(crate) fn expiring(&self, within: Duration) -> Result<Vec<SecretInfo>> {
        let (now, mut secrets) = (self.now(), self.list()?);
        secrets.retain(|secret| secret.metadata.expires_within(now, within));
        Ok(secrets)
    }

    pub(crate) fn set(&self, key: &SecretKey, secret: Secret) -> Result<()> {
        key.validate().map_err(|error| error.during(Operation::Set))?;
        self.commit(|vault| self.put(vault, key, secret).map(drop))
    }

    pub(crate) fn create(&self, key: &SecretKey, secret: Secret) -> Result<()> {
        key.validate().map_err(|error| error.during(Operation::Set))?;
        self.commit(|vault| {
            let secret = self.stamped(vault, key, secret)?;
            must_be_free(vault, key)?;
            vault.put_new(key, &secret)
        })
    }

    pub(crate) fn rename(&self, old: &SecretKey, new: &SecretKey) -> Result<()> {
        new.validate().map_err(|error| error.during(Operation::Set))?;
        self.commit(|vault| {
            if vault.metadata(old)?.is_none() {
                return Err(not_found(old));
            }
            must_be_free(vault, new)?;
            vault.rename(old, new)
        })
    }

    pub(crate) fn update_value(&self, key: &SecretKey, value: SecretString) -> Result<()> {
        self.commit(|vault| {
            let mut secret = Secret::new(value);
            secret.metadata = vault.metadata(key)?.ok_or_else(|| not_found(key))?;
            self.put(vault, key, secret).map(drop)
        })
    }

    pub(crate) fn update(
        &self,
        key: &SecretKey,
        change: impl FnOnce(Option<Secret>) -> Option<Secret>,
    ) -> Result<()> {
        self.try_update(key, |old| Ok(change(old)))
    }

    /// Changes a secret as [`update`](Self::update) does. An error of `change` is returned, and nothing is
    /// changed.
    pub(crate) fn try_update(
        &self,
        key: &SecretKey,
        change: impl FnOnce(Option<Secret>) -> Result<Option<Secret>>,
    ) -> Result<()> {
        key.validate().map_err(|error| error.during(Operation::Set))?;
        let decide = |vault: &dyn Look| {
            let old = vault.get(key)?;
            let base = old.as_ref().map(Secret::duplicate);
            Ok((base, change(old)?))
        };
        self.commit_decided(decide, |vault, (base, new)| {
            // They differ only if there is no lock between processes, or if another program wrote the entry
            // meanwhile.
            if !is_same(vault.get(key)?.as_ref(), base.as_ref()) {
                return Err(changed_by_another(key));
            }
            match new {
                Some(secret) => self.put(vault, key, secret).map(drop),
                None => vault.remove(key).map(drop),
            }
        })
    }

    pub(crate) fn delete(&self, key: &SecretKey) -> Result<bool> {
        // A missing secret needs no commit, which would take the lock and write the store.
        if !self.exists(key)? {
            return Ok(false);
        }
        self.commit(|vault| vault.remove(key))
    }

    pub(crate) fn batch(&self, batch: Batch) -> Result<()> {
        for key in batch.changes.keys() {
            key.validate().map_err(|error| error.during(Operation::Set))?;
        }
        let none = SecretMetadata::default();
        self.commit(|vault| {
            for (key, change) in &batch.changes {
                vault.check(key, change.secret().map_or(&none, |secret| &secret.metadata))?;
                if matches!(change, BatchChange::Create(_)) {
                    must_be_free(vault, key)?;
                }
            }
            // In the layout `entries` a failed batch is not undone. Storing first makes sure that nothing is
            // deleted before its replacement is stored.
            let (stored, deleted): (Vec<_>, Vec<_>) =
                batch.changes.into_iter().partition(|(_, change)| change.secret().is_some());
            for (key, change) in stored {
                change.into_secret().map(|secret| self.put(vault, &key, secret)).transpose()?;
            }
            deleted.iter().try_for_each(|(key, _)| vault.remove(key).map(drop))
        })
    }

    /// Stores a secret, and returns it with the metadata that the vault keeps.
    pub(super) fn put(
        &self,
        vault: &mut dyn Edit,
        key: &SecretKey,
        secret: Secret,
    ) -> Result<Secret> {
        let secret = self.stamped(vault, key, secret)?;
        vault.put(key, &secret)?;
        Ok(secret)
    }

    /// Checks a secret and sets its times.
    fn stamped(&self, vault: &mut dyn Edit, key: &SecretKey, mut secret: Secret) -> Result<Secret> {
        vault.check(key, &secret.metadata)?;
        vault.stamp(key, &mut secret.metadata, self.now())?;
        Ok(secret)
    }
}

pub(super) fn is_same(one: Option<&Secret>, other: Option<&Secret>) -> bool {
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

fn look_up(vault: &dyn Look, key: &SecretKey, now: Timestamp) -> Result<Option<Secret>> {
    match vault.get(key)? {
        Some(secret) if secret.is_expired(now) => Err(expired(key, &secret)),
        found => Ok(found),
    }
}

fn must_be_free(vault: &mut dyn Edit, key: &SecretKey) -> Result<()> {
    if vault.metadata(key)?.is_none() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::AlreadyExists, Operation::Set)
        .with_message(format!("there is a secret {key} already; nothing was changed")))
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
