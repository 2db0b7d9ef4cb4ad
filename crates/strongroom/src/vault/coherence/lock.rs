//! What one commit at a time may do, in all processes and all threads of a user.

mod waiter;

use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::platform::{self, Stamp};
use waiter::{Missed, Waiter};

/// How often the file may vanish while it is being locked.
const TRIES: usize = 8;

/// A lock of a service.
///
/// Each taker opens the file anew: a file lock belongs to what was opened, so two takers in one
/// process exclude each other like two processes do. The turn comes first, so that at most one
/// thread of this handle waits for the file.
#[derive(Debug)]
pub(crate) struct Lock {
    path: Option<PathBuf>,
    turn: Mutex<Turn>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Turn {
    taken: bool,
    /// Still waits for a taker that gave up; the next one takes it over.
    waiter: Option<Arc<Waiter>>,
}

/// The lock, or the turn alone where no lock can be had; given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    lock: Arc<Lock>,
    file: Option<File>,
}

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum NotHeld {
    /// Somebody holds it: the process of this number, if it told.
    Busy(Option<u32>),
    /// It can't be waited for.
    Io(io::Error),
}

impl Lock {
    pub(crate) fn new(path: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self { path, turn: Mutex::default(), freed: Condvar::new() })
    }

    /// Whether there is a file to lock. It is not locked: that would make others wait.
    pub(super) fn check(&self) -> io::Result<()> {
        self.open().map(drop)
    }

    /// Takes the lock, waiting no longer than the limit.
    ///
    /// Where none can be had, [`Held::missing`] says why, and other processes aren't excluded.
    pub(crate) fn take(
        self: &Arc<Self>,
        limit: Duration,
    ) -> Result<(Held, Option<io::Error>), NotHeld> {
        let deadline = Instant::now().checked_add(limit);
        let mut held = self.take_turn(deadline)?;
        for _ in 0..TRIES {
            let file = match self.open() {
                Ok(file) => file,
                Err(error) => return Ok((held, Some(error))),
            };
            let file = match file.try_lock() {
                Ok(()) => file,
                Err(TryLockError::WouldBlock) => self.wait(file, deadline)?,
                Err(TryLockError::Error(error)) => return Ok((held, Some(error))),
            };
            if self.is_at_path(&file) {
                write_holder(&file);
                held.file = Some(file);
                return Ok((held, None));
            }
        }
        Err(NotHeld::Io(io::Error::other("the lock file vanishes as soon as it is made")))
    }

    fn take_turn(self: &Arc<Self>, deadline: Option<Instant>) -> Result<Held, NotHeld> {
        let turn = wait_until(&self.freed, self.turn(), deadline, |turn| turn.taken);
        let mut turn = turn.ok_or_else(|| NotHeld::Busy(Some(std::process::id())))?;
        turn.taken = true;
        drop(turn);
        Ok(Held { lock: Arc::clone(self), file: None })
    }

    fn wait(&self, file: File, deadline: Option<Instant>) -> Result<File, NotHeld> {
        let stamp = Stamp::of_file(&file).map_err(NotHeld::Io)?;
        let told = file.try_clone();
        let waiting = self.turn().waiter.take().filter(|waiter| waiter.takes_over(&stamp));
        let waiter = match waiting {
            Some(waiter) => waiter,
            None => Waiter::start(file, stamp).map_err(NotHeld::Io)?,
        };
        waiter.wait(deadline).map_err(|missed| match missed {
            Missed::Deadline => {
                self.turn().waiter = Some(waiter);
                NotHeld::Busy(told.ok().as_ref().and_then(read_holder))
            }
            Missed::Io(error) => NotHeld::Io(error),
        })
    }

    fn open(&self) -> io::Result<File> {
        let path = self.path.as_deref().ok_or_else(|| io::Error::other("no home directory"))?;
        if let Some(dir) = path.parent() {
            platform::create_dir(dir)?;
        }
        platform::options().create(true).truncate(false).open(path)
    }

    fn is_at_path(&self, file: &File) -> bool {
        let at_path = self.path.as_deref().map(Stamp::at);
        match (Stamp::of_file(file), at_path) {
            (Ok(held), Some(Ok(at_path))) => held.is_same_file(&at_path),
            _ => false,
        }
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Whether others are still excluded: false once the file was deleted or replaced. True where
    /// there never was a lock to lose.
    pub(super) fn is_intact(&self) -> bool {
        self.file.as_ref().is_none_or(|file| self.lock.is_at_path(file))
    }

    /// Whether other processes are excluded.
    pub(super) const fn is_exclusive(&self) -> bool {
        self.file.is_some()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Unlocked by name: a child that is being started may hold a copy of the descriptor for
            // a moment. Whatever fails here is made good when the file is closed.
            drop(file.set_len(0));
            drop(file.unlock());
        }
        self.lock.turn().taken = false;
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

/// Tells the others who holds the lock. They do without if it fails.
fn write_holder(file: &File) {
    drop(platform::write_at(file, format!("{:<10}\n", std::process::id()).as_bytes()));
}

/// The holder's number, if it told. On Windows nobody can read a locked file.
fn read_holder(file: &File) -> Option<u32> {
    let mut bytes = [0; 10];
    let length = platform::read_at(file, &mut bytes).ok()?;
    let holder: u32 = std::str::from_utf8(&bytes[..length]).ok()?.trim().parse().ok()?;
    // One that was killed leaves its number until the next holder has written its own.
    let is_alive =
        !cfg!(target_os = "linux") || std::path::Path::new(&format!("/proc/{holder}")).exists();
    is_alive.then_some(holder)
}
