//! From a backend's name to a store: what this build has.

use std::env::consts::OS;
use std::sync::{Arc, LazyLock};

use strongroom_core::{Error, ErrorKind, MemoryStore, Operation, Result, Store};

use crate::backend::{names, supported};
use crate::container::Container;
use crate::plaintext::PlaintextStore;
use crate::{Backend, Config, Guard};

/// Where stores come from. The tests bring their own.
pub(crate) trait Platform {
    /// The backend that the platform's applications use.
    fn default_backend(&self) -> Option<Backend>;

    /// A store that takes the place of every automatic choice for a service.
    fn stand_in(&self, _service: &str) -> Option<Arc<dyn Store>> {
        None
    }

    /// The container that this process runs in, if the kernel's keyring may be shared with others there.
    fn container(&self) -> Option<Container> {
        None
    }

    /// Opens a store without contacting it.
    fn open(&self, backend: Backend, config: &Config) -> Result<Arc<dyn Store>>;

    /// The same, kept to its deadlines.
    fn open_guarded(&self, backend: Backend, config: &Config) -> Result<Arc<dyn Store>> {
        let store = match config.own_store(backend) {
            Some(store) => store,
            None => self.open(backend, config)?,
        };
        Ok(guarded(store, config))
    }
}

/// The platform that this build is for.
#[derive(Debug)]
pub(crate) struct Here;

impl Platform for Here {
    fn default_backend(&self) -> Option<Backend> {
        Backend::platform_default()
    }

    fn container(&self) -> Option<Container> {
        Container::detect()
    }

    #[cfg(feature = "testing")]
    fn stand_in(&self, service: &str) -> Option<Arc<dyn Store>> {
        let is_test = crate::testing::is_test_program();
        is_test.then(|| Arc::new(crate::testing::mock(service)) as Arc<dyn Store>)
    }

    fn open(&self, backend: Backend, config: &Config) -> Result<Arc<dyn Store>> {
        match backend {
            #[cfg(all(feature = "credential-manager", windows))]
            Backend::CredentialManager => Ok(credential_manager(config)),
            #[cfg(feature = "sealed")]
            Backend::File => file(config),
            #[cfg(all(feature = "keychain", target_os = "macos"))]
            Backend::Keychain => Ok(keychain(config)),
            #[cfg(all(feature = "keyutils", target_os = "linux"))]
            Backend::Keyutils => Ok(Arc::new(strongroom_keyutils::KeyutilsStore::new())),
            Backend::Custom(name) => Err(not_brought(name)),
            Backend::Memory => Ok(memory()),
            Backend::PlaintextFile => plaintext_file(config),
            #[cfg(all(feature = "secret-service", target_os = "linux"))]
            Backend::SecretService => Ok(secret_service(config)),
            _ => Err(not_in_this_build(backend)),
        }
    }
}

/// Returns the one memory of this process: what is opened again is there again.
fn memory() -> Arc<dyn Store> {
    static MEMORY: LazyLock<MemoryStore> = LazyLock::new(MemoryStore::new);
    Arc::new(MEMORY.clone())
}

/// Puts a store behind a guard with the caller's deadlines.
pub(crate) fn guarded(store: Arc<dyn Store>, config: &Config) -> Arc<dyn Store> {
    let guard = Guard::new(store).with_deadlines(config.deadlines).with_prompt(config.prompt);
    Arc::new(guard)
}

#[cfg(all(feature = "credential-manager", windows))]
fn credential_manager(config: &Config) -> Arc<dyn Store> {
    use strongroom_credential_manager::{Config as Settings, CredentialManagerStore};

    let mut settings = Settings::default().with_deadline(config.deadlines.call);
    if let Some(directory) = &config.state_dir {
        settings = settings.with_state_dir(directory);
    }
    Arc::new(CredentialManagerStore::with_config(settings))
}

/// The files need a key only when they are used: choosing contacts nobody.
#[cfg(feature = "sealed")]
fn file(config: &Config) -> Result<Arc<dyn Store>> {
    let directory = config.data_directory()?.ok_or_else(|| {
        Error::new(ErrorKind::NoBackend, Operation::Choose)
            .with_store(Backend::File.name())
            .with_message("the user has no home directory for an encrypted file")
            .with_hint("Set HOME to a directory that this user may write.")
    })?;
    let mut settings = strongroom_sealed::Config::keyless(Config::file_dir(&directory));
    settings.deadline = config.deadlines.call;
    settings.sources = config.key_sources()?;
    Ok(Arc::new(strongroom_sealed::SealedStore::new(settings)))
}

#[cfg(all(feature = "keychain", target_os = "macos"))]
fn keychain(config: &Config) -> Arc<dyn Store> {
    use strongroom_keychain::{Config as Settings, KeychainChoice, KeychainStore};

    let mut settings =
        Settings::default().with_prompt(config.prompt).with_deadline(config.deadlines.call);
    if let Some(group) = &config.keychain_group {
        let access_group = Some(group.clone());
        settings = settings.with_keychain(KeychainChoice::DataProtection { access_group });
    }
    Arc::new(KeychainStore::new(settings))
}

fn plaintext_file(config: &Config) -> Result<Arc<dyn Store>> {
    let Some(path) = config.plaintext_file().cloned() else {
        return Err(Error::new(ErrorKind::NoBackend, Operation::Choose)
            .with_store(Backend::PlaintextFile.name())
            .with_message("this program was not told where its plaintext file is")
            .with_hint("Use the application that made the file."));
    };
    Ok(Arc::new(PlaintextStore::new(path, config.deadlines.call)))
}

#[cfg(all(feature = "secret-service", target_os = "linux"))]
fn secret_service(config: &Config) -> Arc<dyn Store> {
    use strongroom_secret_service::{Config as Settings, SecretServiceStore};

    let mut settings =
        Settings::default().with_deadlines(config.deadlines).with_prompt(config.prompt);
    settings = settings.with_unencrypted_session(config.unencrypted_session);
    if let Some(address) = &config.bus_address {
        settings = settings.with_bus_address(address.clone());
    }
    if let Some(directory) = &config.state_dir {
        settings = settings.with_state_dir(directory.clone());
    }
    Arc::new(SecretServiceStore::new(settings))
}

fn not_brought(name: &'static str) -> Error {
    Error::new(ErrorKind::NoBackend, Operation::Choose)
        .with_store(name)
        .with_message("this program was not given that store")
        .with_hint("Use the application that brings it.")
}

fn not_in_this_build(backend: Backend) -> Error {
    let available = names(&supported());
    Error::new(ErrorKind::NoBackend, Operation::Choose)
        .with_store(backend.name())
        .with_message(format!("this build for {OS} doesn't have it; it has {available}"))
        .with_hint(format!("Choose one of these, or use a build that has {backend}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_supported_opens_and_the_rest_says_so() {
        let config = Config::new("app");
        for &backend in Backend::ALL {
            let opened = Here.open_guarded(backend, &config);
            if backend.is_supported_here() {
                assert_eq!(opened.unwrap().name(), backend.name());
                continue;
            }
            let error = opened.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NoBackend);
            assert_eq!(error.store(), Some(backend.name()));
            for text in ["this build", OS, &names(&supported())] {
                assert!(error.to_string().contains(text), "{error}");
            }
        }
    }
}
