//! Starting the programs that tests start by the hundred.

use std::process::{Child, Command};

/// Starts a program.
///
/// On a busy machine Wine now and then starts none, for no reason of the program's: that is tried again.
///
/// # Panics
///
/// If it does not start.
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

/// By Windows' `winerror.h`.
const ERROR_INTERNAL_ERROR: i32 = 1359;
