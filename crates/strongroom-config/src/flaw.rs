//! Problems with the text of a file, at the byte where they are.

use strongroom::Error;

use crate::error;
use crate::position::Lines;

/// A problem with a text. Neither its problem nor its hint quotes the text, which could be a secret.
#[derive(Clone, Debug)]
pub(crate) struct Flaw {
    /// The byte of the text at which the problem is.
    pub(crate) at: usize,
    pub(crate) problem: String,
    pub(crate) hint: &'static str,
}

impl Flaw {
    /// Creates a flaw with the hint to correct the text.
    pub(crate) fn new(at: usize, problem: impl Into<String>) -> Self {
        Self { at, problem: problem.into(), hint: CORRECT_IT }
    }

    /// Sets another hint.
    pub(crate) fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// Returns the error for the caller, with line and column in the file of this name. Its kind is `Invalid`.
    pub(crate) fn into_error(self, text: &str, file: &str) -> Error {
        let position = Lines::of(text).position(text, self.at);
        error::invalid(format!("{position} of {file}: {}", self.problem), self.hint)
    }
}

const CORRECT_IT: &str = "Nothing was changed. Correct the file there, and try again.";
