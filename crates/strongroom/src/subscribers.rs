//! The subscribers to the changes of a vault.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_channel::{Receiver, Sender};
use strongroom_core::SecretKey;

/// A secret that was added, updated or removed, by this process or another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Change {
    /// The secret's name and target.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub key: SecretKey,
    /// The kind of the change.
    pub kind: ChangeKind,
}

/// The kind of a change to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ChangeKind {
    /// The secret was added.
    Added,
    /// The secret has another value or other metadata.
    Updated,
    /// The secret was removed.
    Removed,
}

/// The subscribers to the changes of a vault. Its mutex is a leaf: no other lock is taken while it is held.
#[derive(Debug, Default)]
pub(crate) struct Subscribers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    senders: Vec<Sender<Change>>,
    has_thread: bool,
}

impl Subscribers {
    /// Adds a subscriber. Calls `start` if there is no thread that reports to the subscribers.
    ///
    /// # Errors
    ///
    /// The error of `start`, and then there is no subscriber.
    pub(crate) fn add<E>(
        &self,
        start: impl FnOnce() -> Result<(), E>,
    ) -> Result<Receiver<Change>, E> {
        let (sender, receiver) = async_channel::unbounded();
        let mut state = self.state();
        if !state.has_thread {
            start()?;
            state.has_thread = true;
        }
        state.senders.push(sender);
        Ok(receiver)
    }

    /// Removes the subscribers that are gone. Returns false if none is left, and then the thread ends.
    pub(crate) fn retain_open(&self) -> bool {
        let mut state = self.state();
        state.senders.retain(|sender| !sender.is_closed());
        state.has_thread = !state.senders.is_empty();
        state.has_thread
    }

    /// Reports changes to all subscribers.
    pub(crate) fn report(&self, changes: impl Iterator<Item = Change>) {
        let state = self.state();
        for change in changes {
            for sender in &state.senders {
                // The channel is unbounded, so this fails only for a subscriber that is gone. The next check
                // removes it.
                drop(sender.try_send(change.clone()));
            }
        }
    }

    /// Removes all subscribers. The thread ends.
    pub(crate) fn close(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
