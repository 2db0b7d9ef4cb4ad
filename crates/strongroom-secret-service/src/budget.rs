//! The time that one operation has left.

use std::future::Future;
use std::time::{Duration, Instant};

use strongroom_core::Deadlines;
use zruntime::SharedRuntime;

use crate::error::Failure;

/// The time that one operation has left, for its calls together and for its prompts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    start: Instant,
    deadline: Instant,
    deadlines: Deadlines,
}

impl Budget {
    /// Starts the clock.
    pub(crate) fn start(deadlines: Deadlines) -> Self {
        let start = Instant::now();
        Self { start, deadline: after(start, deadlines.call), deadlines }
    }

    /// The time that the calls have left.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits for a future as long as the calls have time left.
    pub(crate) async fn run<T>(&self, future: impl Future<Output = T>) -> Result<T, Failure> {
        until(self.deadline, future)
            .await
            .map_err(|TimeOver| Failure::no_answer(self.start.elapsed()))
    }

    /// Waits for a prompt as long as prompts have time left, counted from now.
    pub(crate) async fn run_prompt<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        until(after(Instant::now(), self.deadlines.prompt), future).await.ok()
    }

    /// Gives the calls that follow a prompt their whole time again: the user took it, not the store.
    pub(crate) fn restart(&mut self) {
        self.deadline = after(Instant::now(), self.deadlines.call);
    }
}

/// The time was over.
pub(crate) struct TimeOver;

/// Waits for a future for this long, whatever a budget says.
pub(crate) async fn within<T>(
    limit: Duration,
    future: impl Future<Output = T>,
) -> Result<T, TimeOver> {
    until(after(Instant::now(), limit), future).await
}

async fn until<T>(deadline: Instant, future: impl Future<Output = T>) -> Result<T, TimeOver> {
    let Ok(runtime) = SharedRuntime::current() else {
        return Err(TimeOver);
    };
    runtime.timeout_at(deadline, future).await.map_err(|_| TimeOver)
}

/// A limit that the clock can't represent is as good as a day.
fn after(start: Instant, limit: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    start.checked_add(limit).unwrap_or(start + DAY)
}
