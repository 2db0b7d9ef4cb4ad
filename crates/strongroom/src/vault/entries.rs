//! The layout `entries`: each secret is an entry, in the form that other programs write, too.
//!
//! There is nothing but the entries, and other programs change them at any time. So no value is kept in
//! memory and no index is stored beside them: each read asks the store, and each change is made at once. The
//! lock between processes excludes only processes that use this layout.

mod names;

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strongroom_core::{
    EntryName, Error, ErrorKind, ExposeSecret as _, KeyringStore, Operation, Result, Secret,
    SecretKey, SecretMetadata, SecretString, ServiceName, Store, Timestamp, WriteMode, secret_copy,
};

use self::names::user_name;
use super::coherence::Revision;
use super::content::{Change, EditVault, Fingerprint, ReadVault, SecretInfo, StoredContent};
use super::payload::{Payload, VaultId};
use crate::binding::{BindingFile, Home};
use crate::layout::VAULT_ENTRY;
use crate::{Backend, Layout};

/// The constant revision that stands for the layout `entries` in the generation file.
const REVISION: Revision = Revision { vault: *b"in entries apart", generation: 0 };

/// The place of a vault whose secrets are entries or are to become entries.
pub(crate) struct EntriesPlace {
    backend: Backend,
    /// The file that remembers whether the vault is being moved, into entries or out of them.
    binding: BindingFile,
    changes: Arc<OwnChanges>,
    /// Set if a vault beside entries is read in their place, unless the binding remembers the layout
    /// `entries`.
    yields_to_vault: bool,
}

/// The secrets of a service in the layout `entries`.
pub(crate) struct Entries {
    store: Arc<dyn Store>,
    service: ServiceName,
    changes: Arc<OwnChanges>,
    /// Set if there was no entry when this value was created.
    is_empty: bool,
}

/// The number of changes that this handle has made to each secret, for subscribers. A leaf lock: no other
/// lock is taken while it is held.
#[derive(Default)]
struct OwnChanges(Mutex<BTreeMap<SecretKey, u64>>);

impl EntriesPlace {
    pub(crate) fn new(backend: Backend, binding: BindingFile) -> Self {
        Self { backend, binding, changes: Arc::default(), yields_to_vault: false }
    }

    /// Prefers a vault over the entries beside it, unless the binding remembers the layout `entries`.
    pub(crate) fn yielding_to_vault(self) -> Self {
        Self { yields_to_vault: true, ..self }
    }

    /// Returns the entries of a service. Nothing is read.
    pub(crate) fn entries(
        &self,
        store: &Arc<dyn Store>,
        service: &ServiceName,
        is_empty: bool,
    ) -> Entries {
        Entries {
            store: Arc::clone(store),
            service: service.clone(),
            changes: Arc::clone(&self.changes),
            is_empty,
        }
    }

    /// Returns whether a vault takes precedence over the entries beside it.
    pub(crate) fn yields(&self) -> Result<bool> {
        Ok(self.yields_to_vault && !self.home()?.is_some_and(|home| home.in_entries))
    }

    /// Returns whether the binding remembers a vault, which may be gone.
    pub(crate) fn awaits_vault(&self) -> Result<bool> {
        Ok(self.yields_to_vault && self.home()?.is_some_and(|home| !home.in_entries))
    }

    /// Returns the remembered home of the vault, if it is in this store.
    fn home(&self) -> Result<Option<Home>> {
        Ok(self.binding.home()?.filter(|home| home.backend == self.backend))
    }

    /// Returns the remembered home of the vault while a move within this store is not complete.
    pub(crate) fn home_in_move(&self) -> Result<Option<Home>> {
        let home = self.home()?;
        let is_moving = self.binding.moving_to()?.or(self.binding.moved_from()?).is_some();
        Ok(home.filter(|_| is_moving))
    }
}

impl Entries {
    /// Checks that these secrets can be entries, and that no entry with one of their names holds another
    /// value.
    ///
    /// # Errors
    ///
    /// `Unsupported` and `Invalid` as in [`check`]. `Conflict` if an entry holds another value.
    pub(crate) fn make_way(&self, vault: &Payload) -> Result<()> {
        for (key, secret) in vault.secrets() {
            check(key, &secret.metadata)?;
            if self.value_of(key)?.is_some_and(|there| !has_value_of(&there, secret)) {
                return Err(Error::new(ErrorKind::Conflict, Operation::Set)
                    .with_message(format!("there is an entry of another value for {key}"))
                    .with_hint("Nothing was changed. Rename or delete one of the two."));
            }
        }
        Ok(())
    }

    /// Writes the secrets that have no entry yet.
    pub(crate) fn write_all(&self, vault: &Payload) -> Result<()> {
        for (key, secret) in vault.secrets() {
            if self.value_of(key)?.is_none() {
                // `CreateNew`, because another program may write the entry between the check and here.
                self.write(key, secret, WriteMode::CreateNew)?;
            }
        }
        Ok(())
    }

    /// Returns whether all of these secrets are stored with the same values.
    pub(crate) fn hold(&self, vault: &Payload) -> Result<bool> {
        for (key, secret) in vault.secrets() {
            if !self.value_of(key)?.is_some_and(|there| has_value_of(&there, secret)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes these secrets. An entry that holds another value was changed by another program meanwhile, and
    /// stays.
    pub(crate) fn remove_all(&self, vault: &Payload) -> Result<()> {
        for (key, secret) in vault.secrets() {
            match self.value_of(key)? {
                Some(there) if has_value_of(&there, secret) => drop(self.remove_entry(key)?),
                Some(_) => tracing::warn!("{key} was changed while it was moved; its entry stays"),
                None => {}
            }
        }
        Ok(())
    }

    fn value_of(&self, key: &SecretKey) -> Result<Option<SecretString>> {
        let user = user_name(key).map_err(|error| error.during(Operation::Get))?;
        self.store.get_password(self.service.as_str(), user.as_str())
    }

    fn is_there(&self, key: &SecretKey) -> Result<bool> {
        self.store.contains_entry(&self.entry(key, Operation::Exists)?)
    }

    fn write(&self, key: &SecretKey, secret: &Secret, mode: WriteMode) -> Result<()> {
        let entry = self.entry(key, Operation::Set)?;
        let (service, user) = (entry.service().as_str(), entry.user().as_str());
        let value = secret_copy(secret.value.expose_secret().as_bytes());
        self.store.write_bytes(service, user, &value, mode)?;
        self.changes.count(key);
        Ok(())
    }

    fn remove_entry(&self, key: &SecretKey) -> Result<bool> {
        let was_there = self.store.remove_entry(&self.entry(key, Operation::Delete)?)?;
        self.changes.count(key);
        Ok(was_there)
    }

    /// Copies the bytes of an entry, text or not, to a new entry, and reads them back.
    fn copy(&self, old: &EntryName, new: &EntryName) -> Result<()> {
        let Some(bytes) = self.store.read_entry(old)? else { return Ok(()) };
        self.store.write_entry(new, &bytes, WriteMode::CreateNew)?;
        let there = self.store.read_entry(new)?;
        // The old entry is deleted next, so the store must have the copy for certain.
        if there.is_none_or(|there| there.expose_secret() != bytes.expose_secret()) {
            return Err(Error::new(ErrorKind::Corrupt, Operation::Set)
                .with_store(self.store.name())
                .with_entry(new)
                .with_message("the store gave back something else; the old entry stays"));
        }
        Ok(())
    }

    fn entry(&self, key: &SecretKey, operation: Operation) -> Result<EntryName> {
        let user = user_name(key).map_err(|error| error.during(operation))?;
        Ok(EntryName::from_parts(self.service.clone(), user))
    }

    fn keys(&self) -> Result<Vec<SecretKey>> {
        let users = self.store.list(self.service.as_str())?.into_iter();
        let secrets = users.filter(|user| user.as_str() != VAULT_ENTRY);
        let mut keys: Vec<_> =
            secrets.map(|user| SecretKey::from_entry_name(user.as_str())).collect();
        keys.sort();
        Ok(keys)
    }
}

impl OwnChanges {
    fn count(&self, key: &SecretKey) {
        *self.all().entry(key.clone()).or_default() += 1;
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<SecretKey, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoredContent for Entries {
    fn layout(&self) -> Layout {
        Layout::Entries
    }

    fn revision(&self) -> Revision {
        REVISION
    }

    /// Returns whether there was no entry when this value was created: the constant revision does not tell.
    fn is_none(&self) -> bool {
        self.is_empty
    }

    fn is_in_place(&self) -> bool {
        !self.is_empty
    }

    fn commits(&self) -> Result<u64> {
        Err(cant_be_had(Operation::Get, "nobody counts the changes of entries"))
    }

    /// Makes a change step by step. If a step fails, the steps before it remain.
    fn change(&self, change: Change<'_>) -> Result<()> {
        let mut entries = self;
        change(&mut entries)
    }

    /// Writes the secret back unchanged. If the secret is missing, checks only that the store can be used.
    fn check_writable(&self, key: &SecretKey) -> Result<()> {
        let entry = self.entry(key, Operation::Set)?;
        match self.store.read_entry(&entry)? {
            Some(value) => self.store.write_entry(&entry, &value, WriteMode::Overwrite),
            None => self.store.probe().map(drop),
        }
    }
}

impl ReadVault for Entries {
    /// Returns the number of changes by this handle.
    fn generation(&self) -> Result<u64> {
        Ok(self.changes.all().values().sum())
    }

    fn get(&self, key: &SecretKey) -> Result<Option<Secret>> {
        Ok(self.value_of(key)?.map(Secret::new))
    }

    fn contains(&self, key: &SecretKey) -> Result<bool> {
        self.is_there(key)
    }

    fn list(&self) -> Result<Vec<SecretInfo>> {
        let keys = self.keys()?.into_iter();
        Ok(keys.map(|key| SecretInfo { key, metadata: SecretMetadata::default() }).collect())
    }

    /// Reads entry by entry, so the result is not the state of a single moment.
    fn snapshot(&self) -> Result<Payload> {
        let mut vault = Payload::new(VaultId::NONE);
        for key in self.keys()? {
            // Another program may have deleted the entry since the list was read.
            if let Some(value) = self.value_of(&key)? {
                vault.insert(key, Secret::new(value));
            }
        }
        Ok(vault)
    }

    /// Returns the numbers of changes by this handle. Values are not compared, because reading them may ask
    /// the user.
    fn fingerprints(&self, _: &RandomState) -> Result<BTreeMap<SecretKey, Fingerprint>> {
        self.store.probe()?;
        let (keys, changes) = (self.keys()?, self.changes.all());
        let prints = keys.into_iter().map(|key| {
            let changes = Some(changes.get(&key).copied().unwrap_or_default());
            (key, Fingerprint { changes, ..Fingerprint::default() })
        });
        Ok(prints.collect())
    }
}

impl EditVault for &Entries {
    fn check(&self, key: &SecretKey, metadata: &SecretMetadata) -> Result<()> {
        check(key, metadata)
    }

    /// Sets no times: the store keeps its own, and does not tell them.
    fn stamp(&mut self, _: &SecretKey, metadata: &mut SecretMetadata, _: Timestamp) -> Result<()> {
        *metadata = SecretMetadata::default();
        Ok(())
    }

    fn get(&mut self, key: &SecretKey) -> Result<Option<Secret>> {
        ReadVault::get(*self, key)
    }

    fn metadata(&mut self, key: &SecretKey) -> Result<Option<SecretMetadata>> {
        Ok(self.is_there(key)?.then(SecretMetadata::default))
    }

    fn put(&mut self, key: &SecretKey, secret: &Secret) -> Result<()> {
        self.write(key, secret, WriteMode::Overwrite)
    }

    fn put_new(&mut self, key: &SecretKey, secret: &Secret) -> Result<()> {
        self.write(key, secret, WriteMode::CreateNew)
    }

    fn remove(&mut self, key: &SecretKey) -> Result<bool> {
        self.remove_entry(key)
    }

    #[cfg(feature = "backup")]
    fn snapshot(&mut self) -> Result<Payload> {
        ReadVault::snapshot(*self)
    }

    #[cfg(feature = "backup")]
    fn copy_from(&mut self, other: &Payload, key: &SecretKey) -> Result<()> {
        match other.secrets().get(key) {
            Some(secret) => self.write(key, secret, WriteMode::Overwrite),
            None => self.remove_entry(key).map(drop),
        }
    }

    /// If the process is killed in between, both entries exist.
    fn rename(&mut self, old: &SecretKey, new: &SecretKey) -> Result<()> {
        self.copy(&self.entry(old, Operation::Set)?, &self.entry(new, Operation::Set)?)?;
        self.changes.count(new);
        self.remove_entry(old).map(drop)
    }
}

/// Checks that a secret can be an entry.
///
/// # Errors
///
/// `Invalid` if its name can't be the name of an entry, `Unsupported` if it has metadata that an entry can't
/// hold.
pub(crate) fn check(key: &SecretKey, metadata: &SecretMetadata) -> Result<()> {
    user_name(key).map_err(|error| error.during(Operation::Set))?;
    let SecretMetadata { provider, scope, expires_at, .. } = metadata;
    let lost = match (provider, scope, expires_at) {
        (Some(_), ..) => "provider",
        (_, Some(_), _) => "scope",
        (.., Some(_)) => "expiry",
        _ => return Ok(()),
    };
    let message = format!("{key} has a {lost}, which its entry can't hold");
    Err(cant_be_had(Operation::Set, &message))
}

fn has_value_of(value: &SecretString, secret: &Secret) -> bool {
    value.expose_secret() == secret.value.expose_secret()
}

fn cant_be_had(operation: Operation, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, operation).with_message(message).with_hint(
        "Where each secret is an entry of its own, a value is all that is kept of it. Do without, or keep the \
         vault in another layout.",
    )
}
