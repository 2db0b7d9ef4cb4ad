//! Standard input and output without the buffers of `std::io`, which are never wiped.

use std::fs::File;
use std::io;
#[cfg(unix)]
use std::os::fd::AsFd as _;
#[cfg(windows)]
use std::os::windows::io::AsHandle as _;

#[cfg(unix)]
pub(crate) fn input() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(unix)]
pub(crate) fn output() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

/// Returns standard input, for pipes and files: a console has an encoding of its own.
#[cfg(windows)]
pub(crate) fn input() -> io::Result<File> {
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// Returns standard output. A console shows the value anyway, and gets it as text in its encoding, through a buffer.
#[cfg(windows)]
pub(crate) fn output() -> io::Result<Box<dyn io::Write>> {
    use std::io::IsTerminal as _;

    let stdout = io::stdout();
    if stdout.is_terminal() {
        return Ok(Box::new(stdout));
    }
    Ok(Box::new(File::from(stdout.as_handle().try_clone_to_owned()?)))
}
