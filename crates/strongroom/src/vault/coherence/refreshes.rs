//! The locks for refreshes, a lock for each secret.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use strongroom_core::SecretKey;
use strongroom_files::Lock;

use crate::state_dir::Paths;

/// The locks that this process has used. They are never removed: a lock that timed out may still have a
/// waiting thread, which the next taker takes over.
#[derive(Debug)]
pub(super) struct Refreshes {
    paths: Option<Paths>,
    locks: Mutex<BTreeMap<SecretKey, Arc<Lock>>>,
}

impl Refreshes {
    pub(super) fn new(paths: Option<Paths>) -> Self {
        Self { paths, locks: Mutex::default() }
    }

    /// Returns the lock of this secret.
    pub(super) fn of(&self, key: &SecretKey) -> Arc<Lock> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = locks
            .entry(key.clone())
            .or_insert_with(|| Lock::new(self.paths.as_ref().map(|paths| paths.refresh_lock(key))));
        Arc::clone(lock)
    }
}
