//! The vault of an application, for async callers. [`blocking`] mirrors it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use strongroom_core::{
    Capabilities, Persistence, Result, Secret, SecretKey, SecretString, ServiceName, Warning,
};

use crate::choose::{ChoiceReason, Chosen};
use crate::missing::missing;
use crate::pool;
use crate::vault::{Batch, SecretInfo, Vault};
use crate::{Backend, Config, Layout, blocking};

/// All secrets of one application, kept together in one entry of its store, with metadata.
///
/// - Opening reads the store once. `get`, `exists` and `list` read memory; they read the store again
///   only when another process has changed it. `set`, `update` and `delete` write once.
/// - Safe between processes: a commit happens under a lock and never loses another process's.
/// - It has no runtime of its own and works under any. What may block runs on a thread pool.
/// - Clones are handles to the same vault.
/// - In [`Layout::Entries`] each secret is an entry of its own in place of that, and every call asks the
///   store: [`capabilities`](Self::capabilities) says what can't be had then.
///
/// # Errors
///
/// Every call can fail as [`KeyringStore`](crate::KeyringStore) says; with `Corrupt` if the entry can't
/// be read, which then stays as it is; and a change with `Busy` if another process keeps the lock for
/// longer than [`Deadlines::call`](crate::Deadlines::call), and `TooLarge` if the vault outgrows its store. A change that
/// fails changes nothing. In [`Layout::Entries`] every call that names a secret is `Invalid` if its key can't be
/// that of an entry, and a change is `Unsupported` if the secret has what an entry can't hold.
///
/// ```
/// use strongroom::{Backend, ExposeSecret, Config};
///
/// # futures_lite::future::block_on(async {
/// let secrets = Config::new("example").backend(Backend::Memory).open().await?;
/// secrets.set_api_key("OPENAI_API_KEY", "sk-1", Some("openai")).await?;
/// let value = secrets.get_value("OPENAI_API_KEY").await?.expect("it was just stored");
/// assert_eq!(value.expose_secret(), "sk-1");
/// # Ok::<(), strongroom::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct SecretManager {
    pub(crate) shared: Arc<Shared>,
}

/// What all handles of a manager, async and blocking, share.
pub(crate) struct Shared {
    pub(crate) vault: Arc<Vault>,
    pub(crate) chosen: Chosen,
    /// The application's advice for a missing secret.
    pub(crate) setup_hint: Option<String>,
}

impl SecretManager {
    /// Opens the vault of a service with the default configuration. An absent one is an empty one.
    ///
    /// The service is the application's stable name: its vault is found under it.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used, and as [`choose_unbound`](crate::store::choose_unbound()) says.
    pub async fn init(config: impl Into<Config>) -> Result<Self> {
        config.into().open().await
    }

    /// Stores a secret, over the old one if there is one. When it was first stored is kept; when it
    /// was last written is now.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub async fn set(&self, key: impl Into<SecretKey>, secret: &Secret) -> Result<()> {
        let (key, secret) = (key.into(), secret.duplicate());
        self.run(move |vault| vault.set(&key, secret)).await
    }

    /// Stores a value with who issued it.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub async fn set_api_key(
        &self,
        key: impl Into<SecretKey>,
        value: impl Into<SecretString>,
        provider: Option<&str>,
    ) -> Result<()> {
        let (key, secret) = (key.into(), api_key(value.into(), provider));
        self.run(move |vault| vault.set(&key, secret)).await
    }

    /// Stores a secret under a key that has none yet.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if it has one; `Invalid` for a key that can't be used.
    pub async fn create(&self, key: impl Into<SecretKey>, secret: &Secret) -> Result<()> {
        let (key, secret) = (key.into(), secret.duplicate());
        self.run(move |vault| vault.create(&key, secret)).await
    }

    /// Gives a secret another name or target. Its value, metadata and times stay. Where it is an entry of its
    /// own, a rename that fails or is killed in between may leave it under both names.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no secret under the old key, `AlreadyExists` if there is one under the
    /// new; `Invalid` for a new key that can't be used.
    pub async fn rename(&self, old: impl Into<SecretKey>, new: impl Into<SecretKey>) -> Result<()> {
        let (old, new) = (old.into(), new.into());
        self.run(move |vault| vault.rename(&old, &new)).await
    }

    /// Replaces the value of a secret and keeps what is known about it.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such secret.
    pub async fn update_value(
        &self,
        key: impl Into<SecretKey>,
        value: impl Into<SecretString>,
    ) -> Result<()> {
        let (key, value) = (key.into(), value.into());
        self.run(move |vault| vault.update_value(&key, value)).await
    }

    /// Changes a secret under the lock: nobody else's change comes in between. `None` is an absent
    /// secret, before and after.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub async fn update(
        &self,
        key: impl Into<SecretKey>,
        change: impl FnOnce(Option<Secret>) -> Option<Secret> + Send + 'static,
    ) -> Result<()> {
        let key = key.into();
        self.run(move |vault| vault.update(&key, change)).await
    }

    /// Changes a secret as [`update`](Self::update) does, or gives up: an error of `change` is returned, and nothing
    /// is changed.
    ///
    /// # Errors
    ///
    /// That of `change`; `Invalid` for a key that can't be used.
    pub async fn try_update(
        &self,
        key: impl Into<SecretKey>,
        change: impl FnOnce(Option<Secret>) -> Result<Option<Secret>> + Send + 'static,
    ) -> Result<()> {
        let key = key.into();
        self.run(move |vault| vault.try_update(&key, change)).await
    }

    /// Makes several changes in one write: all of them, or none. Where the vault
    /// [is not atomic](crate::store::VaultCapabilities::is_atomic), it stores one secret after the other, and then
    /// deletes; what was done before a failure stays.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used; `AlreadyExists` as [`Batch::create`] says. All keys are looked at
    /// before the first change.
    pub async fn batch(&self, fill: impl FnOnce(&mut Batch)) -> Result<()> {
        let mut batch = Batch::default();
        fill(&mut batch);
        self.run(move |vault| vault.batch(batch)).await
    }

    /// Deletes a secret and says whether it was there.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub async fn delete(&self, key: impl Into<SecretKey>) -> Result<bool> {
        let key = key.into();
        self.run(move |vault| vault.delete(&key)).await
    }

    /// Deletes every entry of the service, those of other programs under its name too, and returns how
    /// many there were. For uninstallers.
    ///
    /// # Errors
    ///
    /// None of its own. Where it fails, some entries may be deleted.
    pub async fn purge(&self) -> Result<usize> {
        self.run(Vault::purge).await
    }

    /// Reads a secret. A missing one is `None`.
    ///
    /// # Errors
    ///
    /// `Expired` if its time is over.
    pub async fn get(&self, key: impl Into<SecretKey>) -> Result<Option<Secret>> {
        let key = key.into();
        if let Some(found) = self.shared.vault.get_from_memory(&key) {
            return found;
        }
        self.run(move |vault| vault.get(&key)).await
    }

    /// Reads the value of a secret, named by its key or, if it has no target, by its name alone. A
    /// missing one is `None`.
    ///
    /// # Errors
    ///
    /// `Expired` if its time is over.
    pub async fn get_value(&self, key: impl Into<SecretKey>) -> Result<Option<SecretString>> {
        Ok(self.get(key).await?.map(|secret| secret.value))
    }

    /// Reads the value of a secret that the application can't do without.
    ///
    /// # Errors
    ///
    /// `NotFound` if it is missing, with the application's [`setup_hint`](Config::setup_hint), else the command that stores
    /// it; `Expired` if its time is over.
    pub async fn require(&self, key: impl Into<SecretKey>) -> Result<SecretString> {
        let key = key.into();
        self.get_value(&key).await?.ok_or_else(|| missing(&self.shared, &key))
    }

    /// Reads a secret, expired or not: to look at one that [`get`](Self::get) refuses, or to prolong it.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub async fn peek(&self, key: impl Into<SecretKey>) -> Result<Option<Secret>> {
        let key = key.into();
        self.run(move |vault| vault.peek(&key)).await
    }

    /// Whether a secret exists, expired or not.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub async fn exists(&self, key: impl Into<SecretKey>) -> Result<bool> {
        let key = key.into();
        if let Some(exists) = self.shared.vault.exists_in_memory(&key) {
            return Ok(exists);
        }
        self.run(move |vault| vault.exists(&key)).await
    }

    /// All secrets without their values, by name and target, expired ones included.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub async fn list(&self) -> Result<Vec<SecretInfo>> {
        self.run(Vault::list).await
    }

    /// The secrets whose time is over or will be within this duration.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub async fn expiring(&self, within: Duration) -> Result<Vec<SecretInfo>> {
        self.run(move |vault| vault.expiring(within)).await
    }

    /// The vault's revision number: one more at each commit, 0 before the first.
    ///
    /// # Errors
    ///
    /// `Unsupported` where commits [are not counted](crate::store::VaultCapabilities::counts_generations).
    pub async fn generation(&self) -> Result<u64> {
        self.run(Vault::generation).await
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

    /// Whether the vault stays until it is deleted, over a restart of the machine.
    pub fn is_persistent(&self) -> bool {
        self.shared.is_persistent()
    }

    /// What the store can do, and how it protects the vault.
    pub fn store_capabilities(&self) -> Capabilities {
        self.shared.store_capabilities()
    }

    /// Lists what weakens the protection of the vault, for the user to know: see [`Capabilities::warnings`].
    ///
    /// ```
    /// use strongroom::{Backend, Config};
    ///
    /// let secrets = Config::new("example").backend(Backend::Memory).open_blocking()?;
    /// let codes: Vec<_> = secrets.warnings().iter().map(|warning| warning.code()).collect();
    /// assert_eq!(codes, ["not_persistent"]);
    /// # Ok::<(), strongroom::Error>(())
    /// ```
    pub fn warnings(&self) -> Vec<Warning> {
        self.store_capabilities().warnings()
    }

    /// The same vault for callers that block.
    pub fn blocking(&self) -> blocking::SecretManager {
        blocking::SecretManager::from_shared(Arc::clone(&self.shared))
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Vault) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        pool::run(move || work(&shared.vault)).await
    }
}

impl Shared {
    pub(crate) fn layout(&self) -> Layout {
        self.vault.layout()
    }

    pub(crate) fn is_persistent(&self) -> bool {
        self.store_capabilities().persistence == Persistence::Permanent
    }

    pub(crate) fn store_capabilities(&self) -> Capabilities {
        self.chosen.store().capabilities()
    }
}

pub(crate) fn api_key(value: SecretString, provider: Option<&str>) -> Secret {
    let secret = Secret::new(value);
    match provider {
        Some(provider) => secret.provider(provider),
        None => secret,
    }
}

impl fmt::Debug for SecretManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretManager").field("chosen", &self.shared.chosen).finish_non_exhaustive()
    }
}
