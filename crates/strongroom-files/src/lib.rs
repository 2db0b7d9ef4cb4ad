//! Guarded access to files, for all crates of Strongroom.
//!
//! Files, directories and HOME belong to the outside: a program that is started with another user's HOME, or in a
//! directory that others can write, finds there what they planted. So this crate is the only place that opens,
//! locks, replaces or deletes files by their path:
//!
//! - [`read`] and [`open()`]: a [`Source`] says what a file must be. The state's own files are never reached by a link,
//!   belong to the effective user, and are writable by no other user. Every read has a limit; nothing waits for the writer of a pipe.
//! - [`Lock`]: a lock between processes with a deadline.
//! - [`replace()`], [`create_new`], [`NewFile`]: a file is there whole or not at all. A killed process leaves nothing
//!   that the next one doesn't take away.
//! - [`state_dir`], [`data_dir`], [`create_private_dir`], [`check_private_dir`]: the directories of a user.
//! - [`names`]: file names that no two services share.
//!
//! Errors are [`io::Error`](std::io::Error)s. What was refused for what it is carries a [`Refusal`], and [`error`] makes
//! the error of an operation on a secret from any of them, with advice.
//!
//! On Windows files take the access list of their directory, and in the profile of a user that admits the user, the
//! administrators and the system. There the owner and the permissions are not checked.

mod dirs;
mod lock;
pub mod names;
mod open;
#[cfg_attr(unix, path = "platform/unix.rs")]
#[cfg_attr(not(unix), path = "platform/windows.rs")]
mod platform;
mod refusal;
mod replace;
mod report;
mod stamp;

pub use dirs::{
    check_dir, check_private_dir, create_dir, create_private_dir, data_dir, is_absent, is_there,
    state_dir,
};
pub use lock::{Held, Lock, NotHeld};
pub use open::{Source, open, read, read_open, read_text};
pub use platform::{
    check_free, check_own, is_in_use, login_name, open_state, read_at, sync_dir, user_name,
    write_at,
};
pub use refusal::Refusal;
pub use replace::{NewFile, create_copy, create_new, replace, replace_readable, replaceable};
pub use report::{error, quoted};
pub use stamp::Stamp;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
