//! The copy of a vault in memory, and the turns of this handle's threads at the store.
//!
//! A reader of the current copy takes no lock. The mutex of this module is held only to look at the rest of the state or to change
//! it, never while the store is asked or code of the application runs. Threads that need the store take turns, with a deadline.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};
use strongroom_core::{Error, ErrorKind, Operation, Result};

use super::coherence::{Decision, Mark, Observation, Seen, decide};
use super::content::Content;

/// The content of the vault as this process remembers it, with the generation file's record for it.
#[derive(Clone)]
pub(super) struct Copy {
    pub(super) content: Arc<Content>,
    pub(super) seen: Option<Seen>,
}

/// The copies of a handle.
#[derive(Default)]
pub(super) struct Copies {
    /// The content as this process last read or wrote it. It is replaced while the state is locked, and read without a lock:
    /// readers on several cores would otherwise wait for each other's turn at the mutex.
    current: ArcSwapOption<Copy>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The last committed copy, during a write of this handle and after a failed write.
    committed: Option<Committed>,
    /// Set while a thread of this handle uses the store.
    is_taken: bool,
    /// Set if the copy of the current write is to be dropped, because [`forget`](Copies::forget) was called
    /// meanwhile.
    is_unwanted: bool,
}

struct Committed {
    copy: Copy,
    /// The mark of the write. It tells whether another process has written since. `None` until the store may
    /// have changed.
    mark: Option<Mark>,
    is_under_way: bool,
}

/// The turn at the store, released on drop.
pub(super) struct Turn<'a> {
    copies: &'a Copies,
}

/// A write of the whole vault. Dropping it unfinished means that the write failed.
pub(super) struct Write<'a> {
    turn: Turn<'a>,
}

impl Copy {
    pub(super) fn is_current(&self, observation: &Observation) -> bool {
        decide(self.seen.as_ref(), observation) == Decision::UseCache
    }
}

impl Copies {
    /// Returns the copy, current or not, without a lock and without a change to its count of references.
    pub(super) fn load(&self) -> Guard<Option<Arc<Copy>>> {
        self.current.load()
    }

    /// Returns the content for a reader if the store need not be asked: the copy if it is current, or the
    /// last committed copy while a write is under way.
    pub(super) fn for_reader(&self, observation: &Observation) -> Option<Arc<Content>> {
        let state = self.state();
        match (&*self.load(), &state.committed) {
            (Some(copy), _) if copy.is_current(observation) => Some(Arc::clone(&copy.content)),
            (_, Some(committed)) if committed.is_under_way => {
                Some(Arc::clone(&committed.copy.content))
            }
            _ => None,
        }
    }

    /// Returns the copy, current or not.
    pub(super) fn current(&self) -> Option<Copy> {
        self.load().as_deref().cloned()
    }

    /// Returns the last committed content, and the mark of the write that failed after it.
    pub(super) fn before_failed_write(&self) -> Option<(Arc<Content>, Mark)> {
        let state = self.state();
        let committed = state.committed.as_ref().filter(|committed| !committed.is_under_way)?;
        Some((Arc::clone(&committed.copy.content), committed.mark?))
    }

    /// Waits for the turn at the store, no longer than `limit`.
    ///
    /// # Errors
    ///
    /// `Busy` if another thread of this handle has the turn past the limit.
    pub(super) fn take_turn(&self, limit: Duration) -> Result<Turn<'_>> {
        let deadline = Instant::now().checked_add(limit);
        let mut state = self.state();
        while state.is_taken {
            state = self.wait(state, deadline).ok_or_else(|| busy(limit))?;
        }
        state.is_taken = true;
        Ok(Turn { copies: self })
    }

    /// Waits as [`take_turn`](Self::take_turn) does. While a write of this handle is under way, returns the
    /// last committed content at once.
    ///
    /// # Errors
    ///
    /// `Busy` as in [`take_turn`](Self::take_turn).
    pub(super) fn take_turn_to_read(
        &self,
        limit: Duration,
    ) -> Result<std::result::Result<Turn<'_>, Arc<Content>>> {
        let deadline = Instant::now().checked_add(limit);
        let mut state = self.state();
        loop {
            if let Some(committed) = state.committed.as_ref().filter(|it| it.is_under_way) {
                return Ok(Err(Arc::clone(&committed.copy.content)));
            }
            if !state.is_taken {
                state.is_taken = true;
                return Ok(Ok(Turn { copies: self }));
            }
            state = self.wait(state, deadline).ok_or_else(|| busy(limit))?;
        }
    }

    /// Stores a copy that was read from the store or changed in place.
    pub(super) fn remember(&self, copy: Copy) {
        let mut state = self.state();
        state.committed = None;
        self.set_current(Some(copy));
    }

    /// Drops all copies, and the copy of the current write as soon as that is done.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        self.set_current(None);
        state.committed = None;
        state.is_unwanted = true;
    }

    /// Replaces the current copy. The caller has the state locked, so that both change as one for writers.
    fn set_current(&self, copy: Option<Copy>) {
        self.current.store(copy.map(Arc::new));
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        deadline: Option<Instant>,
    ) -> Option<MutexGuard<'a, State>> {
        let Some(deadline) = deadline else {
            return Some(self.changed.wait(state).unwrap_or_else(PoisonError::into_inner));
        };
        let left = deadline.checked_duration_since(Instant::now())?;
        let (state, _) =
            self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        Some(state)
    }

    /// Locks the state. A poisoned mutex is no problem: each change is a single assignment, so the state is
    /// consistent.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Turn<'a> {
    /// Begins a write of the whole vault. Meanwhile readers get `committed`. Without it they wait.
    pub(super) fn write(self, committed: Option<Copy>) -> Write<'a> {
        let committed = committed.map(|copy| Committed { copy, mark: None, is_under_way: true });
        let mut state = self.copies.state();
        self.copies.set_current(None);
        (state.committed, state.is_unwanted) = (committed, false);
        drop(state);
        // Readers that wait for the turn can be served from the committed copy from now on.
        self.copies.changed.notify_all();
        Write { turn: self }
    }
}

impl Write<'_> {
    /// Notes that the store may be changed from now on.
    pub(super) fn begun(&self, mark: Option<Mark>) {
        let mut state = self.turn.copies.state();
        match &mut state.committed {
            Some(committed) if mark.is_some() => committed.mark = mark,
            // Without a mark there is no way to tell whether the copy is outdated.
            committed => *committed = None,
        }
    }

    /// Ends the write. `copy` is the new content, or `None` if the content of the store is not known.
    pub(super) fn finish(self, copy: Option<Copy>) {
        let mut state = self.turn.copies.state();
        let is_unwanted = state.is_unwanted;
        self.turn.copies.set_current(copy.filter(|_| !is_unwanted));
        state.committed = None;
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        let mut state = self.turn.copies.state();
        match state.committed.take() {
            // Without a mark the store was not touched, so the copy is still current.
            Some(Committed { copy, mark: None, .. }) => self.turn.copies.set_current(Some(copy)),
            Some(committed) => {
                // Kept for readers: the store may hold either content, and may not answer.
                state.committed = Some(Committed { is_under_way: false, ..committed });
            }
            None => {}
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.copies.state().is_taken = false;
        self.copies.changed.notify_all();
    }
}

fn busy(limit: Duration) -> Error {
    Error::new(ErrorKind::Busy, Operation::Get).with_message(format!(
        "another thread of this process is reading or writing the vault, for {limit:?} at least; nothing was changed"
    ))
}
