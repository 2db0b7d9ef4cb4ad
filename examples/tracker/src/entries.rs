//! What was worked on, and for how long.

use jiff::{SignedDuration, Timestamp, Zoned};
use serde::{Deserialize, Serialize};

/// A piece of work, running or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) description: String,
    pub(crate) start: Timestamp,
    /// None while it runs.
    pub(crate) end: Option<Timestamp>,
    /// Whether Clockify has it.
    pub(crate) sent: bool,
}

impl Entry {
    /// One that starts now.
    pub(crate) fn starting(description: String, now: &Zoned) -> Self {
        Self { description, start: now.timestamp(), end: None, sent: false }
    }

    /// How long it took, or has taken until now.
    pub(crate) fn duration(&self, now: &Zoned) -> SignedDuration {
        let duration = self.end.unwrap_or_else(|| now.timestamp()).duration_since(self.start);
        // A clock may have been set back.
        duration.max(SignedDuration::ZERO)
    }

    pub(crate) fn runs(&self) -> bool {
        self.end.is_none()
    }

    /// Whether it is done, and Clockify doesn't have it.
    pub(crate) fn is_unsent(&self) -> bool {
        !self.runs() && !self.sent
    }

    /// Whether it is one of today's: started today, or running.
    pub(crate) fn is_of_today(&self, now: &Zoned) -> bool {
        self.runs() || self.start.to_zoned(now.time_zone().clone()).date() == now.date()
    }
}
