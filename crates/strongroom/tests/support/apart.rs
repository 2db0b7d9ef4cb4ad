//! Secrets that are entries of their own, on a machine whose store is the kernel's keyring.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use strongroom::moves::Moved;
use strongroom::store::{Chosen, choose_unbound};
use strongroom::{
    Backend, Config, Error, ExposeSecret, KeyringStore, Layout, SecretKey, SecretString, blocking,
};
use strongroom_testkit::{Sandbox, unused_name};

use super::builder;

pub(crate) fn value(
    secrets: &blocking::SecretManager,
    key: impl Into<SecretKey>,
) -> Option<String> {
    secrets.get_value(key).unwrap().map(|value| value.expose_secret().to_owned())
}

/// All secrets with their values.
pub(crate) fn content(secrets: &blocking::SecretManager) -> BTreeMap<SecretKey, String> {
    let keys = secrets.list().unwrap().into_iter().map(|info| info.key);
    keys.map(|key| (key.clone(), value(secrets, key).unwrap())).collect()
}

/// A user's machine whose store is the kernel's keyring.
pub(crate) struct Machine {
    pub(crate) sandbox: Sandbox,
    pub(crate) service: String,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { sandbox: Sandbox::new(), service: unused_name("entries") }
    }

    fn config() -> Config {
        Config::new("").environment(|_| None).backend(Backend::Keyutils)
    }

    pub(crate) fn builder(&self, layout: Layout) -> Config {
        builder(&self.service, Self::config().layout(layout), &self.sandbox)
    }

    pub(crate) fn open(&self, layout: Layout) -> blocking::SecretManager {
        self.builder(layout).open_blocking().unwrap()
    }

    pub(crate) fn move_to(&self, layout: Layout) -> Result<Moved, Error> {
        self.builder(Layout::Inline).move_to(Backend::Keyutils, layout, |_| ())
    }

    pub(crate) fn store(&self) -> Chosen {
        choose_unbound(&Self::config()).unwrap()
    }

    pub(crate) fn users(&self) -> Vec<String> {
        let users = self.store().store().list(&self.service).unwrap();
        users.iter().map(|user| user.as_str().to_owned()).collect()
    }

    pub(crate) fn write(&self, user: &str, value: &str) {
        let (store, value) = (self.store(), SecretString::from(value));
        store.store().set_password(&self.service, user, &value).unwrap();
    }

    pub(crate) fn binding(&self) -> PathBuf {
        self.sandbox.state_dir().join(format!("vault-{}.binding", self.service))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let store = self.store();
        for user in self.users() {
            store.store().delete_password(&self.service, &user).ok();
        }
    }
}
