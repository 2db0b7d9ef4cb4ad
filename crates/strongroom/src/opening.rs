//! Opening the vault that a configuration describes.

use std::sync::Arc;

use strongroom_core::advice::Advice;
use strongroom_core::{Error, ErrorKind, KeyringStore as _, Result};

use crate::binding::Binding;
use crate::choose::{ChoiceReason, Chosen};
use crate::choose::{FIRST_THERE, choose_for, warn};
use crate::manager::Shared;
use crate::pool;
use crate::vault::Vault;
use crate::{Backend, Config, SecretManager, blocking};

impl Config {
    /// Chooses the store and reads the vault once.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; `BoundElsewhere` if the vault is in another backend
    /// than the named backend; `Gone` if the vault is gone from a store that lasts; `Corrupt` if the vault
    /// can't be read; otherwise as [`choose_unbound`](crate::store::choose_unbound()).
    pub async fn open(self) -> Result<SecretManager> {
        let shared = pool::run(move || self.open_shared()).await?;
        Ok(SecretManager { shared })
    }

    /// Opens the vault for blocking callers, as [`open`](Self::open) does.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_blocking(self) -> Result<blocking::SecretManager> {
        self.open_shared().map(blocking::SecretManager::from_shared)
    }

    fn open_shared(self) -> Result<Arc<Shared>> {
        let (service, setup_hint) = (self.service.clone(), self.setup_hint.clone());
        let (vault, chosen) = self.unread()?;
        let before = chosen.store().capabilities().persistence;
        vault.open().map_err(|error| away(error, &service, &chosen))?;
        if chosen.store().capabilities().persistence != before {
            // A provider's collection, and with it the persistence, is known only after the first call.
            warn(chosen.backend(), chosen.store().as_ref(), FIRST_THERE);
        }
        warn_of_entries(&vault, &service, &chosen);
        Ok(Arc::new(Shared { vault: Arc::new(vault), chosen, setup_hint }))
    }

    /// Returns the vault before its first read, and its store.
    pub(crate) fn unread(self) -> Result<(Vault, Chosen)> {
        let service = self.checked_service()?;
        let binding = self.binding_file(&service)?;
        let chosen = choose_for(&service, &binding, &self)?;
        let backend = chosen.backend();
        let has_entries = self.has_entries(backend, &binding)?;
        let vault = self.vault_on(&chosen, &service, has_entries)?;
        let vault = vault.starting_anew(self.starts_anew);
        let vault = match Binding::to(backend, binding)? {
            Some(binding) => vault.bound_by(binding),
            None => vault,
        };
        Ok((vault, chosen))
    }
}

/// Warns of entries of the service if its vault is empty. An earlier version of the application, or another
/// program, stored them, and a vault does not show them.
fn warn_of_entries(vault: &Vault, service: &str, chosen: &Chosen) {
    let has_entries = chosen.backend() != Backend::File && chosen.store().capabilities().can_list;
    if !has_entries || !vault.is_empty_vault() {
        return;
    }
    // A store that can't be listed now costs only the warning.
    let count = chosen.store().list(service).map_or(0, |users| users.len());
    if count > 0 {
        tracing::warn!(
            "the vault of \"{}\" is empty, and there are {count} entries of this service in {}: a move from entries takes them in",
            service.escape_debug(),
            chosen.backend(),
        );
    }
}

/// Adds the backend of the secrets to the hint of a `NoBackend` error, if the store was chosen by the
/// binding. In another store the vault would seem empty.
pub(crate) fn away(error: Error, service: &str, chosen: &Chosen) -> Error {
    if error.kind() != ErrorKind::NoBackend || !matches!(chosen.reason(), ChoiceReason::Bound) {
        return error;
    }
    let place =
        format!("The secrets of \"{}\" are kept in {}.", service.escape_debug(), chosen.backend());
    let advice = Advice::from(place).and_all(error.advice());
    error.with_advice(advice)
}
