//! A thread that waits for a file lock on behalf of a caller with a deadline.

use std::fs::File;
use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use super::deadline::wait_while;
use crate::Stamp;

/// A thread that waits for the lock on a file.
///
/// The kernel's file locks have no deadline. A caller that gives up leaves the thread behind, and the next caller takes it over.
/// A lock that is held for ever costs a single thread, not a thread for each attempt. A thread that gets the lock after
/// the caller gave up releases it.
#[derive(Debug)]
pub(super) struct Waiter {
    stamp: Stamp,
    state: Mutex<State>,
    changed: Condvar,
}

/// The reason why a wait ended without the lock.
#[derive(Debug)]
pub(super) enum NotLocked {
    Deadline,
    Io(io::Error),
}

#[derive(Debug)]
enum State {
    /// A caller waits for the outcome.
    Wanted,
    /// The caller reached its deadline, and the thread still waits.
    GivenUp,
    /// The thread has ended, and the caller has not taken the outcome yet.
    Done(io::Result<File>),
    /// The outcome was taken or dropped.
    Taken,
}

impl State {
    fn is_wanted(&mut self) -> bool {
        matches!(self, Self::Wanted)
    }
}

impl Waiter {
    /// Starts a thread that waits for the lock on this file.
    pub(super) fn start(file: File, stamp: Stamp) -> io::Result<Arc<Self>> {
        let state = Mutex::new(State::Wanted);
        let waiter = Arc::new(Self { stamp, state, changed: Condvar::new() });
        let of_thread = Arc::clone(&waiter);
        thread::Builder::new()
            .name("strongroom-lock".into())
            .spawn(move || of_thread.finish(lock(file)))?;
        Ok(waiter)
    }

    /// Takes over the waiting thread that another caller left. Returns false if the thread waits for another file, or has ended.
    pub(super) fn take_over(&self, stamp: &Stamp) -> bool {
        let mut state = self.state();
        let is_left = matches!(*state, State::GivenUp) && self.stamp.is_same_file(stamp);
        if is_left {
            *state = State::Wanted;
        }
        is_left
    }

    /// Waits for the lock. At the deadline the thread is left behind.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Result<File, NotLocked> {
        match wait_while(&self.changed, self.state(), deadline, State::is_wanted) {
            Some(mut state) => take_outcome(&mut state),
            None => self.give_up(),
        }
    }

    fn give_up(&self) -> Result<File, NotLocked> {
        // The thread may have got the lock since the deadline: then the outcome is taken after all.
        let mut state = self.state();
        if state.is_wanted() {
            *state = State::GivenUp;
        }
        take_outcome(&mut state)
    }

    fn finish(&self, locked: io::Result<File>) {
        let mut state = self.state();
        *state = match *state {
            State::Wanted => State::Done(locked),
            // Closes the file, which unlocks it.
            _ => State::Taken,
        };
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_outcome(state: &mut State) -> Result<File, NotLocked> {
    if !matches!(state, State::Done(_)) {
        return Err(NotLocked::Deadline);
    }
    match mem::replace(state, State::Taken) {
        State::Done(locked) => locked.map_err(NotLocked::Io),
        _ => Err(NotLocked::Deadline),
    }
}

fn lock(file: File) -> io::Result<File> {
    loop {
        match file.lock() {
            // A signal handler ran on this thread.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome.map(|()| file),
        }
    }
}
