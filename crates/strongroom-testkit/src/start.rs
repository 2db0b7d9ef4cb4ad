//! Starting of programs in tests.

use std::process::{Child, Command};

/// Starts a program.
///
/// On a busy machine Wine sometimes fails to start a program, without a fault of the program. The start is then retried.
///
/// # Panics
///
/// If the program does not start.
#[track_caller]
pub fn start(command: &mut Command) -> Child {
    const TRIES: usize = 3;
    for _ in 1..TRIES {
        match command.spawn() {
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(ERROR_INTERNAL_ERROR) => {}
            started => return started.expect("the program starts"),
        }
    }
    command.spawn().expect("the program starts")
}

/// `ERROR_INTERNAL_ERROR` of `winerror.h`.
const ERROR_INTERNAL_ERROR: i32 = 1359;
