//! The fixture of a case: a store, a service name of its own, and a clean-up that always runs.

use std::collections::BTreeSet;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use strongroom_core::{
    EntryName, Error, ErrorKind, ExposeSecret, KeyringStore, Result, Store, WriteMode, secret_bytes,
};

/// Opens a handle to the store under test. All handles must see the same entries.
pub type Factory<'a> = &'a dyn Fn() -> Arc<dyn Store>;

/// The store under test, and the entries that a case wrote to it. Dropping the fixture deletes them.
pub(crate) struct Fixture<'a> {
    factory: Factory<'a>,
    store: Arc<dyn Store>,
    service: String,
    written: Mutex<BTreeSet<EntryName>>,
}

impl<'a> Fixture<'a> {
    /// Opens a handle and chooses an unused service name.
    pub(crate) fn new(factory: Factory<'a>) -> Self {
        Self { factory, store: factory(), service: unique_service(), written: Mutex::default() }
    }

    /// Returns the handle of the case.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Returns the service name of the case. Names that contain it also belong to the case.
    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// Opens another handle.
    pub(crate) fn open(&self) -> Arc<dyn Store> {
        (self.factory)()
    }

    /// Registers an entry for the clean-up. Must be called before an entry is written through another handle.
    pub(crate) fn will_write(&self, service: &str, user: &str) {
        if let Ok(entry) = EntryName::new(service, user) {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.insert(entry);
        }
    }

    /// Writes a value under the service of the case. Returns the store's result.
    pub(crate) fn try_write(&self, user: &str, value: &[u8], mode: WriteMode) -> Result<()> {
        // Before the write: also a write that reports an error may leave an entry.
        self.will_write(&self.service, user);
        self.store.write_bytes(&self.service, user, &secret_bytes(value.to_vec()), mode)
    }

    /// Overwrites a value under the service of the case. Panics if that fails.
    pub(crate) fn write(&self, user: &str, value: impl AsRef<[u8]>) {
        self.write_in(self.service(), user, value);
    }

    /// Overwrites a value under a service whose name contains that of the case. Panics if that fails.
    pub(crate) fn write_in(&self, service: &str, user: &str, value: impl AsRef<[u8]>) {
        self.will_write(service, user);
        let value = secret_bytes(value.as_ref().to_vec());
        self.store
            .set_bytes(service, user, &value)
            .unwrap_or_else(|error| panic!("writing failed: {error:?}"));
    }

    /// Reads a value under the service of the case. Panics if that fails.
    pub(crate) fn read(&self, user: &str) -> Option<Vec<u8>> {
        read(self.store(), &self.service, user)
    }

    /// Returns whether the entry exists under the service of the case. Panics if `exists`, `get` and `list` disagree.
    pub(crate) fn is_there(&self, user: &str) -> bool {
        let exists = self
            .store
            .exists(&self.service, user)
            .unwrap_or_else(|error| panic!("exists failed: {error:?}"));
        let read = self.read(user).is_some();
        assert_eq!(exists, read, "exists and get must agree on {user:?}");
        if self.store.capabilities().can_list {
            let listed = self.list(&self.service).iter().any(|listed| listed == user);
            assert_eq!(listed, exists, "list and exists must agree on {user:?}");
        }
        exists
    }

    /// Returns the users of a service, sorted. Panics if that fails.
    pub(crate) fn list(&self, service: &str) -> Vec<String> {
        let users =
            self.store.list(service).unwrap_or_else(|error| panic!("list failed: {error:?}"));
        users.into_iter().map(|user| user.as_str().to_owned()).collect()
    }

    /// Deletes an entry under the service of the case. Returns whether it existed. Panics if that fails.
    pub(crate) fn delete(&self, user: &str) -> bool {
        self.store
            .delete_password(&self.service, user)
            .unwrap_or_else(|error| panic!("delete failed: {error:?}"))
    }
}

impl Drop for Fixture<'_> {
    fn drop(&mut self) {
        let written = self.written.get_mut().unwrap_or_else(PoisonError::into_inner);
        for entry in written.iter() {
            // The outcome of the case is known, and there are cases of their own for deleting.
            let _ = self.store.remove_entry(entry);
        }
    }
}

/// Reads an entry. Panics if that fails.
pub(crate) fn read(store: &dyn Store, service: &str, user: &str) -> Option<Vec<u8>> {
    store
        .get_bytes(service, user)
        .unwrap_or_else(|error| panic!("reading {user:?} failed: {error:?}"))
        .map(|value| value.expose_secret().to_vec())
}

/// Returns the error of a call. Panics if the call succeeded or failed with another kind.
pub(crate) fn refused<T>(result: Result<T>, kind: ErrorKind, what: &str) -> Error {
    match result {
        Ok(_) => panic!("{what} must be refused as {kind:?}, and was done"),
        Err(error) => {
            assert_eq!(error.kind(), kind, "{what} failed with {error:?}");
            error
        }
    }
}

fn unique_service() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    // With a clock before 1970 the process id and the count are still unique in this process.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("conformance-{}-{count}-{}", process::id(), now.as_nanos())
}
