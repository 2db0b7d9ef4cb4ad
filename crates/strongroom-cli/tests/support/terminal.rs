//! The program on a terminal of its own.

use std::process::Command;

use strongroom_testkit::PATIENCE;

use super::PROGRAM;

/// The program on a terminal of its own.
pub(crate) struct Terminal {
    terminal: strongroom_testkit::Terminal,
    seen: String,
    /// What has been seen and waited for.
    earlier: String,
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

    /// Of whatever this starts, which is `setsid --ctty`.
    pub(crate) fn of(command: Command, columns: u16) -> Self {
        let terminal = strongroom_testkit::Terminal::start(command, columns);
        Self { terminal, seen: String::new(), earlier: String::new() }
    }

    /// Waits until the terminal shows this.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let chunk = self.terminal.written(PATIENCE);
            let chunk = chunk.unwrap_or_else(|| panic!("no \"{text}\" in {:?}", self.seen));
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
        self.terminal.wait_until_hidden();
        self.type_line(text);
    }

    pub(crate) fn type_line(&mut self, text: &str) {
        self.press(&format!("{text}\r"));
    }

    /// Presses keys, or pastes where the terminal doesn't mark pastes.
    pub(crate) fn press(&mut self, keys: &str) {
        self.terminal.press(keys);
    }

    /// Pastes as a terminal does that marks pastes, and has carriage returns for newlines.
    pub(crate) fn paste(&mut self, text: &str) {
        assert!(self.earlier.contains("\u{1b}[?2004h"), "it asked for the marks");
        self.press(&format!("\u{1b}[200~{}\u{1b}[201~", text.replace('\n', "\r")));
    }

    /// All that the terminal showed so far and was waited for.
    pub(crate) fn shown(&self) -> &str {
        &self.earlier
    }

    /// The terminal's settings, as `stty -a` shows them.
    pub(crate) fn settings(&self) -> String {
        self.terminal.settings()
    }

    /// All that the terminal showed until the program ended, however that was.
    #[track_caller]
    pub(crate) fn end(self) -> (String, Option<i32>) {
        let (exit, rest) = self.terminal.end();
        (self.earlier + &self.seen + &String::from_utf8_lossy(&rest), exit)
    }

    /// All that the terminal showed until the program ended, and its exit code.
    #[track_caller]
    pub(crate) fn finish(self) -> (String, i32) {
        let (exit, rest) = self.terminal.finish();
        (self.earlier + &self.seen + &String::from_utf8_lossy(&rest), exit)
    }
}
