//! Waiting on a condition variable until a deadline.

use std::sync::{Condvar, MutexGuard, PoisonError};
use std::time::Instant;

/// Waits while the condition holds. Returns `None` if it still holds at the deadline.
pub(super) fn wait_while<'a, T>(
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
