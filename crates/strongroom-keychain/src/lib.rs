//! The macOS Keychain as a Strongroom store, for macOS 10.15 and later.
//!
//! An entry is a generic password, with the service and the account that the caller gave, in the
//! user's default keychain: the login keychain, unless the user chose another. Keychain Access shows it
//! as `SERVICE: USER`, and `security find-generic-password -s SERVICE -a USER -w` prints it.
//!
//! This crate is type-checked for macOS, and its calls are tested against a simulated Keychain. It was not
//! run on Apple hardware.
//!
//! ```no_run
//! # #[cfg(target_os = "macos")]
//! # fn main() -> Result<(), strongroom_core::Error> {
//! use strongroom_core::{KeyringStore, Store, SecretString, WriteMode};
//! use strongroom_keychain::{Config, KeychainStore};
//!
//! let store = KeychainStore::new(Config::default());
//! store.set_password("example", "api-key", &SecretString::from("s3cret"))?;
//! # Ok(())
//! # }
//! # #[cfg(not(target_os = "macos"))]
//! # fn main() {}
//! ```
//!
//! # Prompts
//!
//! - `exists` and `list` read attributes alone. They show no prompt, even while the keychain is locked.
//! - Reading a value prompts if the keychain is locked, and if another program, or another build of this
//!   program, stored the entry. "Always Allow" ends the second prompt for this build. Writing prompts if the
//!   keychain is locked.
//! - If the prompt policy forbids prompts, the Keychain's own switch for prompts is off during the call, and
//!   set back to its old state afterwards. The switch belongs to the whole process, so a call that must not
//!   prompt waits for calls that may, up to `Config::deadline`, and then fails with `Busy`.
//! - For [`PromptPolicy::IfInteractive`], a process is interactive if its security session has graphic access
//!   (`SessionGetInfo`), which the system's own daemon requires for a prompt, too: on the desktop, but not
//!   over SSH, nor in a daemon.
//! - A call that waits for the user has no deadline of its own, and can't be cancelled. The guard of the
//!   `strongroom` crate gives it a deadline.
//!
//! [`PromptPolicy::IfInteractive`]: strongroom_core::PromptPolicy::IfInteractive
//!
//! # Stored values
//!
//! Values are stored as they are, with any bytes. Two kinds are encoded (see
//! [`armor`](strongroom_core::armor)): the empty value, since an update without bytes may count as no update,
//! and a value that looks encoded itself. `security -w` prints hexadecimal digits for a value with any byte
//! but printable ASCII: pipe it through `xxd -r -p`.
//!
//! An entry of the same service and account in another keychain, the System keychain for instance,
//! is another entry, which this store never sees or changes.
//!
//! # The data-protection keychain
//!
//! `KeychainChoice::DataProtection` is for programs that are signed with a keychain access group or
//! an application identifier; other programs get `NoBackend`. It prompts only for entries that were stored
//! with an access control, as this store does not; overwriting such an entry prompts under any policy. A
//! program with several access groups has to name a group, since otherwise an entry may stand for two items.
//!
//! # Limits
//!
//! This crate wipes its own copies of values. Security.framework doesn't wipe the copies that it makes for
//! itself.
//!
//! The crate is empty on systems other than macOS, but for its tests.

#![cfg(any(target_os = "macos", test))]

mod config;
mod error;
mod keychain;
#[cfg(target_os = "macos")]
mod kind;
#[cfg(target_os = "macos")]
mod mac;
mod payload;
mod prompt_switch;
#[cfg(test)]
mod simulated;
mod status;
mod store;
#[cfg(target_os = "macos")]
mod sys;

pub use config::{Config, KeychainChoice};
#[cfg(target_os = "macos")]
pub use kind::KIND;
pub use store::KeychainStore;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
