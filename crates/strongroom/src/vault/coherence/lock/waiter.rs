//! A thread that waits for a file lock in place of a caller who has a deadline.

use std::fs::File;
use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use super::super::platform::Stamp;
use super::wait_until;

/// A thread that waits for one file.
///
/// The kernel's locks know no deadline. A caller that gives up leaves the thread behind, and the
/// next one takes it over, so that a process that holds the lock forever costs one thread and not
/// one a try. A thread that gets the lock for nobody gives it back.
#[derive(Debug)]
pub(super) struct Waiter {
    stamp: Stamp,
    state: Mutex<State>,
    changed: Condvar,
}

/// Why a wait ended without the lock.
#[derive(Debug)]
pub(super) enum Missed {
    Deadline,
    Io(io::Error),
}

#[derive(Debug)]
enum State {
    Wanted,
    GivenUp,
    Done(io::Result<File>),
    Over,
}

impl Waiter {
    /// Starts to wait for this file.
    pub(super) fn start(file: File, stamp: Stamp) -> io::Result<Arc<Self>> {
        let state = Mutex::new(State::Wanted);
        let waiter = Arc::new(Self { stamp, state, changed: Condvar::new() });
        let of_thread = Arc::clone(&waiter);
        thread::Builder::new()
            .name("strongroom-lock".into())
            .spawn(move || of_thread.done(locked(file)))?;
        Ok(waiter)
    }

    /// Wants the lock again, after somebody gave it up. False if it waits for another file by now,
    /// or not any more.
    pub(super) fn takes_over(&self, stamp: &Stamp) -> bool {
        let mut state = self.state();
        let waits = matches!(*state, State::GivenUp) && self.stamp.is_same_file(stamp);
        if waits {
            *state = State::Wanted;
        }
        waits
    }

    /// Waits for the lock, or gives it up at the deadline.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Result<File, Missed> {
        let wanted = |state: &mut State| matches!(state, State::Wanted);
        let Some(mut state) = wait_until(&self.changed, self.state(), deadline, wanted) else {
            return self.give_up();
        };
        outcome(&mut state)
    }

    fn give_up(&self) -> Result<File, Missed> {
        let mut state = self.state();
        if matches!(*state, State::Wanted) {
            *state = State::GivenUp;
        }
        outcome(&mut state)
    }

    fn done(&self, locked: io::Result<File>) {
        let mut state = self.state();
        *state = match *state {
            State::Wanted => State::Done(locked),
            // The file is closed here, which unlocks it.
            _ => State::Over,
        };
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outcome(state: &mut State) -> Result<File, Missed> {
    if !matches!(state, State::Done(_)) {
        return Err(Missed::Deadline);
    }
    match mem::replace(state, State::Over) {
        State::Done(locked) => locked.map_err(Missed::Io),
        _ => Err(Missed::Deadline),
    }
}

fn locked(file: File) -> io::Result<File> {
    loop {
        match file.lock() {
            // A signal handler ran on this thread.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome.map(|()| file),
        }
    }
}
