//! The work and time that passphrases may cost in a single operation, for all key slots together.

use std::time::{Duration, Instant};

use strongroom_core::advice::Sentence;
use strongroom_core::{ErrorKind, Fault, SecretString};

use crate::aead::Key;
use crate::error::{Result, fault};
use crate::passphrase::{Cost, MAX_WORK, MIN_MEMORY_KIB, Memory};
use crate::speed;

/// The work for each second of the deadline, in KiB times passes: more than a single core does.
const WORK_PER_SECOND: u64 = 2 * 1024 * 1024;

/// The work of the cheapest slot that is ever calibrated, in KiB times passes. The first derivation of an
/// operation may cost this much on any machine and in any build: a short deadline must not lock the user out
/// of an honest file.
const FREE_WORK: u64 = 3 * MIN_MEMORY_KIB as u64;

/// The factor on an estimate of time. Estimates are made with little memory, and much memory is slower.
const MARGIN: f64 = 1.5;

/// The cost of the derivation that the speed is estimated by if there was none before: some milliseconds.
const SAMPLE: Cost = Cost { memory_kib: 8 * 1024, passes: 1, lanes: 1 };

/// The remaining work and time of a single operation.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: Duration,
    start: Instant,
    work: u64,
    is_untouched: bool,
}

/// The reason that a key was not derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// It would cost more work or time than is left.
    Work,
    /// There is not enough memory.
    Memory,
}

impl Budget {
    /// Creates the budget of an operation that begins now and has this deadline.
    pub(crate) fn new(limit: Duration) -> Self {
        let work = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) / 1000;
        let work = work.saturating_mul(WORK_PER_SECOND).max(MAX_WORK);
        Self { limit, start: Instant::now(), work, is_untouched: true }
    }

    /// Derives key material. The work is taken from the budget, and memory is held for a single slot at a
    /// time.
    pub(crate) fn derive(
        &mut self,
        cost: Cost,
        passphrase: &SecretString,
        salt: &[u8],
    ) -> Result<Result<Key, Skip>> {
        let is_free = self.is_untouched && cost.work() <= FREE_WORK;
        if !is_free && !self.fits(cost) {
            return Ok(Err(Skip::Work));
        }
        // The deadline includes the allocation: first access to memory can take longer than all passes over
        // it.
        let until = if is_free { None } else { self.start.checked_add(self.limit) };
        let memory = match Memory::new(cost, until) {
            Some(memory) => memory,
            None if until.is_some_and(|until| Instant::now() >= until) => {
                return Ok(Err(Skip::Work));
            }
            None => return Ok(Err(Skip::Memory)),
        };
        // The allocation has taken time.
        if !is_free && !self.fits(cost) {
            return Ok(Err(Skip::Work));
        }
        self.is_untouched = false;
        self.work = self.work.saturating_sub(cost.work());
        let start = Instant::now();
        let key = cost.derive_in(memory, passphrase, salt)?;
        speed::remember(cost.work(), start.elapsed());
        Ok(Ok(key))
    }

    /// Returns the error for skipped slots. `work` is the sum of their work.
    pub(crate) fn refused(&self, skip: Skip, slots: &str, work: u64) -> Fault {
        if skip == Skip::Memory {
            let message = format!("there is not enough memory to try the key slots {slots}");
            return fault(ErrorKind::Other, message).with_hint(
                "Use a key file, or a machine with more memory: a slot takes up to 1 GiB.",
            );
        }
        let (limit, seconds) = (self.limit, self.seconds_for(work));
        fault(
            ErrorKind::TimedOut,
            format!(
                "the file asks for more work than fits into {limit:?}: these key slots were not \
                 tried: {slots}"
            ),
        )
        .with_hint(
            "If that is right, allow more time, or use a key file. If you added no such slots, the \
             file was changed by somebody else: bring back a copy.",
        )
        .with_sentence(more_time(seconds))
    }

    /// Returns the error for a new slot that was not created.
    pub(crate) fn refused_new(&self, skip: Skip, cost: Option<Cost>) -> Fault {
        if skip == Skip::Memory {
            return fault(ErrorKind::Other, "there is not enough memory for a new passphrase")
                .with_hint("Use a key file.");
        }
        let (limit, seconds) = (self.limit, self.seconds_for(cost.map_or(0, Cost::work)));
        let message = format!("a new passphrase costs more work than fits into {limit:?}");
        fault(ErrorKind::TimedOut, message)
            .with_hint("Allow more time, or use a key file.")
            .with_sentence(more_time(seconds))
    }

    fn fits(&self, cost: Cost) -> bool {
        cost.work() <= self.work
            && self.start.elapsed() + estimate(cost.work()).mul_f64(MARGIN) <= self.limit
    }

    /// Returns a deadline in seconds that suffices for this much more work, even if it takes twice as long as
    /// estimated.
    fn seconds_for(&self, work: u64) -> u64 {
        let time = self.start.elapsed() + estimate(work).mul_f64(2.0 * MARGIN);
        let spent = self.limit.as_secs().saturating_mul(WORK_PER_SECOND).saturating_sub(self.work);
        time.as_secs().max(spent.saturating_add(work) / WORK_PER_SECOND) + 1
    }
}

/// Estimates the time that this much work takes, by the speed of the last derivation.
fn estimate(work: u64) -> Duration {
    let speed = speed::last().or_else(sampled_speed).unwrap_or(WORK_PER_SECOND);
    Duration::from_secs_f64(work as f64 / speed as f64)
}

/// Measures the speed with little memory, once in a process; `None` if there is not enough memory.
fn sampled_speed() -> Option<u64> {
    let memory = Memory::new(SAMPLE, None)?;
    let start = Instant::now();
    SAMPLE.derive_in(memory, &SecretString::from("sample"), &[0; 16]).ok()?;
    speed::remember(SAMPLE.work(), start.elapsed());
    speed::last()
}

fn more_time(seconds: u64) -> Sentence {
    Sentence::default().option(format!("--timeout {seconds}")).text(" allows more time.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u32 = 1024 * 1024;

    fn derive(budget: &mut Budget, memory_kib: u32, passes: u32) -> Result<Key, Skip> {
        let cost = Cost { memory_kib, passes, lanes: 1 };
        budget.derive(cost, &"passphrase".into(), &[0; 16]).unwrap()
    }

    #[test]
    fn what_does_not_fit_into_the_deadline_is_not_begun() {
        let mut budget = Budget::new(Duration::from_millis(200));
        let start = Instant::now();
        assert_eq!(derive(&mut budget, GIB, 4).unwrap_err(), Skip::Work);
        assert!(start.elapsed() < Duration::from_millis(200), "{:?}", start.elapsed());
        let error = budget.refused(Skip::Work, "0badc0de", u64::from(GIB) * 4);
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.problem().contains("more work than fits into 200ms"), "{error}");
        assert_eq!(error.advice().options().len(), 1, "{error:?}");
    }

    #[test]
    fn all_derivations_share_one_sum_of_work() {
        let mut budget = Budget::new(Duration::from_secs(1000));
        budget.work = 100 * 1024;
        assert!(derive(&mut budget, 64 * 1024, 1).is_ok());
        assert_eq!(derive(&mut budget, 64 * 1024, 1).unwrap_err(), Skip::Work);
        assert!(derive(&mut budget, 1024, 1).is_ok(), "what is left is enough for a small one");
    }

    #[test]
    fn the_cheapest_calibrated_slot_is_tried_once_whatever_the_deadline() {
        let mut budget = Budget::new(Duration::ZERO);
        assert!(derive(&mut budget, MIN_MEMORY_KIB, 3).is_ok());
        assert_eq!(derive(&mut budget, 1024, 1).unwrap_err(), Skip::Work);
        let mut budget = Budget::new(Duration::ZERO);
        assert_eq!(derive(&mut budget, MIN_MEMORY_KIB, 4).unwrap_err(), Skip::Work);
    }

    #[test]
    fn a_long_deadline_allows_every_slot_that_a_file_can_have() {
        let all = crate::MAX_SLOTS as u64 * MAX_WORK;
        let budget = Budget::new(Duration::ZERO);
        assert_eq!(budget.work, MAX_WORK);
        let seconds = budget.seconds_for(all);
        assert!(Budget::new(Duration::from_secs(seconds)).work >= all, "{seconds}");
    }
}
