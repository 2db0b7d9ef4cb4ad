//! The vault of an application, for callers that block.

use std::fmt;
use std::sync::Arc;

use strongroom_core::{Result, Secret, SecretKey, SecretString, SignedDuration};

use crate::manager::{Shared, api_key};
use crate::vault::{Batch, SecretInfo};
use crate::{Backend, ChoiceReason};

/// [`SecretManager`](crate::SecretManager), for callers that block: the same vault, the same rules,
/// the same errors.
///
/// ```
/// use strongroom::{Backend, ExposeSecret, SecretKey, SecretManager};
///
/// # let dir = tempfile::tempdir().unwrap();
/// let secrets = SecretManager::builder("example").backend(Backend::Memory);
/// # let secrets = secrets.state_dir(dir.path());
/// let secrets = secrets.open_blocking()?;
/// secrets.set_api_key("API_KEY", "sk-1", None)?;
/// secrets.update_value("API_KEY", "sk-2")?;
/// assert_eq!(secrets.get_value("API_KEY")?.expect("it is there").expose_secret(), "sk-2");
/// assert!(secrets.delete(&SecretKey::new("API_KEY"))?);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone)]
pub struct SecretManager {
    shared: Arc<Shared>,
}

impl SecretManager {
    /// Opens the vault of a service with the default options. An absent one is an empty one.
    ///
    /// # Errors
    ///
    /// As [`SecretManagerBuilder::open`](crate::SecretManagerBuilder::open).
    pub fn init(service: impl Into<String>) -> Result<Self> {
        crate::SecretManager::builder(service).open_blocking()
    }

    /// Stores a secret, over the old one if there is one. When it was first stored is kept; when it
    /// was last written is now.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub fn set(&self, key: &SecretKey, secret: &Secret) -> Result<()> {
        self.shared.vault.set(key, secret.duplicate())
    }

    /// Stores a value under a name, with who issued it.
    ///
    /// # Errors
    ///
    /// `Invalid` for a name that can't be used.
    pub fn set_api_key(
        &self,
        name: &str,
        value: impl Into<SecretString>,
        provider: Option<&str>,
    ) -> Result<()> {
        let (key, secret) = api_key(name, value.into(), provider);
        self.shared.vault.set(&key, secret)
    }

    /// Replaces the value of a secret and keeps what is known about it.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such secret.
    pub fn update_value(&self, name: &str, value: impl Into<SecretString>) -> Result<()> {
        self.shared.vault.update_value(&SecretKey::new(name), value.into())
    }

    /// Changes a secret under the lock: nobody else's change comes in between. `None` is an absent
    /// secret, before and after.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub fn update(
        &self,
        key: &SecretKey,
        change: impl FnOnce(Option<Secret>) -> Option<Secret>,
    ) -> Result<()> {
        self.shared.vault.update(key, change)
    }

    /// Makes several changes in one write: all of them, or none.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
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
    pub fn delete(&self, key: &SecretKey) -> Result<bool> {
        self.shared.vault.delete(key)
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
    pub fn get(&self, key: &SecretKey) -> Result<Option<Secret>> {
        self.shared.vault.get(key)
    }

    /// Reads the value of the secret of this name without a target. A missing one is `None`.
    ///
    /// # Errors
    ///
    /// `Expired` if its time is over.
    pub fn get_value(&self, name: &str) -> Result<Option<SecretString>> {
        Ok(self.get(&SecretKey::new(name))?.map(|secret| secret.value))
    }

    /// Whether a secret exists, expired or not.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn exists(&self, key: &SecretKey) -> Result<bool> {
        self.shared.vault.exists(key)
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
    pub fn expiring(&self, within: SignedDuration) -> Result<Vec<SecretInfo>> {
        self.shared.vault.expiring(within)
    }

    /// The vault's revision number: one more at each commit, 0 before the first.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn generation(&self) -> Result<u64> {
        self.shared.vault.generation()
    }

    /// Forgets the secrets in memory, which are wiped. The next call reads the store again.
    pub fn lock(&self) {
        self.shared.vault.forget();
    }

    /// The backend that was chosen.
    pub fn backend(&self) -> Backend {
        self.shared.chosen.backend()
    }

    /// Why this backend.
    pub fn reason(&self) -> &ChoiceReason {
        self.shared.chosen.reason()
    }

    /// Whether the vault stays until it is deleted, over a restart of the machine.
    pub fn is_persistent(&self) -> bool {
        self.shared.is_persistent()
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
