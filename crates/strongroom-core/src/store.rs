//! The contract of a store, for implementers.

use std::fmt;
use std::sync::Arc;

use crate::{
    CandidateId, Capabilities, EntryName, Error, ErrorKind, Operation, Result, SecretBytes,
    ServiceName, Timestamp,
};

/// The treatment of an existing entry in a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum WriteMode {
    /// Replace the value.
    #[default]
    Overwrite,
    /// Refuse the write with `AlreadyExists`.
    CreateNew,
}

/// The result of [`Store::probe`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// The program that serves the store, in words for the user: for instance a provider's name and process.
    pub provider: String,
}

/// An item of an entry that has several items of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// The id by which [`Store::keep_candidate`] finds the item.
    pub id: CandidateId,
    /// The label in the system's own tool.
    pub label: String,
    /// The creation time, if the store knows it.
    pub created: Option<Timestamp>,
    /// The time of the last change, if the store knows it.
    pub modified: Option<Timestamp>,
}

/// A place that holds entries, each named by a service and a user.
///
/// The methods of this trait are for implementers of stores. Callers use
/// [`KeyringStore`](crate::KeyringStore), which is implemented for every store.
///
/// - Every method may be called from several threads at once.
/// - Names are valid and values fit [`Capabilities::max_secret_len`]: `KeyringStore` has checked them.
/// - `strongroom-conformance` checks the contract.
/// - References, `Box`es and `Arc`s of a store are stores, too.
///
/// # Errors
///
/// Besides the kinds that each method names, every method except [`capabilities`] and [`name`] can fail with
/// `NoBackend` (the store can't be used here), `Locked`, `Dismissed`, `InteractionNotAllowed`,
/// `AccessDenied`, `TimedOut`, `Io` and `Other`.
///
/// [`capabilities`]: Self::capabilities
/// [`name`]: Self::name
pub trait Store: fmt::Debug + Send + Sync {
    /// Returns the store's stable name, in lower case, such as `secret-service`.
    fn name(&self) -> &'static str;

    /// Returns the capabilities of the store, without contacting it.
    fn capabilities(&self) -> Capabilities;

    /// Checks that the store can be used now.
    ///
    /// - Never writes, never prompts, never unlocks.
    /// - A locked store is `Locked`, not unusable.
    ///
    /// # Errors
    ///
    /// `NoBackend`, `NoDefaultCollection`, `Locked` or `TimedOut`, by the reason that it can't be used.
    fn probe(&self) -> Result<Probe>;

    /// Reads an entry's bytes, or `None` if there is no such entry.
    ///
    /// - A locked store is `Locked`, never `None`.
    ///
    /// # Errors
    ///
    /// `Ambiguous` if several items have the name, `Corrupt` if the stored data can't be read.
    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>>;

    /// Writes an entry's bytes.
    ///
    /// - When it returns `Ok`, the value is stored. When it fails, the old value is still there, and no new
    ///   value. The exception is a write without an answer, because of the deadline (`TimedOut`) or because
    ///   the provider went away: its message says that the write may have taken effect.
    /// - Of several callers that create the same entry with [`WriteMode::CreateNew`], a single caller
    ///   succeeds.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` with [`WriteMode::CreateNew`], `TooLarge`, `QuotaExceeded`, `Ambiguous`.
    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()>;

    /// Deletes an entry and returns whether it existed.
    ///
    /// - Deleting a missing entry succeeds with `false`; a locked store is `Locked`.
    ///
    /// # Errors
    ///
    /// `Ambiguous` if several items have the name.
    fn remove_entry(&self, entry: &EntryName) -> Result<bool>;

    /// Returns whether an entry exists. Reads no value if the platform allows that.
    ///
    /// # Errors
    ///
    /// None of its own. An entry with several items exists, too.
    fn contains_entry(&self, entry: &EntryName) -> Result<bool>;

    /// Lists the entries of a service, in no particular order, each of them once. Reads no value.
    ///
    /// # Errors
    ///
    /// `Unsupported` if [`Capabilities::can_list`] is false.
    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>>;

    /// Returns whether a call has passed its deadline without returning, so that the next call would only
    /// wait behind it. The default is `false`, for a store without a deadline of its own.
    #[doc(hidden)]
    fn is_stuck(&self) -> bool {
        false
    }

    /// Counts the items of a service that have no user name, or an empty user name. Other programs may create
    /// such items, and they are not entries.
    ///
    /// - The default is 0, for a store that can't hold such items.
    ///
    /// # Errors
    ///
    /// None of its own.
    fn count_unnamed(&self, _service: &ServiceName) -> Result<usize> {
        Ok(0)
    }

    /// Returns the items of an entry, the newest first, so that the user can choose.
    ///
    /// - The default is an empty list, for a store that can't hold two items of the same name.
    ///
    /// # Errors
    ///
    /// None of its own.
    fn candidates(&self, _entry: &EntryName) -> Result<Vec<Candidate>> {
        Ok(Vec::new())
    }

    /// Keeps a [candidate](Self::candidates), deletes the other candidates and returns their number.
    ///
    /// # Errors
    ///
    /// `NotFound` if no candidate has this id: then nothing was deleted. `Unsupported` by default, for a
    /// store that can't hold two items of the same name.
    fn keep_candidate(&self, entry: &EntryName, _id: &CandidateId) -> Result<usize> {
        Err(never_two(self.name(), entry))
    }

    /// Reads the value of a [candidate](Self::candidates).
    ///
    /// # Errors
    ///
    /// `NotFound` if no candidate has this id; `Corrupt` if its value can't be read. `Unsupported` by
    /// default, for a store that can't hold two items of the same name.
    fn read_candidate(&self, entry: &EntryName, _id: &CandidateId) -> Result<SecretBytes> {
        Err(never_two(self.name(), entry))
    }

    /// Replaces the value of a [candidate](Self::candidates) and leaves the other candidates unchanged.
    ///
    /// # Errors
    ///
    /// `NotFound` if no candidate has this id: then nothing was written. `Unsupported` by default, for a
    /// store that can't hold two items of the same name.
    fn write_candidate(
        &self,
        entry: &EntryName,
        _id: &CandidateId,
        _value: &SecretBytes,
    ) -> Result<()> {
        Err(never_two(self.name(), entry))
    }
}

/// Implements `Store` for pointers to a store by forwarding each method. The lint reports a forgotten method.
// A blanket implementation for `Deref` would conflict with implementations in other crates.
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
    /// Creates the result for a usable store of this provider.
    pub fn new(provider: impl Into<String>) -> Self {
        Self { provider: provider.into() }
    }
}

impl Candidate {
    /// Creates a candidate with this id and label, of unknown age.
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
