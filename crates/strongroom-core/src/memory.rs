//! The reference store: entries in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::ExposeSecret;

use crate::{
    Capabilities, EntryName, Error, ErrorKind, Operation, Persistence, Probe, Result, SecretBytes,
    ServiceName, Store, WriteMode, secret_copy,
};

/// A store that keeps entries in memory, and wipes them when they are dropped.
///
/// Clones are handles to the same entries, which live as long as the last handle.
#[derive(Clone, Default)]
pub struct MemoryStore {
    entries: Arc<Mutex<BTreeMap<EntryName, SecretBytes>>>,
}

impl MemoryStore {
    /// The store's name.
    pub const NAME: &str = "memory";

    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EntryName, SecretBytes>> {
        // A panic can't leave the map inconsistent: each change is a single call.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Persistence::Session).with_binary_safe().with_list()
    }

    fn probe(&self) -> Result<Probe> {
        Ok(Probe::new("this process"))
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        Ok(self.lock().get(entry).map(copy))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        // Held for check and insertion, so that of several creators a single caller succeeds.
        let mut entries = self.lock();
        if mode == WriteMode::CreateNew && entries.contains_key(entry) {
            return Err(Error::new(ErrorKind::AlreadyExists, Operation::Set)
                .with_store(Self::NAME)
                .with_entry(entry));
        }
        entries.insert(entry.clone(), copy(value));
        Ok(())
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        Ok(self.lock().remove(entry).is_some())
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        Ok(self.lock().contains_key(entry))
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        Ok(self.lock().keys().filter(|entry| entry.service() == service).cloned().collect())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("entries", &self.lock().len()).finish_non_exhaustive()
    }
}

fn copy(value: &SecretBytes) -> SecretBytes {
    secret_copy(value.expose_secret())
}
