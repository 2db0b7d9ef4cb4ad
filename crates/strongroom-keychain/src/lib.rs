//! The macOS Keychain as a Strongroom store, for macOS 10.15 and later.
//!
//! An entry is a generic password, with the service and the account that the caller gave, in the
//! user's default keychain: the login keychain, unless the user chose another. Keychain Access shows it
//! as `SERVICE: USER`, and `security find-generic-password -s SERVICE -a USER -w` prints it.
//!
//! This crate is type-checked for macOS, its calls tested against a simulated Keychain; not run on
//! Apple hardware by us.
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
//! # Who is asked, and when
//!
//! - Whether an entry exists, and which there are, is read from attributes alone: that asks nobody,
//!   even while the keychain is locked.
//! - Reading a value asks the user when the keychain is locked, and when another program, or another
//!   build of this one, stored the entry. "Always Allow" ends the second for this build.
//!   Writing asks when the keychain is locked.
//! - Where the prompt policy forbids it, the Keychain's own switch for prompts is off during the
//!   call, and put back to what it was. That switch is the whole process's, so a call that must not
//!   ask waits for those that ask, up to `Config::deadline`; then it is `Busy`.
//! - Somebody can see a prompt, for [`PromptPolicy::IfInteractive`], where the security session of the
//!   process has graphic access (`SessionGetInfo`), as the system's own daemon requires of who asks: on
//!   the desktop, but not over SSH, nor in a daemon.
//! - A call that waits for the user has no deadline of its own, and can't be taken back: the guard of
//!   the `strongroom` crate gives it one.
//!
//! [`PromptPolicy::IfInteractive`]: strongroom_core::PromptPolicy::IfInteractive
//!
//! # What lies in the Keychain
//!
//! Values lie there as they are, of any bytes. Two kinds are encoded (see
//! [`armor`](strongroom_core::armor)): the empty one, since an update with no bytes may count as none,
//! and one that looks encoded itself. `security -w` prints hexadecimal digits for a value with any
//! byte but printable ASCII: pipe it through `xxd -r -p`.
//!
//! An entry of the same service and account in another keychain, the System keychain for instance,
//! is another entry, which this store never sees or changes.
//!
//! # The data-protection keychain
//!
//! `KeychainChoice::DataProtection` is for programs that are signed with a keychain access group or
//! an application identifier; others get `NoBackend`. It asks only for entries that somebody
//! stored with an access control, as this store does not; overwriting one of those asks, whatever
//! the policy. A program with several access groups has to name one: else an entry may
//! stand for two.
//!
//! # Limits
//!
//! What Security.framework copies for itself, it doesn't wipe; what this crate copies is wiped.
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
#[cfg(test)]
mod simulated;
mod store;
#[cfg(target_os = "macos")]
mod sys;
mod turns;

pub use config::{Config, KeychainChoice};
#[cfg(target_os = "macos")]
pub use kind::KIND;
pub use store::KeychainStore;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
