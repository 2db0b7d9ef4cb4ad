//! The encrypted file as a store, and as what a vault lies in.
//!
//! [`SealedFile`] is a vault in an embedded SQLite database: one row for each secret, sealed by
//! itself, so that a read opens one and a change writes one, however many there are.
//! [`SealedStore`] keeps a service's entries in such a file, behind the contract of all stores.
//!
//! ```
//! use strongroom_core::{ExposeSecret, Secret, SecretKey, Timestamp};
//! use strongroom_sealed::{FileConfig, KeySource, SealedFile, SealingKey};
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("app").join("vault.sealed");
//! let key = SealingKey::generate()?;
//! let config = FileConfig::new(path, KeySource::key(key));
//! let file = SealedFile::create(&config, Timestamp::now())?;
//! file.change(|change| change.put(&SecretKey::new("API_KEY"), &Secret::new("s3cret")))?;
//! let secret = file.get(&SecretKey::new("API_KEY"))?.expect("it was just stored");
//! assert_eq!(secret.value.expose_secret(), "s3cret");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Keys
//!
//! A random key seals the records. Each key slot wraps it for one [`KeySource`]: a [`SealingKey`], the
//! file or systemd credential that holds one, or a passphrase (Argon2id). Slots are added, replaced
//! and removed without sealing anything anew; [`SealedFile::rotate`] changes the key itself.
//!
//! # What the file shows without a key
//!
//! How many secrets there are, about how long each is, the order in which they were first written, the
//! vault's id, and of each slot its kind, label, cost and when it was added.
//!
//! # What somebody can do who can write the file, but has no key
//!
//! - Destroy it, or parts of it. What is missing or changed is `Corrupt`: values and metadata are bound
//!   to their row and vault, and the sum of all rows is sealed, so a row can't vanish unnoticed.
//! - Put back an earlier copy of the whole file, which can't be told from a current one: the generation
//!   goes back. Who remembers a generation can tell.
//! - Put back an earlier version of a single record. It is a whole record of that name, and passes.
//! - Cut the log of the last changes: they are lost, as if the whole file were put back.
//!
//! # Limits
//!
//! - A value has at most 16 MiB, a vault 32 key slots.
//! - The file must lie on a local file system: SQLite's log needs shared memory between processes.
//! - The user must own the file and its directory, and nobody else may look into either.
//! - A deadline ends waiting for other writers, not for a disk that hangs, nor a passphrase's work.
//!
//! The format is written down in `docs/format.md`, with test vectors in `tests/vectors`.

mod about;
mod access;
mod aead;
mod beside;
mod budget;
mod config;
mod database;
mod error;
mod file;
mod head;
mod keys;
mod kind;
mod limits;
mod opening;
mod passphrase;
mod rows;
mod schema;
mod sealing_key;
mod slot;
mod slot_id;
mod slot_list;
mod source;
mod store;
#[cfg(test)]
mod vectors;

pub use config::{Config, FileConfig};
pub use file::{Change, MAX_VALUE_BYTES, Progress, SealedFile};
pub use kind::KIND;
pub use passphrase::{Cost, MIN_MEMORY_KIB};
pub use sealing_key::SealingKey;
pub use slot::{MAX_SLOTS, Slot};
pub use slot_id::SlotId;
pub use slot_list::SlotChange;
pub use source::{KeySource, SlotKind};
pub use store::SealedStore;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
