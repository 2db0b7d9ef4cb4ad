//! What the vault's entry holds in the layout `sealed`: the key of a file.
//!
//! ```json
//! {"strongroom":"vault","version":2,"id":"<32 hex digits>","generation":7,"layout":"sealed",
//!  "key":"strongroom-key-1:<64 hex digits>"}
//! ```

use std::fmt::Write as _;

use strongroom_core::{ExposeSecret as _, SecretBytes, SecretString, secret_copy};
use zeroize::Zeroizing;

use super::{MARKER, VaultId};

/// The version of an entry that holds a key.
pub(super) const VERSION: u64 = 2;

/// What the field `layout` says.
pub(super) const LAYOUT: &str = "sealed";

/// Longer than any such entry, so that the buffer of one does not grow.
const CAPACITY: usize = 512;

/// The key of a vault's sealed file, with what binds it to the vault.
pub(crate) struct KeyEntry {
    /// Which vault it is.
    pub(crate) id: VaultId,
    /// The vault's revision number before the file's first.
    pub(crate) generation: u64,
    /// The key as text, which needs no escaping.
    pub(crate) key: SecretString,
}

impl KeyEntry {
    /// The entry as one line of printable ASCII.
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
