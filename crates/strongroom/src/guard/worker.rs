//! A thread that runs jobs in sequence, for callers that wait until a deadline.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{process, thread};

use tracing::Dispatch;
use tracing::dispatcher::{get_default, has_been_set, with_default};

/// A handle to the thread, which starts with the first job and ends after the handle is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    thread_name: String,
    /// The process that owns the thread. A forked process has no such thread, and the lock in its memory may
    /// never be released.
    pid: u32,
    shared: Arc<Shared>,
}

/// The reason that a job gave no answer.
#[derive(Debug)]
pub(super) enum Missed {
    /// The process was forked from the process that has the thread. The job did not run and never will.
    Forked,
    /// No thread could be started for the job. It did not run and never will.
    NoThread(io::Error),
    /// The job was still in the queue at its deadline. It did not run and never will.
    NotStarted,
    /// The job panicked.
    Panicked,
    /// The job is running past its deadline. Its answer will be dropped.
    StillRunning,
}

type Job = Box<dyn FnOnce() + Send>;

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<(u64, Job)>,
    submitted: u64,
    /// `true` if the caller of the running job has given it up.
    is_overdue: bool,
    started: bool,
    closed: bool,
}

impl Worker {
    pub(super) fn new(thread_name: String) -> Self {
        let shared = Shared { queue: Mutex::default(), changed: Condvar::new() };
        Self { thread_name, pid: process::id(), shared: Arc::new(shared) }
    }

    /// Runs a job on the thread and waits for its answer, up to the limit. The events that the job logs go to
    /// the caller's subscriber.
    pub(super) fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Missed> {
        if self.is_forked() {
            return Err(Missed::Forked);
        }
        // A channel with room for the answer never blocks the thread if the caller has given up.
        let (sender, answer) = mpsc::sync_channel(1);
        // Setting any subscriber, even an empty default, would turn off feature `log` in programs without a
        // subscriber.
        let subscriber = has_been_set().then(|| get_default(Dispatch::clone));
        let job = Box::new(move || {
            let answer = match subscriber {
                Some(subscriber) => with_default(&subscriber, work),
                None => work(),
            };
            // The caller may have given up. Then the answer is dropped, and wiped, here.
            drop(sender.send(answer));
        });
        let ticket = self.submit(job).map_err(Missed::NoThread)?;
        match answer.recv_timeout(limit) {
            Ok(value) => Ok(value),
            Err(RecvTimeoutError::Disconnected) => Err(Missed::Panicked),
            Err(RecvTimeoutError::Timeout) if self.withdraw(ticket) => Err(Missed::NotStarted),
            Err(RecvTimeoutError::Timeout) => {
                // The job may have ended just now. Then the thread resets this before it takes the next job.
                self.shared.lock().is_overdue = true;
                self.shared.changed.notify_one();
                Err(Missed::StillRunning)
            }
        }
    }

    /// Returns whether a job runs past its deadline.
    pub(super) fn is_stuck(&self) -> bool {
        self.shared.lock().is_overdue
    }

    /// Runs a job without an answer after all queued jobs, unless the thread was never started.
    pub(super) fn finish_with(&self, work: impl FnOnce() + Send + 'static) {
        if self.is_forked() {
            // The job owns resources, such as a connection, that belong to the parent process, too.
            mem::forget(work);
        } else if self.shared.lock().started {
            drop(self.submit(Box::new(work)));
        }
    }

    fn is_forked(&self) -> bool {
        self.pid != process::id()
    }

    fn submit(&self, job: Job) -> io::Result<u64> {
        let mut queue = self.shared.lock();
        if !queue.started {
            // A store that is opened and never used costs no thread.
            let shared = Arc::clone(&self.shared);
            thread::Builder::new().name(self.thread_name.clone()).spawn(move || shared.serve())?;
            queue.started = true;
        }
        queue.submitted += 1;
        let ticket = queue.submitted;
        queue.jobs.push_back((ticket, job));
        self.shared.changed.notify_one();
        Ok(ticket)
    }

    /// Removes a job from the queue and returns whether it was still there. The queue's lock decides between
    /// this call and the thread, so that a job is either withdrawn or run.
    fn withdraw(&self, ticket: u64) -> bool {
        let mut queue = self.shared.lock();
        let place = queue.jobs.iter().position(|(other, _)| *other == ticket);
        let job = place.and_then(|place| queue.jobs.remove(place));
        // The job, and any value in it, is dropped without the lock.
        drop(queue);
        job.is_some()
    }
}

impl Drop for Worker {
    /// Lets the thread end when its jobs are done. It does not wait for the thread, which may be stuck.
    fn drop(&mut self) {
        if !self.is_forked() {
            self.shared.lock().closed = true;
            self.shared.changed.notify_one();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Jobs run without the lock, so a panic can't leave the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the jobs until the worker is closed. A job that panics drops its sender, which tells the caller.
    fn serve(&self) {
        while let Some(job) = self.next() {
            drop(catch_unwind(AssertUnwindSafe(job)));
        }
    }

    /// Waits for the next job. Returns `None` when there will be no more.
    fn next(&self) -> Option<Job> {
        let queue = self.lock();
        let waited = self.changed.wait_while(queue, |queue| {
            queue.is_overdue = false;
            queue.jobs.is_empty() && !queue.closed
        });
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        queue.jobs.pop_front().map(|(_, job)| job)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("jobs", &self.jobs.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::mpsc::Sender;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    /// Tells when it goes, in the place of a secret that wipes itself.
    struct Secret(Sender<&'static str>, &'static str);

    impl Drop for Secret {
        fn drop(&mut self) {
            // The test may have ended.
            let _ = self.0.send(self.1);
        }
    }

    #[test]
    #[cfg_attr(
        windows,
        allow(
            clippy::missing_const_for_thread_local,
            reason = "it is: https://github.com/rust-lang/rust-clippy/issues/17566"
        )
    )]
    fn the_thread_ends_after_its_jobs_when_the_handle_is_dropped() {
        thread_local! {
            static AT_THE_END: RefCell<Option<Secret>> = const { RefCell::new(None) };
        }
        let worker = Worker::new("strongroom-test".to_owned());
        let (gone, ended) = mpsc::channel();
        let last = gone.clone();
        worker
            .run(LONG, move || {
                AT_THE_END.set(Some(Secret(gone, "the thread")));
            })
            .expect("it is quick");
        worker.finish_with(move || drop(Secret(last, "the last job")));
        drop(worker);
        assert_eq!(ended.recv_timeout(LONG), Ok("the last job"));
        assert_eq!(ended.recv_timeout(LONG), Ok("the thread"));
    }

    #[test]
    fn what_nobody_waits_for_does_not_linger() {
        let worker = Worker::new("strongroom-test".to_owned());
        let (gone, wiped) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();

        let answer = Secret(gone.clone(), "the answer of a stuck job");
        let stuck = worker
            .run(Duration::from_secs(1), move || released.recv_timeout(LONG).map(|()| answer));
        assert!(matches!(stuck, Err(Missed::StillRunning)));

        let value = Secret(gone, "the value of a withdrawn job");
        let withdrawn = worker.run(Duration::ZERO, move || drop(value));
        assert!(matches!(withdrawn, Err(Missed::NotStarted)));
        assert_eq!(wiped.try_recv(), Ok("the value of a withdrawn job"));

        release.send(()).unwrap();
        assert_eq!(wiped.recv_timeout(LONG), Ok("the answer of a stuck job"));
    }
}
