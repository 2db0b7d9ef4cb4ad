//! The signal that a vault may have changed.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The signal that a vault may have changed. Its mutex is a leaf: no other lock is taken while it is held.
#[derive(Debug, Default)]
pub(crate) struct Wakeup {
    is_woken: Mutex<bool>,
    woken: Condvar,
}

impl Wakeup {
    /// Wakes the waiting thread, or keeps the next from waiting.
    pub(super) fn wake(&self) {
        *self.is_woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.woken.notify_one();
    }

    /// Waits for the signal, no longer than `limit`, and takes it back.
    pub(crate) fn wait(&self, limit: Duration) {
        let is_woken = self.is_woken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.woken.wait_timeout_while(is_woken, limit, |is_woken| !*is_woken);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}
