//! The dispositions of this process's signals, as the kernel knows them.

use std::sync::atomic::{AtomicBool, Ordering};

use signals_receipts::SignalNumber;

/// Set if nothing else in this process handles signals, for systems that don't tell.
static OWNS_PROCESS: AtomicBool = AtomicBool::new(false);

/// Notes that the process is the program of this crate, which has no other handlers of signals.
pub(crate) fn assume_sole_handler() {
    OWNS_PROCESS.store(true, Ordering::Relaxed);
}

/// A signal's disposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    Default,
    Ignored,
    Caught,
    Unknown,
}

/// The masks of ignored and caught signals, with a bit for each signal from the lowest; `None` if the system doesn't tell.
pub(super) struct Dispositions(Option<[u64; 2]>);

impl Dispositions {
    /// Reads the dispositions from the kernel, since no safe function tells them without changing them.
    #[cfg(target_os = "linux")]
    pub(super) fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let masks = mask(&status, "SigIgn:").zip(mask(&status, "SigCgt:"));
        Self(masks.map(|(ignored, caught)| [ignored, caught]))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn now() -> Self {
        Self(None)
    }

    pub(super) fn of(&self, signal: SignalNumber) -> Disposition {
        match self.0 {
            Some([ignored, _]) if is_in(ignored, signal) => Disposition::Ignored,
            Some([_, caught]) if is_in(caught, signal) => Disposition::Caught,
            Some(_) => Disposition::Default,
            None if OWNS_PROCESS.load(Ordering::Relaxed) => Disposition::Default,
            None => Disposition::Unknown,
        }
    }
}

/// Returns the mask of this name in the status of a process.
#[cfg(target_os = "linux")]
fn mask(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

const fn is_in(mask: u64, signal: SignalNumber) -> bool {
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_masks_are_read_from_the_lowest_bit() {
        let dispositions = Dispositions(Some([0b1, 0b10]));
        assert_eq!(
            [1, 2, 3].map(|signal| dispositions.of(signal)),
            [Disposition::Ignored, Disposition::Caught, Disposition::Default]
        );
    }
}
