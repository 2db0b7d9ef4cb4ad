//! The keys that are derived from a vault's key, and the contexts that bind sealed bytes to their place.

use std::sync::Arc;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use strongroom_core::SecretKey;

use crate::aead::{self, Key};
use crate::error::Result;

/// The id of a vault, independent of its file's name.
pub(crate) type VaultId = [u8; 16];

/// The id of a vault's key, which shows whether a given key is that key.
pub(crate) type KeyId = [u8; 8];

/// The key of a record's row: a keyed hash of the secret's name and target.
pub(crate) type RowKey = [u8; 32];

/// A vault's key, and the keys derived from it, each for a single purpose.
pub(crate) struct Keys {
    vault: Key,
    id: KeyId,
    names: Key,
    rows: Key,
    records: Key,
    state: Key,
}

/// The keys that the records of a vault are sealed with: two during a rotation.
#[derive(Clone)]
pub(crate) struct KeyRing {
    pub(crate) current: Arc<Keys>,
    pub(crate) previous: Option<Arc<Keys>>,
}

/// A part of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    /// Name, target and metadata.
    About,
    /// The value, bound to the nonce of the sealed `about` part, so that the two can't be combined with other
    /// records.
    Value { about: &'a [u8] },
}

impl Keys {
    pub(crate) fn of(vault: Key, vault_id: &VaultId) -> Self {
        // Salted with the vault's id, so that the same key gives another vault other keys.
        let hkdf = Hkdf::<Sha256>::new(Some(vault_id), vault.expose_secret());
        let mut id = KeyId::default();
        expand(&hkdf, "strongroom-sealed/1 key id", &mut id);
        Self {
            id,
            names: expanded(&hkdf, "strongroom-sealed/1 names"),
            rows: expanded(&hkdf, "strongroom-sealed/1 rows"),
            records: expanded(&hkdf, "strongroom-sealed/1 records"),
            state: expanded(&hkdf, "strongroom-sealed/1 state"),
            vault,
        }
    }

    pub(crate) const fn id(&self) -> &KeyId {
        &self.id
    }

    /// Returns the key that all others are derived from. It is sealed by slots and by its successor only.
    pub(crate) fn vault(&self) -> &[u8; 32] {
        self.vault.expose_secret()
    }

    /// Returns the key that seals the vault's state and the previous key.
    pub(crate) const fn state(&self) -> &Key {
        &self.state
    }

    /// Returns the key that seals the parts of records.
    #[cfg(test)]
    pub(crate) const fn records(&self) -> &Key {
        &self.records
    }

    pub(crate) fn row_key(&self, key: &SecretKey) -> RowKey {
        let parts: Vec<_> = [Some(key.name()), key.target()].into_iter().flatten().collect();
        let parts: Vec<_> = parts.into_iter().map(str::as_bytes).collect();
        mac(&self.names, &bind("strongroom-sealed/1 name", &parts))
    }

    /// Returns the mark that a row adds to the sum of all rows. Without the key, rows whose marks cancel out
    /// can't be found.
    pub(crate) fn row_mark(&self, row_key: &[u8]) -> [u8; 32] {
        mac(&self.rows, row_key)
    }

    pub(crate) fn seal_part(
        &self,
        vault: &VaultId,
        row: &[u8],
        part: Part<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        aead::seal(&self.records, &part.context(vault, row), plain)
    }

    pub(crate) fn open_part(
        &self,
        vault: &VaultId,
        row: &[u8],
        part: Part<'_>,
        sealed: &[u8],
    ) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        aead::open(&self.records, &part.context(vault, row), sealed)
    }
}

impl KeyRing {
    /// Returns the key of this id.
    pub(crate) fn by_id(&self, id: &[u8]) -> Option<&Keys> {
        self.iter().find(|keys| keys.id == id)
    }

    /// Iterates over the current key and, during a rotation, the previous key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.current).chain(&self.previous).map(AsRef::as_ref)
    }
}

impl Part<'_> {
    pub(crate) fn context(self, vault: &VaultId, row: &[u8]) -> Vec<u8> {
        match self {
            Self::About => bind("strongroom-sealed/1 about", &[vault, row]),
            Self::Value { about } => {
                let nonce = about.get(..aead::NONCE).unwrap_or_default();
                bind("strongroom-sealed/1 value", &[vault, row, nonce])
            }
        }
    }
}

/// Encodes a purpose and its parts so that no other purpose and parts give the same bytes: each after its
/// length in four bytes, in big-endian order.
pub(crate) fn bind(purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| 4 + part.len()).sum::<usize>();
    let mut bound = Vec::with_capacity(4 + purpose.len() + length);
    append(&mut bound, purpose.as_bytes());
    for part in parts {
        append(&mut bound, part);
    }
    bound
}

/// Appends the length of a part, and the part.
fn append(bound: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("names and ids are short");
    bound.extend_from_slice(&length.to_be_bytes());
    bound.extend_from_slice(part);
}

/// Returns the first eight bytes of the SHA-256 of a purpose and its parts. They tell a damaged slot from a
/// wrong key.
pub(crate) fn checksum(purpose: &str, parts: &[&[u8]]) -> [u8; 8] {
    let mut checksum = [0; 8];
    checksum.copy_from_slice(&Sha256::digest(bind(purpose, parts))[..8]);
    checksum
}

/// Derives the key of a slot from the key material of its source.
pub(crate) fn slot_key(material: &[u8; 32], salt: &[u8]) -> Key {
    let hkdf = Hkdf::<Sha256>::new(Some(salt), material);
    expanded(&hkdf, "strongroom-sealed/1 slot")
}

fn expanded(hkdf: &Hkdf<Sha256>, purpose: &str) -> Key {
    Key::init_with_mut(|key| expand(hkdf, purpose, key))
}

fn expand(hkdf: &Hkdf<Sha256>, purpose: &str, out: &mut [u8]) {
    hkdf.expand(purpose.as_bytes(), out).expect("HKDF-SHA256 gives up to 8,160 bytes");
}

fn mac(key: &Key, bytes: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose_secret())
        .expect("HMAC takes keys of any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_join_alike_have_rows_of_their_own() {
        let keys = Keys::of(aead::random_key().unwrap(), &[7; 16]);
        let names = [
            SecretKey::new("ab"),
            SecretKey::with_target("ab", ""),
            SecretKey::with_target("a", "b"),
            SecretKey::with_target("b", "a"),
            SecretKey::new("a\0\0\0\u{1}b"),
        ];
        let rows: std::collections::BTreeSet<_> = names.iter().map(|k| keys.row_key(k)).collect();
        assert_eq!(rows.len(), names.len());
    }

    #[test]
    fn the_same_key_gives_another_vault_other_keys() {
        let vault = || Key::init_with_mut(|key| key.fill(1));
        let (one, other) = (Keys::of(vault(), &[1; 16]), Keys::of(vault(), &[2; 16]));
        assert_ne!(one.id, other.id);
        let key = SecretKey::new("a");
        assert_ne!(one.row_key(&key), other.row_key(&key));
    }
}
