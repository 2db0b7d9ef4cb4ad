//! The Linux desktop's Secret Service as a Strongroom store.
//!
//! [`SecretServiceStore`] talks to the program that serves `org.freedesktop.secrets` on the session bus
//! (gnome-keyring, KWallet, KeePassXC, oo7), by the [freedesktop Secret Service protocol][spec].
//!
//! - Every call has a deadline. Prompts run under the prompt policy. A prompt that is given up is dismissed,
//!   unless the provider breaks on that.
//! - A locked keyring is never reported as "not found": an empty search result counts only if the keyring is
//!   open.
//! - A daemon that was restarted is found again within the same call.
//! - Only the effective user's own bus and provider are contacted, and no address starts a program.
//! - Values cross the bus encrypted, unless the caller allows a provider that does not encrypt.
//! - Values are stored as a single line of text, unless lines are kept, with the attributes `service` and
//!   `username` that `secret-tool` and other clients use.
//! - An item with the `keyring` crate's attribute `target` is the entry `USERNAME::TARGET`. As long as it is the only item of its user,
//!   `USERNAME` reads it, too, and changes another item of that name.
//!
//! For [`PromptPolicy::IfInteractive`], a process is interactive if `DISPLAY` or `WAYLAND_DISPLAY` is set:
//! the provider shows a prompt as a window.
//!
//! [spec]: https://specifications.freedesktop.org/secret-service-spec/latest/
//! [`PromptPolicy::IfInteractive`]: strongroom_core::PromptPolicy::IfInteractive
//!
//! ```no_run
//! use strongroom_core::{KeyringStore, Store, SecretString, WriteMode};
//! use strongroom_secret_service::{Config, SecretServiceStore};
//!
//! let store = SecretServiceStore::new(Config::default());
//! store.set_password("example", "api-key", &SecretString::from("s3cret"))?;
//! # Ok::<(), strongroom_core::Error>(())
//! ```
#![cfg(target_os = "linux")]

mod address;
mod budget;
mod bus;
mod config;
mod connect;
mod dh;
mod error;
mod facts;
mod item;
mod kind;
mod operation;
mod process_lock;
mod prompt;
mod protocol;
mod provider;
mod runtime;
mod sandbox;
mod session;
mod shared;
mod store;
mod target;
mod text;

pub use config::Config;
pub use kind::KIND;
pub use store::{MAX_SECRET_BYTES, SecretServiceStore};

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
