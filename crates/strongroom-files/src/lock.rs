//! A lock between processes and threads, with a deadline.

mod deadline;
mod waiter;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use strongroom_core::Fault;

use crate::platform::{self, is_at};
use crate::{Refusal, Stamp, create_dir};
use deadline::wait_while;
use waiter::{NotLocked, Waiter};

/// The number of attempts to lock a file that other processes delete in the meantime.
const TRIES: usize = 8;

/// A lock on a file, which excludes all other processes and threads that lock the same file.
///
/// Each call of [`take`](Self::take) opens the file anew: a file lock belongs to an open file description, so that two
/// handles in the same process exclude each other as two processes do. The threads that share a handle take turns first, so
/// that at most a single thread of this handle waits for the file.
#[derive(Debug)]
pub struct Lock {
    path: Option<PathBuf>,
    /// If true, the holder's process id is written into the file.
    names_holder: bool,
    turn: Mutex<Turn>,
    freed: Condvar,
}

/// The turn among the threads that share a handle.
#[derive(Debug)]
struct Turn {
    is_taken: bool,
    /// A waiting thread that was left behind at a deadline. The next call that has to wait takes it over.
    waiter: Option<Arc<Waiter>>,
    /// The process that this state belongs to. A forked child has neither the holder nor the waiting thread.
    process: u32,
}

/// A lock that is held, or only the turn where the system gives no lock. Dropping it releases both.
#[derive(Debug)]
pub struct Held {
    lock: Arc<Lock>,
    file: Option<File>,
}

/// The reason why a lock was not taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotHeld {
    /// Another thread or process still holds the lock at the deadline: the process of this id, if known.
    Busy(Option<u32>),
    /// The file or its directory failed a check, and could have been placed there by another user.
    Refused(Fault),
    /// Waiting for the file failed.
    Io(io::Error),
}

impl Lock {
    /// Returns a lock on the file at this path. The file and its directory are created on first use. Without a path only the
    /// threads that share this handle exclude each other.
    pub fn new(path: Option<PathBuf>) -> Arc<Self> {
        Self::create(path, true)
    }

    fn create(path: Option<PathBuf>, names_holder: bool) -> Arc<Self> {
        Arc::new(Self { path, names_holder, turn: Mutex::default(), freed: Condvar::new() })
    }

    /// Returns the handle of the lock on this file that all callers in the process share. The file stays empty, so that the
    /// holder is not known to other processes.
    pub fn shared(path: &Path) -> Arc<Self> {
        /// A leaf lock: no other lock is taken while it is held. Entries are never removed, since a program uses a handful
        /// of files.
        static LOCKS: Mutex<BTreeMap<PathBuf, Arc<Lock>>> = Mutex::new(BTreeMap::new());
        let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = locks
            .entry(path.to_owned())
            .or_insert_with(|| Self::create(Some(path.to_owned()), false));
        Arc::clone(lock)
    }

    /// Returns the path of the file.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Checks the file and creates it if it does not exist. The file is not locked, so that no other process has to wait.
    /// Returns the operating system's error if the file can't be opened.
    ///
    /// # Errors
    ///
    /// `AccessDenied` or `Invalid` if the file or its directory fails a check, and could have been placed there by another user.
    pub fn check(&self) -> Result<Option<io::Error>, Fault> {
        match self.open() {
            Ok(_) => Ok(None),
            Err(NotOpened::Refused(fault)) => Err(fault),
            Err(NotOpened::Io(error)) => Ok(Some(error)),
        }
    }

    /// Takes the lock. Waits at most for the given time.
    ///
    /// If the system gives no lock (a home directory that can't be written, a file system without locks), the result is
    /// the turn and the operating system's error. Other processes are not excluded then.
    ///
    /// # Errors
    ///
    /// [`NotHeld`]: at the deadline, or if the file or its directory fails a check, or if waiting fails.
    pub fn take(self: &Arc<Self>, limit: Duration) -> Result<(Held, Option<io::Error>), NotHeld> {
        let deadline = Instant::now().checked_add(limit);
        let mut held = self.take_turn(deadline)?;
        for _ in 0..TRIES {
            let file = match self.open() {
                Ok(file) => file,
                Err(NotOpened::Refused(fault)) => return Err(NotHeld::Refused(fault)),
                Err(NotOpened::Io(error)) => return Ok((held, Some(error))),
            };
            let file = match file.try_lock() {
                Ok(()) => file,
                Err(TryLockError::WouldBlock) => self.wait(file, deadline)?,
                Err(TryLockError::Error(error)) => return Ok((held, Some(error))),
            };
            // The file may have been deleted or replaced between opening and locking. A lock on it would exclude no other
            // process.
            if self.is_at_path(&file) {
                if self.names_holder {
                    write_holder(&file);
                }
                held.file = Some(file);
                return Ok((held, None));
            }
        }
        Err(NotHeld::Io(io::Error::other("the lock file vanishes as soon as it is made")))
    }

    fn take_turn(self: &Arc<Self>, deadline: Option<Instant>) -> Result<Held, NotHeld> {
        // The turn is a flag and not a mutex guard: it can be waited for with a deadline, and its holder may go to another
        // thread.
        let turn = wait_while(&self.freed, self.turn(), deadline, |turn| turn.is_taken);
        let mut turn = turn.ok_or_else(|| NotHeld::Busy(Some(std::process::id())))?;
        turn.is_taken = true;
        drop(turn);
        Ok(Held { lock: Arc::clone(self), file: None })
    }

    fn wait(&self, file: File, deadline: Option<Instant>) -> Result<File, NotHeld> {
        let stamp = Stamp::of_file(&file).map_err(NotHeld::Io)?;
        // The waiting thread takes the file. The copy is for reading the holder's process id at the deadline.
        let holder = file.try_clone();
        let waiting = self.turn().waiter.take().filter(|waiter| waiter.take_over(&stamp));
        let waiter = match waiting {
            Some(waiter) => waiter,
            None => Waiter::start(file, stamp).map_err(NotHeld::Io)?,
        };
        waiter.wait(deadline).map_err(|reason| match reason {
            NotLocked::Deadline => {
                self.turn().waiter = Some(waiter);
                NotHeld::Busy(holder.ok().as_ref().and_then(read_holder))
            }
            NotLocked::Io(error) => NotHeld::Io(error),
        })
    }

    fn open(&self) -> Result<File, NotOpened> {
        let Some(path) = self.path.as_deref() else {
            return Err(NotOpened::Io(io::Error::other("no home directory")));
        };
        if let Some(directory) = path.parent() {
            create_dir(directory).map_err(|cause| NotOpened::new(directory, cause))?;
        }
        platform::open_state(path, true).map_err(|cause| NotOpened::new(path, cause))
    }

    fn is_at_path(&self, file: &File) -> bool {
        self.path.as_deref().is_some_and(|path| is_at(file, path))
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if turn.process != std::process::id() {
            *turn = Turn::default();
        }
        turn
    }
}

/// The reason why the lock file was not opened.
enum NotOpened {
    Refused(Fault),
    Io(io::Error),
}

impl NotOpened {
    fn new(path: &Path, cause: io::Error) -> Self {
        match Refusal::of(&cause) {
            Some(_) => Self::Refused(crate::fault(path, cause)),
            None => Self::Io(cause),
        }
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self { is_taken: false, waiter: None, process: std::process::id() }
    }
}

impl Held {
    /// Returns whether the lock still excludes other processes: false after the file was deleted or replaced. Always true
    /// where only the turn is held.
    pub fn is_intact(&self) -> bool {
        self.file.as_ref().is_none_or(|file| self.lock.is_at_path(file))
    }

    /// Returns whether other processes are excluded.
    pub const fn is_exclusive(&self) -> bool {
        self.file.is_some()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Closing the file is not enough: a child that is being started may hold a copy of the descriptor for a moment.
            // If unlocking fails, closing the file unlocks it.
            if self.lock.names_holder {
                drop(file.set_len(0));
            }
            drop(file.unlock());
        }
        self.lock.turn().is_taken = false;
        self.lock.freed.notify_one();
    }
}

/// Writes the id of this process into the file, for the messages of waiting processes. Errors are ignored: the messages then
/// don't name the holder.
fn write_holder(file: &File) {
    // The fixed width overwrites a longer process id that a killed holder left.
    drop(platform::write_at(file, format!("{:<10}\n", std::process::id()).as_bytes()));
}

/// Returns the process id of the holder, if known. On Windows other processes can't read a locked file.
fn read_holder(file: &File) -> Option<u32> {
    let mut bytes = [0; 10];
    let length = platform::read_at(file, &mut bytes).ok()?;
    let holder: u32 = std::str::from_utf8(&bytes[..length]).ok()?.trim().parse().ok()?;
    // A killed holder leaves its process id in the file until the next holder writes its own.
    let is_alive = !cfg!(target_os = "linux") || Path::new(&format!("/proc/{holder}")).exists();
    is_alive.then_some(holder)
}

#[cfg(test)]
mod tests;
