//! The tracker on a terminal of its own.

use std::num::NonZero;
use std::process::Command;
use std::time::Instant;

use strongroom_testkit::PATIENCE;

use super::{KEY, PROGRAM};

/// As the test kit's terminals have.
const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(100).unwrap();

/// The tracker on a terminal of its own.
pub(crate) struct Terminal {
    terminal: strongroom_testkit::Terminal,
    screen: vt100::Parser,
}

impl Terminal {
    /// Starts the tracker, given a command that is `setsid`.
    pub(crate) fn start(mut setsid: Command, url: &str) -> Self {
        setsid.args(["--ctty", "--wait", PROGRAM, "--url", url]);
        let terminal = strongroom_testkit::Terminal::start(setsid, COLUMNS.get());
        Self { terminal, screen: vt100::Parser::new(ROWS, COLUMNS, 0) }
    }

    /// Waits until the screen shows this.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.screen.screen().contents().contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            match self.terminal.written(left) {
                Some(bytes) => show(&mut self.screen, &bytes),
                None => panic!("no \"{text}\" on:\n{}", self.screen.screen().contents()),
            }
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.terminal.press(keys);
    }

    /// Waits until what is typed is not shown any more, and types.
    #[track_caller]
    pub(crate) fn type_hidden(&mut self, text: &str) {
        self.terminal.wait_until_hidden();
        self.press(&format!("{text}\r"));
    }

    /// Kills it, as a crash does.
    pub(crate) fn kill(self) {
        self.terminal.kill();
    }

    /// Waits for its end, which leaves the terminal as it was, and returns the exit code and what is shown.
    #[track_caller]
    pub(crate) fn finish(mut self) -> (i32, String) {
        let (exit, rest) = self.terminal.finish();
        show(&mut self.screen, &rest);
        assert!(!self.screen.screen().alternate_screen(), "the screen is what it was");
        (exit, self.screen.screen().contents())
    }
}

/// What is written appears, and the key must never.
#[track_caller]
fn show(screen: &mut vt100::Parser, bytes: &[u8]) {
    screen.process(bytes);
    assert!(!screen.screen().contents().contains(KEY), "the key is on the screen");
}
