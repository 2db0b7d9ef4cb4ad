//! The values that a configuration and the environment determine together.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use strongroom_core::{Error, ErrorKind, Operation, Result, ServiceName, Store};

use super::Config;
use super::fallback::FallbackChoice;
use crate::Backend;
use crate::backend::names;
use crate::binding::{BindingFile, Named};
use crate::state_dir::StateDir;

impl Config {
    /// Returns the service's name, checked.
    ///
    /// # Errors
    ///
    /// `Invalid` if it can't be used.
    pub(crate) fn checked_service(&self) -> Result<ServiceName> {
        ServiceName::new(self.service.as_str())
    }

    /// Returns whether the user can be asked for a passphrase of the encrypted file.
    pub(crate) const fn can_ask(&self) -> bool {
        self.keys.can_ask()
    }

    /// Returns the application's own store, if it has the name of this backend.
    pub(crate) fn own_store(&self, backend: Backend) -> Option<Arc<dyn Store>> {
        self.store.clone().filter(|store| Backend::custom(store.name()) == backend)
    }

    /// Returns the backend of the application's own store, unless it has the name of a built-in backend.
    pub(crate) fn backend_of_own_store(&self) -> Option<Backend> {
        let backend = self.store.as_ref().map(|store| Backend::custom(store.name()));
        backend.filter(|backend| backend.is_custom())
    }

    /// Returns the file that remembers the backend of the service's secrets.
    ///
    /// # Errors
    ///
    /// As [`state_directory`](Self::state_directory).
    pub(crate) fn binding_file(&self, service: &ServiceName) -> Result<BindingFile> {
        let own = self.store.as_ref().map(|store| store.name());
        Ok(BindingFile::new(&self.state_directory()?, service).with_own_store(own))
    }

    /// Returns the file without encryption that was chosen as the fallback.
    pub(crate) fn plaintext_file(&self) -> Option<&PathBuf> {
        match &self.fallback {
            Some(FallbackChoice::PlaintextFile(path)) => Some(path),
            _ => None,
        }
    }

    /// Returns the directory of locks, generations and bindings.
    ///
    /// # Errors
    ///
    /// `AccessDenied` or `Invalid` if another user could have prepared the directory.
    pub(crate) fn state_directory(&self) -> Result<StateDir> {
        self.state_dir.clone().map_or_else(StateDir::of_user, StateDir::at)
    }

    /// Returns the value of an environment variable. An empty value counts as unset.
    pub(crate) fn lookup(&self, variable: &str) -> Option<OsString> {
        (self.environment)(variable).filter(|value| !value.is_empty())
    }

    /// Returns the backend that the caller names, or else the environment.
    ///
    /// # Errors
    ///
    /// `Invalid` if the environment names an unknown backend.
    pub(crate) fn named_backend(&self) -> Result<Option<Named>> {
        if let Some(backend) = self.backend {
            return Ok(Some(Named { backend, variable: None }));
        }
        let named = self.environment_backend()?;
        let variable = Some(self.backend_variable());
        Ok(named.map(|backend| Named { backend, variable }))
    }

    /// Returns the backend that the environment names. An empty value counts as unset.
    pub(crate) fn environment_backend(&self) -> Result<Option<Backend>> {
        let variable = self.backend_variable();
        let Some(value) = self.lookup(&variable) else {
            return Ok(None);
        };
        let value = value.to_string_lossy();
        value.parse().map(Some).map_err(|_| {
            Error::new(ErrorKind::Invalid, Operation::Choose)
                .with_message(format!(
                    "{variable} is \"{}\", which is none of {}",
                    value.escape_debug(),
                    names(Backend::ALL)
                ))
                .with_hint(format!("Set {variable} to one of these names, or unset it."))
        })
    }
}
