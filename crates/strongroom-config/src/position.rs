//! Positions in a text, as editors show them.

use std::fmt;

/// A position in a text, as editors show it: line and column, counted from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The first character of a text.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The starts of the lines of a text, without the first line.
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    /// Finds the lines of a text.
    pub(crate) fn of(text: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1).collect())
    }

    /// Returns the position of a byte in the same text. A byte order mark at the start has no column.
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
