//! The speed of this machine at deriving keys, by the last derivation in this process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// In KiB times passes per second; 0 if there was no derivation.
static SPEED: AtomicU64 = AtomicU64::new(0);

/// Remembers the speed of a derivation. `work` is in KiB times passes.
pub(crate) fn remember(work: u64, elapsed: Duration) {
    // A coarse clock may show no time at all.
    let speed = work as f64 / elapsed.as_secs_f64().max(1e-6);
    SPEED.store((speed as u64).max(1), Ordering::Relaxed);
}

/// Returns the speed of the last derivation, in KiB times passes per second; `None` if there was none.
pub(crate) fn last() -> Option<u64> {
    Some(SPEED.load(Ordering::Relaxed)).filter(|speed| *speed > 0)
}
