//! Changes that are made together.

use std::collections::BTreeMap;
use std::fmt;

use strongroom_core::{Secret, SecretKey};

/// Changes that are made together: all of them, or none.
///
/// Of several changes to the same secret, the last counts. If a vault's
/// [capabilities](crate::SecretManager::capabilities) say that changes are made one after the other, all
/// values are stored before any secret is deleted.
#[derive(Default)]
pub struct Batch {
    pub(crate) changes: BTreeMap<SecretKey, BatchChange>,
}

/// A change of a batch to a single secret.
pub(crate) enum BatchChange {
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
    /// Returns the secret to store.
    pub(crate) const fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Set(secret) | Self::Create(secret) => Some(secret),
            Self::Delete => None,
        }
    }

    /// Returns the secret to store.
    pub(crate) fn into_secret(self) -> Option<Secret> {
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
