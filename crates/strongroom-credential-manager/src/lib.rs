//! The Windows Credential Manager as a store.
//!
//! An entry is a generic credential, which `CredReadW` and its like find by one key alone, the target
//! name: `strongroom:SERVICE/USER`. Its user name and its comment say for the user's eyes what it is.
//!
//! Tested under Wine 8; not run on Windows itself, whose limits and errors are taken from its
//! documentation and from its users' reports.
//!
//! # Limits
//!
//! - A value has at most 2,560 bytes (`MAX_SECRET_BYTES`). Windows refuses more, and Wine doesn't.
//! - A network logon has no credentials, and over SSH most logons are of that kind: `NoLogonSession`.
//! - Windows hands out a credential with its value or not at all. So `exists` and `list` get to see
//!   values, too, of this service's entries alone; they look at none and wipe them before they free
//!   them.
//! - The calls wait for Windows as long as it takes them, and have no deadline of their own.
//!
//! # Target names
//!
//! Windows takes target names that differ in case alone for one. So in names every byte but small
//! ASCII letters, digits and `-._~@+=` goes out as `%XX`: the token of `App` is
//! `strongroom:%41pp/token`. Each pair of names has one target name, and no other pair has it.
//!
//! # Processes
//!
//! Windows has no call that creates a credential only where there is none, and promises no order of
//! calls. So every call of the store but `probe` takes a lock, the file `credential-manager.lock` in
//! the user's `AppData\Local\strongroom`, whatever session it runs in. Who can't have it in time reads
//! without it, and is `Busy` where it would write. Where no such file can be made, threads and
//! processes go on without. Other programs take no lock.
//!
//! # Together with other programs
//!
//! What the `keyring` crate stored, under the target name `USER.SERVICE`, is an entry as long as the
//! store has none of that name: `get` and `exists` find it, and [`WriteMode::CreateNew`] refuses to
//! take its place. Several pairs of names share such a target; it is this entry's if its user name is,
//! too.
//!
//! - `set` leaves it as it is, and makes an entry beside it, which counts from then on.
//! - `delete` deletes both, so that no old value comes back.
//! - `list` leaves it out: Windows finds credentials by the beginning of their target alone, and all
//!   credentials of the user would have to be read, values and all, to find it.
//!
//! The store's own values are bytes, text as UTF-8. A value that another program wrote, under that
//! target or over one of the store's, is taken as text where it is text in UTF-8 or in UTF-16, which
//! `keyring`, `cmdkey` and the Credential Manager's window write; else as bytes. One in a hundred keys
//! of 16 random bytes that `keyring` stored with `set_secret` looks like text in UTF-16, of 32 one in
//! three hundred. Who wrote a value shows in the comment, which holds the value's length.
//!
//! The crate is empty on systems other than Windows.
//!
//! [`WriteMode::CreateNew`]: strongroom_core::WriteMode::CreateNew

// What needs no Windows is tested anywhere.
#![cfg(any(windows, test))]

mod blob;
mod comment;
#[cfg(windows)]
mod config;
#[cfg(windows)]
mod error;
#[cfg(windows)]
#[cfg(windows)]
mod kind;
#[cfg(windows)]
mod store;
#[cfg(windows)]
mod sys;
mod target;

#[cfg(windows)]
pub use config::{Config, Persist};
#[cfg(windows)]
pub use kind::KIND;
#[cfg(windows)]
pub use store::{CredentialManagerStore, MAX_SECRET_BYTES};

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
