//! The engine of a vault: all secrets of a service, kept together.
//!
//! From the outside in: [`Engine`] reads and commits, with a copy in memory (`copies.rs`) and the protocol
//! between processes (`coherence.rs`); [`Storage`] reads and writes the bytes, without locks; the layouts are
//! `inline.rs`, `sealed.rs` and `entries.rs`.

mod coherence;
mod commit;
mod content;
mod copies;
mod engine;
mod entries;
mod file;
mod inline;
mod payload;
#[cfg(feature = "sealed")]
pub(crate) mod sealed;
mod storage;
mod wakeup;

#[cfg(all(test, feature = "sealed"))]
pub(crate) use coherence::Coherence;
pub(crate) use coherence::{Observation, Revision};
pub use content::SecretInfo;
pub(crate) use content::{Content, EditVault, Fingerprint, ReadVault};
pub(crate) use engine::Engine;
pub(crate) use entries::EntriesPlace;
pub(crate) use file::{Prepared, VaultFile};
#[cfg(feature = "backup")]
pub(crate) use payload::backup;
#[cfg(fuzzing)]
pub(crate) use payload::check as check_payload;
pub(crate) use payload::{Payload, Stored, VaultId, readable_names};
pub(crate) use storage::Storage;
pub(crate) use wakeup::Wakeup;
