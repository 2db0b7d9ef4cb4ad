//! What one call at a time may do, in all processes and threads of a user.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const FILE_NAME: &str = "credential-manager.lock";

/// Brings the lock from a thread that waits for it: Windows has no such lock with a deadline.
type Waiter = Receiver<io::Result<File>>;

/// Waits for the lock, which is held until the file is dropped or the process ends.
///
/// # Errors
///
/// `TimedOut` if another holds it for longer than the limit; the system's own where no lock can be
/// had.
pub(crate) fn acquire(dir: &Path, limit: Duration) -> io::Result<File> {
    let start = Instant::now();
    loop {
        let file = open(dir)?;
        if file.try_lock().is_ok() {
            return Ok(file);
        }
        let left = left_waiting().get_mut(dir).and_then(Vec::pop);
        let waiter = left.map_or_else(|| wait(file), Ok)?;
        match waiter.recv_timeout(limit.saturating_sub(start.elapsed())) {
            Ok(locked) => return locked,
            // It had the lock while nobody wanted it, and gave it back.
            Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => {
                left_waiting().entry(dir.to_owned()).or_default().push(waiter);
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
}

/// Waits in a thread, which hands the lock over or, if nobody wants it just then, gives it back.
fn wait(file: File) -> io::Result<Waiter> {
    let (sender, receiver) = mpsc::sync_channel(0);
    thread::Builder::new().name("strongroom-lock".into()).spawn(move || {
        let locked = file.lock().map(|()| file);
        drop(sender.try_send(locked));
    })?;
    Ok(receiver)
}

/// Those that were given up, by directory. The next call takes one over, so that threads don't pile
/// up while somebody keeps the lock. A leaf: nothing is waited for under it.
fn left_waiting() -> MutexGuard<'static, BTreeMap<PathBuf, Vec<Waiter>>> {
    static WAITERS: Mutex<BTreeMap<PathBuf, Vec<Waiter>>> = Mutex::new(BTreeMap::new());
    WAITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(dir: &Path) -> io::Result<File> {
    fs::create_dir_all(dir)?;
    OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(FILE_NAME))
}

#[cfg(test)]
mod tests {
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
    fn calls_that_give_up_leave_one_thread_and_it_keeps_no_lock() {
        let dir = tempfile::tempdir().unwrap();
        let first = acquire(dir.path(), LONG).unwrap();
        for _ in 0..5 {
            let error = acquire(dir.path(), SHORT).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert_eq!(left_waiting()[dir.path()].len(), 1);
        }
        drop(first);
        for _ in 0..5 {
            drop(acquire(dir.path(), LONG).unwrap());
        }
    }

    #[test]
    fn threads_that_contend_all_get_it() {
        let dir = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..25).for_each(|_| drop(acquire(dir.path(), LONG).unwrap())));
            }
        });
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
