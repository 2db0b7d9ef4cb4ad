//! The vault of an application, for async callers. [`blocking`] mirrors it.

use std::fmt;
use std::sync::Arc;

use strongroom_core::{
    Deadlines, Error, ErrorKind, Persistence, PromptPolicy, Result, Secret, SecretKey,
    SecretString, ServiceName, SignedDuration, Timestamp,
};

use crate::binding::{Binding, BindingFile};
use crate::choose::choose_for;
use crate::pool;
use crate::vault::{Batch, Clock, SecretInfo, Vault};
use crate::{Backend, ChoiceReason, Chosen, Fallback, Layout, Options, blocking};

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
/// longer than [`Deadlines::call`], and `TooLarge` if the vault outgrows its store. A change that
/// fails changes nothing. In [`Layout::Entries`] every call that names a secret is `Invalid` if its key can't be
/// that of an entry, and a change is `Unsupported` if the secret has what an entry can't hold.
///
/// ```
/// use strongroom::{Backend, ExposeSecret, SecretManager};
///
/// # futures_lite::future::block_on(async {
/// let secrets = SecretManager::builder("example").backend(Backend::Memory).open().await?;
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
}

/// A [`SecretManager`] in the making.
#[derive(Clone)]
#[must_use]
pub struct SecretManagerBuilder {
    pub(crate) service: String,
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) starts_anew: bool,
}

impl SecretManager {
    /// Opens the vault of a service with the default options. An absent one is an empty one.
    ///
    /// The service is the application's stable name: its vault is found under it.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used, and as [`choose`](crate::choose()) says.
    pub async fn init(service: impl Into<String>) -> Result<Self> {
        Self::builder(service).open().await
    }

    /// Starts with the default options.
    pub fn builder(service: impl Into<String>) -> SecretManagerBuilder {
        let clock: Clock = Arc::new(Timestamp::now);
        let service = service.into();
        SecretManagerBuilder { service, options: Options::new(), clock, starts_anew: false }
    }

    /// Stores a secret, over the old one if there is one. When it was first stored is kept; when it
    /// was last written is now.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub async fn set(&self, key: &SecretKey, secret: &Secret) -> Result<()> {
        let (key, secret) = (key.clone(), secret.duplicate());
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
    pub async fn create(&self, key: &SecretKey, secret: &Secret) -> Result<()> {
        let (key, secret) = (key.clone(), secret.duplicate());
        self.run(move |vault| vault.create(&key, secret)).await
    }

    /// Gives a secret another name or target. Its value, metadata and times stay. Where it is an entry of its
    /// own, a rename that fails or is killed in between may leave it under both names.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no secret under the old key, `AlreadyExists` if there is one under the
    /// new; `Invalid` for a new key that can't be used.
    pub async fn rename(&self, old: &SecretKey, new: &SecretKey) -> Result<()> {
        let (old, new) = (old.clone(), new.clone());
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
        key: &SecretKey,
        change: impl FnOnce(Option<Secret>) -> Option<Secret> + Send + 'static,
    ) -> Result<()> {
        let key = key.clone();
        self.run(move |vault| vault.update(&key, change)).await
    }

    /// Makes several changes in one write: all of them, or none. Where the vault
    /// [is not atomic](crate::VaultCapabilities::is_atomic), it stores one secret after the other, and then
    /// deletes; what was done before a failure stays.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used. All keys are looked at before the first change.
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
    pub async fn delete(&self, key: &SecretKey) -> Result<bool> {
        let key = key.clone();
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
    pub async fn get(&self, key: &SecretKey) -> Result<Option<Secret>> {
        if let Some(found) = self.shared.vault.get_from_memory(key) {
            return found;
        }
        let key = key.clone();
        self.run(move |vault| vault.get(&key)).await
    }

    /// Reads the value of a secret, named by its key or, if it has no target, by its name alone. A
    /// missing one is `None`.
    ///
    /// # Errors
    ///
    /// `Expired` if its time is over.
    pub async fn get_value(&self, key: impl Into<SecretKey>) -> Result<Option<SecretString>> {
        Ok(self.get(&key.into()).await?.map(|secret| secret.value))
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
    pub async fn exists(&self, key: &SecretKey) -> Result<bool> {
        if let Some(exists) = self.shared.vault.exists_in_memory(key) {
            return Ok(exists);
        }
        let key = key.clone();
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
    pub async fn expiring(&self, within: SignedDuration) -> Result<Vec<SecretInfo>> {
        self.run(move |vault| vault.expiring(within)).await
    }

    /// The vault's revision number: one more at each commit, 0 before the first.
    ///
    /// # Errors
    ///
    /// `Unsupported` where commits [are not counted](crate::VaultCapabilities::counts_generations).
    pub async fn generation(&self) -> Result<u64> {
        self.run(Vault::generation).await
    }

    /// Forgets the secrets in memory, which are wiped. The next call reads the store again.
    pub fn lock(&self) {
        self.shared.vault.forget();
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

impl SecretManagerBuilder {
    /// Takes these options in place of all that were set before.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Uses this backend and no other.
    pub fn backend(self, backend: Backend) -> Self {
        self.with(|options| options.with_backend(backend))
    }

    /// Sets the prefix of the environment variables that are read: see [`Options::with_env_prefix`].
    pub fn env_prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|options| options.with_env_prefix(prefix))
    }

    /// Sets how long a call may wait, and a commit for the lock.
    pub fn deadlines(self, deadlines: Deadlines) -> Self {
        self.with(|options| options.with_deadlines(deadlines))
    }

    /// Sets whether the system may ask the user.
    pub fn prompt(self, prompt: PromptPolicy) -> Self {
        self.with(|options| options.with_prompt(prompt))
    }

    /// Sets what to do where the platform's default store can't be used.
    pub fn fallback(self, fallback: Fallback) -> Self {
        self.with(|options| options.with_fallback(fallback))
    }

    /// Sets how the vault lies in its store.
    pub fn layout(self, layout: Layout) -> Self {
        self.with(|options| options.with_layout(layout))
    }

    /// Sets the directory of encrypted files, in place of the user's own.
    pub fn data_dir(self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.with(|options| options.with_data_dir(directory))
    }

    /// Sets the directory of the lock and the generation file, in place of the user's own. All processes
    /// that use the vault must name the same one. The memory backend has none unless it is named here.
    pub fn state_dir(self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.with(|options| options.with_state_dir(directory))
    }

    /// Begins a new vault where the one that was there is gone from a store that lasts: without this, opening is an error
    /// of the kind `Gone`, because a keyring that was replaced, or a disk that is not mounted, looks the same.
    pub fn starting_anew(mut self) -> Self {
        self.starts_anew = true;
        self
    }

    /// Sets the clock that expiry and timestamps go by.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where an application can remember something about its vault, beside the vault's lock: a file whose name
    /// ends so. The directory may not be there yet. `None` if the user has no home.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; `AccessDenied` if the directory is another user's.
    pub fn state_file(&self, ending: &str) -> Result<Option<std::path::PathBuf>> {
        let service = ServiceName::new(self.service.as_str())?;
        Ok(self.options.state_dir()?.file(&service, ending))
    }

    /// Chooses the store and reads the vault, once.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; as [`choose`](crate::choose()) says; `Corrupt` if the vault
    /// can't be read.
    pub async fn open(self) -> Result<SecretManager> {
        let shared = pool::run(move || self.open_shared()).await?;
        Ok(SecretManager { shared })
    }

    /// The same for callers that block.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_blocking(self) -> Result<blocking::SecretManager> {
        self.open_shared().map(blocking::SecretManager::from_shared)
    }

    fn open_shared(self) -> Result<Arc<Shared>> {
        let service = self.service.clone();
        let (vault, chosen) = self.unread()?;
        vault.open().map_err(|error| away(error, &service, &chosen))?;
        Ok(Arc::new(Shared { vault: Arc::new(vault), chosen }))
    }

    /// The vault before its first read.
    pub(crate) fn unread(self) -> Result<(Vault, Chosen)> {
        let service = ServiceName::new(self.service.as_str())?;
        let state_dir = self.options.state_dir()?;
        let binding = BindingFile::new(&state_dir, &service);
        let chosen = choose_for(&service, &binding, &self.options)?;
        let backend = chosen.backend();
        let has_entries = self.has_entries(backend, &binding)?;
        let vault = self.vault_on(&chosen, &service, has_entries)?;
        let vault = vault.starting_anew(self.starts_anew);
        let vault = match backend {
            Backend::Memory => vault,
            backend => vault.bound_by(Binding::new(binding, backend)?),
        };
        Ok((vault, chosen))
    }

    pub(crate) fn with(mut self, change: impl FnOnce(Options) -> Options) -> Self {
        self.options = change(self.options);
        self
    }
}

/// The store of a vault that was there before is away: another one would show an empty vault.
fn away(error: Error, service: &str, chosen: &Chosen) -> Error {
    if error.kind() != ErrorKind::NoBackend || !matches!(chosen.reason(), ChoiceReason::Bound) {
        return error;
    }
    let hint = format!(
        "The secrets of \"{}\" are kept in {}. {}",
        service.escape_debug(),
        chosen.backend(),
        error.hint()
    );
    error.with_hint(hint)
}

impl Shared {
    pub(crate) fn layout(&self) -> Layout {
        self.vault.layout()
    }

    pub(crate) fn is_persistent(&self) -> bool {
        self.chosen.store().capabilities().persistence == Persistence::Permanent
    }
}

pub(crate) fn api_key(value: SecretString, provider: Option<&str>) -> Secret {
    let secret = Secret::new(value);
    match provider {
        Some(provider) => secret.with_provider(provider),
        None => secret,
    }
}

impl fmt::Debug for SecretManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretManager").field("chosen", &self.shared.chosen).finish_non_exhaustive()
    }
}

impl fmt::Debug for SecretManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretManagerBuilder")
            .field("service", &self.service)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
