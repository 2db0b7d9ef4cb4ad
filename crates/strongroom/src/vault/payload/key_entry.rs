//! The content of a vault's entry in the layout `sealed`: the key of the sealed file.
//!
//! ```json
//! {"strongroom":"vault","version":2,"id":"<32 hex digits>","generation":7,"layout":"sealed",
//!  "key":"strongroom-key-1:<64 hex digits>"}
//! ```

use std::fmt::Write as _;

use strongroom_core::{ExposeSecret as _, SecretBytes, SecretString, secret_copy};
use zeroize::Zeroizing;

use super::header::{MARKER, VaultId};

/// The version of an entry that holds a key.
pub(super) const VERSION: u64 = 2;

/// The value of the field `layout`.
pub(super) const LAYOUT: &str = "sealed";

/// The size of the buffer for an entry, in bytes. No entry is longer, so the buffer does not grow.
const CAPACITY: usize = 512;

/// The key of a vault's sealed file, bound to the vault by its id and generation.
pub(crate) struct KeyEntry {
    /// The vault's id.
    pub(crate) id: VaultId,
    /// The vault's generation less the file's own, which starts anew with each file.
    pub(crate) generation: u64,
    /// The key as text, which needs no escaping.
    pub(crate) key: SecretString,
}

impl KeyEntry {
    /// Returns the entry as a line of printable ASCII.
    pub(crate) fn to_line(&self) -> SecretBytes {
        let Self { id, generation, key } = self;
        let mut line = Zeroizing::new(String::with_capacity(CAPACITY));
        let written = write!(
            line,
            r#"{{"strongroom":"{MARKER}","version":{VERSION},"id":"{id}","generation":{generation},"layout":"{LAYOUT}","key":"{}"}}"#,
            key.expose_secret()
        );
        written.expect("writing to memory can't fail");
        debug_assert_eq!(line.capacity(), CAPACITY, "the buffer grew");
        secret_copy(line.as_bytes())
    }
}
