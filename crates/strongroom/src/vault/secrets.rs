//! The operations on a vault's secrets.

use std::collections::BTreeMap;
use std::fmt;

use strongroom_core::{
    Error, ErrorKind, ExposeSecret, Operation, Result, Secret, SecretKey, SecretMetadata,
    SecretString, SignedDuration, Timestamp,
};

use super::engine::Vault;
use super::payload::Payload;

/// A secret without its value: what [`list`](crate::SecretManager::list) shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretInfo {
    /// The secret's name and target.
    pub key: SecretKey,
    /// What is known about it beside its value.
    pub metadata: SecretMetadata,
}

/// Changes that are made together: all of them, or none.
///
/// They are made in the order in which they were asked for.
#[derive(Default)]
pub struct Batch {
    changes: BTreeMap<SecretKey, Option<Secret>>,
}

impl Batch {
    /// Stores a secret, over the old one if there is one.
    pub fn set(&mut self, key: &SecretKey, secret: Secret) -> &mut Self {
        self.changes.insert(key.clone(), Some(secret));
        self
    }

    /// Deletes a secret. Deleting a missing one changes nothing.
    pub fn delete(&mut self, key: &SecretKey) -> &mut Self {
        self.changes.insert(key.clone(), None);
        self
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.changes.keys()).finish()
    }
}

impl Vault {
    pub(crate) fn generation(&self) -> Result<u64> {
        self.read(|payload| payload.generation)
    }

    pub(crate) fn get(&self, key: &SecretKey) -> Result<Option<Secret>> {
        let now = self.now();
        self.read(|payload| look_up(payload, key, now))?
    }

    /// The same, if the copy in memory is enough to say.
    pub(crate) fn get_from_memory(&self, key: &SecretKey) -> Option<Result<Option<Secret>>> {
        let now = self.now();
        self.read_memory(|payload| look_up(payload, key, now))
    }

    /// A secret, expired or not.
    pub(crate) fn peek(&self, key: &SecretKey) -> Result<Option<Secret>> {
        self.read(|payload| payload.secrets().get(key).map(Secret::duplicate))
    }

    pub(crate) fn exists(&self, key: &SecretKey) -> Result<bool> {
        self.read(|payload| payload.secrets().contains_key(key))
    }

    /// The same, if the copy in memory is enough to say.
    pub(crate) fn exists_in_memory(&self, key: &SecretKey) -> Option<bool> {
        self.read_memory(|payload| payload.secrets().contains_key(key))
    }

    pub(crate) fn list(&self) -> Result<Vec<SecretInfo>> {
        self.read(|payload| payload.secrets().iter().map(info).collect())
    }

    pub(crate) fn expiring(&self, within: SignedDuration) -> Result<Vec<SecretInfo>> {
        let now = self.now();
        self.read(|payload| {
            let secrets = payload.secrets().iter();
            secrets.filter(|(_, secret)| secret.expires_within(now, within)).map(info).collect()
        })
    }

    pub(crate) fn set(&self, key: &SecretKey, secret: Secret) -> Result<()> {
        key.validate().map_err(|error| error.during(Operation::Set))?;
        self.commit(|payload| {
            self.put(payload, key, secret);
            Ok(())
        })
    }

    pub(crate) fn create(&self, key: &SecretKey, secret: Secret) -> Result<()> {
        key.validate().map_err(|error| error.during(Operation::Set))?;
        self.commit(|payload| {
            must_be_free(payload, key)?;
            self.put(payload, key, secret);
            Ok(())
        })
    }

    pub(crate) fn rename(&self, old: &SecretKey, new: &SecretKey) -> Result<()> {
        new.validate().map_err(|error| error.during(Operation::Set))?;
        self.commit(|payload| {
            if !payload.secrets().contains_key(old) {
                return Err(not_found(old));
            }
            must_be_free(payload, new)?;
            payload.rename(old, new);
            Ok(())
        })
    }

    pub(crate) fn update_value(&self, key: &SecretKey, value: SecretString) -> Result<()> {
        self.commit(|payload| {
            let old = payload.secrets().get(key).ok_or_else(|| not_found(key))?;
            let mut secret = Secret::new(value);
            secret.metadata = old.metadata.clone();
            self.put(payload, key, secret);
            Ok(())
        })
    }

    pub(crate) fn update(
        &self,
        key: &SecretKey,
        change: impl FnOnce(Option<Secret>) -> Option<Secret>,
    ) -> Result<()> {
        key.validate().map_err(|error| error.during(Operation::Set))?;
        self.commit(|payload| {
            let old = payload.secrets().get(key).map(Secret::duplicate);
            match change(old) {
                Some(secret) => self.put(payload, key, secret),
                None => drop(payload.remove(key)),
            }
            Ok(())
        })
    }

    /// Stores what a refresh got for `old`, unless somebody else changed the secret since: then what
    /// they stored stands. Returns what is stored.
    pub(crate) fn refreshed(
        &self,
        key: &SecretKey,
        old: Option<&SecretString>,
        new: Secret,
    ) -> Result<Secret> {
        let mut theirs = None;
        let stored = self.commit(|payload| {
            let found = payload.secrets().get(key);
            if found.map(|found| found.value.expose_secret())
                != old.map(ExposeSecret::expose_secret)
            {
                theirs = found.map(Secret::duplicate);
                return Err(changed_meanwhile(key));
            }
            let new = self.stamped(payload, key, new);
            payload.insert(key.clone(), new.duplicate());
            Ok(new)
        });
        match theirs {
            Some(theirs) => Ok(theirs),
            None => stored,
        }
    }

    pub(crate) fn delete(&self, key: &SecretKey) -> Result<bool> {
        if !self.exists(key)? {
            return Ok(false);
        }
        self.commit(|payload| Ok(payload.remove(key).is_some()))
    }

    pub(crate) fn batch(&self, batch: Batch) -> Result<()> {
        for key in batch.changes.keys() {
            key.validate().map_err(|error| error.during(Operation::Set))?;
        }
        self.commit(|payload| {
            for (key, change) in batch.changes {
                match change {
                    Some(secret) => self.put(payload, &key, secret),
                    None => drop(payload.remove(&key)),
                }
            }
            Ok(())
        })
    }

    /// Puts a secret in, with the times that are the vault's to say.
    fn put(&self, payload: &mut Payload, key: &SecretKey, secret: Secret) {
        let secret = self.stamped(payload, key, secret);
        payload.insert(key.clone(), secret);
    }

    fn stamped(&self, payload: &Payload, key: &SecretKey, mut secret: Secret) -> Secret {
        let now = self.now();
        let created = payload.secrets().get(key).and_then(|old| old.metadata.created_at);
        secret.metadata.created_at = created.or(Some(now));
        secret.metadata.updated_at = Some(now);
        secret
    }
}

fn look_up(payload: &Payload, key: &SecretKey, now: Timestamp) -> Result<Option<Secret>> {
    match payload.secrets().get(key) {
        Some(secret) if secret.is_expired(now) => Err(expired(key, secret)),
        found => Ok(found.map(Secret::duplicate)),
    }
}

fn must_be_free(payload: &Payload, key: &SecretKey) -> Result<()> {
    if !payload.secrets().contains_key(key) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::AlreadyExists, Operation::Set)
        .with_message(format!("there is a secret {key} already; nothing was changed")))
}

fn changed_meanwhile(key: &SecretKey) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Set)
        .with_message(format!("{key} was deleted while it was refreshed; it stays deleted"))
        .with_hint("Ask the user to log in again, if nobody logged out on purpose.")
}

fn not_found(key: &SecretKey) -> Error {
    Error::new(ErrorKind::NotFound, Operation::Set)
        .with_message(format!("there is no secret {key}; nothing was changed"))
}

fn info((key, secret): (&SecretKey, &Secret)) -> SecretInfo {
    SecretInfo { key: key.clone(), metadata: secret.metadata.clone() }
}

fn expired(key: &SecretKey, secret: &Secret) -> Error {
    let since = secret.metadata.expires_at.map(|at| format!(" at {at}")).unwrap_or_default();
    Error::new(ErrorKind::Expired, Operation::Get)
        .with_message(format!("the secret {key} expired{since}"))
}
