//! The tracker on a terminal of its own.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use strongroom_testkit::{PATIENCE, wait_until};

use super::{KEY, PROGRAM};

const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(100).unwrap();

/// The tracker on a terminal of its own.
pub(crate) struct Terminal {
    keyboard: File,
    device: OwnedFd,
    written: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    program: Program,
}

/// It ends with its terminal, also where a test fails.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Terminal {
    /// Starts the tracker, given a command that is `setsid`: it makes the terminal the one that `/dev/tty` is.
    pub(crate) fn start(mut setsid: Command, url: &str) -> Self {
        // The programs of tests beside this one must not hold the terminal open.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let controller = openpt(flags).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let device = rustix::fs::open(name, flags, Mode::empty()).unwrap();
        let size =
            Winsize { ws_row: ROWS.get(), ws_col: COLUMNS.get(), ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&device, size).unwrap();
        let side = || device.try_clone().unwrap();
        setsid.args(["--ctty", "--wait", PROGRAM, "--url", url]);
        let program = Program(setsid.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap());
        let keyboard = File::from(controller);
        let written = read_in_background(keyboard.try_clone().unwrap());
        let screen = vt100::Parser::new(ROWS, COLUMNS, 0);
        Self { keyboard, device, written, screen, program }
    }

    /// Waits until the screen shows this.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.shown().contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            match self.written.recv_timeout(left) {
                Ok(bytes) => self.show(&bytes),
                Err(_) => panic!("no \"{text}\" on:\n{}", self.shown()),
            }
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until what is typed is not shown any more, and types.
    #[track_caller]
    pub(crate) fn type_hidden(&mut self, text: &str) {
        wait_until("the terminal doesn't echo", PATIENCE, || {
            !tcgetattr(&self.device).unwrap().local_modes.contains(LocalModes::ECHO)
        });
        self.press(&format!("{text}\r"));
    }

    /// Kills it, as a crash does.
    pub(crate) fn kill(mut self) {
        self.program.0.kill().unwrap();
        self.program.0.wait().unwrap();
    }

    /// Waits for its end, which leaves the terminal as it was, and returns the exit code and what is shown.
    #[track_caller]
    pub(crate) fn finish(mut self) -> (i32, String) {
        wait_until("the tracker ends", PATIENCE, || self.program.0.try_wait().unwrap().is_some());
        let exit = self.program.0.wait().unwrap().code().unwrap();
        let modes = tcgetattr(&self.device).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON), "it takes lines again");
        // With its last user the terminal hangs up, which ends the reader.
        drop(self.device);
        for bytes in self.written.iter().collect::<Vec<_>>() {
            show(&mut self.screen, &bytes);
        }
        assert!(!self.screen.screen().alternate_screen(), "the screen is what it was");
        (exit, self.screen.screen().contents())
    }

    fn shown(&self) -> String {
        self.screen.screen().contents()
    }

    #[track_caller]
    fn show(&mut self, bytes: &[u8]) {
        show(&mut self.screen, bytes);
    }
}

/// What is written appears, and the key must never.
#[track_caller]
fn show(screen: &mut vt100::Parser, bytes: &[u8]) {
    screen.process(bytes);
    assert!(!screen.screen().contents().contains(KEY), "the key is on the screen");
}

fn read_in_background(mut terminal: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = terminal.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}
