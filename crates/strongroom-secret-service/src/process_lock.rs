//! What one process at a time may do, whatever session of the user it runs in.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What is locked: each has an empty file in the state directory.
///
/// A process holds at most one of them at a time, so no order among them is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guarded {
    /// Opening a session: gnome-keyring 50 crashes when two clients do at once.
    OpenSession,
    /// Creating an item: the protocol has no "create unless it exists".
    CreateItem,
}

/// Held while one of these is done; released when dropped or when the process ends.
#[derive(Debug)]
pub(crate) struct ProcessLock {
    _file: Option<File>,
}

impl ProcessLock {
    /// Waits for the lock, but not longer than the limit: a process that was stopped while it held
    /// the lock must not stop all others. Where no lock can be had it does without.
    pub(crate) fn acquire(what: Guarded, dir: Option<&Path>, limit: Duration) -> Self {
        let file = dir.and_then(|dir| {
            wait_for(what, dir, limit)
                .inspect_err(|error| tracing::debug!(?what, %error, "going on without a lock"))
                .ok()
        });
        Self { _file: file }
    }
}

impl Guarded {
    const fn file_name(self) -> &'static str {
        match self {
            Self::OpenSession => "secret-service-open.lock",
            Self::CreateItem => "secret-service-create.lock",
        }
    }
}

fn wait_for(what: Guarded, dir: &Path, limit: Duration) -> io::Result<File> {
    let file = open(what, dir)?;
    if file.try_lock().is_ok() {
        return Ok(file);
    }
    // The kernel has no lock with a deadline, so a thread waits in our place. One that is given up
    // drops the lock as soon as it has it.
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().name("strongroom-lock".into()).spawn(move || {
        let locked = file.lock().map(|()| file);
        drop(sender.send(locked));
    })?;
    receiver.recv_timeout(limit).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

fn open(what: Guarded, dir: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(dir.join(what.file_name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);
    const ONE: Guarded = Guarded::OpenSession;

    #[test]
    fn a_second_one_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(ONE, dir.path()).unwrap();
        first.lock().unwrap();
        assert!(wait_for(ONE, dir.path(), Duration::from_millis(20)).is_err());
        let (sender, receiver) = mpsc::channel();
        let path = dir.path().to_owned();
        let second = thread::spawn(move || {
            sender.send(()).unwrap();
            wait_for(ONE, &path, LONG)
        });
        receiver.recv().unwrap();
        drop(first);
        assert!(second.join().unwrap().is_ok());
    }

    #[test]
    fn one_lock_does_not_hold_up_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let _open = wait_for(Guarded::OpenSession, dir.path(), LONG).unwrap();
        assert!(wait_for(Guarded::CreateItem, dir.path(), Duration::ZERO).is_ok());
    }

    #[test]
    fn where_no_lock_can_be_had_it_does_without() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        assert!(ProcessLock::acquire(ONE, Some(&blocked.join("sub")), LONG)._file.is_none());
        assert!(ProcessLock::acquire(ONE, Some(dir.path()), LONG)._file.is_some());
    }

    #[test]
    fn only_the_user_can_enter() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/b");
        let _lock = ProcessLock::acquire(ONE, Some(&state), LONG);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&state), 0o700);
        assert_eq!(mode(&state.join(ONE.file_name())), 0o600);
    }
}
