//! Secrets of an application in the operating system's credential store.
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
//! - [`Config`] describes the secrets of a service, and opens them.
//! - [`SecureStore`] is three functions, with one entry of the store per secret.
//! - [`SecretManager`] keeps all secrets of an application in one entry, with metadata and expiry, read
//!   once, coherent between processes; [`blocking`] mirrors it.
//! - The store is the one that the secrets are in; else what the configuration names, else what `STRONGROOM_BACKEND`
//!   names, else the platform's default, else the [`Fallback`]. [`Config::inspect`] says what there is.
//! - [`Guard`] gives every call on any [`KeyringStore`] a deadline.
//! - [`Config::store`] takes any [`Store`]: an application's own, [`MemoryStore`] or [`MockKeyringStore`]. Feature
//!   `testing` puts a mock in the place of the platform's store in tests.
//!
//! The library never prints, never prompts and installs no logger; it warns through `tracing`. It
//! reads three environment variables, `<PREFIX>_BACKEND`, `<PREFIX>_KEY_FILE` and
//! `<PREFIX>_PASSPHRASE_FILE`, whose prefix the application sets.
//!
//! # Features
//!
//! - `secret-service` (default): the Secret Service of a Linux desktop.
//! - `keychain` (default): the macOS Keychain.
//! - `keyutils` (default): the Linux kernel's keyring.
//! - `credential-manager` (default): the Windows Credential Manager.
//! - `backup`: encrypted backups; see the module `backup`, which is there when the feature is on.
//! - `sealed` (default): the encrypted file, as the backend `file` and for vaults that outgrow their
//!   store.
//! - `log`: warnings go to the `log` crate, too, in programs that have no subscriber of `tracing`.
//! - `chrono`, `jiff`, `time`: conversions of [`Timestamp`] from and to the types of these crates.
//! - `serde`: `Serialize` and `Deserialize` for types that hold no value, such as [`Backend`], [`SecretKey`] and [`SecretInfo`].
//! - `testing`: see the module `testing`, which is there when the feature is on.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
#[cfg(feature = "backup")]
pub mod backup;
mod binding;
pub mod blocking;
mod capabilities;
mod choose;
mod config;
mod container;
mod diagnose;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
pub mod input;
mod inspect;
#[cfg(feature = "sealed")]
mod keys;
mod kinds;
mod manager;
mod missing;
mod move_to;
mod open;
mod opening;
mod place;
mod plaintext;
mod pool;
mod refresh;
mod repair;
mod secure_store;
mod service_entries;
mod shell;
pub mod stores;
mod subscribe;
#[cfg(feature = "testing")]
pub mod testing;
mod vault;
#[cfg(feature = "sealed")]
mod vault_keys;

pub use backend::Backend;
pub use capabilities::VaultCapabilities;
pub use choose::{ChoiceReason, Chosen, choose};
pub use config::{Config, DangerousConfig, Fallback, Layout};
pub use diagnose::{Finding, Fix, Severity, System, diagnose};
pub use guard::Guard;
pub use inspect::Inspection;
#[cfg(feature = "sealed")]
pub use keys::PassphraseRequest;
pub use manager::SecretManager;
pub use repair::VaultRepair;
pub use secure_store::SecureStore;
pub use service_entries::ServiceEntries;
pub use strongroom_core::{
    AdvisedCommand, Call, Candidate, CandidateId, Capabilities, Deadlines, EntryName, Error,
    ErrorKind, ExposeSecret, KeyringStore, MAX_NAME_BYTES, MemoryStore, MockKeyringStore,
    Operation, ParseTimestampError, Persistence, Probe, PromptPolicy, Reason, Result, Secret,
    SecretBytes, SecretKey, SecretMetadata, SecretString, ServiceName, Store, Timestamp, UserName,
    Warning, WriteMode, overwrite_registers, secret_bytes, secret_copy, secret_text,
};
#[cfg(feature = "sealed")]
pub use strongroom_sealed::{Cost, KeySource, Progress, SealingKey, Slot, SlotKind};
pub use subscribe::Changes;
#[cfg(feature = "sealed")]
pub use vault::Salvaged;
pub use vault::{
    Batch, Change, ChangeKind, Merged, MoveStep, Moved, SecretInfo, VAULT_ENTRY, VaultContent,
    VaultItem,
};
#[cfg(feature = "sealed")]
pub use vault_keys::VaultKeys;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
