//! The place of a vault in a chosen store, from the configuration and the binding.

use std::sync::Arc;

use strongroom_core::{Result, ServiceName};

use crate::binding::{BindingFile, Home};
use crate::choose::Chosen;
use crate::sealed_files::file_of_vault;
use crate::state_dir::StateDir;
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
        let persistence = chosen.store().capabilities().persistence;
        let file = file_of_vault(self, (chosen.backend(), persistence), service)?;
        Ok(Storage::new(Arc::clone(chosen.store()), service)?
            .preferring_file(self.layout == Layout::Sealed)
            .with_entries(entries)
            .with_file(file))
    }
}
