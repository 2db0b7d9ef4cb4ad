//! Waiting for a state that nothing announces.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long a fixture waits for a daemon before it gives up: a loaded machine, not a healthy one,
/// sets the measure.
pub const PATIENCE: Duration = Duration::from_secs(30);

const INTERVAL: Duration = Duration::from_millis(2);

/// Asks again and again until `condition` holds.
///
/// For states that can't be waited for by an event; where there is one, wait for that.
///
/// # Panics
///
/// When `condition` still doesn't hold after `limit`, saying `what` was waited for.
#[track_caller]
pub fn wait_until(what: &str, limit: Duration, condition: impl FnMut() -> bool) {
    assert!(holds_within(limit, condition), "not after {limit:?}: {what}");
}

/// Says whether `condition` came to hold; for `Drop`, where a panic would abort.
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
