//! Questions whose answers are not shown: values and passphrases. Nothing else in this crate asks so.
//!
//! They go to the terminal itself and are read from it, wherever standard input and output go.

use std::io;

use strongroom::error::Operation;
use strongroom::input::without_final_newline;
use strongroom::store::{secret_copy, secret_text};
use strongroom::{Error, ErrorKind, ExposeSecret as _, SecretBytes, SecretString};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::wiped::LARGEST;
use crate::words::size;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::own_process;
#[cfg(unix)]
use unix::{ask, note};
#[cfg(windows)]
use windows::{ask, note};

/// The number of tries for an answer.
pub(crate) const TRIES: u32 = 3;

/// The advice about a passphrase that is soon guessed.
pub(crate) const WEAK: &str = "a passphrase of fewer than 12 characters is soon found by trying, with a copy of the \
     file; four or five random words are better.";

/// The shortest passphrase without that advice, in characters.
const STRONG: usize = 12;

/// The lines that an answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    One,
    Several,
}

/// The reason why there is no answer.
#[derive(Debug)]
#[cfg_attr(windows, expect(dead_code, reason = "the console tells no paste from typing"))]
pub(crate) enum Problem {
    /// The question was given up.
    Dismissed,
    /// Every answer was empty.
    Empty,
    /// The second answer was never as the first.
    Mistyped,
    /// Several lines came where one is asked for, or without a mark that they are one paste.
    SeveralLines,
    ControlCharacters,
    TooLarge,
    NotText,
    Io(io::Error),
}

/// Asks for a value: a line, or a paste of any number of lines.
pub(crate) fn value(name: &str) -> Result<SecretBytes, Problem> {
    let question = format!("Value for {name} (not shown): ");
    answered(&question, Lines::Several)
}

/// Asks for the passphrase of something.
pub(crate) fn passphrase(of: &str) -> Result<SecretString, Problem> {
    line(&format!("Passphrase of {of} (not shown): "))
}

/// Asks for one more passphrase of something that has several.
pub(crate) fn another_passphrase(of: &str) -> Result<SecretString, Problem> {
    line(&format!("Another passphrase of {of} (not shown): "))
}

/// Asks for a passphrase of something that has several, one of which is about to be removed.
pub(crate) fn remaining_passphrase(of: &str) -> Result<SecretString, Problem> {
    line(&format!("A passphrase of {of} that stays (not shown): "))
}

/// Asks for a new passphrase for something, twice. Advises against one that is soon guessed.
pub(crate) fn new_passphrase(of: &str) -> Result<SecretString, Problem> {
    let question = format!("New passphrase for {of} (not shown): ");
    for _ in 0..TRIES {
        let once = line(&question)?;
        let again = text(&one_line(ask("The same again: ", Lines::One)?))?;
        if again.expose_secret() == once.expose_secret() {
            if is_weak(&once) {
                note(&format!("Note: {WEAK}\n"))?;
            }
            return Ok(once);
        }
        note("They differ.\n")?;
    }
    Err(Problem::Mistyped)
}

/// Says that a passphrase was wrong, and which try is next.
pub(crate) fn say_wrong(attempt: u32) -> Result<(), Problem> {
    note(&format!("That does not open it; this is try {attempt} of {TRIES}.\n"))
}

/// Returns whether a passphrase is soon guessed.
pub(crate) fn is_weak(passphrase: &SecretString) -> bool {
    passphrase.expose_secret().chars().count() < STRONG
}

/// Asks for a line of text.
fn line(question: &str) -> Result<SecretString, Problem> {
    text(&one_line(answered(question, Lines::One)?))
}

/// Asks until there is an answer. An Enter may be left over from a paste that ended with one.
fn answered(question: &str, lines: Lines) -> Result<SecretBytes, Problem> {
    for attempt in 1..=TRIES {
        let answer = ask(question, lines)?;
        if !without_final_newline(answer.expose_secret()).is_empty() {
            return Ok(answer);
        }
        if attempt < TRIES {
            note("Nothing was typed.\n")?;
        }
    }
    Err(Problem::Empty)
}

fn one_line(answer: SecretBytes) -> SecretBytes {
    secret_copy(without_final_newline(answer.expose_secret()))
}

fn text(answer: &SecretBytes) -> Result<SecretString, Problem> {
    secret_text(answer).ok_or(Problem::NotText)
}

impl Problem {
    /// The failure for a user who was asked for a value. It tells the state of things, such as `nothing was stored`, and
    /// another way to give the value.
    pub(crate) fn of_value(self, state: &str, instead: &str) -> Failure {
        let usage = |problem: &str| Failure::usage(format!("{problem}; {state}"), instead);
        match self {
            Self::Dismissed | Self::Mistyped => {
                let message = format!("nothing was answered; {state}");
                Failure::new(Exit::Locked, "dismissed", message, instead)
            }
            Self::Empty => usage("nothing was typed"),
            Self::SeveralLines => usage("more than one line came at once"),
            Self::ControlCharacters => usage("there are control characters in what was pasted"),
            Self::NotText => usage("it is not text (UTF-8)"),
            Self::TooLarge => {
                let message = format!("there are more than {}; {state}", size(LARGEST));
                Failure::new(Exit::Failed, "too_large", message, instead)
            }
            Self::Io(cause) => Failure::io("cannot ask on the terminal", &cause, instead),
        }
    }

    /// The failure for a user who was asked for a passphrase.
    pub(crate) fn of_passphrase(self, instead: &str) -> Failure {
        match self {
            Self::Dismissed | Self::Empty | Self::Mistyped => {
                let message = "there is no passphrase; nothing was done";
                Failure::new(Exit::Locked, "dismissed", message, instead)
            }
            problem => problem.of_value("nothing was done", instead),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(cause: io::Error) -> Self {
        Self::Io(cause)
    }
}

/// For the library, which asks through a function.
impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let invalid = |problem| Self::new(ErrorKind::Invalid, Operation::Get).with_message(problem);
        match problem {
            Problem::Dismissed | Problem::Empty | Problem::Mistyped => {
                Self::new(ErrorKind::Dismissed, Operation::Get)
            }
            Problem::SeveralLines => invalid("a passphrase is one line, and more than one came"),
            Problem::ControlCharacters => {
                invalid("there are control characters in what was pasted")
            }
            Problem::NotText => invalid("the passphrase is not text (UTF-8)"),
            Problem::TooLarge => invalid("the passphrase is too long"),
            Problem::Io(cause) => Self::new(ErrorKind::Io, Operation::Get)
                .with_message("cannot ask on the terminal")
                .with_source(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_weak_by_its_characters() {
        assert!(is_weak(&SecretString::from("\u{1f511}".repeat(11))));
        assert!(!is_weak(&SecretString::from("\u{1f511}".repeat(12))));
    }
}
