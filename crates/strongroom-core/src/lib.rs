//! The vocabulary of Strongroom.
//!
//! - [`Store`]: the contract of a place that holds entries, each named by a service and a user, for those who
//!   write one. [`KeyringStore`]: the methods that each store has for those who use one.
//! - [`Error`], [`ErrorKind`]: what went wrong, in which operation, and what to do next.
//! - [`Capabilities`], [`Warning`]: what a store can do and how well it protects, as plain data.
//! - [`Secret`], [`SecretKey`], [`SecretMetadata`]: what a vault holds.
//! - [`MemoryStore`]: the reference implementation. [`MockKeyringStore`]: the same with injected
//!   faults and a record of calls, for tests.
//! - [`Timestamp`]: a point in time. The features `chrono`, `jiff` and `time` convert it from and to the types of these
//!   crates.
//!
//! The feature `serde` serializes what holds no value: keys, metadata, times, names, kinds of errors, capabilities.
//!
//! This crate knows no platform, opens no file, prompts nobody and forbids `unsafe`.
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

mod advice;
pub mod armor;
mod candidate;
mod capabilities;
mod error;
mod keyring;
mod kind;
mod memory;
mod mock;
mod name;
mod policy;
mod record;
mod secret;
#[cfg(feature = "serde")]
mod serialized;
mod store;
mod time;
mod warning;

pub use advice::AdvisedCommand;
pub use candidate::CandidateId;
pub use capabilities::{Capabilities, Persistence};
pub use error::{Error, ErrorKind, Operation, Reason, Result};
pub use keyring::KeyringStore;
pub use kind::{StoreContext, StoreKind, StoreSettings};
pub use memory::MemoryStore;
pub use mock::{Call, MockKeyringStore};
pub use name::{EntryName, MAX_NAME_BYTES, ServiceName, UserName};
pub use policy::{Deadlines, PromptPolicy};
pub use record::{Secret, SecretKey, SecretMetadata};
pub use secrecy::{ExposeSecret, SecretString};
pub use secret::{SecretBytes, overwrite_registers, secret_bytes, secret_copy, secret_text};
pub use store::{Candidate, Probe, Store, WriteMode};
pub use time::{ParseTimestampError, Timestamp};
pub use warning::Warning;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
