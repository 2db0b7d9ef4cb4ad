//! The place of a vault in a chosen store, from the configuration and the binding.

#[cfg(feature = "sealed")]
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "sealed")]
use strongroom_core::Persistence;
use strongroom_core::{Result, ServiceName};

use crate::binding::{BindingFile, Home};
use crate::choose::Chosen;
use crate::state_dir::StateDir;
#[cfg(feature = "sealed")]
use crate::vault::SealedPlace;
use crate::vault::{Engine, EntriesPlace, Storage};
use crate::{Backend, Config, Layout};

impl Config {
    /// Returns whether each secret is an entry of its own in this backend, or is to be.
    ///
    /// # Errors
    ///
    /// As [`BindingFile::home`].
    pub(crate) fn has_entries(&self, backend: Backend, binding: &BindingFile) -> Result<bool> {
        let home = Home { backend, in_entries: true };
        let is_wanted = self.layout == Layout::Entries && backend != Backend::File;
        Ok(is_wanted || binding.home()? == Some(home))
    }

    /// Returns the vault as it is, or would be, in this store.
    pub(crate) fn vault_on(
        &self,
        chosen: &Chosen,
        service: &ServiceName,
        has_entries: bool,
    ) -> Result<Engine> {
        let storage = self.storage_on(chosen, service, has_entries)?;
        let state_dir = match chosen.backend() {
            // No other process sees this store, so that there is nothing to lock.
            backend if backend.is_of_this_process() && self.state_dir.is_none() => {
                StateDir::NotNeeded
            }
            _ => self.state_directory()?,
        };
        Engine::new(storage, &state_dir, self.deadlines, Arc::clone(&self.clock))
    }

    /// Returns the storage of the service's vault in this store.
    pub(crate) fn storage_on(
        &self,
        chosen: &Chosen,
        service: &ServiceName,
        has_entries: bool,
    ) -> Result<Storage> {
        let entries = match has_entries {
            true => Some(EntriesPlace::new(chosen.backend(), self.binding_file(service)?)),
            false => None,
        };
        let storage = Storage::new(Arc::clone(chosen.store()), service)?
            .preferring_file(self.layout == Layout::Sealed)
            .with_entries(entries);
        #[cfg(feature = "sealed")]
        let storage = match self.sealed_place(chosen, service)? {
            Some(place) => storage.with_file(place),
            None => storage,
        };
        Ok(storage)
    }

    /// Returns the place of the vault's encrypted file, if it may have such a file.
    #[cfg(feature = "sealed")]
    fn sealed_place(&self, chosen: &Chosen, service: &ServiceName) -> Result<Option<SealedPlace>> {
        let lasts = chosen.store().capabilities().persistence == Persistence::Permanent;
        Ok(match (chosen.backend(), self.data_directory()?) {
            // The file's key would lie beside it, in the open.
            (Backend::PlaintextFile, _) => None,
            (Backend::File, Some(directory)) => {
                Some(SealedPlace::Direct(self.unlock(self.file_of(&directory, service))?))
            }
            // The loss of the key's entry would leave a file that can't be opened, so its store must last.
            (_, Some(directory)) if lasts => {
                let config = self.clone();
                let recovery = Box::new(move |path: &Path| config.unlock(path.to_owned()));
                let directory = Self::keyed_dir(&directory);
                Some(SealedPlace::keyed(&directory, service, self.deadlines.call, recovery))
            }
            _ => None,
        })
    }
}
