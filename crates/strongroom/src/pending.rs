//! Secrets that a refresh fetched, and that are kept in memory until the store takes them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use strongroom_core::{Secret, SecretKey, SecretString};

/// Fetched secrets that the store did not take. A leaf lock: no other lock is taken while it is held.
#[derive(Default)]
pub(crate) struct PendingRefreshes(Mutex<BTreeMap<SecretKey, Fetched>>);

/// A secret that was fetched, and could not be stored.
pub(crate) struct Fetched {
    /// The value that the refresh replaces. If another value is stored by now, that value stays.
    pub(crate) base: Option<SecretString>,
    pub(crate) secret: Secret,
}

impl PendingRefreshes {
    /// Removes and returns the fetched secret of this key.
    pub(crate) fn take(&self, key: &SecretKey) -> Option<Fetched> {
        self.all().remove(key)
    }

    /// Keeps a fetched secret.
    pub(crate) fn keep(&self, key: &SecretKey, fetched: Fetched) {
        self.all().insert(key.clone(), fetched);
    }

    /// Returns the keys of all fetched secrets.
    pub(crate) fn keys(&self) -> Vec<SecretKey> {
        self.all().keys().cloned().collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<SecretKey, Fetched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
