//! The last step of `run`: this process becomes the program or, on Windows, waits for it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use strongroom_config::looks_like_a_secret;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::words::printable;

/// Becomes the program: signals, terminal and exit code are its own, and nothing of this process
/// stays behind.
#[cfg(unix)]
pub(super) fn start(mut program: Command, name: &OsStr) -> Result<Exit> {
    use std::os::unix::process::CommandExt as _;

    crate::hardening::give_back_core_limit();
    Err(not_started(&program.exec(), name))
}

/// Waits for the program, and ends with its exit code.
///
/// The console sends Ctrl-C to both processes. This process ignores it and leaves it to the program, since the process
/// that started this command must not go on before the program has ended.
#[cfg(windows)]
pub(super) fn start(mut program: Command, name: &OsStr) -> Result<Exit> {
    // An error means that there is no console, and nothing to ignore.
    drop(ctrlc::set_handler(|| {}));
    let mut child = program.spawn().map_err(|cause| not_started(&cause, name))?;
    // Its environment contains the values.
    drop(program);
    let status = child.wait().map_err(|cause| {
        let message = format!("cannot wait for {}", printable(&name.to_string_lossy()));
        Failure::io(message, &cause, "It may still run: look for it in the Task Manager.")
    })?;
    Ok(status.code().map_or(Exit::Failed, Exit::Program))
}

fn not_started(cause: &std::io::Error, name: &OsStr) -> Failure {
    let (exit, hint) = match cause.kind() {
        std::io::ErrorKind::NotFound => (Exit::NoProgram, NOT_FOUND),
        // If a directory of PATH may not be searched, this is the error for a program that does not exist.
        std::io::ErrorKind::PermissionDenied if !is_on_path(name) => (Exit::NoProgram, NOT_FOUND),
        std::io::ErrorKind::ArgumentListTooLong => (Exit::NotExecutable, TOO_MUCH),
        _ => (Exit::NotExecutable, "Check that it is a program, and that you may execute it."),
    };
    Failure::io(format!("cannot start {}", shown(name)), cause, hint).ending(exit)
}

/// Returns the program's name for an error. `NAME=value` in its place is a value that was given as an argument, and is not
/// shown.
fn shown(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    match name.contains('=') || looks_like_a_secret(&name) {
        true => "the program".to_owned(),
        false => printable(&name),
    }
}

/// Returns whether a directory of PATH has a file of this name. A path counts as found.
fn is_on_path(name: &OsStr) -> bool {
    let path = Path::new(name);
    if path.components().count() > 1 {
        return true;
    }
    let directories = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&directories).any(|directory| directory.join(path).is_file())
}

const TOO_MUCH: &str = "The secrets, the rest of the environment and the arguments together are more than the system passes on \
                        (execve(2): a quarter of `ulimit -s`). Name the secrets that the program needs with --only.";

const NOT_FOUND: &str = if cfg!(windows) {
    "Check its spelling, and that it lies in a directory of PATH. A script needs its ending, as in npm.cmd."
} else {
    "Check its spelling, and that it lies in a directory of PATH."
};
