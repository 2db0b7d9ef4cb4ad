//! Services of their own, clean-up, what other programs see, and this test program started again.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

use std::collections::HashMap;
use std::env;
use std::ops::Deref;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use strongroom_core::{ExposeSecret, KeyringStore, Result, WriteMode, secret_bytes};
use strongroom_credential_manager::{Config, CredentialManagerStore};
use strongroom_testkit::child::{self, Child};

/// Where the service of the test that started this process stands.
const SERVICE: &str = "STRONGROOM_TEST_SERVICE";

/// A service of its own in the store, emptied when dropped.
pub(crate) struct Service {
    pub(crate) name: String,
    store: CredentialManagerStore,
    owned: bool,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::with_config(Config::default())
    }

    pub(crate) fn with_config(config: Config) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{count}", process::id());
        Self { name, store: CredentialManagerStore::with_config(config), owned: true }
    }

    /// That of the test that started this process.
    pub(crate) fn inherited() -> Self {
        let name = env::var(SERVICE).unwrap();
        Self { name, store: CredentialManagerStore::new(), owned: false }
    }

    pub(crate) fn get(&self, user: &str) -> Option<Vec<u8>> {
        let value = self.store.get_bytes(&self.name, user).unwrap();
        value.map(|value| value.expose_secret().to_vec())
    }

    pub(crate) fn set(&self, user: &str, value: impl AsRef<[u8]>) {
        self.write(user, value, WriteMode::Overwrite).unwrap();
    }

    pub(crate) fn create(&self, user: &str, value: impl AsRef<[u8]>) -> Result<()> {
        self.write(user, value, WriteMode::CreateNew)
    }

    pub(crate) fn has(&self, user: &str) -> bool {
        self.store.exists(&self.name, user).unwrap()
    }

    pub(crate) fn delete(&self, user: &str) -> bool {
        self.store.delete_password(&self.name, user).unwrap()
    }

    pub(crate) fn users(&self) -> Vec<String> {
        let users = self.store.list(&self.name).unwrap();
        users.iter().map(|user| user.as_str().to_owned()).collect()
    }

    pub(crate) fn write(&self, user: &str, value: impl AsRef<[u8]>, mode: WriteMode) -> Result<()> {
        let value = secret_bytes(value.as_ref().to_vec());
        self.store.write_bytes(&self.name, user, &value, mode)
    }

    /// What the `keyring` crate stores under these names.
    pub(crate) fn keyring(&self, user: &str) -> Other {
        Other::new(&self.name, user)
    }

    /// The same, of a service with this before its name.
    pub(crate) fn keyring_of(&self, before: &str, user: &str) -> Other {
        Other::new(&format!("{before}{}", self.name), user)
    }

    /// The store's own credential, in the hands of the `keyring` crate: that user's name must hold a
    /// full stop, so that it can be taken for the one between the two names.
    pub(crate) fn in_others_hands(&self, user: &str) -> Other {
        let target = format!("strongroom:{}/{user}", self.name);
        let (user, service) = target.split_once('.').unwrap();
        Other::new(service, user)
    }
}

impl Deref for Service {
    type Target = CredentialManagerStore;

    fn deref(&self) -> &CredentialManagerStore {
        &self.store
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.owned {
            for user in self.store.list(&self.name).unwrap_or_default() {
                let _ = self.store.delete_password(&self.name, user.as_str());
            }
        }
    }
}

/// An entry of the `keyring` crate, deleted when dropped.
pub(crate) struct Other(keyring::Entry);

impl Other {
    fn new(service: &str, user: &str) -> Self {
        Self(keyring::Entry::new(service, user).unwrap())
    }

    pub(crate) fn attributes(&self) -> HashMap<String, String> {
        self.0.inner.get_attributes().unwrap()
    }
}

impl Deref for Other {
    type Target = keyring::Entry;

    fn deref(&self) -> &keyring::Entry {
        &self.0
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It fails where the store has deleted it.
        let _ = self.0.delete_credential();
    }
}

/// Whether this is Wine, and not Windows.
pub(crate) fn is_wine() -> bool {
    Path::new(r"C:\windows\system32\winecfg.exe").exists()
}

/// Starts a function of this program, in the same service.
pub(crate) fn start(function: &str, service: &Service) -> Child {
    let mut command = child::command(function);
    command.env(SERVICE, &service.name).env("RUST_BACKTRACE", "0");
    Child::start(command)
}
