//! The content of a vault in any layout, and how operations read and change it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use strongroom_core::{ExposeSecret as _, Result, Secret, SecretKey, SecretMetadata, Timestamp};

use super::coherence::Revision;
use super::entries::Entries;
use super::payload::{Payload, VaultId};
#[cfg(feature = "sealed")]
use super::sealed::Sealed;
use super::secrets::SecretInfo;
use crate::Layout;

/// A vault's content, as a process has it.
pub(super) enum Content {
    /// All secrets, in memory.
    Inline(Payload),
    /// An open sealed file.
    #[cfg(feature = "sealed")]
    Sealed(Box<Sealed>),
    /// Entries, each with a single secret.
    Entries(Entries),
}

/// Read access to a vault.
pub(super) trait Look {
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
pub(super) struct Fingerprint {
    /// The hash of the value.
    pub(super) value: Option<u64>,
    /// The hash of the metadata, which include the time of the last write.
    pub(super) metadata: Option<u64>,
    /// The number of changes made by this handle.
    pub(super) changes: Option<u64>,
}

impl Fingerprint {
    /// Returns whether the secret has changed. Of fingerprints from two layouts only the numbers that both
    /// have are compared.
    pub(super) fn differs_from(self, other: Self) -> bool {
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
pub(super) trait Edit {
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
    pub(super) fn none() -> Self {
        Self::Inline(Payload::new(VaultId::NONE))
    }

    /// Returns whether there is no vault yet.
    pub(super) fn is_none(&self) -> bool {
        match self {
            // Entries have a constant revision, which does not tell.
            Self::Entries(entries) => entries.is_empty(),
            _ => self.revision() == Self::none().revision(),
        }
    }

    pub(super) fn look(&self) -> &dyn Look {
        match self {
            Self::Inline(payload) => payload,
            #[cfg(feature = "sealed")]
            Self::Sealed(sealed) => sealed.as_ref(),
            Self::Entries(entries) => entries,
        }
    }

    /// Returns the revision of the vault's entry. Changes to a sealed vault do not touch the entry. The
    /// layout `entries` has a constant in its place.
    pub(super) fn revision(&self) -> Revision {
        match self {
            Self::Inline(payload) => payload.revision(),
            #[cfg(feature = "sealed")]
            Self::Sealed(sealed) => sealed.revision(),
            Self::Entries(_) => Entries::revision(),
        }
    }

    /// Returns the vault if its layout is `inline`.
    pub(super) fn into_inline(self) -> Result<Payload> {
        match self {
            Self::Inline(payload) => Ok(payload),
            _ => Err(super::payload::Unreadable::NotInline.into()),
        }
    }

    /// Wipes the keys that opened a sealed file.
    pub(super) fn forget_sources(&mut self) {
        match self {
            #[cfg(feature = "sealed")]
            Self::Sealed(sealed) => sealed.forget_sources(),
            _ => {}
        }
    }

    /// Returns whether there is a vault and, if it is sealed, whether the open file is still the file at its
    /// path.
    pub(super) fn is_in_place(&self) -> bool {
        match self {
            #[cfg(feature = "sealed")]
            Self::Sealed(sealed) => sealed.is_in_place(),
            content => !content.is_none(),
        }
    }

    /// Returns the layout.
    pub(super) const fn layout(&self) -> Layout {
        match self {
            Self::Inline(_) => Layout::Inline,
            #[cfg(feature = "sealed")]
            Self::Sealed(_) => Layout::Sealed,
            Self::Entries(_) => Layout::Entries,
        }
    }

    /// Returns whether the vault is in a sealed file.
    pub(super) fn is_sealed(&self) -> bool {
        self.layout() == Layout::Sealed
    }

    /// Returns the number of secrets in memory, which is 0 unless the vault is inline.
    pub(super) fn in_memory(&self) -> usize {
        match self {
            Self::Inline(payload) => payload.secrets().len(),
            _ => 0,
        }
    }
}

impl Look for Payload {
    fn generation(&self) -> Result<u64> {
        Ok(self.generation)
    }

    fn get(&self, key: &SecretKey) -> Result<Option<Secret>> {
        Ok(self.secrets().get(key).map(Secret::duplicate))
    }

    fn contains(&self, key: &SecretKey) -> Result<bool> {
        Ok(self.secrets().contains_key(key))
    }

    fn list(&self) -> Result<Vec<SecretInfo>> {
        let info = |(key, secret): (&SecretKey, &Secret)| SecretInfo {
            key: key.clone(),
            metadata: secret.metadata.clone(),
        };
        Ok(self.secrets().iter().map(info).collect())
    }

    fn snapshot(&self) -> Result<Payload> {
        Ok(self.duplicate()?)
    }

    fn fingerprints(&self, hasher: &RandomState) -> Result<BTreeMap<SecretKey, Fingerprint>> {
        let fingerprint = |secret: &Secret| Fingerprint {
            value: Some(hasher.hash_one(secret.value.expose_secret())),
            metadata: Some(hasher.hash_one(&secret.metadata)),
            changes: None,
        };
        let secrets = self.secrets().iter();
        Ok(secrets.map(|(key, secret)| (key.clone(), fingerprint(secret))).collect())
    }
}

impl Edit for Payload {
    fn get(&mut self, key: &SecretKey) -> Result<Option<Secret>> {
        Look::get(self, key)
    }

    fn metadata(&mut self, key: &SecretKey) -> Result<Option<SecretMetadata>> {
        Ok(self.secrets().get(key).map(|secret| secret.metadata.clone()))
    }

    fn put(&mut self, key: &SecretKey, secret: &Secret) -> Result<()> {
        self.insert(key.clone(), secret.duplicate());
        Ok(())
    }

    fn remove(&mut self, key: &SecretKey) -> Result<bool> {
        Ok(self.take(key).is_some())
    }

    #[cfg(feature = "backup")]
    fn snapshot(&mut self) -> Result<Payload> {
        Ok(self.duplicate()?)
    }

    #[cfg(feature = "backup")]
    fn copy_from(&mut self, other: &Payload, key: &SecretKey) -> Result<()> {
        Self::copy_from(self, other, key);
        Ok(())
    }

    fn rename(&mut self, old: &SecretKey, new: &SecretKey) -> Result<()> {
        self.give_key(old, new);
        Ok(())
    }
}
