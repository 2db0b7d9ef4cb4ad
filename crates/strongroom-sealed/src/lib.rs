//! The sealed file: an encrypted file as a store, and as the place of a vault.
//!
//! [`SealedFile`] is a vault in an embedded SQLite database. Each secret is a row that is sealed by itself,
//! so a read decrypts a single row and a change writes a single row, however many there are. [`SealedStore`]
//! keeps the entries of a service in such a file and implements the contract of all stores.
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
//! A random key seals the records. Each key slot wraps it for a [`KeySource`]: a [`SealingKey`], a file or
//! systemd credential that holds such a key, or a passphrase (Argon2id). Slots are added, replaced and
//! removed without resealing any record; [`SealedFile::rotate`] changes the key itself.
//!
//! # Visible without a key
//!
//! The number of secrets, the approximate length of each, the order in which they were first written, the
//! vault's id, and the kind, label, cost and creation time of each slot.
//!
//! # Attacks with write access but without a key
//!
//! A program that can write the file, but has no key, can:
//!
//! - Destroy the file or parts of it. Missing and changed parts are reported as `Corrupt`: values and
//!   metadata are bound to their row and vault, and the sum of all rows is sealed, so no row can vanish
//!   unnoticed.
//! - Restore an earlier copy of the whole file, which can't be told from a current file. The generation goes
//!   back, so a program that remembers the generation can detect it.
//! - Restore an earlier version of a single record. It is a complete record of that name, and is accepted.
//! - Truncate the log of the latest changes. They are lost, as if an earlier copy were restored.
//!
//! # Limits
//!
//! - A value has at most 16 MiB, a vault 32 key slots.
//! - The file must be on a local file system. If SQLite can't map its log's shared memory there, a single process
//!   at a time has the file open.
//! - The user must own the file and its directory, and no other user may read either.
//! - A deadline limits the wait for other writers, the statements on the file and the work of passphrases,
//!   except for a first passphrase at the least cost. It does not end the wait for a disk that hangs.
//!
//! The format is specified in `docs/format.md`, with test vectors in `tests/vectors`.

#![forbid(unsafe_code)]

mod access;
mod aead;
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
mod record_info;
mod rows;
mod schema;
mod sealing_key;
mod sidecar;
mod slot;
mod slot_id;
mod slot_list;
mod source;
mod speed;
mod store;
#[cfg(test)]
mod vectors;

pub use config::{Config, FileConfig};
pub use file::SealedFile;
pub use file::change::Change;
pub use file::rotation::Progress;
pub use kind::KIND;
pub use limits::MAX_VALUE_BYTES;
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
