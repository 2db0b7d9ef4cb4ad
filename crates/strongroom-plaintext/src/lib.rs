//! A file without encryption as a Strongroom store, for applications that ask for it by a name that says so.
//!
//! [`PlaintextStore`] keeps one line for each entry: service, user and value, with tabs between them. Names have `%XX` for control
//! characters, `%` and `#`; values are encoded as [`armor`](strongroom_core::armor) says, so most of them stand there as they are. A line that
//! begins with `#` is a remark.
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
