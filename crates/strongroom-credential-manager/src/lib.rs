//! The Windows Credential Manager as a store.
//!
//! An entry is a generic credential. `CredReadW` and the related calls find it by a single key, the target
//! name: `strongroom:SERVICE/USER`. Its user name and its comment describe it to the user.
//!
//! The crate is tested under Wine 8, and was not run on Windows itself. The limits and errors of Windows are
//! taken from its documentation and from users' reports.
//!
//! # Limits
//!
//! - A value has at most 2,560 bytes (`MAX_SECRET_BYTES`). Windows refuses more, and Wine doesn't.
//! - A network logon has no credentials, and most logons over SSH are of that kind: calls fail with
//!   `NoLogonSession`.
//! - Windows returns a credential only with its value. So `exists` and `list` receive values, too, but only
//!   of this service's entries. They do not look at the values, and wipe them before they free them.
//! - Calls of Windows have no deadline, and the store waits until they return.
//!
//! # Target names
//!
//! Windows ignores case in target names. So in names, every byte but lower-case ASCII letters, digits and
//! `-._~@+=` is written as `%XX`: the user `token` of the service `App` is `strongroom:%41pp/token`. Each
//! pair of names has its own target name.
//!
//! # Processes
//!
//! Windows has no call that creates a credential only if there is none, and guarantees no order of calls. So
//! every call of the store but `probe` takes a lock, the file `credential-manager.lock` in the user's
//! `AppData\Local\strongroom`, in any session. A call that can't take the lock in time reads without it, or
//! fails with `Busy` if it would write. If no such file can be created, calls go on without a lock; if it may
//! be another user's file, writes fail. Other programs take no lock.
//!
//! # Together with other programs
//!
//! A credential that the `keyring` crate stored, under the target name `USER.SERVICE`, is an entry as long as
//! the store has no entry of that name: `get` and `exists` find it, and [`WriteMode::CreateNew`] refuses to
//! replace it. Several pairs of names share such a target. The credential belongs to an entry only if its
//! user name is the entry's, too.
//!
//! - `set` leaves the credential as it is, and creates an entry beside it, which counts from then on.
//! - `delete` deletes both, so that no old value reappears.
//! - `list` leaves the credential out: Windows finds credentials only by the beginning of their target, so
//!   all credentials of the user would have to be read, with their values.
//!
//! The store's own values are bytes, with text as UTF-8. A value that another program wrote, under that
//! target or over a value of the store, is read as text if it is text in UTF-8 or in UTF-16, the encoding of
//! `keyring`, `cmdkey` and the Credential Manager's window; else as bytes. About 1 in 100 keys of 16 random
//! bytes that `keyring` stored with `set_secret` looks like text in UTF-16, and 1 in 300 keys of 32 bytes.
//! The store recognises its own values by the comment, which holds the value's length.
//!
//! The crate is empty on systems other than Windows.
//!
//! [`WriteMode::CreateNew`]: strongroom_core::WriteMode::CreateNew

// The modules that don't need Windows are tested on every system.
#![cfg(any(windows, test))]

mod blob;
mod comment;
#[cfg(windows)]
mod config;
#[cfg(windows)]
mod error;
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
