//! The entries of a service as bytes, in the store that its secrets are in.

use std::fmt;
use std::sync::Arc;

use strongroom_core::{
    Capabilities, KeyringStore as _, Result, SecretBytes, ServiceName, Store, UserName, WriteMode,
};

use crate::binding::{Binding, has_vault};
use crate::choose::choose_for;
use crate::choose::{ChoiceReason, Chosen, choose_unbound};
use crate::opening::away;
use crate::{Backend, Config};

/// The entries of a service as bytes, whatever its layout: for tools that look at a store.
///
/// - Entries are in the store that the service's secrets are in. The first one of a service binds it to its store.
/// - The vault's own entry is one of them. It is for the caller not to write it.
///
/// # Errors
///
/// Every call can fail as [`Store`] says, and with `Invalid` for a name that can't be used.
///
/// ```
/// use strongroom::{Backend, Config, WriteMode, secret_bytes};
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
    /// Remembers the store. `None` for one that is looked at and not chosen for good.
    binding: Option<Binding>,
}

impl Config {
    /// Opens the entries of the service, in the store that its secrets are in. Nothing is read before the first call.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; `BoundElsewhere` if the secrets are in another store than the one
    /// that is named; as [`choose_unbound()`] says.
    pub fn entries(self) -> Result<ServiceEntries> {
        let service = self.checked_service()?;
        let file = self.binding_file(&service)?;
        let chosen = choose_for(&service, &file, &self)?;
        let binding = Binding::to(chosen.backend(), file)?;
        Ok(ServiceEntries { service, chosen, binding })
    }

    /// Opens the entries of the service in the store that is named, wherever its secrets are.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; as [`choose_unbound()`] says.
    pub fn entries_elsewhere(self) -> Result<ServiceEntries> {
        let service = self.checked_service()?;
        Ok(ServiceEntries { service, chosen: choose_unbound(&self)?, binding: None })
    }
}

impl ServiceEntries {
    /// Reads an entry. A missing one is `None`.
    ///
    /// # Errors
    ///
    /// As [`Store::read_entry`].
    pub fn read(&self, user: &str) -> Result<Option<SecretBytes>> {
        self.placed(self.store().get_bytes(self.service.as_str(), user))
    }

    /// Writes an entry.
    ///
    /// # Errors
    ///
    /// As [`KeyringStore::write_bytes`](crate::KeyringStore::write_bytes).
    pub fn write(&self, user: &str, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        self.placed(self.store().write_bytes(self.service.as_str(), user, value, mode))?;
        self.bind();
        Ok(())
    }

    /// Deletes an entry. Returns whether it was there.
    ///
    /// # Errors
    ///
    /// As [`Store::remove_entry`].
    pub fn delete(&self, user: &str) -> Result<bool> {
        self.placed(self.store().delete_password(self.service.as_str(), user))
    }

    /// Returns whether an entry exists.
    ///
    /// # Errors
    ///
    /// As [`Store::contains_entry`].
    pub fn exists(&self, user: &str) -> Result<bool> {
        self.placed(self.store().exists(self.service.as_str(), user))
    }

    /// Lists the users of all entries, sorted. Reads no value.
    ///
    /// # Errors
    ///
    /// As [`KeyringStore::list`](crate::KeyringStore::list).
    pub fn list(&self) -> Result<Vec<UserName>> {
        self.placed(self.store().list(self.service.as_str()))
    }

    /// Counts the items of the service that have no user name.
    ///
    /// # Errors
    ///
    /// As [`Store::count_unnamed`].
    pub fn count_unnamed(&self) -> Result<usize> {
        self.placed(self.store().count_unnamed(&self.service))
    }

    /// Returns the backend that was chosen.
    pub fn backend(&self) -> Backend {
        self.chosen.backend()
    }

    /// Returns why this backend was chosen.
    pub fn reason(&self) -> &ChoiceReason {
        self.chosen.reason()
    }

    /// Returns what the store can do.
    pub fn capabilities(&self) -> Capabilities {
        self.store().capabilities()
    }

    /// Returns the store, behind a [`Guard`](crate::store::Guard).
    pub fn store(&self) -> &Arc<dyn Store> {
        self.chosen.store()
    }

    /// Remembers that the service's secrets are in this store, unless that is known. In the backend `file` all entries are
    /// one vault.
    fn bind(&self) {
        let Some(binding) = self.binding.as_ref().filter(|binding| !binding.is_noted()) else {
            return;
        };
        let is_vault = self.backend() == Backend::File
            || has_vault(self.store().as_ref(), &self.service).unwrap_or(true);
        binding.note(!is_vault);
    }

    fn placed<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| away(error, self.service.as_str(), &self.chosen))
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
