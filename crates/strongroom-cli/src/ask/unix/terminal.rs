//! The terminal of the process, and the time in which it hides the input.

use std::env;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fcntl_getfl, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec, read, write};
use rustix::process::getpgrp;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, isatty,
    tcdrain, tcflush, tcgetattr, tcgetpgrp, tcsetattr,
};
use signals_receipts::util::mask_all_signals_of_current_thread;

use super::editor::Key;

/// The longest wait for a terminal that takes no output.
const OUTPUT: Duration = Duration::from_secs(2);

/// The sequences that turn the marks of pastes ("bracketed paste") on and off.
const BRACKETS_ON: &str = "\x1b[?2004h";
const BRACKETS_OFF: &str = "\x1b[?2004l";

/// The terminal that the process was started on.
pub(super) struct Terminal {
    input: OwnedFd,
    output: OwnedFd,
}

impl Terminal {
    /// Opens `/dev/tty`, or standard input if that is a terminal and `/dev/tty` can't be opened. Questions never go to
    /// standard output: its reader would take them for the result.
    pub(super) fn open() -> io::Result<Self> {
        // Not blocking, so that a terminal that takes no output can't hold up the process.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let cause = match open(path(), flags, Mode::empty()) {
            Ok(device) => {
                return Ok(Self { output: fcntl_dupfd_cloexec(&device, 0)?, input: device });
            }
            Err(cause) => cause,
        };
        let (stdin, stderr) = (rustix::stdio::stdin(), rustix::stdio::stderr());
        if !isatty(stdin) {
            return Err(cause.into());
        }
        let takes_output = fcntl_getfl(stdin)? & OFlags::RWMODE != OFlags::RDONLY;
        let output = if takes_output { stdin } else { stderr };
        Ok(Self { input: fcntl_dupfd_cloexec(stdin, 0)?, output: fcntl_dupfd_cloexec(output, 0)? })
    }

    /// Waits until the process is in the foreground. In the background, the kernel stops it here.
    pub(super) fn wait_for_foreground(&self) -> io::Result<()> {
        // `tcdrain` stops a background process before any modes are read: they would be outdated after the stop. A process
        // that catches or ignores the stop stays in the background, and must not ask.
        match tcdrain(&self.input) {
            Err(cause) if cause != Errno::INTR => Err(cause.into()),
            _ if self.is_in_foreground() => Ok(()),
            _ => Err(io::Error::other("the terminal is in use by another program")),
        }
    }

    /// Returns whether the terminal sends the signals of its keys to this process.
    pub(super) fn is_controlling(&self) -> bool {
        tcgetpgrp(&self.input).is_ok()
    }

    /// Returns whether the process is in the foreground. Only its controlling terminal has a background for it.
    fn is_in_foreground(&self) -> bool {
        tcgetpgrp(&self.input).map_or(true, |foreground| foreground == getpgrp())
    }

    /// Hides the input. With `keys_signal` the kernel turns keys into signals. Without it they come as bytes, and their
    /// signals are sent once the terminal is restored.
    pub(super) fn hide(&self, keys_signal: bool) -> io::Result<Hidden<'_>> {
        let before = tcgetattr(&self.input)?;
        // Not `Flush`, which drops the input so far: its rest may still be on its way, and would look typed.
        tcsetattr(&self.input, OptionalActions::Now, &hidden(&before, keys_signal))?;
        let ours = tcgetattr(&self.input)?.local_modes;
        // A terminal without control sequences would show them.
        let brackets = env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
        Ok(Hidden { terminal: self, before, ours, keys_signal, brackets })
    }

    /// Writes a text, within a limited time.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let end = Instant::now() + OUTPUT;
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match write(&self.output, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if Instant::now() < end => {
                    let patience = timespec(end.saturating_duration_since(Instant::now()));
                    let mut ready = [PollFd::new(&self.output, PollFlags::OUT)];
                    poll(&mut ready, Some(&patience)).or_else(not_interrupted)?;
                }
                Err(cause) => return Err(cause.into()),
            }
        }
        Ok(())
    }
}

#[cfg(not(target_vendor = "apple"))]
fn path() -> std::ffi::CString {
    c"/dev/tty".to_owned()
}

/// Returns the path of the terminal that `/dev/tty` stands for, since Apple's `poll` does not support `/dev/tty` itself.
#[cfg(target_vendor = "apple")]
fn path() -> std::ffi::CString {
    rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new())
        .unwrap_or_else(|_| c"/dev/tty".to_owned())
}

/// The result of a wait for input.
pub(super) enum Input {
    Bytes(usize),
    Nothing,
    Signal,
    HungUp,
}

/// The time in which the terminal hides the input. The earlier modes are restored when it is dropped, so on every way out
/// except for a process that is killed (`SIGKILL`) or crashes without unwinding. A process that is stopped (`SIGSTOP`)
/// leaves the terminal hidden until it goes on.
pub(super) struct Hidden<'a> {
    terminal: &'a Terminal,
    before: Termios,
    /// The local modes while the input is hidden, as the terminal has taken them.
    ours: LocalModes,
    keys_signal: bool,
    brackets: bool,
}

impl Hidden<'_> {
    /// Shows the question.
    pub(super) fn show(&self, question: &str) -> io::Result<()> {
        let brackets = if self.brackets { BRACKETS_ON } else { "" };
        self.write(&format!("{brackets}{question}"))
    }

    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        self.terminal.write(text)
    }

    /// Returns the keys with a meaning: those of the terminal's settings, and the usual codes.
    pub(super) fn keys(&self) -> Vec<(u8, Key)> {
        use SpecialCodeIndex as Code;
        use rustix::process::Signal;
        let mut keys = Vec::new();
        if !self.keys_signal {
            for (code, signal) in [
                (Code::VINTR, Signal::INT),
                (Code::VQUIT, Signal::QUIT),
                (Code::VSUSP, Signal::TSTP),
            ] {
                keys.push((self.before.special_codes[code], Key::Signal(signal)));
            }
        }
        for (code, key) in [
            (Code::VERASE, Key::Erase),
            (Code::VWERASE, Key::EraseWord),
            (Code::VKILL, Key::EraseAll),
            (Code::VEOF, Key::End),
        ] {
            keys.push((self.before.special_codes[code], key));
        }
        // Code 0 means that there is no such key. A printable code, as on old teletypes, is text here.
        keys.retain(|(code, _)| *code != 0 && code.is_ascii_control());
        let usual = [(0x08, Key::Erase), (0x7f, Key::Erase), (0x17, Key::EraseWord)];
        keys.extend(usual);
        keys.extend([(0x15, Key::EraseAll), (0x04, Key::End)]);
        keys
    }

    /// Waits for input, or until `wake` can be read, and reads the input that is there.
    pub(super) fn read(
        &self,
        buffer: &mut [u8],
        patience: Option<Duration>,
        wake: Option<BorrowedFd<'_>>,
    ) -> io::Result<Input> {
        let terminal = self.terminal.input.as_fd();
        loop {
            let mut ready = vec![PollFd::new(&terminal, PollFlags::IN)];
            ready.extend(wake.iter().map(|wake| PollFd::new(wake, PollFlags::IN)));
            match poll(&mut ready, patience.map(timespec).as_ref()) {
                Ok(0) => return Ok(Input::Nothing),
                Err(Errno::INTR) => continue,
                polled => polled?,
            };
            if ready.get(1).is_some_and(|wake| !wake.revents().is_empty()) {
                return Ok(Input::Signal);
            }
            // The system can't wait for this terminal, as Apple's `poll` for `/dev/tty`.
            if ready[0].revents().contains(PollFlags::NVAL) {
                return Err(io::ErrorKind::Unsupported.into());
            }
            match read(terminal, &mut *buffer) {
                // A terminal that has hung up is at its end, or gives `EIO`.
                Ok(0) | Err(Errno::IO) => return Ok(Input::HungUp),
                Ok(count) => return Ok(Input::Bytes(count)),
                // Another process took the input, or a signal came.
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(cause) => return Err(cause.into()),
            }
        }
    }

    pub(super) fn is_controlling(&self) -> bool {
        self.terminal.is_controlling()
    }

    /// Returns whether the kernel turns keys into signals.
    pub(super) fn keys_signal(&self) -> bool {
        self.keys_signal
    }

    /// Restores the modes, and drops input that is not read yet.
    ///
    /// A shell may have taken the terminal already: if a signal goes to several processes, the shell goes on once the
    /// first has ended or stopped. Some shells keep the modes that they find then. Other shells set their own, which must
    /// not be touched.
    fn restore(&self) -> io::Result<()> {
        let terminal = &self.terminal.input;
        if tcgetattr(terminal)?.local_modes != self.ours {
            return Ok(());
        }
        let brackets = if self.brackets { BRACKETS_OFF } else { "" };
        // The Enter was not echoed, so the next output needs a new line.
        let shown = self.write(&format!("{brackets}\n"));
        tcsetattr(terminal, OptionalActions::Flush, &self.before)?;
        tcflush(terminal, QueueSelector::IFlush)?;
        shown
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // The kernel lets a thread that blocks SIGTTOU change the modes from the background, too. The mask ends with the
        // thread, so that of the caller stays as it is.
        let restored = thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, || {
                mask_all_signals_of_current_thread();
                self.restore()
            });
            thread.map(|thread| thread.join())
        });
        if restored.is_err() {
            // No thread could be started, so it is tried here. A terminal that is gone needs nothing.
            let _ = self.restore();
        }
    }
}

fn hidden(before: &Termios, keys_signal: bool) -> Termios {
    let mut modes = before.clone();
    modes.local_modes -=
        LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::IEXTEN;
    modes.local_modes.set(LocalModes::ISIG, keys_signal);
    // A signal's key must not drop the beginning of a paste: the rest would look typed.
    modes.local_modes |= LocalModes::NOFLSH;
    // The bytes must come unchanged: the editor tells a carriage return from a newline.
    modes.input_modes -= InputModes::ICRNL
        | InputModes::IGNCR
        | InputModes::INLCR
        | InputModes::ISTRIP
        | InputModes::IXON
        | InputModes::PARMRK;
    #[cfg(target_os = "linux")]
    {
        modes.input_modes -= InputModes::IUCLC;
    }
    // A read returns at least a byte. If it could return none, a shell that is left with these modes would take that for
    // the end of its input.
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    modes
}

fn timespec(duration: Duration) -> Timespec {
    Timespec::try_from(duration).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
}

/// Turns the interruption of a wait into a wait without events.
pub(super) fn not_interrupted(cause: Errno) -> io::Result<usize> {
    if cause == Errno::INTR { Ok(0) } else { Err(cause.into()) }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// A terminal, and the other side of it.
    fn terminal() -> (Terminal, OwnedFd) {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
        let device = open(ptsname(&controller, Vec::new()).unwrap(), flags, Mode::empty()).unwrap();
        (Terminal { output: fcntl_dupfd_cloexec(&device, 0).unwrap(), input: device }, controller)
    }

    fn modes(terminal: &Terminal) -> [u32; 2] {
        let modes = tcgetattr(&terminal.input).unwrap();
        [modes.local_modes.bits(), modes.input_modes.bits()]
    }

    #[test]
    fn a_panic_gives_the_terminal_back() {
        let (terminal, _controller) = terminal();
        let before = modes(&terminal);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _hidden = terminal.hide(false).unwrap();
            assert_eq!(modes(&terminal), before, "it is hidden, so this panics");
        }));
        assert!(panicked.is_err());
        assert_eq!(modes(&terminal), before);
    }

    #[test]
    fn modes_that_another_program_has_set_meanwhile_stay() {
        let (terminal, _controller) = terminal();
        let hidden = terminal.hide(false).unwrap();
        let mut theirs = tcgetattr(&terminal.input).unwrap();
        theirs.local_modes |= LocalModes::ECHO;
        tcsetattr(&terminal.input, OptionalActions::Now, &theirs).unwrap();
        let theirs = modes(&terminal);
        drop(hidden);
        assert_eq!(modes(&terminal), theirs);
    }
}
