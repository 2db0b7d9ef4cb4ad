//! The secrets of an application by name: get, set, delete.

use std::fmt;
use std::sync::Arc;

use strongroom_core::{
    Capabilities, Error, ErrorKind, KeyringStore as _, Operation, Persistence, Result, Secret,
    SecretKey, SecretString, ServiceName, Store, UserName, Warning,
};

use crate::choose::ChoiceReason;
use crate::layout::VAULT_ENTRY;
use crate::missing::missing;
use crate::opening::with_bound_backend;
use crate::shared::Shared;
use crate::{Backend, Config, Fallback, Layout, blocking};

/// The secrets of an application: get, set and delete by name.
///
/// It is a [`blocking::SecretManager`] with [`Layout::Entries`]: each secret is an entry of the store, named
/// by the service and the secret's name, as the system's own tool shows it.
///
/// - It remembers the store that holds the secrets. If that store is away, calls fail with `NoBackend`: a
///   secret is never looked for in another store, and never written to a second store.
/// - Entries that exist already, of the `keyring` crate or `secret-tool`, are found and belong to it.
/// - In a service that has a vault, for example after `strongroom setup`, it reads and writes the vault's
///   secrets. An entry whose name the vault lacks is still read, written and deleted as an entry.
/// - Without a store that lasts it fails with `NoBackend` and advice on the installation of such a store,
///   unless [`Config::fallback`] is set.
/// - Every call ends by its deadline. It blocks the calling thread until then, even inside an async runtime:
///   use `spawn_blocking` there.
/// - Clones are handles to the same secrets.
///
/// # Errors
///
/// Every call can fail as [`Store`] describes, and with `Invalid` for a name that is empty, holds a NUL
/// character or is longer than 255 bytes, and for `vault`, the entry of a vault. [`Error::hint`] gives the
/// next step.
///
/// ```
/// use strongroom::{Backend, Config, ExposeSecret, SecretString};
///
/// let secrets = Config::new("tracker").backend(Backend::Memory).open_store()?;
/// secrets.set_secret("api-key", &SecretString::from("s3cret"))?;
/// assert_eq!(secrets.require_secret("api-key")?.expose_secret(), "s3cret");
/// secrets.delete_secret("api-key")?;
/// assert!(secrets.get_secret("api-key")?.is_none());
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone)]
pub struct SecureStore {
    service: ServiceName,
    manager: blocking::SecretManager,
}

impl Config {
    /// Opens the secrets of the service, each as an entry of its own. Nothing is read before the first call.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; `BoundElsewhere` if the secrets are in another store
    /// than the named store; otherwise as [`choose_unbound`](crate::store::choose_unbound()).
    pub fn open_store(mut self) -> Result<SecureStore> {
        let (service, setup_hint) = (self.checked_service()?, self.setup_hint.take());
        let config = self.default_fallback(Fallback::Error).layout(Layout::Entries);
        let (vault, chosen) = config.prepare_vault()?;
        let shared = Shared::new(vault.preferring_vault(), chosen, setup_hint);
        let manager = blocking::SecretManager::from_shared(shared);
        Ok(SecureStore { service, manager })
    }
}

impl SecureStore {
    /// Opens the secrets of a service, named by a string or described by a [`Config`].
    ///
    /// The service is the application's stable name, under which its secrets are found.
    ///
    /// # Errors
    ///
    /// As [`Config::open_store`].
    pub fn open(config: impl Into<Config>) -> Result<Self> {
        config.into().open_store()
    }

    /// Stores a secret, replacing an existing secret. The metadata of a vault's secret stays.
    ///
    /// After a success the secret is stored. After a failure the old secret is still there, unless a
    /// `TimedOut` says that the call may still take effect.
    ///
    /// # Errors
    ///
    /// `TooLarge` or `QuotaExceeded` if the store can't hold the value; `Ambiguous` if several items have the
    /// name.
    pub fn set_secret(&self, name: &str, value: &SecretString) -> Result<()> {
        let key = key(name, Operation::Set)?;
        self.with_location(self.set(name, &key, value))
    }

    /// Stores a secret under a name that is not in use yet.
    ///
    /// # Errors
    ///
    /// The errors of [`set_secret`](Self::set_secret), and `AlreadyExists`.
    pub fn create_secret(&self, name: &str, value: &SecretString) -> Result<()> {
        let key = key(name, Operation::Set)?;
        self.with_location(self.create(name, &key, value))
    }

    /// Returns a secret, or `None` if it does not exist. A locked store is an error, never `None`.
    ///
    /// # Errors
    ///
    /// `Ambiguous` if several items have the name; `Corrupt` if the value can't be read; `Expired` for a
    /// vault's secret that has expired; `Invalid` if another program stored bytes that are not text.
    pub fn get_secret(&self, name: &str) -> Result<Option<SecretString>> {
        let key = key(name, Operation::Get)?;
        self.with_location(self.get(name, &key))
    }

    /// Returns a secret that the application requires.
    ///
    /// # Errors
    ///
    /// The errors of [`get_secret`](Self::get_secret), and `NotFound` if the secret does not exist, with the
    /// application's [`setup_hint`](Config::setup_hint) or else the command that stores it.
    pub fn require_secret(&self, name: &str) -> Result<SecretString> {
        match self.get_secret(name)? {
            Some(secret) => Ok(secret),
            None => Err(missing(&self.manager.shared, &key(name, Operation::Get)?)),
        }
    }

    /// Deletes a secret. Succeeds if the secret does not exist.
    ///
    /// # Errors
    ///
    /// `Ambiguous` if several items have the name.
    pub fn delete_secret(&self, name: &str) -> Result<()> {
        let key = key(name, Operation::Delete)?;
        self.with_location(self.delete(name, &key))
    }

    /// Returns whether a secret exists.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub fn exists(&self, name: &str) -> Result<bool> {
        let key = key(name, Operation::Exists)?;
        self.with_location(self.contains(name, &key))
    }

    /// Lists the names of all secrets, sorted, without reading a value.
    ///
    /// # Errors
    ///
    /// `Unsupported` in a store that can't list.
    pub fn list(&self) -> Result<Vec<String>> {
        self.with_location(self.names())
    }

    /// Deletes every entry of the service, including those of other programs under its name, and returns
    /// their number. For uninstallers.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return. After a failure, some entries may already be deleted.
    pub fn purge(&self) -> Result<usize> {
        self.with_location(self.manager.purge())
    }

    /// Returns the service's name.
    pub const fn service(&self) -> &ServiceName {
        &self.service
    }

    /// Returns the chosen backend.
    pub fn backend(&self) -> Backend {
        self.manager.backend()
    }

    /// Returns the reason for choosing this backend.
    pub fn reason(&self) -> &ChoiceReason {
        self.manager.reason()
    }

    /// Returns the capabilities of the store.
    pub fn capabilities(&self) -> Capabilities {
        self.manager.store_capabilities()
    }

    /// Returns whether secrets are kept until they are deleted, across restarts of the machine.
    pub fn is_persistent(&self) -> bool {
        self.capabilities().persistence == Persistence::Permanent
    }

    /// Lists the weaknesses in the protection of the secrets, to be shown to the user.
    pub fn warnings(&self) -> Vec<Warning> {
        self.capabilities().warnings()
    }

    /// Returns the store, behind a [`Guard`](crate::store::Guard), for bytes and for other services.
    pub fn store(&self) -> &Arc<dyn Store> {
        self.manager.shared.chosen.store()
    }

    fn set(&self, name: &str, key: &SecretKey, value: &SecretString) -> Result<()> {
        if self.is_entry_beside_vault(name, key)? {
            return self.store().set_password(self.service.as_str(), name, value);
        }
        let new = Secret::new(value.clone());
        match self.manager.layout() {
            Layout::Entries => self.manager.set(key, &new),
            // `set` would drop the metadata, which a caller of this type can't pass.
            _ => self.manager.update(key, |old| {
                let mut new = new;
                new.metadata = old.map(|old| old.metadata).unwrap_or_default();
                Some(new)
            }),
        }
    }

    fn create(&self, name: &str, key: &SecretKey, value: &SecretString) -> Result<()> {
        if self.is_entry_beside_vault(name, key)? {
            return self.store().create_password(self.service.as_str(), name, value);
        }
        self.manager.create(key, &Secret::new(value.clone()))
    }

    fn get(&self, name: &str, key: &SecretKey) -> Result<Option<SecretString>> {
        // The vault's secret takes precedence over an entry of the same name.
        match self.manager.get_value(key.clone())? {
            None if self.has_entries_beside_vault()? => {
                self.store().get_password(self.service.as_str(), name)
            }
            value => Ok(value),
        }
    }

    fn delete(&self, name: &str, key: &SecretKey) -> Result<()> {
        self.manager.delete(key)?;
        // The vault's secret hides an entry of the same name, which would reappear if it were not deleted.
        if self.has_entries_beside_vault()? {
            self.store().delete_password(self.service.as_str(), name)?;
        }
        Ok(())
    }

    fn contains(&self, name: &str, key: &SecretKey) -> Result<bool> {
        Ok(self.manager.exists(key)? || self.is_entry(name)?)
    }

    fn names(&self) -> Result<Vec<String>> {
        let secrets = self.manager.list()?;
        let mut names: Vec<_> = secrets.iter().map(|secret| secret.key.entry_name()).collect();
        if self.has_entries_beside_vault()? && self.capabilities().can_list {
            let users = self.store().list(self.service.as_str())?.into_iter();
            names.extend(users.map(|user| user.as_str().to_owned()).filter(|it| it != VAULT_ENTRY));
        }
        // A name can be in the vault and in an entry beside it.
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Returns whether the secret is an entry whose name the vault lacks.
    fn is_entry_beside_vault(&self, name: &str, key: &SecretKey) -> Result<bool> {
        // The order of the conditions spares the store a second call in the layout `entries`.
        Ok(self.has_entries_beside_vault()? && !self.manager.exists(key)? && self.is_entry(name)?)
    }

    /// Returns whether there is an entry of this name beside a vault.
    fn is_entry(&self, name: &str) -> Result<bool> {
        Ok(self.has_entries_beside_vault()? && self.store().exists(self.service.as_str(), name)?)
    }

    /// Returns whether there is a vault, in a store that can hold entries beside it.
    fn has_entries_beside_vault(&self) -> Result<bool> {
        let layout = self.manager.shared.engine.read_content(|content| Ok(content.layout()))?;
        Ok(layout != Layout::Entries && self.backend() != Backend::File)
    }

    /// Adds the backend of the secrets to an error, if their store is away.
    fn with_location<T>(&self, result: Result<T>) -> Result<T> {
        let chosen = &self.manager.shared.chosen;
        result.map_err(|error| with_bound_backend(error, self.service.as_str(), chosen))
    }
}

impl fmt::Debug for SecureStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureStore")
            .field("service", &self.service)
            .field("backend", &self.backend())
            .field("reason", self.reason())
            .finish_non_exhaustive()
    }
}

/// Returns the key of the secret whose entry has this name.
fn key(name: &str, operation: Operation) -> Result<SecretKey> {
    let user = UserName::new(name).map_err(|error| error.during(operation))?;
    if name == VAULT_ENTRY {
        return Err(Error::new(ErrorKind::Invalid, operation)
            .with_message(format!(
                "\"{VAULT_ENTRY}\" is the entry of a vault, and no secret's name"
            ))
            .with_hint("Take another name."));
    }
    Ok(SecretKey::from_entry_name(user.as_str()))
}
