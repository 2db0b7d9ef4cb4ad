//! The reasons for which a payload can't be read. They contain nothing of the payload itself.

use std::error::Error as StdError;
use std::fmt;

use strongroom_core::{Error, ErrorKind, Operation};

use super::key_entry::VERSION as NEWEST;

/// The reason for which a payload can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A vault of this version, which this program does not know.
    Version(u64),
    /// An entry of another program, with the same name.
    Foreign,
    /// An entry with the key of a sealed file in place of the secrets.
    NotInline,
    /// A payload that does not fit its version.
    Damaged {
        /// The problem, as a clause.
        what: &'static str,
        /// The position of the problem.
        at: Position,
    },
}

/// A position in a payload. Both numbers count from 1, and columns are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Unreadable {
    /// Returns whether the entry belongs to another program.
    pub(crate) const fn is_foreign(self) -> bool {
        matches!(self, Self::Foreign)
    }

    /// Returns the reason for an error of the JSON parser. Only the error's category and position are used,
    /// because its text may quote the payload.
    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        let what = if error.is_eof() { "it ends too early" } else { "it is not JSON" };
        // serde_json counts from 1, but reports 0 for an error without a position.
        let at = Position { line: error.line().max(1), column: error.column().max(1) };
        Self::Damaged { what, at }
    }
}

impl Position {
    /// Returns the position of the byte at `offset`.
    pub(super) fn of(offset: usize, payload: &[u8]) -> Self {
        let before = payload.get(..offset).unwrap_or(payload);
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let newlines = before.iter().filter(|byte| **byte == b'\n').count();
        Self { line: 1 + newlines, column: 1 + before.len() - start }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(
                f,
                "the vault has format version {version}, and this program knows versions up to \
                 {NEWEST}"
            ),
            Self::Foreign => f.write_str(
                "the entry where the vault would be is another program's: it holds something else",
            ),
            Self::NotInline => f.write_str("the vault lies in a sealed file"),
            Self::Damaged { what, at: Position { line, column } } => {
                write!(f, "the vault is damaged: {what} (line {line}, column {column})")
            }
        }
    }
}

impl StdError for Unreadable {}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        let kind = match unreadable {
            Unreadable::Foreign => ErrorKind::Conflict,
            _ => ErrorKind::Corrupt,
        };
        let hint = match unreadable {
            Unreadable::Foreign => {
                "Nothing was changed. Take another name for the service, or give that entry another user name in \
                 its program."
            }
            Unreadable::Version(_) => {
                "Nothing was changed. Another version of this program wrote it: update this one."
            }
            Unreadable::NotInline | Unreadable::Damaged { .. } => "Nothing was changed.",
        };
        Error::new(kind, Operation::Get).with_message(unreadable.to_string()).with_hint(hint)
    }
}
