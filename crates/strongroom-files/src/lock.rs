//! A lock between processes and threads, with a deadline.

mod waiter;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use strongroom_core::{Error, Operation};

use crate::platform::{self, is_at};
use crate::{Refusal, Stamp, create_dir};
use waiter::{NotLocked, Waiter};

/// The number of times that the file may vanish while it is being locked.
const TRIES: usize = 8;

/// A lock on a file, for all processes and threads that lock the same file.
///
/// Each taker opens the file anew: a file lock belongs to an open file description, so two takers in one process exclude each
/// other like two processes do. The turn comes first, so that at most one thread of this handle waits for the file.
#[derive(Debug)]
pub struct Lock {
    path: Option<PathBuf>,
    /// Whether the holder's number is written into the file.
    names_holder: bool,
    turn: Mutex<Turn>,
    freed: Condvar,
}

/// The turn among the threads of one process.
#[derive(Debug)]
struct Turn {
    is_taken: bool,
    /// Still waits for a taker that gave up; the next one takes it over.
    waiter: Option<Arc<Waiter>>,
    /// After a fork the child has neither the taker nor the waiting thread.
    process: u32,
}

/// The lock, or the turn alone where no lock can be had; given back when dropped.
#[derive(Debug)]
pub struct Held {
    lock: Arc<Lock>,
    file: Option<File>,
}

/// The reason why a lock was not taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotHeld {
    /// Another thread or process holds it past the deadline: the process of this number, if it is known.
    Busy(Option<u32>),
    /// The file or its directory could be another user's doing.
    Refused(Error),
    /// The file can't be waited for.
    Io(io::Error),
}

impl Lock {
    /// Returns a lock on the file at this path, which is created when it is needed, with its directory. Without a path only the threads that
    /// use this handle exclude each other.
    pub fn new(path: Option<PathBuf>) -> Arc<Self> {
        Self::with(path, true)
    }

    fn with(path: Option<PathBuf>, names_holder: bool) -> Arc<Self> {
        Arc::new(Self { path, names_holder, turn: Mutex::default(), freed: Condvar::new() })
    }

    /// Returns this process's handle of the lock on the file at this path. The file stays empty: the holder is not known.
    pub fn shared(path: &Path) -> Arc<Self> {
        /// A leaf: no other lock is taken under it. A program uses a handful of files.
        static LOCKS: Mutex<BTreeMap<PathBuf, Arc<Lock>>> = Mutex::new(BTreeMap::new());
        let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = locks
            .entry(path.to_owned())
            .or_insert_with(|| Self::with(Some(path.to_owned()), false));
        Arc::clone(lock)
    }

    /// Returns the path of the file.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Checks that there is a file to lock, and creates it. It is not locked, which would make other processes wait. The
    /// system's error comes back where no lock can be had.
    ///
    /// # Errors
    ///
    /// `AccessDenied`, `Invalid` if the file or its directory could be another user's doing.
    pub fn check(&self) -> Result<Option<io::Error>, Error> {
        match self.open() {
            Ok(_) => Ok(None),
            Err(NotOpened::Refused(error)) => Err(error),
            Err(NotOpened::Io(error)) => Ok(Some(error)),
        }
    }

    /// Takes the lock, waiting no longer than the limit.
    ///
    /// Where the system gives no lock (a home that can't be written, a file system without locks) the error comes beside the
    /// turn, and other processes aren't excluded.
    ///
    /// # Errors
    ///
    /// [`NotHeld`]: past the limit, or if the file or its directory could be another user's doing.
    pub fn take(self: &Arc<Self>, limit: Duration) -> Result<(Held, Option<io::Error>), NotHeld> {
        let deadline = Instant::now().checked_add(limit);
        let mut held = self.take_turn(deadline)?;
        for _ in 0..TRIES {
            let file = match self.open() {
                Ok(file) => file,
                Err(NotOpened::Refused(error)) => return Err(NotHeld::Refused(error)),
                Err(NotOpened::Io(error)) => return Ok((held, Some(error))),
            };
            let file = match file.try_lock() {
                Ok(()) => file,
                Err(TryLockError::WouldBlock) => self.wait(file, deadline)?,
                Err(TryLockError::Error(error)) => return Ok((held, Some(error))),
            };
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
        let turn = wait_until(&self.freed, self.turn(), deadline, |turn| turn.is_taken);
        let mut turn = turn.ok_or_else(|| NotHeld::Busy(Some(std::process::id())))?;
        turn.is_taken = true;
        drop(turn);
        Ok(Held { lock: Arc::clone(self), file: None })
    }

    fn wait(&self, file: File, deadline: Option<Instant>) -> Result<File, NotHeld> {
        let stamp = Stamp::of_file(&file).map_err(NotHeld::Io)?;
        let holder = file.try_clone();
        let waiting = self.turn().waiter.take().filter(|waiter| waiter.takes_over(&stamp));
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
        let no_path = || NotOpened::Io(io::Error::other("no home directory"));
        let path = self.path.as_deref().ok_or_else(no_path)?;
        if let Some(directory) = path.parent() {
            create_dir(directory).map_err(|cause| NotOpened::of(directory, cause))?;
        }
        platform::open_state(path, true).map_err(|cause| NotOpened::of(path, cause))
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

/// The reason why the file was not opened.
enum NotOpened {
    Refused(Error),
    Io(io::Error),
}

impl NotOpened {
    fn of(path: &Path, cause: io::Error) -> Self {
        match Refusal::of(&cause) {
            Some(_) => Self::Refused(crate::error(Operation::Set, path, cause)),
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
    /// Whether other processes are still excluded: false once the file was deleted or replaced. True where there never was a
    /// lock to lose.
    pub fn is_intact(&self) -> bool {
        self.file.as_ref().is_none_or(|file| self.lock.is_at_path(file))
    }

    /// Whether other processes are excluded.
    pub const fn is_exclusive(&self) -> bool {
        self.file.is_some()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Unlocked by name: a child that is being started may hold a copy of the descriptor for a moment. A failure here is
            // made good when the file is closed.
            if self.lock.names_holder {
                drop(file.set_len(0));
            }
            drop(file.unlock());
        }
        self.lock.turn().is_taken = false;
        self.lock.freed.notify_one();
    }
}

/// Waits while the condition holds; `None` if it still does at the deadline.
fn wait_until<'a, T>(
    changed: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
    mut condition: impl FnMut(&mut T) -> bool,
) -> Option<MutexGuard<'a, T>> {
    let Some(deadline) = deadline else {
        return Some(changed.wait_while(guard, condition).unwrap_or_else(PoisonError::into_inner));
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let waited = changed.wait_timeout_while(guard, left, &mut condition);
    let (mut guard, _) = waited.unwrap_or_else(PoisonError::into_inner);
    (!condition(&mut guard)).then_some(guard)
}

/// Writes this process's number into the file, for messages of those that wait. A failure leaves them without it.
fn write_holder(file: &File) {
    drop(platform::write_at(file, format!("{:<10}\n", std::process::id()).as_bytes()));
}

/// Returns the holder's number, if it is known. On Windows no process can read a locked file.
fn read_holder(file: &File) -> Option<u32> {
    let mut bytes = [0; 10];
    let length = platform::read_at(file, &mut bytes).ok()?;
    let holder: u32 = std::str::from_utf8(&bytes[..length]).ok()?.trim().parse().ok()?;
    // One that was killed leaves its number until the next holder has written its own.
    let is_alive = !cfg!(target_os = "linux") || Path::new(&format!("/proc/{holder}")).exists();
    is_alive.then_some(holder)
}

#[cfg(test)]
mod tests;
