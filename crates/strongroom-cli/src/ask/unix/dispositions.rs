//! The dispositions of this process's signals, as the kernel knows them.

use std::sync::atomic::{AtomicBool, Ordering};

use signals_receipts::SignalNumber;

/// Set if nothing else in this process handles signals, for systems that don't tell.
static OWNS_PROCESS: AtomicBool = AtomicBool::new(false);

/// Notes that the process is the program of this crate, which has no other handlers of signals.
pub(crate) fn own_process() {
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
        let bits = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field))?;
            u64::from_str_radix(line.trim(), 16).ok()
        };
        Self(bits("SigIgn:").zip(bits("SigCgt:")).map(|(ignored, caught)| [ignored, caught]))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn now() -> Self {
        Self(None)
    }

    pub(super) fn of(&self, signal: SignalNumber) -> Disposition {
        let is_in = |bits: u64| bits >> (signal - 1) & 1 == 1;
        match self.0 {
            Some([ignored, _]) if is_in(ignored) => Disposition::Ignored,
            Some([_, caught]) if is_in(caught) => Disposition::Caught,
            Some(_) => Disposition::Default,
            None if OWNS_PROCESS.load(Ordering::Relaxed) => Disposition::Default,
            None => Disposition::Unknown,
        }
    }
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
