//! Logging of wrong tokens, with a limited rate.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest time between two log lines. Without it, another account of this machine could fill the log with wrong tokens.
const INTERVAL: Duration = Duration::from_secs(60);

/// The wrong tokens that were not logged yet.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    count: u64,
    logged: Option<Instant>,
}

impl Refusals {
    /// Counts a wrong token, and logs the count if the last line is old enough.
    pub(super) fn note(&mut self, now: Instant) {
        if let Some(count) = self.due(now) {
            tracing::warn!(count, "links to the settings page were refused");
        }
    }

    fn due(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.logged.is_some_and(|logged| now - logged < INTERVAL) {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_one_line_and_none_is_left_out_of_the_count() {
        let (mut refusals, start) = (Refusals::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        let lines: Vec<_> = (0..=120).filter_map(|second| refusals.due(at(second))).collect();
        assert_eq!(lines, [1, 60, 60]);
    }
}
