//! A program on a pseudo-terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::{PATIENCE, wait_until};

/// A program on a pseudo-terminal. Dropping it kills the program, also when a test fails.
///
/// # Panics
///
/// All functions panic if the system gives no terminal, or if the program does not start.
pub struct Terminal {
    keyboard: File,
    device: OwnedFd,
    written: Receiver<Vec<u8>>,
    program: Program,
}

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Terminal {
    /// Starts the command, which must be `setsid --ctty --wait PROGRAM`, so that the terminal becomes `/dev/tty`.
    /// With 0 columns the terminal does not know its size.
    pub fn start(mut command: Command, columns: u16) -> Self {
        // `CLOEXEC`: programs of concurrent tests must not hold the terminal open.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let controller = openpt(flags).expect("the system has terminals");
        grantpt(&controller).expect("it is ours");
        unlockpt(&controller).expect("it is ours");
        let name = ptsname(&controller, Vec::new()).expect("it has a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let device = rustix::fs::open(name, flags, Mode::empty()).expect("it is there");
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&device, size).expect("it takes a size");
        let [input, output, errors] =
            [(); 3].map(|()| device.try_clone().expect("few files are open"));
        let program = command.stdin(input).stdout(output).stderr(errors).spawn();
        let program = Program(program.expect("the program starts"));
        let keyboard = File::from(controller);
        // A program whose output is not read blocks when the terminal's buffer is full.
        let written = read_in_background(keyboard.try_clone().expect("few files are open"));
        Self { keyboard, device, written, program }
    }

    /// Returns the next output of the program. `None` if there is no output for this time.
    pub fn written(&self, patience: Duration) -> Option<Vec<u8>> {
        self.written.recv_timeout(patience).ok()
    }

    /// Sends keys to the program.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal is there");
    }

    /// Waits until the terminal does not echo input.
    #[track_caller]
    pub fn wait_until_hidden(&self) {
        wait_until("the terminal doesn't echo", PATIENCE, || {
            !self.modes().contains(LocalModes::ECHO)
        });
    }

    /// Returns the terminal's settings in the format of `stty -a`.
    pub fn settings(&self) -> String {
        let device = self.device.try_clone().expect("few files are open");
        let shown = Command::new("stty").arg("-a").stdin(device).output().expect("stty is there");
        String::from_utf8(shown.stdout).expect("stty writes text")
    }

    /// Kills the program, as in a crash.
    pub fn kill(mut self) {
        self.program.0.kill().expect("it runs");
        self.program.0.wait().expect("it is ours");
    }

    /// Waits for the end of the program, and checks that it restored the terminal. Returns the exit code and the output
    /// since the last [`written`](Self::written).
    #[track_caller]
    pub fn finish(self) -> (i32, Vec<u8>) {
        let (exit, rest) = self.end();
        (exit.expect("it ended by itself"), rest)
    }

    /// Waits as [`finish`](Self::finish) does. The exit code is `None` if the program ended by a signal.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, Vec<u8>) {
        // With a deadline: a program with a question that the test does not answer would wait for ever.
        wait_until("the program ends", PATIENCE, || {
            self.program.0.try_wait().expect("it is ours").is_some()
        });
        let status = self.program.0.wait().expect("it is ours");
        let modes = self.modes();
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON), "the terminal is as it was");
        // Closing the last descriptor hangs up the terminal, which ends the reader and so the output.
        drop(self.device);
        (status.code(), self.written.iter().flatten().collect())
    }

    fn modes(&self) -> LocalModes {
        tcgetattr(&self.device).expect("it is there").local_modes
    }
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
