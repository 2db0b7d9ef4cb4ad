//! The Linux desktop's Secret Service as a Strongroom store.
//!
//! [`SecretServiceStore`] talks to whatever serves `org.freedesktop.secrets` on the session bus
//! (gnome-keyring, KWallet, KeePassXC, oo7) by the [freedesktop Secret Service protocol][spec].
//!
//! - Every call has a deadline. Prompts run under the prompt policy and are dismissed when given up.
//! - Locked is never "not found": a search that finds nothing is believed only of an open keyring.
//! - A daemon that was restarted is found again within the same call.
//! - Only the effective user's own bus and provider are spoken to, and no address starts a program.
//! - Values cross the bus encrypted, unless the caller allows a provider that can't; they lie there as
//!   one line of text, under
//!   the attributes `service` and `username` that `secret-tool` and other clients use.
//! - An item with the `keyring` crate's attribute `target` is the entry `USERNAME::TARGET`.
//!
//! Somebody can see a prompt, for [`PromptPolicy::IfInteractive`], where `DISPLAY` or
//! `WAYLAND_DISPLAY` is set: the provider shows it as a window.
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
mod collection;
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
