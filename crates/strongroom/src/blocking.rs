//! The vault of an application, for callers that block.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use strongroom_core::{
    Capabilities, Operation, Result, Secret, SecretKey, SecretString, ServiceName, Timestamp,
    Warning,
};

use crate::batch::Batch;
use crate::choose::ChoiceReason;
use crate::lifecycle::purge::purge;
use crate::missing::missing;
use crate::shared::Shared;
use crate::vault::SecretInfo;
use crate::{Backend, Layout, edits};

pub use crate::changes::BlockingChanges as Changes;

/// [`SecretManager`](crate::SecretManager) for callers that block, with the same vault, rules and errors.
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
    /// Opens the vault of a service, named by a string or described by a [`Config`](crate::Config). A vault
    /// that does not exist yet is empty.
    ///
    /// # Errors
    ///
    /// As [`Config::open`](crate::Config::open).
    pub fn init(config: impl Into<crate::Config>) -> Result<Self> {
        config.into().open_blocking()
    }

    /// Stores a secret, replacing an existing secret. The time of its creation is kept, and the time of its
    /// last write is updated.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub fn set(&self, key: impl Into<SecretKey>, secret: &Secret) -> Result<()> {
        self.store(&key.into(), secret.duplicate())
    }

    /// Stores a value together with the provider that issued it.
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
        self.store(&key.into(), api_key(value.into(), provider))
    }

    /// Stores a secret under a key that is not in use yet.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the key is in use; `Invalid` for a key that can't be used.
    pub fn create(&self, key: impl Into<SecretKey>, secret: &Secret) -> Result<()> {
        let (key, secret) = (checked(key)?, secret.duplicate());
        self.shared.commit(|vault| edits::create(vault, &key, secret, self.now()))
    }

    /// Gives a secret another name or target. Its value, metadata and times stay. In [`Layout::Entries`], a
    /// rename that fails or is killed may leave the secret under both names.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no secret under the old key; `AlreadyExists` if there is a secret under the new
    /// key; `Invalid` for a new key that can't be used.
    pub fn rename(&self, old: impl Into<SecretKey>, new: impl Into<SecretKey>) -> Result<()> {
        let (old, new) = (old.into(), checked(new)?);
        self.shared.commit(|vault| edits::rename(vault, &old, &new))
    }

    /// Replaces the value of a secret and keeps its metadata.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such secret.
    pub fn update_value(
        &self,
        key: impl Into<SecretKey>,
        value: impl Into<SecretString>,
    ) -> Result<()> {
        let (key, value) = (key.into(), value.into());
        self.shared.commit(|vault| edits::update_value(vault, &key, value, self.now()))
    }

    /// Changes a secret under the vault's lock, so that no other change comes in between. `None` stands for
    /// an absent secret, before and after the change.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used.
    pub fn update(
        &self,
        key: impl Into<SecretKey>,
        change: impl FnOnce(Option<Secret>) -> Option<Secret>,
    ) -> Result<()> {
        self.try_update(key, |old| Ok(change(old)))
    }

    /// Changes a secret as [`update`](Self::update) does, unless `change` fails. Its error is then returned,
    /// and nothing is changed.
    ///
    /// # Errors
    ///
    /// The error of `change`; `Invalid` for a key that can't be used.
    pub fn try_update(
        &self,
        key: impl Into<SecretKey>,
        change: impl FnOnce(Option<Secret>) -> Result<Option<Secret>>,
    ) -> Result<()> {
        let key = checked(key)?;
        self.shared.commit_decided(
            |vault| {
                let old = vault.get(&key)?;
                let base = old.as_ref().map(Secret::duplicate);
                Ok((base, change(old)?))
            },
            |vault, (base, new)| edits::replace(vault, &key, base.as_ref(), new, self.now()),
        )
    }

    /// Makes several changes in a single write: all of them, or none. If the vault [is not
    /// atomic](crate::store::VaultCapabilities::is_atomic), it stores the secrets in turn and then deletes;
    /// changes made before a failure stay.
    ///
    /// # Errors
    ///
    /// `Invalid` for a key that can't be used; `AlreadyExists` as [`Batch::create`] describes. All keys are
    /// checked before the first change.
    pub fn batch(&self, fill: impl FnOnce(&mut Batch)) -> Result<()> {
        let mut batch = Batch::default();
        fill(&mut batch);
        self.apply(batch)
    }

    /// Deletes a secret. Returns whether it existed.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub fn delete(&self, key: impl Into<SecretKey>) -> Result<bool> {
        let key = key.into();
        // A missing secret needs no commit, which would take the lock and write the store.
        if !self.exists(&key)? {
            return Ok(false);
        }
        self.shared.commit(|vault| vault.remove(&key))
    }

    /// Deletes every entry of the service, including those of other programs under its name, and returns
    /// their number. For uninstallers.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return. After a failure, some entries may already be deleted.
    pub fn purge(&self) -> Result<usize> {
        purge(&self.shared.engine)
    }

    /// Returns a secret, or `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// `Expired` if the secret has expired.
    pub fn get(&self, key: impl Into<SecretKey>) -> Result<Option<Secret>> {
        let (key, now) = (key.into(), self.now());
        self.shared.engine.read(|vault| edits::get(vault, &key, now))
    }

    /// Returns the value of a secret, or `None` if it does not exist. A secret without a target can be named
    /// by its name alone.
    ///
    /// # Errors
    ///
    /// `Expired` if the secret has expired.
    pub fn get_value(&self, key: impl Into<SecretKey>) -> Result<Option<SecretString>> {
        Ok(self.get(key)?.map(|secret| secret.value))
    }

    /// Returns the value of a secret that the application requires.
    ///
    /// # Errors
    ///
    /// `NotFound` if the secret does not exist, with the application's
    /// [`setup_hint`](crate::Config::setup_hint) or else the command that stores it; `Expired` if it has
    /// expired.
    pub fn require(&self, key: impl Into<SecretKey>) -> Result<SecretString> {
        let key = key.into();
        self.get_value(&key)?.ok_or_else(|| missing(&self.shared, &key))
    }

    /// Returns a secret even if it has expired, to inspect or extend a secret that [`get`](Self::get)
    /// refuses.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub fn peek(&self, key: impl Into<SecretKey>) -> Result<Option<Secret>> {
        let key = key.into();
        self.shared.engine.read(|vault| vault.get(&key))
    }

    /// Returns whether a secret exists, expired or not.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub fn exists(&self, key: impl Into<SecretKey>) -> Result<bool> {
        let key = key.into();
        self.shared.engine.read(|vault| vault.contains(&key))
    }

    /// Lists all secrets without their values, sorted by name and target. Expired secrets are included.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub fn list(&self) -> Result<Vec<SecretInfo>> {
        self.shared.engine.read(|vault| vault.list())
    }

    /// Lists the secrets that have expired or will expire within this duration.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub fn expiring(&self, within: Duration) -> Result<Vec<SecretInfo>> {
        let (now, mut secrets) = (self.now(), self.list()?);
        secrets.retain(|secret| secret.metadata.expires_within(now, within));
        Ok(secrets)
    }

    /// Returns the vault's generation, which grows by 1 with each commit and is 0 before the first commit.
    ///
    /// # Errors
    ///
    /// `Unsupported` if commits [are not counted](crate::store::VaultCapabilities::counts_generations).
    pub fn generation(&self) -> Result<u64> {
        let engine = &self.shared.engine;
        engine
            .read_content(|content| content.commits().map_err(|error| engine.storage.named(error)))
    }

    /// Forgets and wipes the secrets in memory. The next call reads the store again.
    pub fn forget(&self) {
        self.shared.engine.forget();
    }

    /// Returns the service's name.
    pub fn service(&self) -> &ServiceName {
        self.shared.engine.storage.service()
    }

    /// Returns the chosen backend.
    pub fn backend(&self) -> Backend {
        self.shared.chosen.backend()
    }

    /// Returns the layout of the vault in its store.
    pub fn layout(&self) -> Layout {
        self.shared.layout()
    }

    /// Returns the reason for choosing this backend.
    pub fn reason(&self) -> &ChoiceReason {
        self.shared.chosen.reason()
    }

    /// Returns the capabilities of the store, as
    /// [`SecretManager::store_capabilities`](crate::SecretManager::store_capabilities) does.
    pub fn store_capabilities(&self) -> Capabilities {
        self.shared.store_capabilities()
    }

    /// Lists the weaknesses in the vault's protection, as
    /// [`SecretManager::warnings`](crate::SecretManager::warnings) does.
    pub fn warnings(&self) -> Vec<Warning> {
        self.store_capabilities().warnings()
    }

    /// Returns whether the vault is kept until it is deleted, across restarts of the machine.
    pub fn is_persistent(&self) -> bool {
        self.shared.is_persistent()
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// As [`get`](Self::get), or `None` if the copy in memory is not sufficient. Never waits.
    pub(crate) fn get_from_memory(&self, key: &SecretKey) -> Option<Result<Option<Secret>>> {
        let now = self.now();
        self.shared.engine.read_memory(|vault| edits::get(vault, key, now))
    }

    /// As [`exists`](Self::exists), or `None` if the copy in memory is not sufficient. Never waits.
    pub(crate) fn exists_in_memory(&self, key: &SecretKey) -> Option<bool> {
        self.shared.engine.read_memory(|vault| vault.contains(key))?.ok()
    }

    pub(crate) fn apply(&self, batch: Batch) -> Result<()> {
        batch.changes.keys().try_for_each(check)?;
        self.shared.commit(|vault| edits::apply(vault, batch, self.now()))
    }

    fn store(&self, key: &SecretKey, secret: Secret) -> Result<()> {
        check(key)?;
        self.shared.commit(|vault| edits::set(vault, key, secret, self.now()).map(drop))
    }

    fn now(&self) -> Timestamp {
        self.shared.engine.now()
    }
}

impl fmt::Debug for SecretManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretManager").field("chosen", &self.shared.chosen).finish_non_exhaustive()
    }
}

/// Returns a key that can be used for a new secret.
fn checked(key: impl Into<SecretKey>) -> Result<SecretKey> {
    let key = key.into();
    check(&key).map(|()| key)
}

fn check(key: &SecretKey) -> Result<()> {
    key.validate().map_err(|error| error.during(Operation::Set))
}

fn api_key(value: SecretString, provider: Option<&str>) -> Secret {
    let secret = Secret::new(value);
    match provider {
        Some(provider) => secret.provider(provider),
        None => secret,
    }
}
