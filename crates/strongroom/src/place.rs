//! Where a vault is to lie in a store that was chosen, as the config and the binding say.

#[cfg(feature = "sealed")]
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "sealed")]
use strongroom_core::Persistence;
use strongroom_core::{Result, ServiceName};

use crate::binding::{BindingFile, Home};
use crate::choose::Chosen;
#[cfg(feature = "sealed")]
use crate::vault::SealedPlace;
use crate::vault::{EntriesPlace, Place, StateDir, Vault};
use crate::{Backend, Config, Layout};

impl Config {
    /// Whether each secret is to be an entry of its own in this backend, or is already.
    ///
    /// # Errors
    ///
    /// As [`BindingFile::home`].
    pub(crate) fn has_entries(&self, backend: Backend, binding: &BindingFile) -> Result<bool> {
        let home = Home { backend, in_entries: true };
        let is_wanted = self.layout == Layout::Entries && backend != Backend::File;
        Ok(is_wanted || binding.home()? == Some(home))
    }

    /// The vault as it is, or would be, in this store.
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
            backend if backend.is_of_this_process() && self.state_dir.is_none() => {
                StateDir::NotNeeded
            }
            _ => self.state_directory()?,
        };
        let (store, clock) = (Arc::clone(chosen.store()), Arc::clone(&self.clock));
        Vault::new(store, service, &state_dir, place, self.deadlines, clock)
    }
}

/// Where the vault's encrypted file may lie.
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
        // Its key would lie in the open, beside it.
        (Backend::PlaintextFile, _) => None,
        (Backend::File, Some(directory)) => {
            Some(SealedPlace::Direct(config.unlock(config.file_of(&directory, service))?))
        }
        (_, Some(directory)) if lasts => {
            let known = config.clone();
            let recovery = Box::new(move |path: &Path| known.unlock(path.to_owned()));
            Some(SealedPlace::keyed(&Config::keyed_dir(&directory), service, deadline, recovery))
        }
        _ => None,
    };
    Ok(Place { sealed, is_wanted, entries: None })
}
