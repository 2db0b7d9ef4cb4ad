//! What a vault holds, whatever its layout: how operations look at it and change it.

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

/// A vault's content, as one process has it.
pub(super) enum Content {
    /// All of it, in memory.
    Inline(Payload),
    /// The file that it lies in, open.
    #[cfg(feature = "sealed")]
    Sealed(Box<Sealed>),
    /// The entries that it lies in, one for each secret.
    Entries(Entries),
}

/// What can be seen of a vault.
pub(super) trait Look {
    /// The vault's revision number.
    fn generation(&self) -> Result<u64>;

    /// A copy of a secret, expired or not.
    fn get(&self, key: &SecretKey) -> Result<Option<Secret>>;

    /// Whether there is a secret, expired or not.
    fn contains(&self, key: &SecretKey) -> Result<bool>;

    /// All secrets without their values, sorted by key.
    fn list(&self) -> Result<Vec<SecretInfo>>;

    /// All of it in memory, as it is at one moment.
    fn snapshot(&self) -> Result<Payload>;

    /// Returns a fingerprint of each secret.
    fn fingerprints(&self, hasher: &RandomState) -> Result<BTreeMap<SecretKey, Fingerprint>>;
}

/// Numbers of one secret that change with it, as far as its layout has them. They are keyed by a hasher and
/// tell nothing of the value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fingerprint {
    /// The hash of the value.
    pub(super) value: Option<u64>,
    /// The hash of the metadata, which says when the value was written.
    pub(super) metadata: Option<u64>,
    /// The number of changes that this handle has made.
    pub(super) changes: Option<u64>,
}

impl Fingerprint {
    /// Whether the secret has changed. Fingerprints of two layouts are compared by what both have.
    pub(super) fn differs_from(self, other: Self) -> bool {
        let numbers = [
            (self.value, other.value),
            (self.metadata, other.metadata),
            (self.changes, other.changes),
        ];
        numbers.iter().any(|(one, other)| one.zip(*other).is_some_and(|(one, other)| one != other))
    }
}

/// What can be done to a vault in one change. Nothing of it counts if the change fails, but in entries.
pub(super) trait Edit {
    /// Checks that a secret of this key, with what is known of it, can be kept. To be asked for all of them before
    /// the first is put in.
    fn check(&self, _: &SecretKey, _: &SecretMetadata) -> Result<()> {
        Ok(())
    }

    /// Says when a secret was made and written, which is the vault's to say.
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

    /// A copy of a secret, expired or not.
    fn get(&mut self, key: &SecretKey) -> Result<Option<Secret>>;

    /// What is known of a secret beside its value.
    fn metadata(&mut self, key: &SecretKey) -> Result<Option<SecretMetadata>>;

    /// Puts a secret in as it is, over the old one if there is one.
    fn put(&mut self, key: &SecretKey, secret: &Secret) -> Result<()>;

    /// The same under a key that was found free; where others write without the lock, it must still be.
    fn put_new(&mut self, key: &SecretKey, secret: &Secret) -> Result<()> {
        self.put(key, secret)
    }

    /// Takes a secret out, and says whether it was there.
    fn remove(&mut self, key: &SecretKey) -> Result<bool>;

    /// All of it in memory, with what this change did so far.
    #[cfg(feature = "backup")]
    fn snapshot(&mut self) -> Result<Payload>;

    /// Takes over one secret of another vault just as it is there, in place of the one that is here.
    #[cfg(feature = "backup")]
    fn copy_from(&mut self, other: &Payload, key: &SecretKey) -> Result<()>;

    /// Gives a secret that is there another key, under which there must be none yet.
    fn rename(&mut self, old: &SecretKey, new: &SecretKey) -> Result<()>;
}

impl Content {
    /// Of a service that has no vault yet.
    pub(super) fn none() -> Self {
        Self::Inline(Payload::new(VaultId::NONE))
    }

    /// Whether there is no vault yet.
    pub(super) fn is_none(&self) -> bool {
        match self {
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

    /// The revision of what stands in the vault's entry. A change of a sealed vault leaves its entry
    /// alone, and entries have none.
    pub(super) fn revision(&self) -> Revision {
        match self {
            Self::Inline(payload) => payload.revision(),
            #[cfg(feature = "sealed")]
            Self::Sealed(sealed) => sealed.revision(),
            Self::Entries(_) => Entries::revision(),
        }
    }

    /// The vault, if it is an inline one.
    pub(super) fn into_inline(self) -> Result<Payload> {
        match self {
            Self::Inline(payload) => Ok(payload),
            _ => Err(super::payload::Unreadable::NotInline.into()),
        }
    }

    /// Wipes the keys that a sealed file was opened with.
    pub(super) fn forget_sources(&mut self) {
        match self {
            #[cfg(feature = "sealed")]
            Self::Sealed(sealed) => sealed.forget_sources(),
            _ => {}
        }
    }

    /// Whether there is a vault, and a file that it lies in is still the one at its place.
    pub(super) fn is_in_place(&self) -> bool {
        match self {
            #[cfg(feature = "sealed")]
            Self::Sealed(sealed) => sealed.is_in_place(),
            content => !content.is_none(),
        }
    }

    /// How it lies.
    pub(super) const fn layout(&self) -> Layout {
        match self {
            Self::Inline(_) => Layout::Inline,
            #[cfg(feature = "sealed")]
            Self::Sealed(_) => Layout::Sealed,
            Self::Entries(_) => Layout::Entries,
        }
    }

    /// Whether it lies in a sealed file.
    pub(super) fn is_sealed(&self) -> bool {
        self.layout() == Layout::Sealed
    }

    /// How many secrets of an inline vault there are.
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
