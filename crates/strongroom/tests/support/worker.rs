//! Processes that work on a vault until they are killed, at moments that nobody chose.

use std::env;
use std::hash::{BuildHasher as _, RandomState};
use std::process::Command;
use std::time::{Duration, Instant};

use strongroom_testkit::child::{self, Child};

/// How often a process is killed in each test, if not as often as the test says.
const KILLS_WANTED: &str = "STRONGROOM_TEST_KILLS";
/// What a process does until it is killed.
const DEED: &str = "STRONGROOM_TEST_DEED";

/// Moments to kill at: anywhere in what the work takes when nobody is killed.
pub(crate) struct Moments {
    random: RandomState,
    longest: Duration,
    number: u32,
}

impl Moments {
    /// The middle one of three goes: one may be slow for other reasons.
    pub(crate) fn of(work: impl Fn() -> Duration) -> Self {
        let mut took = [work(), work(), work()];
        took.sort();
        Self { random: RandomState::new(), longest: took[1], number: 0 }
    }

    pub(crate) fn next(&mut self) -> Duration {
        self.number += 1;
        let thousandth = self.random.hash_one(self.number) % 1_000;
        self.longest * u32::try_from(thousandth).unwrap() / 1_000
    }
}

/// A process at work on the vault.
pub(crate) struct Worker(Child);

impl Worker {
    /// Starts this program by the command, to do this in its function `worker`, and lets it begin once it is
    /// ready.
    pub(crate) fn start(mut command: Command, deed: &str) -> Self {
        command.env(DEED, deed);
        child::enter(&mut command, "worker");
        let mut child = Child::start(command);
        assert_eq!(child.next(), "ready");
        child.tell("go");
        Self(child)
    }

    /// How long it takes until so much is done.
    pub(crate) fn times(self, deeds: usize) -> Duration {
        let started = Instant::now();
        for _ in 0..deeds {
            assert_eq!(self.0.next(), "done");
        }
        started.elapsed()
    }

    /// How much it said it had done before it was killed.
    pub(crate) fn killed_after(mut self, moment: Duration) -> usize {
        let (at, mut done) = (Instant::now() + moment, 0);
        while let Some(line) = self.0.next_within(at.saturating_duration_since(Instant::now())) {
            assert_eq!(line, "done");
            done += 1;
        }
        self.0.kill();
        done + self.0.rest().iter().filter(|line| *line == "done").count()
    }
}

/// What this process is to do.
pub(crate) fn deed() -> String {
    env::var(DEED).unwrap()
}

/// How often a process is killed.
pub(crate) fn kills(usual: usize) -> usize {
    env::var(KILLS_WANTED).map_or(usual, |kills| kills.parse().unwrap())
}

#[expect(clippy::print_stdout, reason = "for whoever asks by --nocapture")]
pub(crate) fn report(what: &str) {
    println!("{what}");
}
