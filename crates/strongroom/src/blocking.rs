//! The vault of an application, for callers that block.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use strongroom_core::{
    Capabilities, Result, Secret, SecretKey, SecretString, ServiceName, Warning,
};

use crate::choose::ChoiceReason;
use crate::manager::{Shared, api_key};
use crate::missing::missing;
use crate::vault::{Batch, SecretInfo};
use crate::{Backend, Layout};

pub use crate::subscribe::BlockingChanges as Changes;

/// [`SecretManager`](crate::SecretManager), for callers that block: the same vault, the same rules,
/// the same errors.
///
/// ```
/// use strongroom::{Backend, ExposeSecret, Config, SecretManager};
///
/// let secrets = Config::new("example").backend(Backend::Memory).open_blocking()?;
/// secrets.set_api_key("API_KEY", "sk-1", None)?;
/// secrets.update_value("API_KEY", "sk-2")?;
/// assert_eq!(secrets.get_value("API_KEY")?.expect("it is there").expose_secret(), "sk-2");
/// assert!(secrets.delete("API_KEY")?);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone)]
pub struct SecretManager {
    pub(crate) shared: Arc<Shared>,
}

impl SecretManager {
    /// Opens the vault of a service with the default configuration. An absent one is an empty one.
    ///
    /// # Errors
    ///
    /// As [`Config::open`](crate::Config::open).
    pub fn init(config: impl Into<crate::Config>) -> Result<Self> {
        config.into().open_blocking()
    }

    /// Stores a secret, over the old one if there is one. When it was first stored is kept; when it
    /// was last written is now.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub fn set(&self, key: impl Into<SecretKey>, secret: &Secret) -> Result<()> {
        self.shared.vault.set(&key.into(), secret.duplicate())
    }

    /// Stores a value with who issued it.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub fn set_api_key(
        &self,
        key: impl Into<SecretKey>,
        value: impl Into<SecretString>,
        provider: Option<&str>,
    ) -> Result<()> {
        self.shared.vault.set(&key.into(), api_key(value.into(), provider))
    }

    /// Stores a secret under a key that has none yet.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if it has one; `Invalid` for a key that can't be used.
    pub fn create(&self, key: impl Into<SecretKey>, secret: &Secret) -> Result<()> {
        self.shared.vault.create(&key.into(), secret.duplicate())
    }

    /// Gives a secret another name or target. Its value, metadata and times stay. Where it is an entry of its
    /// own, a rename that fails or is killed in between may leave it under both names.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no secret under the old key, `AlreadyExists` if there is one under the
    /// new; `Invalid` for a new key that can't be used.
    pub fn rename(&self, old: impl Into<SecretKey>, new: impl Into<SecretKey>) -> Result<()> {
        self.shared.vault.rename(&old.into(), &new.into())
    }

    /// Replaces the value of a secret and keeps what is known about it.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such secret.
    pub fn update_value(
        &self,
        key: impl Into<SecretKey>,
        value: impl Into<SecretString>,
    ) -> Result<()> {
        self.shared.vault.update_value(&key.into(), value.into())
    }

    /// Changes a secret under the lock: nobody else's change comes in between. `None` is an absent
    /// secret, before and after.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub fn update(
        &self,
        key: impl Into<SecretKey>,
        change: impl FnOnce(Option<Secret>) -> Option<Secret>,
    ) -> Result<()> {
        self.shared.vault.update(&key.into(), change)
    }

    /// Changes a secret as [`update`](Self::update) does, or gives up: an error of `change` is returned, and nothing
    /// is changed.
    ///
    /// # Errors
    ///
    /// That of `change`; `Invalid` for a key that can't be used.
    pub fn try_update(
        &self,
        key: impl Into<SecretKey>,
        change: impl FnOnce(Option<Secret>) -> Result<Option<Secret>>,
    ) -> Result<()> {
        self.shared.vault.try_update(&key.into(), change)
    }

    /// Makes several changes in one write: all of them, or none. Where the vault
    /// [is not atomic](crate::store::VaultCapabilities::is_atomic), it stores one secret after the other, and then
    /// deletes; what was done before a failure stays.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used. All keys are looked at before the first change.
    pub fn batch(&self, fill: impl FnOnce(&mut Batch)) -> Result<()> {
        let mut batch = Batch::default();
        fill(&mut batch);
        self.shared.vault.batch(batch)
    }

    /// Deletes a secret and says whether it was there.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn delete(&self, key: impl Into<SecretKey>) -> Result<bool> {
        self.shared.vault.delete(&key.into())
    }

    /// Deletes every entry of the service, those of other programs under its name too, and returns how
    /// many there were. For uninstallers.
    ///
    /// # Errors
    ///
    /// None of its own. Where it fails, some entries may be deleted.
    pub fn purge(&self) -> Result<usize> {
        self.shared.vault.purge()
    }

    /// Reads a secret. A missing one is `None`.
    ///
    /// # Errors
    ///
    /// `Expired` if its time is over.
    pub fn get(&self, key: impl Into<SecretKey>) -> Result<Option<Secret>> {
        self.shared.vault.get(&key.into())
    }

    /// Reads the value of a secret, named by its key or, if it has no target, by its name alone. A
    /// missing one is `None`.
    ///
    /// # Errors
    ///
    /// `Expired` if its time is over.
    pub fn get_value(&self, key: impl Into<SecretKey>) -> Result<Option<SecretString>> {
        Ok(self.get(key)?.map(|secret| secret.value))
    }

    /// Reads the value of a secret that the application can't do without.
    ///
    /// # Errors
    ///
    /// `NotFound` if it is missing, with the application's [`setup_hint`](crate::Config::setup_hint), else the command that stores
    /// it; `Expired` if its time is over.
    pub fn require(&self, key: impl Into<SecretKey>) -> Result<SecretString> {
        let key = key.into();
        self.get_value(&key)?.ok_or_else(|| missing(&self.shared, &key))
    }

    /// Reads a secret, expired or not: to look at one that [`get`](Self::get) refuses, or to prolong it.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn peek(&self, key: impl Into<SecretKey>) -> Result<Option<Secret>> {
        self.shared.vault.peek(&key.into())
    }

    /// Whether a secret exists, expired or not.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn exists(&self, key: impl Into<SecretKey>) -> Result<bool> {
        self.shared.vault.exists(&key.into())
    }

    /// All secrets without their values, by name and target, expired ones included.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn list(&self) -> Result<Vec<SecretInfo>> {
        self.shared.vault.list()
    }

    /// The secrets whose time is over or will be within this duration.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn expiring(&self, within: Duration) -> Result<Vec<SecretInfo>> {
        self.shared.vault.expiring(within)
    }

    /// The vault's revision number: one more at each commit, 0 before the first.
    ///
    /// # Errors
    ///
    /// `Unsupported` where commits [are not counted](crate::store::VaultCapabilities::counts_generations).
    pub fn generation(&self) -> Result<u64> {
        self.shared.vault.generation()
    }

    /// Forgets the secrets in memory, which are wiped. The next call reads the store again.
    pub fn forget(&self) {
        self.shared.vault.forget();
    }

    /// Returns the service's name.
    pub fn service(&self) -> &ServiceName {
        self.shared.vault.service()
    }

    /// The backend that was chosen.
    pub fn backend(&self) -> Backend {
        self.shared.chosen.backend()
    }

    /// How the vault lies in its store.
    pub fn layout(&self) -> Layout {
        self.shared.layout()
    }

    /// Why this backend.
    pub fn reason(&self) -> &ChoiceReason {
        self.shared.chosen.reason()
    }

    /// As [`SecretManager::store_capabilities`](crate::SecretManager::store_capabilities).
    pub fn store_capabilities(&self) -> Capabilities {
        self.shared.store_capabilities()
    }

    /// As [`SecretManager::warnings`](crate::SecretManager::warnings).
    pub fn warnings(&self) -> Vec<Warning> {
        self.store_capabilities().warnings()
    }

    /// Whether the vault stays until it is deleted, over a restart of the machine.
    pub fn is_persistent(&self) -> bool {
        self.shared.is_persistent()
    }

    /// The same vault for async callers.
    pub fn to_async(&self) -> crate::SecretManager {
        crate::SecretManager { shared: Arc::clone(&self.shared) }
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl fmt::Debug for SecretManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretManager").field("chosen", &self.shared.chosen).finish_non_exhaustive()
    }
}
