//! What one call at a time may do, in all processes and threads of a user.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const FILE_NAME: &str = "credential-manager.lock";

/// Waits for the lock, which is held until the file is dropped or the process ends.
///
/// - While somebody holds it for longer than an earlier call waited, nobody waits anew: threads that
///   wait would pile up.
///
/// # Errors
///
/// `TimedOut` if another holds it for longer than the limit; the system's own where no lock can be
/// had.
pub(crate) fn acquire(dir: &Path, limit: Duration) -> io::Result<File> {
    let file = open(dir)?;
    if file.try_lock().is_ok() {
        return Ok(file);
    }
    let given_up = || io::Error::from(io::ErrorKind::TimedOut);
    if left_waiting().get(dir).is_some_and(|waiter| !waiter.is_finished()) {
        return Err(given_up());
    }
    // Windows has no such lock with a deadline, so a thread waits in our place. One that is given up
    // drops the lock as soon as it has it.
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::Builder::new().name("strongroom-lock".into()).spawn(move || {
        let locked = file.lock().map(|()| file);
        drop(sender.send(locked));
    })?;
    receiver.recv_timeout(limit).unwrap_or_else(|_| {
        left_waiting().insert(dir.to_owned(), waiter);
        Err(given_up())
    })
}

/// The last thread of each directory that was given up. A leaf: nothing is waited for under it.
fn left_waiting() -> MutexGuard<'static, BTreeMap<PathBuf, JoinHandle<()>>> {
    static WAITERS: Mutex<BTreeMap<PathBuf, JoinHandle<()>>> = Mutex::new(BTreeMap::new());
    WAITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(dir: &Path) -> io::Result<File> {
    fs::create_dir_all(dir)?;
    OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(FILE_NAME))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn a_second_one_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = acquire(dir.path(), LONG).unwrap();
        let (sender, receiver) = mpsc::channel();
        let path = dir.path().to_owned();
        let second = thread::spawn(move || {
            sender.send(()).unwrap();
            acquire(&path, LONG)
        });
        receiver.recv().unwrap();
        drop(first);
        assert!(second.join().unwrap().is_ok());
    }

    #[test]
    fn while_one_that_was_given_up_waits_nobody_waits_anew() {
        let dir = tempfile::tempdir().unwrap();
        let first = acquire(dir.path(), LONG).unwrap();
        let start = Instant::now();
        for limit in [SHORT, LONG, LONG] {
            let error = acquire(dir.path(), limit).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
        assert!(start.elapsed() < LONG);
        drop(first);
        left_waiting().remove(dir.path()).unwrap().join().unwrap();
        assert!(acquire(dir.path(), LONG).is_ok());
    }

    #[test]
    fn where_no_lock_can_be_had_it_does_not_wait() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        fs::write(&blocked, "").unwrap();
        let error = acquire(&blocked.join("sub"), LONG).unwrap_err();
        assert_ne!(error.kind(), io::ErrorKind::TimedOut);
    }
}
