//! Guarded file access for all crates of Strongroom.
//!
//! Files, directories and `HOME` are not trusted: a program that runs with another user's `HOME`, or in a directory
//! that another user can write to, may find files that this user planted. Therefore no other crate of the workspace opens,
//! creates, copies or locks files by their path:
//!
//! - [`read`] and [`open()`]: a [`Source`] states the demands on a file. State files are never reached through a symbolic link,
//!   belong to the effective user, and are writable by no other user. Every read has a size limit. Opening a pipe does not wait
//!   for its writer.
//! - [`Lock`]: a lock between processes with a deadline.
//! - [`replace()`], [`create_new`], [`NewFile`]: a file is complete or absent. Leftovers of a killed process are removed
//!   by the next process that writes the same file.
//! - [`state_dir`], [`data_dir`], [`create_private_dir`], [`check_private_dir`]: the directories of a user.
//! - [`names`]: file names that are unique for each service.
//!
//! Errors are [`io::Error`](std::io::Error)s. The error of a file that fails a check carries a [`Refusal`]. [`fault()`] turns
//! either kind into a fault of an operation on a secret, with advice.
//!
//! On Windows a file inherits the access list of its directory, and in a user's profile this list admits the user, the
//! administrators and the system. Owner and permissions are not checked there.

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
pub use report::{error, fault, quoted};
pub use stamp::Stamp;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
