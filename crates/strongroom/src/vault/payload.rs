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
use strongroom_core::{Secret, SecretBytes, SecretKey};
use zeroize::Zeroizing;

#[cfg(fuzzing)]
pub(crate) use check::check;
pub(crate) use key_entry::KeyEntry;
pub(crate) use names::readable_names;
pub(crate) use unreadable::{Position, Unreadable};

#[cfg(feature = "backup")]
pub(crate) mod backup;
#[cfg(any(fuzzing, test))]
mod check;
mod json;
#[cfg_attr(not(feature = "sealed"), allow(dead_code, reason = "only its version is looked at"))]
mod key_entry;
mod names;
mod read;
#[cfg(test)]
mod tests;
mod unreadable;
mod write;

/// The format that this program writes.
const VERSION: u64 = 1;

/// The value of the field `strongroom`.
const MARKER: &str = "vault";

/// A vault's identity, drawn at random when the vault is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct VaultId(u128);

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

impl VaultId {
    /// Returns the identity with these random bytes.
    pub(crate) fn new(random: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(random))
    }

    /// The identity of a service without a vault, and of a vault of version 0, which has no id.
    pub(crate) const NONE: Self = Self(0);

    /// Returns the bytes of the identity.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Parses the text that `Display` writes. Returns `None` for any other text.
    pub(crate) fn from_hex(hex: &str) -> Option<Self> {
        let digits = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hex.len() != 32 || !digits {
            return None;
        }
        u128::from_str_radix(hex, 16).ok().map(Self)
    }
}

impl Stored {
    /// Reads an entry of any layout.
    ///
    /// # Errors
    ///
    /// As [`Payload::parse`].
    pub(crate) fn parse(line: &SecretBytes) -> Result<Self, Unreadable> {
        read::stored(line, || VaultId::NONE)
    }
}

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

    /// Parses a line that [`Payload::to_line`] wrote, or version 0, which takes its identity from `fresh`.
    ///
    /// Names and targets are not validated: a name that [`SecretKey::validate`] refuses today is no reason to
    /// lose the other secrets.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], which becomes an [`Error`](strongroom_core::Error) of the kind `Corrupt`, or
    /// `Conflict` for another program's entry.
    pub(crate) fn parse(
        line: &SecretBytes,
        fresh: impl FnOnce() -> VaultId,
    ) -> Result<Self, Unreadable> {
        match read::stored(line, fresh)? {
            Stored::Inline(payload) => Ok(payload),
            Stored::Key(_) => Err(Unreadable::NotInline),
        }
    }

    /// Returns the vault as a line of printable ASCII. The same content gives the same line.
    pub(crate) fn to_line(&self) -> SecretBytes {
        write::line(self)
    }

    /// Returns a copy of the vault.
    pub(crate) fn duplicate(&self) -> Result<Self, Unreadable> {
        Self::parse(&self.to_line(), || self.id)
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

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
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
