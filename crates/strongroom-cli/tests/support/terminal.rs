//! The program on a terminal of its own.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use strongroom_testkit::{PATIENCE, wait_until};

use super::PROGRAM;

/// The program on a terminal of its own.
pub(crate) struct Terminal {
    keyboard: File,
    device: OwnedFd,
    shown: Receiver<Vec<u8>>,
    seen: String,
    /// What has been seen and waited for.
    earlier: String,
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
    pub(crate) fn start(command: Command, arguments: &[&str]) -> Self {
        Self::start_sized(command, arguments, 0)
    }

    /// With this many columns; none is a terminal that doesn't know its size.
    pub(crate) fn start_sized(mut command: Command, arguments: &[&str], columns: u16) -> Self {
        command.args(["--ctty", "--wait", PROGRAM]).args(arguments);
        Self::of(command, columns)
    }

    /// Of whatever this starts, which is `setsid --ctty`: it makes the terminal the one that `/dev/tty` is.
    pub(crate) fn of(mut command: Command, columns: u16) -> Self {
        // The programs of tests beside this one must not hold the terminal open.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let controller = openpt(flags).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let device = rustix::fs::open(name, flags, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&device, size).unwrap();
        let side = || device.try_clone().unwrap();
        let program = command.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
        let program = Program(program);
        let keyboard = File::from(controller);
        let shown = read_in_background(keyboard.try_clone().unwrap());
        Self { keyboard, device, shown, seen: String::new(), earlier: String::new(), program }
    }

    /// Waits until the terminal shows this.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let chunk = self.shown.recv_timeout(PATIENCE);
            let chunk = chunk.unwrap_or_else(|_| panic!("no \"{text}\" in {:?}", self.seen));
            self.seen += &String::from_utf8_lossy(&chunk);
        }
    }

    /// The same, in what it has shown since the last time.
    #[track_caller]
    pub(crate) fn wait_for_next(&mut self, text: &str) {
        self.wait_for(text);
        let end = self.seen.find(text).unwrap() + text.len();
        self.earlier.extend(self.seen.drain(..end));
    }

    /// Waits until what is typed is not shown any more, and types.
    #[track_caller]
    pub(crate) fn type_hidden(&mut self, text: &str) {
        wait_until("the terminal doesn't echo", PATIENCE, || {
            !tcgetattr(&self.device).unwrap().local_modes.contains(LocalModes::ECHO)
        });
        self.type_line(text);
    }

    pub(crate) fn type_line(&mut self, text: &str) {
        self.keyboard.write_all(format!("{text}\r").as_bytes()).unwrap();
    }

    /// All that the terminal showed until the program ended, and its exit code.
    #[track_caller]
    pub(crate) fn finish(self) -> (String, i32) {
        let Self { device, shown, seen, earlier, mut program, keyboard } = self;
        let mut seen = earlier + &seen;
        // One that asks what the test does not answer would wait for ever.
        wait_until("the program ends", PATIENCE, || program.0.try_wait().unwrap().is_some());
        let exit = program.0.wait().unwrap().code().unwrap();
        let echoes = tcgetattr(&device).unwrap().local_modes.contains(LocalModes::ECHO);
        assert!(echoes, "the terminal is left as it was");
        // With its last user the terminal hangs up, which ends the reader.
        drop(device);
        for chunk in shown {
            seen += &String::from_utf8_lossy(&chunk);
        }
        drop(keyboard);
        (seen, exit)
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
