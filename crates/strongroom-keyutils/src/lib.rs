//! The Linux kernel's user keyring as a store.
//!
//! An entry is a key of type `user` in the user keyring (`@u` in `keyctl(1)`), described as
//! `NAMESPACE:SERVICE:USER`. The user keyring belongs to the user, not to a session: `cron`, `ssh`,
//! `tmux` and a desktop of one user see the same entries, and so does a process without a session
//! keyring. Nothing is written to disk, there are no prompts, and everything is gone at reboot.
//!
//! ```
//! use strongroom_core::{ExposeSecret, KeyringStore, Store, SecretString};
//! use strongroom_keyutils::{Config, KeyutilsStore};
//!
//! let namespace = format!("doctest-{}", std::process::id());
//! let store = KeyutilsStore::with_config(Config::default().namespace(namespace))?;
//! # if store.probe().is_err() { return Ok(()); }
//! store.set_password("example", "api-key", &SecretString::from("s3cret"))?;
//! let value = store.get_password("example", "api-key")?.expect("it was just stored");
//! assert_eq!(value.expose_secret(), "s3cret");
//! assert!(store.delete_password("example", "api-key")?);
//! # Ok::<(), strongroom_core::Error>(())
//! ```
//!
//! # Limits
//!
//! - A value has at most 32,767 bytes (`keyrings(7)`), and an ordinary user 200 keys with 20,000
//!   bytes in all (`kernel.keys.maxkeys` and `maxbytes`; root has limits of its own). The kernel
//!   counts names too. A write that does not fit fails with `QuotaExceeded`, with the numbers in the hint.
//! - Each thread that creates an entry gets a thread keyring, which counts as one key until the
//!   thread ends. So does a thread that reads another program's key from a session without `@u`.
//! - Containers often forbid the system calls; then the store is `NoBackend`, and the hint says so.
//! - Linux 5.3 or later is required: entries are created with `KEYCTL_MOVE`.
//!
//! # Access to entries
//!
//! Every process of the user can read an entry, from any session: keys carry all permissions for their owner.
//! Other users can't, and root can't either but by becoming the user.
//!
//! # Together with keyctl
//!
//! `keyctl add user strongroom:SERVICE:USER VALUE @u` makes an entry that the store reads, and
//! `keyctl print` shows the values that the store wrote. Two kinds of value are encoded (see
//! [`armor`](strongroom_core::armor)): the empty value, which the kernel refuses, and a value that looks
//! encoded itself. In names, every byte but ASCII letters, digits and `-._~/@+=` is written as `%XX`.
//!
//! The crate is empty on systems other than Linux.

#![cfg(target_os = "linux")]

mod config;
mod description;
mod error;
mod keyring;
mod kind;
mod payload;
mod quota;
mod store;
mod sys;

pub use config::Config;
pub use kind::KIND;
pub use store::KeyutilsStore;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
