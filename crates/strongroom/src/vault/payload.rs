//! The content of a vault's entry in the layout `inline`: a line of ASCII JSON.
//!
//! ```json
//! {"strongroom":"vault","version":1,"id":"<32 hex digits>","generation":7,"secrets":[
//!   {"name":"…","target":"…","value":"<base64>","provider":"…","scope":"…",
//!    "expires_at":"<RFC 3339>","created_at":"…","updated_at":"…"}]}
//! ```
//!
//! It is written without line breaks. Fields that a secret doesn't have are left out. Some providers damage
//! newlines and bytes above 0x7f, so it contains neither. Values are base64: a parser that has to unescape a
//! value leaves a copy of it in memory.
//!
//! An entry of version 2 holds no secrets, but the key of the sealed file: `key_entry.rs`.
//!
//! Version 0, the plain object `{"NAME": "value", …}` that applications write by themselves, can be read, and
//! becomes version 1 at the next write. Unknown fields are kept, because a newer version may have written
//! them.
//!
//! Every buffer that holds a value is wiped, and is allocated at its full size: a buffer that grows leaves
//! its old memory unwiped.

use std::collections::BTreeMap;
use std::fmt;

#[cfg(feature = "backup")]
use strongroom_core::ExposeSecret as _;
use strongroom_core::{Secret, SecretKey};
use zeroize::Zeroizing;

#[cfg(fuzzing)]
pub(crate) use check::check;
pub(crate) use header::VaultId;
pub(crate) use key_entry::KeyEntry;
pub(crate) use names::readable_names;
pub(crate) use unreadable::{Position, Unreadable};

#[cfg(feature = "backup")]
pub(crate) mod backup;
#[cfg(any(fuzzing, test))]
mod check;
mod header;
mod json;
#[cfg_attr(not(feature = "sealed"), allow(dead_code, reason = "only its version is looked at"))]
mod key_entry;
mod names;
mod read;
#[cfg(test)]
mod tests;
mod unreadable;
mod write;

/// The secrets of a vault.
pub(crate) struct Payload {
    /// The vault's id.
    pub(crate) id: VaultId,
    /// The vault's revision number, which is 0 for a vault of version 0.
    pub(crate) generation: u64,
    secrets: BTreeMap<SecretKey, Secret>,
    unknown: Unknown,
    unknown_of: BTreeMap<SecretKey, Unknown>,
}

/// The content of a vault's entry.
pub(crate) enum Stored {
    /// The vault itself.
    Inline(Payload),
    /// The key of the sealed file that holds the vault.
    #[cfg_attr(not(feature = "sealed"), allow(dead_code, reason = "only its version is looked at"))]
    Key(KeyEntry),
}

/// The unknown fields of an object, each with its JSON text.
type Unknown = BTreeMap<String, Zeroizing<String>>;

impl Payload {
    /// Returns a vault without secrets, before its first commit.
    pub(crate) fn new(id: VaultId) -> Self {
        Self {
            id,
            generation: 0,
            secrets: BTreeMap::new(),
            unknown: Unknown::new(),
            unknown_of: BTreeMap::new(),
        }
    }

    /// Returns the secrets, sorted by name and target.
    pub(crate) fn secrets(&self) -> &BTreeMap<SecretKey, Secret> {
        &self.secrets
    }

    /// Stores a secret, and returns the replaced secret. Its unknown fields stay.
    pub(crate) fn insert(&mut self, key: SecretKey, secret: Secret) -> Option<Secret> {
        self.secrets.insert(key, secret)
    }

    /// Moves a secret to another key, which must be free.
    pub(crate) fn give_key(&mut self, old: &SecretKey, new: &SecretKey) {
        if let Some(unknown) = self.unknown_of.remove(old) {
            self.unknown_of.insert(new.clone(), unknown);
        }
        if let Some(secret) = self.secrets.remove(old) {
            self.secrets.insert(new.clone(), secret);
        }
    }

    /// Moves the secrets that this vault doesn't have out of another vault, and returns their keys.
    pub(crate) fn absorb(&mut self, mut other: Self) -> Vec<SecretKey> {
        let mut absorbed = Vec::new();
        for (key, secret) in other.secrets {
            if self.secrets.contains_key(&key) {
                continue;
            }
            if let Some(unknown) = other.unknown_of.remove(&key) {
                self.unknown_of.insert(key.clone(), unknown);
            }
            self.secrets.insert(key.clone(), secret);
            absorbed.push(key);
        }
        absorbed
    }

    /// Replaces a secret by the secret of another vault, with its unknown fields. Removes it if the other
    /// vault doesn't have it.
    #[cfg(feature = "backup")]
    pub(crate) fn copy_from(&mut self, other: &Self, key: &SecretKey) {
        self.take(key);
        if let Some(unknown) = other.unknown_of.get(key) {
            self.unknown_of.insert(key.clone(), unknown.clone());
        }
        if let Some(secret) = other.secrets.get(key) {
            self.secrets.insert(key.clone(), secret.duplicate());
        }
    }

    /// Returns whether both vaults have an equal secret, with equal metadata and unknown fields, or neither
    /// has it.
    #[cfg(feature = "backup")]
    pub(crate) fn is_same(&self, other: &Self, key: &SecretKey) -> bool {
        let same_secret = match (self.secrets.get(key), other.secrets.get(key)) {
            (Some(one), Some(two)) => {
                one.value.expose_secret() == two.value.expose_secret()
                    && one.metadata == two.metadata
            }
            (one, two) => one.is_none() && two.is_none(),
        };
        same_secret && self.unknown_of.get(key) == other.unknown_of.get(key)
    }

    /// Removes a secret with its unknown fields, and returns it.
    pub(crate) fn take(&mut self, key: &SecretKey) -> Option<Secret> {
        self.unknown_of.remove(key);
        self.secrets.remove(key)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither values nor names: a sealed vault keeps both secret.
        f.debug_struct("Payload")
            .field("id", &self.id)
            .field("generation", &self.generation)
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}
