//! The content of a vault in any layout, and how operations read and change it.

use std::any::Any;
use std::collections::BTreeMap;
use std::hash::RandomState;

use strongroom_core::{
    Error, ErrorKind, Operation, Result, Secret, SecretKey, SecretMetadata, Timestamp,
};

use super::coherence::Revision;
use super::payload::{Payload, Unreadable, VaultId};
use crate::Layout;

/// A secret without its value, as [`list`](crate::SecretManager::list) returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SecretInfo {
    /// The secret's name and target.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub key: SecretKey,
    /// The secret's metadata.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub metadata: SecretMetadata,
}

/// A vault's content, as a process has it.
pub(crate) enum Content {
    /// All secrets, in memory. A change writes the vault anew as a whole.
    Inline(Payload),
    /// Secrets that are read and changed where they are stored.
    Stored(Box<dyn StoredContent>),
}

/// A change of a vault.
pub(crate) type Change<'a> = Box<dyn FnOnce(&mut dyn EditVault) -> Result<()> + 'a>;

/// The content of a layout whose secrets are read and changed where they are stored.
pub(crate) trait StoredContent: ReadVault + Any + Send + Sync {
    /// Returns the layout.
    fn layout(&self) -> Layout;

    /// Returns the revision of the vault's entry. It stays the same when secrets change.
    fn revision(&self) -> Revision;

    /// Returns whether there is no secret and no vault.
    fn is_none(&self) -> bool;

    /// Returns whether this is still the content that a reader of the store would find.
    fn is_in_place(&self) -> bool;

    /// Returns the number of commits.
    ///
    /// # Errors
    ///
    /// `Unsupported` if commits are not counted.
    fn commits(&self) -> Result<u64>;

    /// Makes a change where the secrets are stored.
    fn change(&self, change: Change<'_>) -> Result<()>;

    /// Checks that the store accepts writes, by a write that changes no secret. `key` is the secret that is to
    /// be written next.
    fn check_writable(&self, key: &SecretKey) -> Result<()>;

    /// Wipes the keys that opened the content.
    fn forget_sources(&mut self) {}

    /// Reads every record, and returns those that are intact. `None` in a layout without records.
    fn check_records(&self) -> Option<RecordCheck> {
        None
    }
}

/// The state of a vault's records.
pub(crate) struct RecordCheck {
    /// The names of the readable records.
    pub(crate) readable: Vec<String>,
    /// The number of records that can't be read.
    pub(crate) damaged: u64,
}

/// Read access to a vault.
pub(crate) trait ReadVault {
    /// Returns the vault's revision number.
    fn generation(&self) -> Result<u64>;

    /// Returns a copy of a secret, expired or not.
    fn get(&self, key: &SecretKey) -> Result<Option<Secret>>;

    /// Returns whether a secret exists, expired or not.
    fn contains(&self, key: &SecretKey) -> Result<bool>;

    /// Lists all secrets without their values, sorted by key.
    fn list(&self) -> Result<Vec<SecretInfo>>;

    /// Returns all secrets in memory, in their state at a single moment. The layout `entries` can't guarantee
    /// the moment.
    fn snapshot(&self) -> Result<Payload>;

    /// Returns a fingerprint of each secret.
    fn fingerprints(&self, hasher: &RandomState) -> Result<BTreeMap<SecretKey, Fingerprint>>;
}

/// Numbers that change when a secret does, as far as its layout has them. The hashes are keyed, and tell
/// nothing of the value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fingerprint {
    /// The hash of the value.
    pub(crate) value: Option<u64>,
    /// The hash of the metadata, which include the time of the last write.
    pub(crate) metadata: Option<u64>,
    /// The number of changes made by this handle.
    pub(crate) changes: Option<u64>,
}

impl Fingerprint {
    /// Returns whether the secret has changed. Of fingerprints from two layouts only the numbers that both
    /// have are compared.
    pub(crate) fn differs_from(self, other: Self) -> bool {
        let numbers = [
            (self.value, other.value),
            (self.metadata, other.metadata),
            (self.changes, other.changes),
        ];
        numbers.iter().any(|(one, other)| one.zip(*other).is_some_and(|(one, other)| one != other))
    }
}

/// Write access to a vault within a single change. A change that fails has no effect, except in the layout
/// `entries`.
pub(crate) trait EditVault {
    /// Checks that the layout can keep a secret with this key and metadata. Call it for all secrets of a
    /// change before the first is written.
    fn check(&self, _: &SecretKey, _: &SecretMetadata) -> Result<()> {
        Ok(())
    }

    /// Sets the times of creation and of the last write, which the caller does not choose.
    fn stamp(
        &mut self,
        key: &SecretKey,
        metadata: &mut SecretMetadata,
        now: Timestamp,
    ) -> Result<()> {
        let created = self.metadata(key)?.and_then(|old| old.created_at);
        metadata.created_at = created.or(Some(now));
        metadata.updated_at = Some(now);
        Ok(())
    }

    /// Returns a copy of a secret, expired or not.
    fn get(&mut self, key: &SecretKey) -> Result<Option<Secret>>;

    /// Returns the metadata of a secret, or `None` if it does not exist.
    fn metadata(&mut self, key: &SecretKey) -> Result<Option<SecretMetadata>>;

    /// Stores a secret as it is, and replaces an existing secret of this key.
    fn put(&mut self, key: &SecretKey, secret: &Secret) -> Result<()>;

    /// Stores a secret under a key that was found free. Fails in the layout `entries` if another program has
    /// taken the key since.
    fn put_new(&mut self, key: &SecretKey, secret: &Secret) -> Result<()> {
        self.put(key, secret)
    }

    /// Removes a secret, and returns whether it existed.
    fn remove(&mut self, key: &SecretKey) -> Result<bool>;

    /// Returns all secrets in memory, with the changes so far.
    #[cfg(feature = "backup")]
    fn snapshot(&mut self) -> Result<Payload>;

    /// Copies a secret of another vault unchanged. Removes the secret if the other vault does not have it.
    #[cfg(feature = "backup")]
    fn copy_from(&mut self, other: &Payload, key: &SecretKey) -> Result<()>;

    /// Moves an existing secret to another key, which must be free.
    fn rename(&mut self, old: &SecretKey, new: &SecretKey) -> Result<()>;
}

impl Content {
    /// Returns the content of a service that has no vault yet.
    pub(crate) fn none() -> Self {
        Self::Inline(Payload::new(VaultId::NONE))
    }

    /// Returns whether there is no vault yet.
    pub(crate) fn is_none(&self) -> bool {
        match self {
            Self::Inline(payload) => payload.revision() == Self::none().revision(),
            Self::Stored(content) => content.is_none(),
        }
    }

    /// Returns read access to the secrets.
    pub(crate) fn reader(&self) -> &dyn ReadVault {
        match self {
            Self::Inline(payload) => payload,
            Self::Stored(content) => content.as_ref(),
        }
    }

    /// Returns the secrets if they are in memory.
    pub(crate) const fn as_inline(&self) -> Option<&Payload> {
        match self {
            Self::Inline(payload) => Some(payload),
            Self::Stored(_) => None,
        }
    }

    /// Returns the vault if its layout is `inline`.
    pub(crate) fn into_inline(self) -> Result<Payload> {
        match self {
            Self::Inline(payload) => Ok(payload),
            Self::Stored(_) => Err(Unreadable::NotInline.into()),
        }
    }

    /// Makes a change where the secrets are stored. Returns the change itself if they are in memory.
    pub(crate) fn change<T, F>(&self, change: F) -> std::result::Result<Result<T>, F>
    where
        F: FnOnce(&mut dyn EditVault) -> Result<T>,
    {
        let Self::Stored(content) = self else { return Err(change) };
        let mut answer = None;
        let changed = content.change(Box::new(|vault| {
            answer = Some(change(vault)?);
            Ok(())
        }));
        Ok(changed.and_then(|()| answer.ok_or_else(not_made)))
    }

    /// Returns the revision of the vault's entry. Only the entry of an inline vault changes when its secrets
    /// do.
    pub(crate) fn revision(&self) -> Revision {
        match self {
            Self::Inline(payload) => payload.revision(),
            Self::Stored(content) => content.revision(),
        }
    }

    /// Returns the number of commits.
    ///
    /// # Errors
    ///
    /// `Unsupported` if commits are not counted.
    pub(crate) fn commits(&self) -> Result<u64> {
        match self {
            Self::Inline(payload) => Ok(payload.generation),
            Self::Stored(content) => content.commits(),
        }
    }

    /// Wipes the keys that opened the content.
    pub(crate) fn forget_sources(&mut self) {
        if let Self::Stored(content) = self {
            content.forget_sources();
        }
    }

    /// Returns whether there is a vault that a reader of the store would still find.
    pub(crate) fn is_in_place(&self) -> bool {
        match self {
            Self::Inline(_) => !self.is_none(),
            Self::Stored(content) => content.is_in_place(),
        }
    }

    /// Reads every record, and returns those that are intact. `None` in a layout without records.
    pub(crate) fn check_records(&self) -> Option<RecordCheck> {
        match self {
            Self::Inline(_) => None,
            Self::Stored(content) => content.check_records(),
        }
    }

    /// Returns the layout.
    pub(crate) fn layout(&self) -> Layout {
        match self {
            Self::Inline(_) => Layout::Inline,
            Self::Stored(content) => content.layout(),
        }
    }

    /// Returns the number of secrets in memory.
    pub(crate) fn in_memory(&self) -> usize {
        self.as_inline().map_or(0, |payload| payload.secrets().len())
    }
}

impl<T: StoredContent> From<T> for Content {
    fn from(content: T) -> Self {
        Self::Stored(Box::new(content))
    }
}

/// Returns the error for a layout that did not make a change and reported success.
fn not_made() -> Error {
    Error::new(ErrorKind::Other, Operation::Set).with_message("the change was not made")
}
