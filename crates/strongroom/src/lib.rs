//! API keys, tokens and passwords of an application, in the operating system's credential store.
//!
//! ```
//! use strongroom::{Backend, Config, ExposeSecret, SecretString};
//!
//! // `SecureStore::open("tracker")` takes the platform's own store.
//! let secrets = Config::new("tracker").backend(Backend::Memory).open_store()?;
//! secrets.set_secret("api-key", &SecretString::from("s3cret"))?;
//! let value = secrets.get_secret("api-key")?.expect("it was just stored");
//! assert_eq!(value.expose_secret(), "s3cret");
//! secrets.delete_secret("api-key")?;
//! # Ok::<(), strongroom::Error>(())
//! ```
//!
//! - [`Config`] describes the secrets of a service and opens them.
//! - [`SecureStore`] gets, sets and deletes secrets by name. Each secret is an entry of the store.
//! - [`SecretManager`] keeps all secrets of an application in a single entry, with metadata and expiry. It
//!   reads the entry once, and is coherent between processes. [`blocking`] mirrors it.
//! - The store is chosen in this order: the store that already holds the secrets, the store that the
//!   configuration names, the store that `STRONGROOM_BACKEND` names, the platform's default, the [`Fallback`].
//!   [`Config::inspect`] reports the state of every store.
//! - [`Config::store`] takes any [`Store`]: an application's own, or a [`MockKeyringStore`]. Feature
//!   `testing` replaces the platform's store with a mock in tests.
//! - The other modules: [`store`] has the contract of stores and their settings; [`doctor`] diagnoses stores,
//!   and [`repair`] repairs vaults; `keys` has the keys of encrypted files; `backup` makes encrypted backups.
//!
//! The library never prints, never prompts and installs no logger; it warns through `tracing`. Its own
//! environment variables are `<PREFIX>_BACKEND`, `<PREFIX>_KEY_FILE` and `<PREFIX>_PASSPHRASE_FILE`, with a
//! prefix that the application sets.
//!
//! # Features
//!
//! - `secret-service` (default): the Secret Service of a Linux desktop.
//! - `keychain` (default): the macOS Keychain.
//! - `keyutils` (default): the Linux kernel's keyring.
//! - `credential-manager` (default): the Windows Credential Manager.
//! - `backup`: encrypted backups, in the module `backup`.
//! - `sealed` (default): the encrypted file, as the backend `file` and for vaults that outgrow their store.
//! - `log`: warnings also go to the `log` crate, in programs without a subscriber of `tracing`.
//! - `chrono`, `jiff`, `time`: conversions of [`Timestamp`] from and to the types of these crates.
//! - `serde`: `Serialize` and `Deserialize` for types that hold no value, such as [`Backend`], [`SecretKey`] and [`SecretInfo`],
//!   and the module `json`.
//! - `testing`: a mock in place of the platform's store in tests, with the module `testing`.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
#[cfg(feature = "backup")]
pub mod backup;
mod batch;
mod binding;
pub mod blocking;
mod capabilities;
mod changes;
mod choose;
mod clock;
mod config;
mod container;
pub mod doctor;
mod edits;
pub mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
pub mod input;
mod inspect;
#[cfg(feature = "serde")]
pub mod json;
mod key_config;
#[cfg(feature = "sealed")]
pub mod keys;
mod kinds;
mod layout;
mod lifecycle;
mod manager;
mod missing;
mod move_to;
pub mod moves;
mod open;
mod opening;
mod pending;
mod place;
mod pool;
mod refresh;
pub mod repair;
#[cfg(feature = "sealed")]
mod sealed_files;
#[cfg(not(feature = "sealed"))]
#[path = "sealed_files_absent.rs"]
mod sealed_files;
mod secure_store;
mod service_entries;
mod shared;
mod state_dir;
pub mod store;
mod subscribe;
mod subscribers;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;
mod vault;
mod watcher;

pub use backend::Backend;
pub use batch::Batch;
pub use changes::Changes;
pub use config::{Config, DangerousConfig, Fallback};
pub use layout::Layout;
pub use manager::SecretManager;
pub use secure_store::SecureStore;
pub use strongroom_core::advice;
pub use strongroom_core::{
    Deadlines, Error, ErrorKind, ExposeSecret, KeyringStore, MockKeyringStore, PromptPolicy,
    Result, Secret, SecretBytes, SecretKey, SecretMetadata, SecretString, Store, Timestamp,
    Warning,
};
pub use subscribers::{Change, ChangeKind};
pub use vault::SecretInfo;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
