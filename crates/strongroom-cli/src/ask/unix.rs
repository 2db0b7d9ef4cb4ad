//! A hidden question on a Unix terminal.
//!
//! The terminal is read byte by byte, so that a paste is told from typing: the terminal marks it with brackets, or it
//! brings several lines at once.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use strongroom::SecretBytes;
use strongroom::input::without_final_newline;
use zeroize::Zeroizing;

use self::editor::{Editor, Step};
use self::signals::{Arrived, Signals, is_ignored, send};
use self::terminal::{Hidden, Input, Terminal};
use super::problem::{Lines, Problem};
use crate::words::grouped;

pub(crate) use self::dispositions::assume_sole_handler;

mod dispositions;
mod editor;
mod group;
mod signals;
mod terminal;

/// The longest wait for the rest of a key's sequence. If it does not come, the key was Escape. Readline waits as long.
const SEQUENCE: Duration = Duration::from_millis(500);

/// The time after an Enter in which further input is the rest of a paste: no hand types so soon. Programs that type for
/// their user leave about a tenth of it between keys.
const PASTE_GAP: Duration = Duration::from_millis(150);

/// The longest time between a key that ends the question and the rest of a paste that it was in.
const KEY_GAP: Duration = Duration::from_millis(30);

/// The longest pause within a bracketed paste that is being dropped.
const BRACKETED_GAP: Duration = Duration::from_secs(1);

/// The longest time for which the rest of a paste is read and dropped.
const DROPPING: Duration = Duration::from_secs(10);

/// Held during a question, since a terminal has a single line of input.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Writes a message to the terminal, between questions.
pub(super) fn note(text: &str) -> Result<(), Problem> {
    Ok(Terminal::open()?.write(text)?)
}

/// Asks a question, and returns the bytes that were typed and pasted, without the final Enter.
///
/// A stop (Ctrl-Z) drops the input, and the question is asked again afterwards.
pub(super) fn ask(question: &str, lines: Lines) -> Result<SecretBytes, Problem> {
    // The mutex guards no data, so a panic in an earlier question leaves nothing broken.
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let terminal = Terminal::open()?;
    loop {
        terminal.wait_for_foreground()?;
        match attempt(&terminal, question, lines)? {
            End::Answer(answer) => return Ok(answer),
            End::Refused(problem) => return Err(problem),
            End::Signal(arrived) => arrived.take_effect()?,
            // The key's signal had no effect on this process.
            End::Key(_) => {}
        }
    }
}

/// The end of an attempt to get an answer.
enum End {
    Answer(SecretBytes),
    Refused(Problem),
    Signal(Arrived),
    Key(Signal),
}

/// Hides the terminal, asks, and restores the terminal.
fn attempt(terminal: &Terminal, question: &str, lines: Lines) -> Result<End, Problem> {
    // The handlers are there before the terminal is hidden, so that no signal leaves it hidden.
    let signals = Signals::watch()?;
    let mut end = on_hidden(terminal, &signals, question, lines)?;
    if let End::Key(signal) = end
        && let Some(arrived) = signals.press(signal, terminal.is_controlling())?
    {
        end = End::Signal(arrived);
    }
    let late = signals.end();
    // A late signal that ends the program takes precedence over an answer. After a late stop, the answer still counts.
    match (end, late) {
        (End::Signal(arrived), _) => Ok(End::Signal(arrived)),
        (_, Some(late @ (Arrived::Ending(_) | Arrived::Handled))) => Ok(End::Signal(late)),
        (end, Some(late)) => late.take_effect().map(|()| end),
        (end, None) => Ok(end),
    }
}

fn on_hidden(
    terminal: &Terminal,
    signals: &Signals,
    question: &str,
    lines: Lines,
) -> Result<End, Problem> {
    // The kernel can signal other users' processes, too, but signals at once, before the terminal is restored. So it does
    // that only where such processes are in the foreground.
    let keys_signal = terminal.is_controlling() && group::has_other_users();
    let hidden = match terminal.hide(keys_signal) {
        // The process went into the background at this moment.
        Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {
            return Ok(End::Signal(signals.arrived().unwrap_or(Arrived::GoingOn)));
        }
        hidden => hidden?,
    };
    let (editor, buffer) = (Editor::new(hidden.keys()), Zeroizing::new(vec![0; 4096]));
    Dialog { hidden: &hidden, signals, editor, buffer, lines }.ask(question)
}

/// A question on the hidden terminal.
struct Dialog<'a> {
    hidden: &'a Hidden<'a>,
    signals: &'a Signals,
    editor: Editor,
    buffer: Zeroizing<Vec<u8>>,
    lines: Lines,
}

impl Dialog<'_> {
    fn ask(mut self, question: &str) -> Result<End, Problem> {
        // Input from before the question is no answer to it.
        self.drop_rest(Duration::ZERO)?;
        self.editor = Editor::new(self.hidden.keys());
        self.hidden.show(question)?;
        let end = self.answer()?;
        match end {
            End::Answer(_) => {}
            // No key caused this signal, so it is not part of a paste, and the program may be about to end.
            End::Signal(_) if !self.hidden.keys_signal() => self.drop_rest(Duration::ZERO)?,
            End::Refused(Problem::Dismissed) | End::Signal(_) | End::Key(_) => {
                self.drop_rest(KEY_GAP)?;
            }
            End::Refused(_) => self.drop_rest(PASTE_GAP)?,
        }
        Ok(end)
    }

    fn answer(&mut self) -> Result<End, Problem> {
        loop {
            let patience = self.editor.is_in_sequence().then_some(SEQUENCE);
            let wake = Some(self.signals.wake());
            match self.hidden.read(&mut self.buffer, patience, wake)? {
                Input::Signal => {
                    if let Some(arrived) = self.signals.arrived() {
                        return Ok(End::Signal(arrived));
                    }
                }
                Input::Nothing => self.editor.end_sequence(),
                Input::HungUp => return Ok(End::Refused(Problem::Dismissed)),
                Input::Bytes(count) => {
                    if let Some(end) = self.take(count)? {
                        return Ok(end);
                    }
                }
            }
        }
    }

    /// Takes the bytes that were read, and returns the end of the question, if they bring it.
    fn take(&mut self, count: usize) -> Result<Option<End>, Problem> {
        for at in 0..count {
            match self.editor.take(self.buffer[at]) {
                Step::More => {}
                Step::Pasted if self.lines == Lines::One && self.has_several_lines() => {
                    return Ok(Some(End::Refused(Problem::SeveralLines)));
                }
                Step::Pasted => self.show_size()?,
                Step::Enter => return self.line_end(at + 1..count).map(Some),
                Step::End => return Ok(Some(End::Refused(Problem::Dismissed))),
                // This process ignores the signal, but other processes in the foreground may act on it.
                Step::Signal(signal) if is_ignored(signal) => {
                    send(signal, self.hidden.is_controlling())?;
                }
                Step::Signal(signal) => return Ok(Some(End::Key(signal))),
                Step::Refused(problem) => return Ok(Some(End::Refused(problem))),
            }
        }
        Ok(None)
    }

    fn has_several_lines(&self) -> bool {
        without_final_newline(self.editor.value()).contains(&b'\n')
    }

    /// Shows the size of a paste of several lines, the only sign that all of it arrived.
    fn show_size(&self) -> Result<(), Problem> {
        if self.has_several_lines() {
            self.hidden.write(&format!("({}) ", lines_and_bytes(self.editor.value())))?;
        }
        Ok(())
    }

    /// Decides whether an Enter completes the answer, by the input right after it, beginning with the bytes that are read
    /// already. Ends of lines alone are no further line: a paste may end with a newline, and the user types Enter after it.
    fn line_end(&mut self, mut rest: Range<usize>) -> Result<End, Problem> {
        let end = Instant::now() + DROPPING;
        // An editor of its own understands keys and pastes, and leaves the answer as it is.
        let mut after = Editor::new(self.hidden.keys());
        loop {
            for byte in &self.buffer[rest] {
                match after.take(*byte) {
                    Step::More | Step::Enter | Step::End => {}
                    Step::Signal(signal) => return Ok(End::Key(signal)),
                    Step::Pasted => return Ok(End::Refused(Problem::SeveralLines)),
                    Step::Refused(problem) => return Ok(End::Refused(problem)),
                }
            }
            if !after.value().is_empty() || after.is_in_paste() {
                return Ok(End::Refused(Problem::SeveralLines));
            }
            rest = match self.hidden.read(&mut self.buffer, Some(PASTE_GAP), None)? {
                Input::Bytes(count) if Instant::now() < end => 0..count,
                _ => return Ok(End::Answer(self.editor.value().to_secret())),
            };
        }
    }

    /// Reads and drops input that is still coming and would go to the shell. It waits this long for the first bytes. A
    /// bracketed paste that has begun is read to its end.
    fn drop_rest(&mut self, within: Duration) -> Result<(), Problem> {
        self.editor.discard();
        let end = Instant::now() + DROPPING;
        let mut gap = within;
        while Instant::now() < end {
            let patience = if self.editor.is_in_paste() { BRACKETED_GAP } else { gap };
            let input = self.hidden.read(&mut self.buffer, Some(patience), None)?;
            let Input::Bytes(count) = input else { break };
            self.buffer[..count].iter().for_each(|byte| _ = self.editor.take(*byte));
            gap = PASTE_GAP;
        }
        Ok(())
    }
}

/// Returns the size of a paste as text: `4 lines, 1,679 bytes`.
fn lines_and_bytes(value: &[u8]) -> String {
    let lines = value.split_inclusive(|byte| *byte == b'\n').count();
    format!("{} lines, {} bytes", grouped(lines), grouped(value.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_told_in_lines_and_bytes() {
        assert_eq!(lines_and_bytes(b"a\nb"), "2 lines, 3 bytes");
        assert_eq!(lines_and_bytes(b"a\nb\n"), "2 lines, 4 bytes");
        assert_eq!(lines_and_bytes(&b"line\n".repeat(1000)), "1,000 lines, 5,000 bytes");
    }
}
