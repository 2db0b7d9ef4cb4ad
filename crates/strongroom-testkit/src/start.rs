//! Starting of programs in tests.

use std::io::{Error, ErrorKind};
use std::process::{Child, Command};

use crate::wait::{PATIENCE, holds_within};

/// Starts a program.
///
/// A start is retried where it fails without a fault of the program: on a busy machine Wine sometimes fails to start
/// one, and on Linux a copy can't run while a thread that forks holds it open for writing.
///
/// # Panics
///
/// If the program does not start.
#[track_caller]
pub fn start(command: &mut Command) -> Child {
    let mut started = command.spawn();
    holds_within(PATIENCE, || {
        if started.as_ref().is_err_and(is_transient) {
            started = command.spawn();
        }
        !started.as_ref().is_err_and(is_transient)
    });
    started.unwrap_or_else(|error| panic!("{:?} does not start: {error}", command.get_program()))
}

fn is_transient(error: &Error) -> bool {
    let is_wine = cfg!(windows) && error.raw_os_error() == Some(ERROR_INTERNAL_ERROR);
    is_wine || error.kind() == ErrorKind::ExecutableFileBusy
}

/// `ERROR_INTERNAL_ERROR` of `winerror.h`.
const ERROR_INTERNAL_ERROR: i32 = 1359;
