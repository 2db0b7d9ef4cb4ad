//! The changes of a vault, as a stream and as an iterator.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_channel::Receiver;
use futures_core::Stream;

use crate::subscribers::Change;
use crate::vault::Engine;

/// The changes of a vault, for async callers, as returned by
/// [`SecretManager::subscribe`](crate::SecretManager::subscribe).
///
/// The stream does not end by itself. Read it or drop it: changes that are not read stay in memory.
pub struct Changes {
    receiver: Pin<Box<Receiver<Change>>>,
    // The watching thread holds the vault weakly, so the subscription keeps it alive.
    _engine: Arc<Engine>,
}

/// The changes of a vault, for callers that block, as returned by
/// [`SecretManager::subscribe`](crate::blocking::SecretManager::subscribe).
///
/// As an iterator it waits for the next change without a limit, and does not end by itself. Read it or drop
/// it: changes that are not read stay in memory.
pub struct BlockingChanges {
    receiver: Receiver<Change>,
    _engine: Arc<Engine>,
}

impl Changes {
    /// Returns the changes that a subscriber receives.
    pub(crate) fn new(receiver: Receiver<Change>, engine: Arc<Engine>) -> Self {
        Self { receiver: Box::pin(receiver), _engine: engine }
    }
}

impl Stream for Changes {
    type Item = Change;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Change>> {
        self.receiver.as_mut().poll_next(context)
    }
}

impl BlockingChanges {
    /// Returns the changes that a subscriber receives.
    pub(crate) const fn new(receiver: Receiver<Change>, engine: Arc<Engine>) -> Self {
        Self { receiver, _engine: engine }
    }

    /// Returns the next change if there is a change already, without waiting.
    pub fn try_next(&mut self) -> Option<Change> {
        self.receiver.try_recv().ok()
    }
}

impl Iterator for BlockingChanges {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        self.receiver.recv_blocking().ok()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

impl fmt::Debug for BlockingChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingChanges").finish_non_exhaustive()
    }
}
