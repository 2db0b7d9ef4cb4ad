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

/// The longest time until a signal that this process sends to itself arrives.
const ARRIVAL: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The numbers of signals that came, on their way out of a handler. It stays open: a handler of another thread may be
/// about to write into it.
static NOTED: OnceLock<[OwnedFd; 2]> = OnceLock::new();

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

    /// Called by the handler, to wake a thread. The pipe does that, and can be waited for together with the terminal.
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
    /// The process goes on after `SIGSTOP`, which can't be caught.
    GoingOn,
    /// The program handled it.
    Handled,
}

/// The handlers of a question.
pub(super) struct Signals {
    exit: &'static OwnedFd,
    installed: Vec<&'static Handler>,
    chained: Vec<SigId>,
}

impl Signals {
    /// Notes signals from here on.
    pub(super) fn watch() -> io::Result<Self> {
        let [exit, entrance] = noted()?;
        let dispositions = Dispositions::now();
        let mut signals = Self { exit, installed: Vec::new(), chained: Vec::new() };
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
        Ok(signals)
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

    /// Sends a key's signal, now that the terminal is back. Returns what this process has to do about it.
    pub(super) fn press(
        &self,
        signal: Signal,
        is_controlling: bool,
    ) -> io::Result<Option<Arrived>> {
        send(signal, is_controlling)?;
        // It may come by another thread, and nothing comes of one that is the program's own affair.
        let mut noted = [PollFd::new(self.exit, PollFlags::IN)];
        poll(&mut noted, Some(&ARRIVAL)).or_else(not_interrupted)?;
        Ok(self.arrived())
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

/// Sends a key's signal as the kernel does, to all processes in the foreground. A terminal that is not the controlling one
/// signals this process alone.
pub(super) fn send(signal: Signal, is_controlling: bool) -> io::Result<()> {
    if is_controlling { Ok(kill_current_process_group(signal)?) } else { raise(signal.as_raw()) }
}

/// Returns whether this process ignores a signal.
pub(super) fn is_ignored(signal: Signal) -> bool {
    Dispositions::now().of(signal.as_raw()) == Disposition::Ignored
}

/// Ends the process by this signal, which its parent then sees.
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
