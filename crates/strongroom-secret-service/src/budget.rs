//! The time that one operation has left.

use std::future::Future;
use std::time::{Duration, Instant};

use strongroom_core::Deadlines;
use zruntime::SharedRuntime;

use crate::error::Failure;

/// The time that one operation has left, for its calls together and for its prompts.
#[derive(Clone)]
pub(crate) struct Budget {
    runtime: SharedRuntime,
    start: Instant,
    deadline: Instant,
    deadlines: Deadlines,
}

impl Budget {
    /// Starts the clock.
    pub(crate) fn start(deadlines: Deadlines, runtime: &SharedRuntime) -> Self {
        let start = Instant::now();
        let deadline = after(start, deadlines.call);
        Self { runtime: runtime.clone(), start, deadline, deadlines }
    }

    /// A budget of this long, for what comes after the operation's own.
    pub(crate) fn of(&self, limit: Duration) -> Self {
        Self::start(Deadlines::both(limit), &self.runtime)
    }

    /// The time that the calls have left.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// What the operation runs on.
    pub(crate) fn runtime(&self) -> &SharedRuntime {
        &self.runtime
    }

    /// Waits for a future as long as the calls have time left.
    pub(crate) async fn run<T>(&self, future: impl Future<Output = T>) -> Result<T, Failure> {
        let waited = self.runtime.timeout_at(self.deadline, future).await;
        waited.map_err(|_| Failure::no_answer(self.start.elapsed()))
    }

    /// Waits for a prompt as long as prompts have time left, counted from now.
    pub(crate) async fn run_prompt<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let deadline = after(Instant::now(), self.deadlines.prompt);
        self.runtime.timeout_at(deadline, future).await.ok()
    }

    /// Gives the calls that follow a prompt their whole time again: the user took it, not the store.
    pub(crate) fn restart(&mut self) {
        self.deadline = after(Instant::now(), self.deadlines.call);
    }
}

/// A limit that the clock can't represent is as good as a day.
fn after(start: Instant, limit: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    start.checked_add(limit).unwrap_or(start + DAY)
}
