//! The layout `sealed`: the vault is stored in a sealed file, and its entry holds the file's key.
//!
//! The vault's entry does not change when secrets do. The file's own transactions isolate changes from each
//! other, and each read sees the last committed state. The protocol between processes guards the entry alone,
//! so that no process goes on with a file that another process has replaced or moved away.

mod content;
mod files;
mod passphrase;
mod place;
mod unlock;

pub(crate) use content::Sealed;
pub(crate) use passphrase::AskPassphrase;
pub use passphrase::PassphraseRequest;
pub(crate) use place::SealedPlace;
pub(crate) use unlock::Unlock;
