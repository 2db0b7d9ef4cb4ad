//! The browser that opens the page, started without anything that leads to a secret.

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::inheritance::strip_all_keys;
use crate::program::Program;

/// The time for which a launcher is watched for a failure. If it works, it may run as long as the browser.
const WATCHED: Duration = Duration::from_millis(250);

/// Opens a document in the user's browser, through a file that only the user can read. Dropping the file deletes it.
///
/// # Errors
///
/// If the file can't be written, or no browser could be started.
pub(super) fn open(document: &str, program: &Program) -> io::Result<NamedTempFile> {
    // The launchers tell a page by its ending.
    let mut file =
        tempfile::Builder::new().prefix("strongroom-").suffix(".html").tempfile_in(directory())?;
    file.write_all(document.as_bytes())?;
    file.flush()?;
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    // It depends on the desktop which launcher exists and works, so they are tried in turn.
    for mut launcher in open::commands(file.path()) {
        isolate(&mut launcher, program);
        match started(&mut launcher) {
            Ok(()) => return Ok(file),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Keeps everything from a browser that it has no use for: variables that lead to a key, descriptors that this process
/// was given, and the terminal.
fn isolate(launcher: &mut Command, program: &Program) {
    strip_all_keys(launcher, program);
    launcher.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        // Ctrl-C ends the page, and not the browser.
        launcher.process_group(0);
    }
}

/// Starts a launcher, and waits a moment for its failure.
fn started(launcher: &mut Command) -> io::Result<()> {
    let mut child = launcher.spawn()?;
    let (sender, ended) = mpsc::channel();
    // The thread stays with a launcher that keeps running, and reaps it when it ends.
    thread::spawn(move || sender.send(child.wait()).ok());
    // A launcher that still runs is the browser, most likely.
    let Ok(status) = ended.recv_timeout(WATCHED) else { return Ok(()) };
    if is_failure(status?) {
        let program = launcher.get_program().to_string_lossy();
        return Err(io::Error::other(format!("{program} failed")));
    }
    Ok(())
}

/// Returns whether a launcher has failed. On Windows it is the Explorer, whose exit code tells nothing.
fn is_failure(status: ExitStatus) -> bool {
    !status.success() && !cfg!(windows)
}

/// Returns the directory for the file: the user's runtime directory if it is private, else that for temporary files.
fn directory() -> PathBuf {
    #[cfg(target_os = "linux")]
    if let Some(directory) = runtime_dir() {
        return directory;
    }
    let directory = env::temp_dir();
    if directory.is_absolute() || cfg!(windows) { directory } else { PathBuf::from("/tmp") }
}

/// Returns `XDG_RUNTIME_DIR`, if it belongs to this user and is closed to all other users.
#[cfg(target_os = "linux")]
fn runtime_dir() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt as _;

    let directory = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from)?;
    let found = directory.symlink_metadata().ok()?;
    let is_ours = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0;
    (directory.is_absolute() && found.is_dir() && is_ours).then_some(directory)
}
