//! The contract of a store, for those who write one.

use std::fmt;
use std::sync::Arc;

use crate::{
    CandidateId, Capabilities, EntryName, Error, ErrorKind, Operation, Result, SecretBytes,
    ServiceName, Timestamp,
};

/// What to do when the entry that is to be written exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum WriteMode {
    /// Replace its value.
    #[default]
    Overwrite,
    /// Refuse with `AlreadyExists`.
    CreateNew,
}

/// What [`Store::probe`] found.
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
    /// What [`Store::keep_candidate`] takes to name it.
    pub id: CandidateId,
    /// Its label in the system's own tool.
    pub label: String,
    /// The time of its creation, where the store says it.
    pub created: Option<Timestamp>,
    /// The time of its last change, where the store says it.
    pub modified: Option<Timestamp>,
}

/// A place that holds entries, each named by a service and a user.
///
/// The methods of this trait are for those who write a store; [`KeyringStore`](crate::KeyringStore), which every
/// store has by itself, is for those who use one.
///
/// - Every method may be called from several threads at once.
/// - Names are valid and values fit [`Capabilities::max_secret_len`]: `KeyringStore` has checked them.
/// - `strongroom-conformance` checks the contract.
/// - A reference, a `Box` and an `Arc` of a store are stores, too.
///
/// # Errors
///
/// Beside the kinds that each method names, every method but [`capabilities`] and [`name`] can fail
/// with `NoBackend` (the store can't be used here), `Locked`, `Dismissed`, `InteractionNotAllowed`,
/// `AccessDenied`, `TimedOut`, `Io` and `Other`.
///
/// [`capabilities`]: Self::capabilities
/// [`name`]: Self::name
pub trait Store: fmt::Debug + Send + Sync {
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
    ///   nothing new is. The exception is a write whose answer did not come, because of the deadline
    ///   (`TimedOut`) or because the other side went away: its message says that it may have taken effect.
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
    fn keep_candidate(&self, entry: &EntryName, _id: &CandidateId) -> Result<usize> {
        Err(never_two(self.name(), entry))
    }

    /// Reads the value of one of the [`candidates`](Self::candidates).
    ///
    /// # Errors
    ///
    /// `NotFound` if no candidate has this id; `Corrupt` if its value can't be read. `Unsupported` in a
    /// store that can't hold two items of one name: the default.
    fn read_candidate(&self, entry: &EntryName, _id: &CandidateId) -> Result<SecretBytes> {
        Err(never_two(self.name(), entry))
    }

    /// Replaces the value of one of the [`candidates`](Self::candidates) and leaves the others alone.
    ///
    /// # Errors
    ///
    /// `NotFound` if no candidate has this id: then nothing was written. `Unsupported` in a store that
    /// can't hold two items of one name: the default.
    fn write_candidate(
        &self,
        entry: &EntryName,
        _id: &CandidateId,
        _value: &SecretBytes,
    ) -> Result<()> {
        Err(never_two(self.name(), entry))
    }
}

/// Forwards each method to the store that a pointer points to. The lint finds one that was forgotten.
macro_rules! forward {
    ($($pointer:ty),+) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<S: Store + ?Sized> Store for $pointer {
            fn name(&self) -> &'static str {
                (**self).name()
            }

            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }

            fn probe(&self) -> Result<Probe> {
                (**self).probe()
            }

            fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
                (**self).read_entry(entry)
            }

            fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
                (**self).write_entry(entry, value, mode)
            }

            fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
                (**self).remove_entry(entry)
            }

            fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
                (**self).contains_entry(entry)
            }

            fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
                (**self).list_entries(service)
            }

            fn is_stuck(&self) -> bool {
                (**self).is_stuck()
            }

            fn count_unnamed(&self, service: &ServiceName) -> Result<usize> {
                (**self).count_unnamed(service)
            }

            fn candidates(&self, entry: &EntryName) -> Result<Vec<Candidate>> {
                (**self).candidates(entry)
            }

            fn keep_candidate(&self, entry: &EntryName, id: &CandidateId) -> Result<usize> {
                (**self).keep_candidate(entry, id)
            }

            fn read_candidate(&self, entry: &EntryName, id: &CandidateId) -> Result<SecretBytes> {
                (**self).read_candidate(entry, id)
            }

            fn write_candidate(&self, entry: &EntryName, id: &CandidateId, value: &SecretBytes) -> Result<()> {
                (**self).write_candidate(entry, id, value)
            }
        }
    )+};
}

forward!(&S, Box<S>, Arc<S>);

impl Probe {
    /// A store that is served by this provider and can be used.
    pub fn new(provider: impl Into<String>) -> Self {
        Self { provider: provider.into() }
    }
}

impl Candidate {
    /// An item with this id and label, of unknown age.
    pub fn new(id: impl Into<CandidateId>, label: impl Into<String>) -> Self {
        Self { id: id.into(), label: label.into(), created: None, modified: None }
    }
}

fn never_two(store: &'static str, entry: &EntryName) -> Error {
    Error::new(ErrorKind::Unsupported, Operation::Repair)
        .with_store(store)
        .with_entry(entry)
        .with_message("this store never holds two items of one name")
}
