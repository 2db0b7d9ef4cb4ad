//! The vocabulary of Strongroom.
//!
//! - [`Store`]: the contract of a place that holds entries, each named by a service and a user, for
//!   implementers. [`KeyringStore`]: the methods of every store for its callers.
//! - [`Error`], [`ErrorKind`]: a failed operation, its kind, and advice on the next step.
//! - [`Capabilities`], [`Warning`]: the features and the protection of a store, as plain data.
//! - [`Secret`], [`SecretKey`], [`SecretMetadata`]: the content of a vault.
//! - [`MemoryStore`]: the reference implementation. [`MockKeyringStore`]: a memory store with injected faults
//!   and a record of calls, for tests.
//! - [`Timestamp`]: a point in time. The features `chrono`, `jiff` and `time` add conversions from and to the
//!   types of these crates.
//!
//! The feature `serde` implements serialization for types that hold no secret value: keys, metadata, times,
//! names, kinds of errors, capabilities.
//!
//! This crate knows no platform, opens no file, shows no prompt and forbids `unsafe`.
//!
//! ```
//! use strongroom_core::{ExposeSecret, KeyringStore, Store, MemoryStore, SecretString};
//!
//! let store = MemoryStore::new();
//! store.set_password("example", "api-key", &SecretString::from("s3cret"))?;
//! let value = store.get_password("example", "api-key")?.expect("it was just stored");
//! assert_eq!(value.expose_secret(), "s3cret");
//! assert!(store.delete_password("example", "api-key")?);
//! # Ok::<(), strongroom_core::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod advice;
pub mod armor;
mod candidate;
mod capabilities;
mod error;
mod keyring;
mod kind;
mod memory;
mod mock;
mod name;
mod persistence;
mod policy;
mod record;
mod secret;
#[cfg(feature = "serde")]
mod serialized;
mod store;
mod time;
mod warning;

pub use candidate::CandidateId;
pub use capabilities::Capabilities;
pub use error::{Error, ErrorKind, Fault, Operation, Reason, Result};
pub use keyring::KeyringStore;
pub use kind::{StoreContext, StoreKind, StoreSettings};
pub use memory::MemoryStore;
pub use mock::{Call, MockKeyringStore};
pub use name::{EntryName, MAX_NAME_BYTES, ServiceName, UserName};
pub use persistence::Persistence;
pub use policy::{Deadlines, PromptPolicy};
pub use record::{Secret, SecretKey, SecretMetadata};
// Foreign types on purpose: they are the convention for secrets in memory.
pub use secrecy::{ExposeSecret, SecretString};
pub use secret::{SecretBytes, overwrite_registers, secret_bytes, secret_copy, secret_text};
pub use store::{Candidate, Probe, Store, WriteMode};
pub use time::{ParseTimestampError, Timestamp};
pub use warning::Warning;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
