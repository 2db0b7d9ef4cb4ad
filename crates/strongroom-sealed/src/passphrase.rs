//! The derivation of keys from passphrases: Argon2id, at a cost that is stored beside the salt.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use strongroom_core::{Error, ErrorKind, ExposeSecret, Operation, SecretString};
use zeroize::Zeroizing;

use crate::aead::Key;
use crate::error::{Result, fault};
use crate::speed;

/// The least memory for a new passphrase, in KiB: 64 MiB, as RFC 9106 recommends for memory-constrained
/// environments.
pub const MIN_MEMORY_KIB: u32 = 64 * 1024;

/// The most memory that calibration chooses, in KiB: a small machine must be able to open the file, too.
const MAX_CALIBRATED_MEMORY_KIB: u32 = 256 * 1024;

/// The range of passes that calibration chooses. RFC 9106 recommends 3; the upper bound is for fast machines.
const CALIBRATED_PASSES: std::ops::RangeInclusive<u32> = 3..=16;

/// The most memory that a file may ask for, in KiB: 1 GiB.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;

/// The most work that a slot may ask for, in KiB times passes: some seconds.
pub(crate) const MAX_WORK: u64 = 4 * MAX_MEMORY_KIB as u64;

/// The most lanes that a file may ask for. They are computed in sequence.
const MAX_LANES: u32 = 16;

/// The time that a single attempt should take.
const TARGET: Duration = Duration::from_millis(500);

/// The cost of a single attempt at a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

impl Cost {
    /// Creates a cost from the memory in KiB and the number of passes over it.
    ///
    /// # Errors
    ///
    /// `Invalid` for less than [`MIN_MEMORY_KIB`], for no pass, and for more than a reader accepts:
    /// 1 GiB, or 4 GiB in all passes together.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self, Error> {
        let cost = Self { memory_kib, passes, lanes: 1 };
        if memory_kib < MIN_MEMORY_KIB || !cost.is_bearable() {
            let message = format!(
                "a passphrase costs {MIN_MEMORY_KIB} to {MAX_MEMORY_KIB} KiB and at least one \
                 pass, and at most {MAX_WORK} KiB in all passes together"
            );
            return Err(fault(ErrorKind::Invalid, message).during(Operation::Set));
        }
        Ok(cost)
    }

    /// Measures this machine and returns a cost of about half a second, but at least 64 MiB of memory and 3
    /// passes.
    ///
    /// # Errors
    ///
    /// `Other` if there is not enough memory.
    pub fn calibrated() -> Result<Self, Error> {
        Self::calibrate().map_err(|fault| fault.during(Operation::Probe))
    }

    /// As [`calibrated`](Self::calibrated).
    pub(crate) fn calibrate() -> Result<Self> {
        let one_pass = Self { memory_kib: MIN_MEMORY_KIB, passes: 1, lanes: 1 };
        let start = Instant::now();
        let memory = Memory::new(one_pass, None).ok_or_else(|| {
            fault(ErrorKind::Other, "there is not enough memory for a passphrase")
        })?;
        let touched = Instant::now();
        one_pass.derive_in(memory, &SecretString::from("calibration"), &[0; 16])?;
        speed::remember(one_pass.work(), touched.elapsed());
        Ok(Self::lasting(TARGET, start.elapsed()))
    }

    /// Returns the work of a single attempt, in KiB times passes.
    pub(crate) const fn work(self) -> u64 {
        self.memory_kib as u64 * self.passes as u64
    }

    /// Returns whether a file may ask for this cost.
    pub(crate) const fn is_bearable(self) -> bool {
        let Self { memory_kib, passes, lanes } = self;
        memory_kib <= MAX_MEMORY_KIB
            && passes >= 1
            && self.work() <= MAX_WORK
            && lanes >= 1
            && lanes <= MAX_LANES
            && memory_kib >= 8 * lanes
    }

    /// Derives the key material from a passphrase and a salt.
    pub(crate) fn derive_in(
        self,
        mut memory: Memory,
        passphrase: &SecretString,
        salt: &[u8],
    ) -> Result<Key> {
        let params = self.params();
        let params =
            params.ok_or_else(|| fault(ErrorKind::Other, "the cost of a passphrase is invalid"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut outcome = Ok(());
        let key = Key::init_with_mut(|key| {
            let passphrase = passphrase.expose_secret().as_bytes();
            outcome = argon2.hash_password_into_with_memory(passphrase, salt, key, &mut *memory.0);
        });
        match outcome {
            Ok(()) => Ok(key),
            Err(_) => Err(fault(ErrorKind::Other, "the passphrase can't be used")),
        }
    }

    fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, None).ok()
    }

    /// Returns the cost that takes this long on a machine that needs `one_pass` for a pass over the least
    /// memory.
    fn lasting(target: Duration, one_pass: Duration) -> Self {
        let passes = target.as_secs_f64() / one_pass.as_secs_f64().max(1e-6);
        let (least, most) = CALIBRATED_PASSES.into_inner();
        let memory = f64::from(MIN_MEMORY_KIB) * passes / f64::from(least);
        let memory = memory.clamp(MIN_MEMORY_KIB.into(), MAX_CALIBRATED_MEMORY_KIB.into());
        let passes = passes * f64::from(MIN_MEMORY_KIB) / memory;
        Self {
            memory_kib: memory as u32 / 1024 * 1024,
            passes: (passes as u32).clamp(least, most),
            lanes: 1,
        }
    }
}

/// The memory of a derivation, wiped when dropped.
pub(crate) struct Memory(Zeroizing<Vec<Block>>);

impl Memory {
    /// The number of blocks of 1 KiB that are touched between two checks of the clock.
    const STEP: usize = 16 * 1024;

    /// Allocates the memory and touches all of it; `None` if there is not enough, or the deadline passes.
    pub(crate) fn new(cost: Cost, until: Option<Instant>) -> Option<Self> {
        let count = cost.params()?.block_count();
        let mut blocks = Zeroizing::new(Vec::new());
        blocks.try_reserve_exact(count).ok()?;
        while blocks.len() < count {
            if until.is_some_and(|until| Instant::now() >= until) {
                return None;
            }
            let touched = count.min(blocks.len() + Self::STEP);
            blocks.resize(touched, Block::new());
        }
        Some(Self(blocks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasting(one_pass_ms: u64) -> (u32, u32) {
        let cost = Cost::lasting(TARGET, Duration::from_millis(one_pass_ms));
        (cost.memory_kib / 1024, cost.passes)
    }

    #[test]
    fn a_slow_machine_gets_the_least_and_a_fast_one_more() {
        assert_eq!(lasting(5_000), (64, 3));
        assert_eq!(lasting(100), (106, 3));
        assert_eq!(lasting(40), (256, 3));
        assert_eq!(lasting(20), (256, 6));
        assert_eq!(lasting(0), (256, 16));
    }

    #[test]
    fn whatever_is_calibrated_can_be_read_again() {
        for one_pass_ms in [0, 1, 10, 50, 100, 1_000, 60_000] {
            let cost = Cost::lasting(TARGET, Duration::from_millis(one_pass_ms));
            assert!(cost.is_bearable() && cost.memory_kib >= MIN_MEMORY_KIB, "{cost:?}");
        }
    }

    #[test]
    fn a_weak_cost_and_a_hostile_one_are_refused() {
        assert!(Cost::new(MIN_MEMORY_KIB - 1, 3).is_err());
        assert!(Cost::new(MIN_MEMORY_KIB, 0).is_err());
        assert!(Cost::new(u32::MAX, 1).is_err());
        assert!(Cost::new(MAX_MEMORY_KIB, 5).is_err());
        assert!(!Cost { memory_kib: 64, passes: 1, lanes: u32::MAX / 8 }.is_bearable());
        assert!(!Cost { memory_kib: MAX_MEMORY_KIB, passes: u32::MAX, lanes: 1 }.is_bearable());
    }
}
