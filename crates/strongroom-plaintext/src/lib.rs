//! A file without encryption as a Strongroom store, for applications that ask for it explicitly.
//!
//! [`PlaintextStore`] keeps a line for each entry: service, user and value, separated by tabs. In names,
//! control characters, `%` and `#` are written as `%XX`. Values are encoded by
//! [`armor`](strongroom_core::armor), so most of them are stored unchanged. Lines that begin with `#` are
//! comments.
//!
//! ```
//! use strongroom_core::{KeyringStore, SecretString};
//! use strongroom_plaintext::{Config, PlaintextStore};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("secrets");
//! let store = PlaintextStore::new(Config::at(path));
//! store.set_password("example", "api-key", &SecretString::from("s3cret"))?;
//! # Ok::<(), strongroom_core::Error>(())
//! ```

#![forbid(unsafe_code)]

mod config;
mod error;
mod format;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod kind;
mod store;

pub use config::Config;
pub use kind::KIND;
pub use store::PlaintextStore;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
