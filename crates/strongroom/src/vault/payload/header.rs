//! The header of a vault's entry: its marker, its version and the vault's identity.

use std::fmt;

/// The format that this program writes.
pub(super) const VERSION: u64 = 1;

/// The value of the field `strongroom`.
pub(super) const MARKER: &str = "vault";

/// A vault's identity, drawn at random when the vault is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct VaultId(pub(super) u128);

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

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
