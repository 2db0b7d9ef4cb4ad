//! Opening the vault that a configuration describes.

use strongroom_core::advice::Advice;
use strongroom_core::{Error, ErrorKind, KeyringStore as _, Result};

use crate::binding::Binding;
use crate::choose::{ChoiceReason, Chosen};
use crate::choose::{FIRST_THERE, choose_for, warn};
use crate::pool;
use crate::shared::Shared;
use crate::vault::Engine;
use crate::{Backend, Config, Layout, SecretManager, blocking};

impl Config {
    /// Chooses the store and reads the vault once.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; `BoundElsewhere` if the vault is in another backend
    /// than the named backend; `Gone` if the vault is gone from a store that lasts; `Corrupt` if the vault
    /// can't be read; otherwise as [`choose_unbound`](crate::store::choose_unbound()).
    pub async fn open(self) -> Result<SecretManager> {
        let opened = pool::run(move || self.open_blocking()).await?;
        Ok(opened.to_async())
    }

    /// Opens the vault for blocking callers, as [`open`](Self::open) does.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_blocking(self) -> Result<blocking::SecretManager> {
        let (service, setup_hint) = (self.service.clone(), self.setup_hint.clone());
        let (vault, chosen) = self.prepare_vault()?;
        let before = chosen.store().capabilities().persistence;
        let opened = vault.read(|vault| vault.generation().map(drop));
        opened.map_err(|error| with_bound_backend(error, &service, &chosen))?;
        if chosen.store().capabilities().persistence != before {
            // A provider's collection, and with it the persistence, is known only after the first call.
            warn(chosen.backend(), chosen.store().as_ref(), FIRST_THERE);
        }
        warn_of_entries(&vault, &service, &chosen);
        let shared = Shared::new(vault, chosen, setup_hint);
        Ok(blocking::SecretManager::from_shared(shared))
    }

    /// Returns the vault before its first read, and its store.
    pub(crate) fn prepare_vault(self) -> Result<(Engine, Chosen)> {
        let service = self.checked_service()?;
        let binding = self.binding_file(&service)?;
        let chosen = choose_for(&service, &binding, &self)?;
        let backend = chosen.backend();
        let has_entries = self.has_entries(backend, &binding)?;
        let vault = self.vault_on(&chosen, &service, has_entries)?;
        let binding = Binding::to(backend, binding)?;
        Ok((vault.replacing_gone(self.starts_anew).bound_by(binding), chosen))
    }
}

/// Warns of entries of the service if its vault is empty. An earlier version of the application, or another
/// program, stored them, and a vault does not show them.
fn warn_of_entries(vault: &Engine, service: &str, chosen: &Chosen) {
    let has_entries = chosen.backend() != Backend::File && chosen.store().capabilities().can_list;
    if !has_entries || !is_empty_vault(vault) {
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

/// Returns whether the vault was read and does not exist yet. Always false in the layout `entries`.
fn is_empty_vault(vault: &Engine) -> bool {
    vault.read_copy(|content| content.is_none() && content.layout() != Layout::Entries)
        == Some(true)
}

/// Adds the backend of the secrets to the hint of a `NoBackend` error, if the store was chosen by the
/// binding. In another store the vault would seem empty.
pub(crate) fn with_bound_backend(error: Error, service: &str, chosen: &Chosen) -> Error {
    if error.kind() != ErrorKind::NoBackend || !matches!(chosen.reason(), ChoiceReason::Bound) {
        return error;
    }
    let place =
        format!("The secrets of \"{}\" are kept in {}.", service.escape_debug(), chosen.backend());
    let advice = Advice::from(place).and_all(error.advice());
    error.with_advice(advice)
}
