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
use crate::vault::{EntriesPlace, Place, Vault};
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
    ) -> Result<Vault> {
        let place = Place {
            entries: match has_entries {
                true => Some(EntriesPlace::new(chosen.backend(), self.binding_file(service)?)),
                false => None,
            },
            ..place_of_file(self, chosen, service)?
        };
        let state_dir = match chosen.backend() {
            // No other process sees this store, so that there is nothing to lock.
            backend if backend.is_of_this_process() && self.state_dir.is_none() => {
                StateDir::NotNeeded
            }
            _ => self.state_directory()?,
        };
        let (store, clock) = (Arc::clone(chosen.store()), Arc::clone(&self.clock));
        Vault::new(store, service, &state_dir, place, self.deadlines, clock)
    }
}

/// Returns the place of the vault's encrypted file, if it may have such a file.
#[cfg(not(feature = "sealed"))]
fn place_of_file(config: &Config, _: &Chosen, _: &ServiceName) -> Result<Place> {
    Ok(Place { is_wanted: config.layout == Layout::Sealed, entries: None })
}

#[cfg(feature = "sealed")]
fn place_of_file(config: &Config, chosen: &Chosen, service: &ServiceName) -> Result<Place> {
    let is_wanted = config.layout == Layout::Sealed;
    let deadline = config.deadlines.call;
    let lasts = chosen.store().capabilities().persistence == Persistence::Permanent;
    let sealed = match (chosen.backend(), config.data_directory()?) {
        // The file's key would lie beside it, in the open.
        (Backend::PlaintextFile, _) => None,
        (Backend::File, Some(directory)) => {
            Some(SealedPlace::Direct(config.unlock(config.file_of(&directory, service))?))
        }
        // The loss of the key's entry would leave a file that can't be opened, so its store must last.
        (_, Some(directory)) if lasts => {
            let known = config.clone();
            let recovery = Box::new(move |path: &Path| known.unlock(path.to_owned()));
            Some(SealedPlace::keyed(&Config::keyed_dir(&directory), service, deadline, recovery))
        }
        _ => None,
    };
    Ok(Place { sealed, is_wanted, entries: None })
}
