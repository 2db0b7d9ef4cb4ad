//! The contract of a store.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::{
    Capabilities, EntryName, Error, ErrorKind, Operation, Result, SecretBytes, ServiceName,
    UserName, secret_copy, secret_text,
};

/// What to do when the entry that is to be written exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteMode {
    /// Replace its value.
    #[default]
    Overwrite,
    /// Refuse with `AlreadyExists`.
    CreateNew,
}

/// What [`KeyringStore::probe`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// Who serves the store, in words for the user: a provider's name and process, for instance.
    pub provider: String,
}

/// One of several items that answer to the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// What [`KeyringStore::keep_candidate`] takes to name it.
    pub id: String,
    /// Its label in the system's own tool.
    pub label: String,
    /// When it was made, in seconds since 1970; 0 where the store does not say.
    pub created: u64,
    /// When it was last changed, in seconds since 1970; 0 where the store does not say.
    pub modified: u64,
}

/// A place that holds entries, each named by a service and a user.
///
/// # Using a store
///
/// Call `get_password`, `set_password`, `delete_password`, their siblings for bytes, `exists` and
/// `list`. They check names and sizes, once, and then call the store. A store may block for as
/// long as its deadlines allow, so don't call one from an async task; the `strongroom` crate runs
/// each call on a thread of its own and works everywhere.
///
/// # Implementing a store
///
/// Implement the methods that take an [`EntryName`] and leave the others as they are. Every method
/// may be called from several threads at once. `strongroom-conformance` checks the contract.
///
/// # Errors
///
/// Beside the kinds that each method names, every method but [`capabilities`] and [`name`] can fail
/// with `NoBackend` (the store can't be used here), `Locked`, `Dismissed`, `InteractionNotAllowed`,
/// `AccessDenied`, `TimedOut`, `Io` and `Other`.
///
/// [`capabilities`]: Self::capabilities
/// [`name`]: Self::name
pub trait KeyringStore: fmt::Debug + Send + Sync {
    /// The store's stable name, in lower case, such as `secret-service`.
    fn name(&self) -> &'static str;

    /// What the store can do. Plain data: contacts nobody.
    fn capabilities(&self) -> Capabilities;

    /// Whether the store can be used now.
    ///
    /// - Never writes, never prompts, never unlocks.
    /// - A store that is there and locked is `Locked`, not unusable.
    ///
    /// # Errors
    ///
    /// `NoBackend`, `NoDefaultCollection`, `Locked`, `TimedOut`: why it can't be used now.
    fn probe(&self) -> Result<Probe>;

    /// Reads an entry's bytes.
    ///
    /// - A missing entry is `None`; a locked store is `Locked`, never `None`.
    ///
    /// # Errors
    ///
    /// `Ambiguous` if several items answer to the name, `Corrupt` if what is stored can't be read.
    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>>;

    /// Writes an entry's bytes.
    ///
    /// - When it returns, the value is stored; when it fails, the old value is still there and
    ///   nothing new is. The exception is `TimedOut` on a write that was under way: it says so.
    /// - Of several that create the same entry with [`WriteMode::CreateNew`], one succeeds.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` with [`WriteMode::CreateNew`], `TooLarge`, `QuotaExceeded`, `Ambiguous`.
    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()>;

    /// Deletes an entry and says whether it was there.
    ///
    /// - Deleting what is missing succeeds with `false`; a locked store is `Locked`.
    ///
    /// # Errors
    ///
    /// `Ambiguous` if several items answer to the name.
    fn remove_entry(&self, entry: &EntryName) -> Result<bool>;

    /// Whether an entry exists. Reads no value where the platform allows it.
    ///
    /// # Errors
    ///
    /// None of its own. Several items under one name exist, too.
    fn contains_entry(&self, entry: &EntryName) -> Result<bool>;

    /// Names the entries of a service, in no particular order, each once. Reads no value.
    ///
    /// # Errors
    ///
    /// `Unsupported` where [`Capabilities::can_list`] is false.
    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>>;

    /// Whether a call has passed its deadline and has not returned, so that the next one would only wait behind it. False in a
    /// store without a deadline of its own, by default.
    #[doc(hidden)]
    fn is_stuck(&self) -> bool {
        false
    }

    /// Counts the items of a service that have no user name, or an empty one: other programs may make such,
    /// and they are no entries.
    ///
    /// - 0 in a store that can't hold any: the default.
    ///
    /// # Errors
    ///
    /// None of its own.
    fn count_unnamed(&self, _service: &ServiceName) -> Result<usize> {
        Ok(0)
    }

    /// The items that answer to one name, newest first, for a user who must choose.
    ///
    /// - Empty in a store that can't hold two items of one name: the default.
    ///
    /// # Errors
    ///
    /// None of its own.
    fn candidates(&self, _entry: &EntryName) -> Result<Vec<Candidate>> {
        Ok(Vec::new())
    }

    /// Keeps one of the [`candidates`](Self::candidates), deletes the others, returns how many.
    ///
    /// # Errors
    ///
    /// `NotFound` if no candidate has this id: then nothing was deleted. `Unsupported` in a store
    /// that can't hold two items of one name: the default.
    fn keep_candidate(&self, entry: &EntryName, _id: &str) -> Result<usize> {
        Err(never_two(self.name(), entry))
    }

    /// Reads the value of one of the [`candidates`](Self::candidates).
    ///
    /// # Errors
    ///
    /// `NotFound` if no candidate has this id; `Corrupt` if its value can't be read. `Unsupported` in a
    /// store that can't hold two items of one name: the default.
    fn read_candidate(&self, entry: &EntryName, _id: &str) -> Result<SecretBytes> {
        Err(never_two(self.name(), entry))
    }

    /// Replaces the value of one of the [`candidates`](Self::candidates) and leaves the others alone.
    ///
    /// # Errors
    ///
    /// `NotFound` if no candidate has this id: then nothing was written. `Unsupported` in a store that
    /// can't hold two items of one name: the default.
    fn write_candidate(&self, entry: &EntryName, _id: &str, _value: &SecretBytes) -> Result<()> {
        Err(never_two(self.name(), entry))
    }

    /// Reads an entry as text. A missing entry is `None`.
    ///
    /// # Errors
    ///
    /// As [`read_entry`](Self::read_entry); `Invalid` for a name that can't be used, and for a value
    /// that is not UTF-8: read it with [`get_secret`](Self::get_secret).
    fn get_password(&self, service: &str, user: &str) -> Result<Option<SecretString>> {
        let entry = entry_name(service, user, Operation::Get)?;
        let Some(bytes) = self.read_entry(&entry)? else {
            return Ok(None);
        };
        secret_text(&bytes).map(Some).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, Operation::Get)
                .with_store(self.name())
                .with_entry(&entry)
                .with_message("its value is not text")
                .with_hint("Read it as bytes.")
        })
    }

    /// Reads an entry as bytes. A missing entry is `None`.
    ///
    /// # Errors
    ///
    /// As [`read_entry`](Self::read_entry); `Invalid` for a name that can't be used.
    fn get_secret(&self, service: &str, user: &str) -> Result<Option<SecretBytes>> {
        self.read_entry(&entry_name(service, user, Operation::Get)?)
    }

    /// Writes an entry as text.
    ///
    /// # Errors
    ///
    /// As [`set_secret`](Self::set_secret).
    fn set_password(
        &self,
        service: &str,
        user: &str,
        value: &SecretString,
        mode: WriteMode,
    ) -> Result<()> {
        let bytes = secret_copy(value.expose_secret().as_bytes());
        self.set_secret(service, user, &bytes, mode)
    }

    /// Writes an entry as bytes.
    ///
    /// # Errors
    ///
    /// As [`write_entry`](Self::write_entry); `Invalid` for a name that can't be used; `TooLarge` for
    /// a value over [`Capabilities::max_secret_len`]; `Unsupported` for bytes that are not text in a
    /// store that is not binary-safe.
    fn set_secret(
        &self,
        service: &str,
        user: &str,
        value: &SecretBytes,
        mode: WriteMode,
    ) -> Result<()> {
        let entry = entry_name(service, user, Operation::Set)?;
        check_value(self.capabilities(), value)
            .map_err(|error| error.with_store(self.name()).with_entry(&entry))?;
        self.write_entry(&entry, value, mode)
    }

    /// Deletes an entry, text or bytes, and says whether it was there.
    ///
    /// # Errors
    ///
    /// As [`remove_entry`](Self::remove_entry); `Invalid` for a name that can't be used.
    fn delete_password(&self, service: &str, user: &str) -> Result<bool> {
        self.remove_entry(&entry_name(service, user, Operation::Delete)?)
    }

    /// Whether an entry exists.
    ///
    /// # Errors
    ///
    /// As [`contains_entry`](Self::contains_entry); `Invalid` for a name that can't be used.
    fn exists(&self, service: &str, user: &str) -> Result<bool> {
        self.contains_entry(&entry_name(service, user, Operation::Exists)?)
    }

    /// Names the users of a service's entries, sorted. Reads no value.
    ///
    /// # Errors
    ///
    /// As [`list_entries`](Self::list_entries); `Invalid` for a name that can't be used;
    /// `Unsupported` where [`Capabilities::can_list`] is false.
    fn list(&self, service: &str) -> Result<Vec<UserName>> {
        let service = ServiceName::new(service).map_err(|error| error.during(Operation::List))?;
        if !self.capabilities().can_list {
            return Err(Error::new(ErrorKind::Unsupported, Operation::List).with_store(self.name()));
        }
        let mut users: Vec<_> =
            self.list_entries(&service)?.into_iter().map(|entry| entry.user().clone()).collect();
        users.sort();
        Ok(users)
    }
}

impl Probe {
    /// A store that is served by this provider and can be used.
    pub fn new(provider: impl Into<String>) -> Self {
        Self { provider: provider.into() }
    }
}

impl Candidate {
    /// An item with this id and label, of unknown age.
    pub fn new(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self { id: id.into(), label: label.into(), created: 0, modified: 0 }
    }
}

fn entry_name(service: &str, user: &str, operation: Operation) -> Result<EntryName> {
    EntryName::new(service, user).map_err(|error| error.during(operation))
}

fn never_two(store: &'static str, entry: &EntryName) -> Error {
    Error::new(ErrorKind::Unsupported, Operation::Repair)
        .with_store(store)
        .with_entry(entry)
        .with_message("this store never holds two items of one name")
}

fn check_value(capabilities: Capabilities, value: &SecretBytes) -> Result<()> {
    let bytes = value.expose_secret();
    if let Some(max) = capabilities.max_secret_len.filter(|max| bytes.len() > *max) {
        return Err(Error::new(ErrorKind::TooLarge, Operation::Set).with_message(format!(
            "the value has {} bytes; this store takes at most {max}",
            bytes.len()
        )));
    }
    if !capabilities.binary_safe && std::str::from_utf8(bytes).is_err() {
        return Err(Error::new(ErrorKind::Unsupported, Operation::Set)
            .with_message("the value is not text, and this store keeps only text"));
    }
    Ok(())
}
