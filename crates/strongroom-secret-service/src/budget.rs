//! The time budget of an operation.

use std::future::Future;
use std::time::{Duration, Instant};

use strongroom_core::Deadlines;
use zruntime::SharedRuntime;

use crate::error::Failure;

/// The time budget of an operation: a deadline for all its calls together, and a limit for each prompt.
#[derive(Clone)]
pub(crate) struct Budget {
    runtime: SharedRuntime,
    start: Instant,
    deadline: Instant,
    deadlines: Deadlines,
}

impl Budget {
    /// Creates a budget that runs from now.
    pub(crate) fn start(deadlines: Deadlines, runtime: &SharedRuntime) -> Self {
        let start = Instant::now();
        let deadline = after(start, deadlines.call);
        Self { runtime: runtime.clone(), start, deadline, deadlines }
    }

    /// Creates a separate budget of this length, for work that the operation's own budget does not cover.
    pub(crate) fn of(&self, limit: Duration) -> Self {
        Self::start(Deadlines::both(limit), &self.runtime)
    }

    /// Returns the time that is left for calls.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Returns the runtime of the operation.
    pub(crate) fn runtime(&self) -> &SharedRuntime {
        &self.runtime
    }

    /// Runs a future within the time that is left for calls.
    ///
    /// # Errors
    ///
    /// `TimedOut`, marked as silence, if the time is up first.
    pub(crate) async fn run<T>(&self, future: impl Future<Output = T>) -> Result<T, Failure> {
        let waited = self.runtime.timeout_at(self.deadline, future).await;
        waited.map_err(|_| Failure::no_answer(self.start.elapsed()))
    }

    /// Waits for a prompt within its limit, counted from now; `None` if the time is up first.
    pub(crate) async fn run_prompt<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let deadline = after(Instant::now(), self.deadlines.prompt);
        self.runtime.timeout_at(deadline, future).await.ok()
    }

    /// Gives the calls that follow a prompt their whole time again: the user spent it, not the store.
    pub(crate) fn restart(&mut self) {
        self.deadline = after(Instant::now(), self.deadlines.call);
    }
}

/// Returns the instant `limit` after `start`. A limit that the clock can't represent counts as a day.
fn after(start: Instant, limit: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    start.checked_add(limit).unwrap_or(start + DAY)
}
