//! The errors of this crate, with hints. They contain no text of the file, which could be a secret.

use std::fmt::Display;
use std::io;
use std::path::Path;

use strongroom::error::Operation;
use strongroom::{Error, ErrorKind, SecretKey};

use crate::Format;

/// A position in a text, as editors show it: line and column, counted from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A problem with a text, and the byte at which it is.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) at: usize,
    pub(crate) problem: String,
    pub(crate) hint: &'static str,
}

impl Position {
    /// Returns the position of a byte in a text.
    pub(crate) fn of(text: &str, at: usize) -> Self {
        Lines::of(text).position(text, at)
    }
}

/// The starts of the lines of a text, without the first line.
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1).collect())
    }

    /// Returns the position of a byte in the text. A byte order mark at the start has no column.
    pub(crate) fn position(&self, text: &str, at: usize) -> Position {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = self.0.partition_point(|start| *start <= at);
        let start = before.checked_sub(1).map_or(0, |last| self.0[last]);
        let column = 1 + text[start..at].trim_start_matches('\u{feff}').chars().count();
        Position { line: 1 + before, column }
    }
}

impl Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Flaw {
    pub(crate) fn new(at: usize, problem: impl Into<String>) -> Self {
        Self { at, problem: problem.into(), hint: BROKEN }
    }

    pub(crate) fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// Returns the error for the caller, with line and column in the file of this name.
    pub(crate) fn in_text(self, text: &str, file: &str) -> Error {
        let position = Position::of(text, self.at);
        invalid(format!("{position} of {file}: {}", self.problem), self.hint)
    }
}

const BROKEN: &str = "Nothing was changed. Correct the file there, and try again.";

pub(crate) fn path(text: &str) -> Error {
    invalid(
        format!("\"{}\" is not the path of a value", text.escape_debug()),
        "Write keys with dots in between, as in providers.openai.apiKey; quote keys that have dots themselves.",
    )
}

pub(crate) fn format(name: &str) -> Error {
    let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
    let problem = format!("\"{}\" is no format of configuration files", name.escape_debug());
    invalid(problem, &format!("Take one of {}.", names.join(", ")))
}

pub(crate) fn unknown_format(path: &Path) -> Error {
    let problem = format!("the name of {} doesn't tell its format", shown(path));
    invalid(problem, "Say which it is: json, toml, yaml or env.")
}

pub(crate) fn invalid(message: impl Into<String>, hint: &str) -> Error {
    Error::new(ErrorKind::Invalid, Operation::Get).with_message(message).with_hint(hint)
}

pub(crate) fn not_utf8(bytes: &[u8], valid: usize, file: &str) -> Error {
    let text = std::str::from_utf8(&bytes[..valid]).unwrap_or_default();
    Flaw::new(valid, "it is not UTF-8")
        .with_hint("Save the file as UTF-8, and try again.")
        .in_text(text, file)
}

pub(crate) fn too_large(file: &str, limit: u64) -> Error {
    Error::new(ErrorKind::TooLarge, Operation::Get)
        .with_message(format!("{file} is larger than {limit} bytes"))
        .with_hint("Configuration files are smaller: see whether it is the right file.")
}

pub(crate) fn reading(path: &Path, cause: io::Error) -> Error {
    strongroom_files::error(Operation::Get, path, cause)
}

pub(crate) fn writing(path: &Path, cause: io::Error) -> Error {
    if cause.kind() == io::ErrorKind::ResourceBusy {
        return busy(path);
    }
    let error = strongroom_files::error(Operation::Set, path, cause);
    let hint = format!("The file is as it was. {}", error.hint());
    error.with_hint(hint)
}

pub(crate) fn output(cause: io::Error) -> Error {
    Error::new(ErrorKind::Io, Operation::Set)
        .with_message(format!("the output can't be written: {cause}"))
        .with_hint("See where the output goes.")
        .with_source(cause)
}

pub(crate) fn exists(path: &Path) -> Error {
    Error::new(ErrorKind::AlreadyExists, Operation::Set)
        .with_message(format!("{} is there already", shown(path)))
        .with_hint("Choose another file, or say that it may be replaced.")
}

fn busy(path: &Path) -> Error {
    Error::new(ErrorKind::Busy, Operation::Set)
        .with_message(format!("another process is writing {}", shown(path)))
}

pub(crate) fn changed_meanwhile(path: &Path) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Set)
        .with_message(format!("{} was changed meanwhile, and stays as it is now", shown(path)))
        .with_hint("Try again: what the store already has is not stored twice.")
}

pub(crate) fn changed_since_plan(path: &Path) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Set)
        .with_message(format!(
            "{}, or the vault, is not as it was when this was planned",
            shown(path)
        ))
        .with_hint("Nothing was changed. Look at a new plan.")
}

pub(crate) fn differs(key: &SecretKey) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Set)
        .with_message(format!("the file and the store hold different values of {key}"))
        .with_hint(
            "Nothing was changed. Choose whether the store's value stays or the file's is taken.",
        )
}

pub(crate) fn not_read_back(key: &SecretKey) -> Error {
    Error::new(ErrorKind::Corrupt, Operation::Set)
        .with_message(format!("the store doesn't return the value of {key} that it was given"))
        .with_hint("The file is as it was. Look at the store.")
        .with_command("doctor", "does so")
}

pub(crate) fn forgetful(store: &str) -> Error {
    Error::new(ErrorKind::Unsupported, Operation::Set)
        .with_message(format!(
            "{store} forgets its secrets, and the file would not have them any more"
        ))
        .with_hint("Choose a store that lasts, such as the encrypted file.")
}

pub(crate) fn shown(path: &Path) -> String {
    // A file's name can contain control characters, and messages are shown on terminals.
    path.display().to_string().escape_debug().to_string()
}
