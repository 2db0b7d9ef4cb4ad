//! Waiting by polling, for states without an event.

use std::{
    thread,
    time::{Duration, Instant},
};

/// The longest time that a fixture waits for a daemon. Chosen for a heavily loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

const INTERVAL: Duration = Duration::from_millis(2);

/// Polls until `condition` holds.
///
/// Only for states without an event to wait for.
///
/// # Panics
///
/// If `condition` does not hold after `limit`. The message names the awaited state.
#[track_caller]
pub fn wait_until(what: &str, limit: Duration, condition: impl FnMut() -> bool) {
    assert!(holds_within(limit, condition), "not after {limit:?}: {what}");
}

/// Polls until `condition` holds, and returns false after `limit`. For `Drop`, since a panic there could abort.
#[expect(clippy::disallowed_methods, reason = "the one place where tests poll, with a deadline")]
pub(crate) fn holds_within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !condition() {
        if started.elapsed() > limit {
            return false;
        }
        thread::sleep(INTERVAL);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_once_the_condition_holds() {
        let mut asked = 0;
        wait_until("the third time", PATIENCE, || {
            asked += 1;
            asked == 3
        });
        assert_eq!(asked, 3);
    }

    #[test]
    #[should_panic(expected = "not after 10ms: pigs fly")]
    fn gives_up_at_the_deadline() {
        wait_until("pigs fly", Duration::from_millis(10), || false);
    }
}
