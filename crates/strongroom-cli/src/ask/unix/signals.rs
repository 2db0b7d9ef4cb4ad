//! Signals while the terminal is hidden: each is noted, so that the terminal comes back before it takes effect.
//!
//! The commands run inside other programs, so a signal's disposition is left as it was found:
//!
//! - By default: a handler of ours is there as long as the question, and gone with it.
//! - A handler of the program: it stays, and is called as ever. For signals that end programs ours is chained to it, so
//!   that the question ends, too: the program is about to.
//! - Ignored: it stays ignored.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use rustix::io::ioctl_fionbio;
use rustix::process::{Signal, kill_current_process_group};
use signal_hook::SigId;
use signal_hook::low_level::{emulate_default_handler, pipe, raise, unregister};
use signals_receipts::{
    SemaphoreRef, SignalNumber, SignalReceipt, install_handler, uninstall_handler,
};

use crate::ask::Problem;

/// Signals that end a process by default and come from outside. Those of a fault in the program itself are not among them:
/// a handler that returns meets the fault again.
static ENDING: &[Handler] = &[
    Handler::of::<{ Signal::HUP.as_raw() }>(),
    Handler::of::<{ Signal::INT.as_raw() }>(),
    Handler::of::<{ Signal::QUIT.as_raw() }>(),
    Handler::of::<{ Signal::TERM.as_raw() }>(),
    Handler::of::<{ Signal::ABORT.as_raw() }>(),
    Handler::of::<{ Signal::ALARM.as_raw() }>(),
    Handler::of::<{ Signal::IO.as_raw() }>(),
    Handler::of::<{ Signal::PIPE.as_raw() }>(),
    Handler::of::<{ Signal::PROF.as_raw() }>(),
    Handler::of::<{ Signal::USR1.as_raw() }>(),
    Handler::of::<{ Signal::USR2.as_raw() }>(),
    Handler::of::<{ Signal::VTALARM.as_raw() }>(),
    Handler::of::<{ Signal::XCPU.as_raw() }>(),
    Handler::of::<{ Signal::XFSZ.as_raw() }>(),
    #[cfg(target_os = "linux")]
    Handler::of::<{ Signal::POWER.as_raw() }>(),
    #[cfg(target_os = "linux")]
    Handler::of::<{ Signal::STKFLT.as_raw() }>(),
];

/// Signals that stop a process by default.
static STOPPING: &[Handler] = &[
    Handler::of::<{ Signal::TSTP.as_raw() }>(),
    Handler::of::<{ Signal::TTIN.as_raw() }>(),
    Handler::of::<{ Signal::TTOU.as_raw() }>(),
];

static GOING_ON: Handler = Handler::of::<{ Signal::CONT.as_raw() }>();

/// Those by which a program is asked to end, which it may handle itself.
const REQUESTS: [Signal; 4] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM];

/// Those of the keyboard.
const KEYS: [Signal; 3] = [Signal::INT, Signal::QUIT, Signal::TSTP];

/// Whether nothing else in this process handles signals, for systems that don't tell.
static OWNS_PROCESS: AtomicBool = AtomicBool::new(false);

/// The numbers of signals that came, on their way out of a handler. It stays open: a handler of another thread may be
/// about to write into it.
static NOTED: OnceLock<[OwnedFd; 2]> = OnceLock::new();

/// Says that the process is the program of this crate, which handles no signals elsewhere.
pub(crate) fn own_process() {
    OWNS_PROCESS.store(true, Ordering::Relaxed);
}

/// A handler of ours for one signal.
struct Handler {
    signal: SignalNumber,
    install: fn(),
    uninstall: fn(),
}

impl Handler {
    const fn of<const SIGNAL: SignalNumber>() -> Self {
        Self {
            signal: SIGNAL,
            // A read in the background is not started again: it would meet the same signal for ever.
            install: || install_handler::<SIGNAL, Note>(true, !is_of_background(SIGNAL)),
            uninstall: uninstall_handler::<SIGNAL>,
        }
    }
}

const fn is_of_background(signal: SignalNumber) -> bool {
    signal == Signal::TTIN.as_raw() || signal == Signal::TTOU.as_raw()
}

/// The work of a handler: one write.
struct Note;

impl<const SIGNAL: SignalNumber> SignalReceipt<SIGNAL> for Note {
    type AtomicUInt = AtomicU8;

    fn counter() -> &'static AtomicU8 {
        static COUNT: AtomicU8 = AtomicU8::new(0);
        &COUNT
    }

    /// Called by the handler to wake somebody. The pipe does, which can be waited for together with the terminal.
    fn semaphore() -> Option<SemaphoreRef<'static>> {
        if let (Some([_, entrance]), Ok(number)) = (NOTED.get(), u8::try_from(SIGNAL)) {
            // A full pipe wakes as well.
            let _ = rustix::io::write(entrance, &[number]);
        }
        None
    }
}

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// The process ends by it.
    Ending(SignalNumber),
    /// The process stops by it.
    Stopping(SignalNumber),
    /// The process goes on after a stop that nobody could see coming.
    GoingOn,
    /// The program handled it.
    Handled,
}

/// The handlers of a question.
pub(super) struct Signals {
    exit: &'static OwnedFd,
    installed: Vec<&'static Handler>,
    chained: Vec<SigId>,
    keys_are_handled: bool,
}

impl Signals {
    /// Notes signals from here on.
    pub(super) fn watch() -> io::Result<Self> {
        let [exit, entrance] = noted()?;
        let dispositions = Dispositions::now();
        let mut signals =
            Self { exit, installed: Vec::new(), chained: Vec::new(), keys_are_handled: false };
        // Of an earlier question.
        signals.arrived();
        for handler in ENDING.iter().chain(STOPPING).chain([&GOING_ON]) {
            match dispositions.of(handler.signal) {
                Disposition::Default => {
                    (handler.install)();
                    signals.installed.push(handler);
                }
                Disposition::Caught if REQUESTS.iter().any(|it| it.as_raw() == handler.signal) => {
                    signals.chained.push(pipe::register(handler.signal, entrance.try_clone()?)?);
                }
                _ => {}
            }
        }
        signals.keys_are_handled = KEYS.iter().all(|signal| {
            matches!(dispositions.of(signal.as_raw()), Disposition::Default | Disposition::Ignored)
        });
        Ok(signals)
    }

    /// Whether the keys' signals find the terminal guarded. A handler of the program may end the process before the
    /// terminal is back, so then the keys must come as bytes.
    pub(super) fn keys_are_handled(&self) -> bool {
        self.keys_are_handled
    }

    /// Can be read once a signal came.
    pub(super) fn wake(&self) -> BorrowedFd<'_> {
        self.exit.as_fd()
    }

    /// The signals that came; of several, the one with the largest effect.
    pub(super) fn arrived(&self) -> Option<Arrived> {
        let mut numbers = [0; 256];
        let count = rustix::io::read(self.exit, &mut numbers).unwrap_or(0);
        let of = |handlers: &[Handler]| {
            let is_one = |number: &u8| handlers.iter().any(|it| it.signal == i32::from(*number));
            numbers[..count].iter().copied().find(is_one).map(i32::from)
        };
        match (of(ENDING), of(STOPPING)) {
            _ if count == 0 => None,
            (Some(signal), _) => Some(Arrived::Ending(signal)),
            (None, Some(signal)) => Some(Arrived::Stopping(signal)),
            (None, None) if numbers[..count].iter().any(|it| is_going_on(*it)) => {
                Some(Arrived::GoingOn)
            }
            // A chained handler writes no number.
            (None, None) => Some(Arrived::Handled),
        }
    }

    /// Takes the handlers away, and returns a signal that came too late for the question.
    pub(super) fn end(mut self) -> Option<Arrived> {
        self.remove();
        self.arrived()
    }

    fn remove(&mut self) {
        self.installed.drain(..).for_each(|handler| (handler.uninstall)());
        self.chained.drain(..).for_each(|id| _ = unregister(id));
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Arrived {
    /// Lets the signal have its effect, now that the terminal is back. Returns if the process goes on, and may ask again.
    pub(super) fn take_effect(self) -> Result<(), Problem> {
        match self {
            Self::Ending(signal) => Err(end_by(signal)),
            // To this thread: it must not go on before the process is stopped.
            Self::Stopping(signal) => raise(signal).map_err(Problem::Io),
            Self::GoingOn => Ok(()),
            Self::Handled => Err(Problem::Dismissed),
        }
    }
}

/// Does what the kernel does for a key: signals all processes in the foreground. Returns if the process goes on, and may
/// ask again.
pub(super) fn key_pressed(signal: SignalNumber, is_controlling: bool) -> Result<(), Problem> {
    let before = Dispositions::now().of(signal);
    if let (true, Some(signal)) = (is_controlling, Signal::from_named_raw(signal)) {
        kill_current_process_group(signal).map_err(|cause| Problem::Io(cause.into()))?;
    }
    match (before, signal == Signal::TSTP.as_raw()) {
        (Disposition::Default, true) => raise(signal).map_err(Problem::Io),
        (_, true) | (Disposition::Ignored, _) => Ok(()),
        (Disposition::Default, false) => Err(end_by(signal)),
        _ => Err(Problem::Dismissed),
    }
}

/// Ends the process by this signal, so that whoever waits for it sees that.
fn end_by(signal: SignalNumber) -> Problem {
    // By default again, as our handler is gone. The second does it even where this thread blocks the signal.
    let _ = raise(signal).and_then(|()| emulate_default_handler(signal));
    Problem::Dismissed
}

fn is_going_on(number: u8) -> bool {
    i32::from(number) == GOING_ON.signal
}

fn noted() -> io::Result<&'static [OwnedFd; 2]> {
    if let Some(pipe) = NOTED.get() {
        return Ok(pipe);
    }
    let (exit, entrance) = io::pipe()?;
    ioctl_fionbio(&exit, true)?;
    ioctl_fionbio(&entrance, true)?;
    Ok(NOTED.get_or_init(|| [exit.into(), entrance.into()]))
}

/// What a process does at a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disposition {
    Default,
    Ignored,
    Caught,
    Unknown,
}

/// What this process does at each signal, a bit for each from the lowest.
struct Dispositions(Option<[u64; 2]>);

impl Dispositions {
    /// The kernel knows. No function tells without changing it.
    #[cfg(target_os = "linux")]
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bits = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field))?;
            u64::from_str_radix(line.trim(), 16).ok()
        };
        Self(bits("SigIgn:").zip(bits("SigCgt:")).map(|(ignored, caught)| [ignored, caught]))
    }

    #[cfg(not(target_os = "linux"))]
    fn now() -> Self {
        Self(None)
    }

    fn of(&self, signal: SignalNumber) -> Disposition {
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
