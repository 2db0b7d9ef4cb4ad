//! The reasons for a missing answer, and the number of lines that an answer may have.

use std::io;

use strongroom::advice::Advice;
use strongroom::error::Operation;
use strongroom::{Error, ErrorKind};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::wiped::LARGEST;
use crate::words::size;

/// The number of lines that an answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    One,
    Several,
}

/// The reason why there is no answer.
#[derive(Debug)]
#[cfg_attr(windows, expect(dead_code, reason = "the console tells no paste from typing"))]
pub(crate) enum Problem {
    /// The user gave up the question.
    Dismissed,
    /// Every answer was empty.
    Empty,
    /// The second answer never matched the first.
    Mistyped,
    /// Several lines came for a question that takes a single line, or came at once without the marks of a bracketed paste.
    SeveralLines,
    ControlCharacters,
    TooLarge,
    NotText,
    Io(io::Error),
}

impl Problem {
    /// Returns the failure of a question for a value. It tells the state of things, such as `nothing was stored`, and
    /// another way to give the value.
    pub(crate) fn of_value(self, state: &str, instead: impl Into<Advice>) -> Failure {
        let instead = instead.into();
        match self {
            Self::Dismissed | Self::Mistyped => {
                let message = format!("nothing was answered; {state}");
                Failure::new(Exit::Locked, ErrorKind::Dismissed.code(), message, instead)
            }
            Self::Empty => usage("nothing was typed", state, instead),
            Self::SeveralLines => usage("more than one line came at once", state, instead),
            Self::ControlCharacters => {
                usage("there are control characters in what was pasted", state, instead)
            }
            Self::NotText => usage("it is not text (UTF-8)", state, instead),
            Self::TooLarge => {
                let message = format!("there are more than {}; {state}", size(LARGEST));
                Failure::new(Exit::Failed, "too_large", message, instead)
            }
            Self::Io(cause) => Failure::io("cannot ask on the terminal", &cause, instead),
        }
    }

    /// Returns the failure of a question for a passphrase.
    pub(crate) fn of_passphrase(self, instead: impl Into<Advice>) -> Failure {
        match self {
            Self::Dismissed | Self::Empty | Self::Mistyped => {
                let message = "there is no passphrase; nothing was done";
                Failure::new(Exit::Locked, ErrorKind::Dismissed.code(), message, instead)
            }
            problem => problem.of_value("nothing was done", instead),
        }
    }
}

fn usage(problem: &str, state: &str, instead: Advice) -> Failure {
    Failure::usage(format!("{problem}; {state}"), instead)
}

impl From<io::Error> for Problem {
    fn from(cause: io::Error) -> Self {
        Self::Io(cause)
    }
}

/// Converts the problem for the library, which asks for passphrases through a callback.
impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
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

fn invalid(problem: &str) -> Error {
    Error::new(ErrorKind::Invalid, Operation::Get).with_message(problem)
}
