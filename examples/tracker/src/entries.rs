//! The entries of the journal.

use jiff::{SignedDuration, Timestamp, Zoned};
use serde::{Deserialize, Serialize};

/// A piece of work, running or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) description: String,
    pub(crate) start: Timestamp,
    /// The end. `None` while the timer runs.
    pub(crate) end: Option<Timestamp>,
    /// Set once Clockify has the entry.
    pub(crate) sent: bool,
}

impl Entry {
    /// Creates an entry that starts now.
    pub(crate) fn starting(description: String, now: &Zoned) -> Self {
        Self { description, start: now.timestamp(), end: None, sent: false }
    }

    /// Returns the duration, up to now if the timer runs.
    pub(crate) fn duration(&self, now: &Zoned) -> SignedDuration {
        let duration = self.end.unwrap_or_else(|| now.timestamp()).duration_since(self.start);
        // A clock may have been set back.
        duration.max(SignedDuration::ZERO)
    }

    pub(crate) fn runs(&self) -> bool {
        self.end.is_none()
    }

    /// Returns whether the entry has ended, and Clockify doesn't have it.
    pub(crate) fn is_unsent(&self) -> bool {
        !self.runs() && !self.sent
    }

    /// Returns whether the entry was started today, or is running.
    pub(crate) fn is_of_today(&self, now: &Zoned) -> bool {
        self.runs() || self.start.to_zoned(now.time_zone().clone()).date() == now.date()
    }
}
