//! The entries of a service as bytes, in the store that holds its secrets.

use std::fmt;
use std::sync::Arc;

use strongroom_core::{
    Capabilities, KeyringStore as _, Result, SecretBytes, ServiceName, Store, UserName, WriteMode,
};

use crate::binding::{Binding, has_vault};
use crate::choose::choose_for;
use crate::choose::{ChoiceReason, Chosen, choose_unbound};
use crate::opening::with_bound_backend;
use crate::{Backend, Config};

/// The entries of a service as bytes, in any layout, for tools that inspect a store.
///
/// - Entries are in the store that holds the service's secrets. The first entry of a service binds the
///   service to its store.
/// - The vault's own entry is included. The caller must take care not to write it.
///
/// # Errors
///
/// Every call can fail as [`Store`] describes, and with `Invalid` for a name that can't be used.
///
/// ```
/// use strongroom::{Backend, Config};
/// use strongroom::store::{WriteMode, secret_bytes};
///
/// let entries = Config::new("example").backend(Backend::Memory).entries()?;
/// entries.write("token", &secret_bytes(b"s3cret".to_vec()), WriteMode::Overwrite)?;
/// assert!(entries.exists("token")?);
/// assert!(entries.delete("token")?);
/// # Ok::<(), strongroom::Error>(())
/// ```
pub struct ServiceEntries {
    service: ServiceName,
    chosen: Chosen,
    /// The memory of the store. `None` for a store that is inspected and not chosen for good.
    binding: Option<Binding>,
}

impl Config {
    /// Opens the entries of the service, in the store that holds its secrets. Nothing is read before the
    /// first call.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; `BoundElsewhere` if the secrets are in another store
    /// than the named store; otherwise as [`choose_unbound()`].
    pub fn entries(self) -> Result<ServiceEntries> {
        let service = self.checked_service()?;
        let file = self.binding_file(&service)?;
        let chosen = choose_for(&service, &file, &self)?;
        let binding = Binding::to(chosen.backend(), file)?;
        Ok(ServiceEntries { service, chosen, binding })
    }

    /// Opens the entries of the service in the named store, even if its secrets are in another store.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; otherwise as [`choose_unbound()`].
    pub fn entries_elsewhere(self) -> Result<ServiceEntries> {
        let service = self.checked_service()?;
        Ok(ServiceEntries { service, chosen: choose_unbound(&self)?, binding: None })
    }
}

impl ServiceEntries {
    /// Returns the value of an entry, or `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// The errors of [`Store::read_entry`].
    pub fn read(&self, user: &str) -> Result<Option<SecretBytes>> {
        self.placed(self.store().get_bytes(self.service.as_str(), user))
    }

    /// Writes an entry.
    ///
    /// # Errors
    ///
    /// The errors of [`KeyringStore::write_bytes`](crate::KeyringStore::write_bytes).
    pub fn write(&self, user: &str, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        self.placed(self.store().write_bytes(self.service.as_str(), user, value, mode))?;
        self.bind();
        Ok(())
    }

    /// Deletes an entry. Returns whether it existed.
    ///
    /// # Errors
    ///
    /// The errors of [`Store::remove_entry`].
    pub fn delete(&self, user: &str) -> Result<bool> {
        self.placed(self.store().delete_password(self.service.as_str(), user))
    }

    /// Returns whether an entry exists.
    ///
    /// # Errors
    ///
    /// The errors of [`Store::contains_entry`].
    pub fn exists(&self, user: &str) -> Result<bool> {
        self.placed(self.store().exists(self.service.as_str(), user))
    }

    /// Lists the users of all entries, sorted, without reading a value.
    ///
    /// # Errors
    ///
    /// The errors of [`KeyringStore::list`](crate::KeyringStore::list).
    pub fn list(&self) -> Result<Vec<UserName>> {
        self.placed(self.store().list(self.service.as_str()))
    }

    /// Counts the items of the service that have no user name.
    ///
    /// # Errors
    ///
    /// The errors of [`Store::count_unnamed`].
    pub fn count_unnamed(&self) -> Result<usize> {
        self.placed(self.store().count_unnamed(&self.service))
    }

    /// Returns the chosen backend.
    pub fn backend(&self) -> Backend {
        self.chosen.backend()
    }

    /// Returns the reason for choosing this backend.
    pub fn reason(&self) -> &ChoiceReason {
        self.chosen.reason()
    }

    /// Returns the capabilities of the store.
    pub fn capabilities(&self) -> Capabilities {
        self.store().capabilities()
    }

    /// Returns the store, behind a [`Guard`](crate::store::Guard).
    pub fn store(&self) -> &Arc<dyn Store> {
        self.chosen.store()
    }

    /// Remembers that the service's secrets are in this store, unless that is known. In the backend `file`
    /// all entries form a single vault.
    fn bind(&self) {
        // Looking for a vault is a call on the store, so it is not done at each write.
        let Some(binding) = self.binding.as_ref().filter(|binding| !binding.is_noted()) else {
            return;
        };
        let is_vault = self.backend() == Backend::File
            || has_vault(self.store().as_ref(), &self.service).unwrap_or(true);
        binding.note(!is_vault);
    }

    fn placed<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| with_bound_backend(error, self.service.as_str(), &self.chosen))
    }
}

impl fmt::Debug for ServiceEntries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceEntries")
            .field("service", &self.service)
            .field("chosen", &self.chosen)
            .finish_non_exhaustive()
    }
}
