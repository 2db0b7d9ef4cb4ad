//! The vault of an application, for async callers: [`blocking`] on a thread pool.

use std::fmt;
use std::time::Duration;

use strongroom_core::{
    Capabilities, Result, Secret, SecretKey, SecretString, ServiceName, Warning,
};

use crate::batch::Batch;
use crate::choose::ChoiceReason;
use crate::missing::missing;
use crate::vault::SecretInfo;
use crate::{Backend, Config, Layout, blocking, pool};

/// All secrets of an application, kept with their metadata in a single entry of its store.
///
/// - Opening reads the store once. `get`, `exists` and `list` read memory, and read the store again only when
///   another process has changed it. `set`, `update` and `delete` write once.
/// - It is safe between processes: a commit holds a lock and never loses another process's commit.
/// - It has no runtime of its own and works under any. Blocking work runs on a thread pool.
/// - Clones are handles to the same vault.
/// - In [`Layout::Entries`] each secret is an entry of its own instead, and every call asks the store.
///   [`capabilities`](Self::capabilities) tells which features are missing then.
///
/// # Errors
///
/// Every call can fail as [`KeyringStore`](crate::KeyringStore) describes, and with `Corrupt` if the entry
/// can't be read, which then stays as it is. A change can also fail with `Busy` if another process holds the
/// lock for longer than [`Deadlines::call`](crate::Deadlines::call), and with `TooLarge` if the vault
/// outgrows its store. A change that fails changes nothing. In [`Layout::Entries`] every call that names a
/// secret fails with `Invalid` if its key can't be that of an entry, and a change fails with `Unsupported` if
/// the secret has metadata that an entry can't hold.
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
    /// The implementation, which blocks and so runs on a thread of the pool.
    pub(crate) blocking: blocking::SecretManager,
}

impl SecretManager {
    /// Opens the vault of a service, named by a string or described by a [`Config`]. A vault that does not
    /// exist yet is empty.
    ///
    /// The service is the application's stable name, under which its vault is found.
    ///
    /// # Errors
    ///
    /// As [`Config::open`].
    pub async fn init(config: impl Into<Config>) -> Result<Self> {
        config.into().open().await
    }

    /// Stores a secret, replacing an existing secret. The time of its creation is kept, and the time of its
    /// last write is updated.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub async fn set(&self, key: impl Into<SecretKey>, secret: &Secret) -> Result<()> {
        let (key, secret) = (key.into(), secret.duplicate());
        self.run(move |secrets| secrets.set(key, &secret)).await
    }

    /// Stores a value together with the provider that issued it.
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
        let (key, value) = (key.into(), value.into());
        let provider = provider.map(str::to_owned);
        self.run(move |secrets| secrets.set_api_key(key, value, provider.as_deref())).await
    }

    /// Stores a secret under a key that is not in use yet.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the key is in use; `Invalid` for a key that can't be used.
    pub async fn create(&self, key: impl Into<SecretKey>, secret: &Secret) -> Result<()> {
        let (key, secret) = (key.into(), secret.duplicate());
        self.run(move |secrets| secrets.create(key, &secret)).await
    }

    /// Gives a secret another name or target. Its value, metadata and times stay. In [`Layout::Entries`], a
    /// rename that fails or is killed may leave the secret under both names.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no secret under the old key; `AlreadyExists` if there is a secret under the new
    /// key; `Invalid` for a new key that can't be used.
    pub async fn rename(&self, old: impl Into<SecretKey>, new: impl Into<SecretKey>) -> Result<()> {
        let (old, new) = (old.into(), new.into());
        self.run(move |secrets| secrets.rename(old, new)).await
    }

    /// Replaces the value of a secret and keeps its metadata.
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
        self.run(move |secrets| secrets.update_value(key, value)).await
    }

    /// Changes a secret under the vault's lock, so that no other change comes in between. `None` stands for
    /// an absent secret, before and after the change.
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
        self.run(move |secrets| secrets.update(key, change)).await
    }

    /// Changes a secret as [`update`](Self::update) does, unless `change` fails. Its error is then returned,
    /// and nothing is changed.
    ///
    /// # Errors
    ///
    /// The error of `change`; `Invalid` for a key that can't be used.
    pub async fn try_update(
        &self,
        key: impl Into<SecretKey>,
        change: impl FnOnce(Option<Secret>) -> Result<Option<Secret>> + Send + 'static,
    ) -> Result<()> {
        let key = key.into();
        self.run(move |secrets| secrets.try_update(key, change)).await
    }

    /// Makes several changes in a single write: all of them, or none. If the vault [is not
    /// atomic](crate::store::VaultCapabilities::is_atomic), it stores the secrets in turn and then deletes;
    /// changes made before a failure stay.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used; `AlreadyExists` as [`Batch::create`] describes. All keys are
    /// checked before the first change.
    pub async fn batch(&self, fill: impl FnOnce(&mut Batch)) -> Result<()> {
        let mut batch = Batch::default();
        fill(&mut batch);
        self.run(move |secrets| secrets.apply(batch)).await
    }

    /// Deletes a secret. Returns whether it existed.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub async fn delete(&self, key: impl Into<SecretKey>) -> Result<bool> {
        let key = key.into();
        self.run(move |secrets| secrets.delete(key)).await
    }

    /// Deletes every entry of the service, including those of other programs under its name, and returns
    /// their number. For uninstallers.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return. After a failure, some entries may already be deleted.
    pub async fn purge(&self) -> Result<usize> {
        self.run(blocking::SecretManager::purge).await
    }

    /// Returns a secret, or `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// `Expired` if the secret has expired.
    pub async fn get(&self, key: impl Into<SecretKey>) -> Result<Option<Secret>> {
        let key = key.into();
        // Reading memory never blocks, so it needs no thread of the pool.
        if let Some(found) = self.blocking.get_from_memory(&key) {
            return found;
        }
        self.run(move |secrets| secrets.get(key)).await
    }

    /// Returns the value of a secret, or `None` if it does not exist. A secret without a target can be named
    /// by its name alone.
    ///
    /// # Errors
    ///
    /// `Expired` if the secret has expired.
    pub async fn get_value(&self, key: impl Into<SecretKey>) -> Result<Option<SecretString>> {
        Ok(self.get(key).await?.map(|secret| secret.value))
    }

    /// Returns the value of a secret that the application requires.
    ///
    /// # Errors
    ///
    /// `NotFound` if the secret does not exist, with the application's [`setup_hint`](Config::setup_hint) or
    /// else the command that stores it; `Expired` if it has expired.
    pub async fn require(&self, key: impl Into<SecretKey>) -> Result<SecretString> {
        let key = key.into();
        self.get_value(&key).await?.ok_or_else(|| missing(&self.blocking.shared, &key))
    }

    /// Returns a secret even if it has expired, to inspect or extend a secret that [`get`](Self::get)
    /// refuses.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub async fn peek(&self, key: impl Into<SecretKey>) -> Result<Option<Secret>> {
        let key = key.into();
        self.run(move |secrets| secrets.peek(key)).await
    }

    /// Returns whether a secret exists, expired or not.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub async fn exists(&self, key: impl Into<SecretKey>) -> Result<bool> {
        let key = key.into();
        if let Some(exists) = self.blocking.exists_in_memory(&key) {
            return Ok(exists);
        }
        self.run(move |secrets| secrets.exists(key)).await
    }

    /// Lists all secrets without their values, sorted by name and target. Expired secrets are included.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub async fn list(&self) -> Result<Vec<SecretInfo>> {
        self.run(blocking::SecretManager::list).await
    }

    /// Lists the secrets that have expired or will expire within this duration.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub async fn expiring(&self, within: Duration) -> Result<Vec<SecretInfo>> {
        self.run(move |secrets| secrets.expiring(within)).await
    }

    /// Returns the vault's generation, which grows by 1 with each commit and is 0 before the first commit.
    ///
    /// # Errors
    ///
    /// `Unsupported` if commits [are not counted](crate::store::VaultCapabilities::counts_generations).
    pub async fn generation(&self) -> Result<u64> {
        self.run(blocking::SecretManager::generation).await
    }

    /// Forgets and wipes the secrets in memory. The next call reads the store again.
    pub fn forget(&self) {
        self.blocking.forget();
    }

    /// Returns the service's name.
    pub fn service(&self) -> &ServiceName {
        self.blocking.service()
    }

    /// Returns the chosen backend.
    pub fn backend(&self) -> Backend {
        self.blocking.backend()
    }

    /// Returns the layout of the vault in its store.
    pub fn layout(&self) -> Layout {
        self.blocking.layout()
    }

    /// Returns the reason for choosing this backend.
    pub fn reason(&self) -> &ChoiceReason {
        self.blocking.reason()
    }

    /// Returns whether the vault is kept until it is deleted, across restarts of the machine.
    pub fn is_persistent(&self) -> bool {
        self.blocking.is_persistent()
    }

    /// Returns the capabilities of the store, which include its protection of the vault.
    pub fn store_capabilities(&self) -> Capabilities {
        self.blocking.store_capabilities()
    }

    /// Lists the weaknesses in the vault's protection, to be shown to the user: see
    /// [`Capabilities::warnings`].
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

    /// Returns a blocking handle to the same vault.
    pub fn blocking(&self) -> blocking::SecretManager {
        self.blocking.clone()
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&blocking::SecretManager) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let blocking = self.blocking.clone();
        pool::run(move || work(&blocking)).await
    }
}

impl blocking::SecretManager {
    /// Returns an async handle to the same vault.
    pub fn to_async(&self) -> SecretManager {
        SecretManager { blocking: self.clone() }
    }
}

impl fmt::Debug for SecretManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretManager")
            .field("chosen", &self.blocking.shared.chosen)
            .finish_non_exhaustive()
    }
}
