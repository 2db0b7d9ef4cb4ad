//! Signals while the terminal is hidden: each is noted, so that the terminal is restored before it takes effect.
//!
//! The commands run inside other programs, so a signal's disposition is left as it was found:
//!
//! - Default: a handler of this module is installed while the question is open, and then removed.
//! - A handler of the program: it stays, and is called as ever. For signals that ask a program to end, the module's handler
//!   is chained to it, so that the question ends as well.
//! - Ignored: it stays ignored.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::AtomicU8;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Signal, kill_current_process_group};
use signal_hook::SigId;
use signal_hook::low_level::{emulate_default_handler, pipe, raise, unregister};
use signals_receipts::{
    SemaphoreRef, SignalNumber, SignalReceipt, install_handler, uninstall_handler,
};

use super::dispositions::{Disposition, Dispositions};
use super::terminal::not_interrupted;
use crate::ask::problem::Problem;

/// Signals that end a process by default and come from outside. The signals of a fault in the program itself are not among
/// them: after a handler that returns, the fault happens again.
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

/// The signals that ask a program to end, which it may handle itself.
const REQUESTS: [Signal; 4] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM];

/// The longest time until a signal that this process sends to itself arrives.
const ARRIVAL: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The pipe that carries the numbers of signals out of the handlers. It stays open, since a handler in another thread may
/// be about to write into it.
static NOTED: OnceLock<[OwnedFd; 2]> = OnceLock::new();

/// A handler of this module for a single signal.
struct Handler {
    signal: SignalNumber,
    install: fn(),
    uninstall: fn(),
}

impl Handler {
    const fn of<const SIGNAL: SignalNumber>() -> Self {
        Self {
            signal: SIGNAL,
            // A read in the background is not restarted: it would meet the same signal for ever.
            install: || install_handler::<SIGNAL, Note>(true, !is_of_background(SIGNAL)),
            uninstall: uninstall_handler::<SIGNAL>,
        }
    }
}

const fn is_of_background(signal: SignalNumber) -> bool {
    signal == Signal::TTIN.as_raw() || signal == Signal::TTOU.as_raw()
}

/// The work of a handler: a single write.
struct Note;

impl<const SIGNAL: SignalNumber> SignalReceipt<SIGNAL> for Note {
    // The crate counts signals here. The count is not used: the numbers in the pipe tell more.
    type AtomicUInt = AtomicU8;

    fn counter() -> &'static AtomicU8 {
        static COUNT: AtomicU8 = AtomicU8::new(0);
        &COUNT
    }

    /// Writes the signal's number into the pipe. The handler calls this for a semaphore that wakes a thread; a pipe wakes
    /// it as well, and can be waited for together with the terminal.
    fn semaphore() -> Option<SemaphoreRef<'static>> {
        if let (Some([_, entrance]), Ok(number)) = (NOTED.get(), u8::try_from(SIGNAL)) {
            // A full pipe wakes as well.
            let _ = rustix::io::write(entrance, &[number]);
        }
        None
    }
}

/// The effect of a signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// The process ends by it.
    Ending(SignalNumber),
    /// The process stops by it.
    Stopping(SignalNumber),
    /// The process goes on after `SIGSTOP`, which can't be caught.
    GoingOn,
    /// The program handled it.
    Handled,
}

/// The handlers that are installed for a question.
pub(super) struct Signals {
    exit: &'static OwnedFd,
    installed: Vec<&'static Handler>,
    chained: Vec<SigId>,
}

impl Signals {
    /// Installs the handlers: signals are noted from here on.
    pub(super) fn watch() -> io::Result<Self> {
        let [exit, entrance] = noted()?;
        let dispositions = Dispositions::now();
        let mut signals = Self { exit, installed: Vec::new(), chained: Vec::new() };
        // Numbers that are left from an earlier question are dropped.
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
                // Other handlers of the program are none of our business, nor signals that are ignored.
                _ => {}
            }
        }
        Ok(signals)
    }

    /// Returns a descriptor that can be read once a signal came.
    pub(super) fn wake(&self) -> BorrowedFd<'_> {
        self.exit.as_fd()
    }

    /// Returns the signal that came, or that with the largest effect of several.
    pub(super) fn arrived(&self) -> Option<Arrived> {
        let mut numbers = [0; 256];
        let count = rustix::io::read(self.exit, &mut numbers).unwrap_or(0);
        let numbers = &numbers[..count];
        match (first_of(ENDING, numbers), first_of(STOPPING, numbers)) {
            _ if count == 0 => None,
            (Some(signal), _) => Some(Arrived::Ending(signal)),
            (None, Some(signal)) => Some(Arrived::Stopping(signal)),
            (None, None) if numbers.iter().any(|it| is_going_on(*it)) => Some(Arrived::GoingOn),
            // A chained handler writes no number.
            (None, None) => Some(Arrived::Handled),
        }
    }

    /// Sends a key's signal, once the terminal is restored. Returns the effect that this process has to bring about.
    pub(super) fn press(
        &self,
        signal: Signal,
        is_controlling: bool,
    ) -> io::Result<Option<Arrived>> {
        send(signal, is_controlling)?;
        // The signal may be delivered to another thread. It never arrives if the program handles it itself, so the wait
        // has a limit.
        let mut noted = [PollFd::new(self.exit, PollFlags::IN)];
        poll(&mut noted, Some(&ARRIVAL)).or_else(not_interrupted)?;
        Ok(self.arrived())
    }

    /// Removes the handlers, and returns a signal that came too late for the question.
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
    /// Lets the signal take effect, once the terminal is restored. Returns `Ok` if the process goes on and may ask again.
    pub(super) fn take_effect(self) -> Result<(), Problem> {
        match self {
            Self::Ending(signal) => Err(end_by(signal)),
            // Sent to this thread, which must not go on before the process is stopped.
            Self::Stopping(signal) => raise(signal).map_err(Problem::Io),
            Self::GoingOn => Ok(()),
            Self::Handled => Err(Problem::Dismissed),
        }
    }
}

/// Sends a key's signal as the kernel does, to all processes in the foreground. Any other terminal than the controlling
/// terminal signals this process alone.
pub(super) fn send(signal: Signal, is_controlling: bool) -> io::Result<()> {
    if is_controlling { Ok(kill_current_process_group(signal)?) } else { raise(signal.as_raw()) }
}

/// Returns whether this process ignores a signal.
pub(super) fn is_ignored(signal: Signal) -> bool {
    Dispositions::now().of(signal.as_raw()) == Disposition::Ignored
}

/// Ends the process by this signal, which its parent then sees.
fn end_by(signal: SignalNumber) -> Problem {
    // The handler is removed, so the signal has its default effect. The second call ends the process even if this thread
    // blocks the signal.
    let _ = raise(signal).and_then(|()| emulate_default_handler(signal));
    Problem::Dismissed
}

/// Returns the first signal that one of these handlers wrote.
fn first_of(handlers: &[Handler], numbers: &[u8]) -> Option<i32> {
    let mut signals = numbers.iter().copied().map(i32::from);
    signals.find(|signal| handlers.iter().any(|handler| handler.signal == *signal))
}

fn is_going_on(number: u8) -> bool {
    i32::from(number) == GOING_ON.signal
}

fn noted() -> io::Result<&'static [OwnedFd; 2]> {
    if let Some(pipe) = NOTED.get() {
        return Ok(pipe);
    }
    let (exit, entrance) = io::pipe()?;
    // A handler must not wait for a full pipe, nor a question for an empty pipe.
    ioctl_fionbio(&exit, true)?;
    ioctl_fionbio(&entrance, true)?;
    Ok(NOTED.get_or_init(|| [exit.into(), entrance.into()]))
}
