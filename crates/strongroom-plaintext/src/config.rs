//! The settings of the store.

use std::path::PathBuf;

use strongroom_core::Deadlines;

/// The path of the file, and the time that a write may take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Config {
    /// The path of the file. The path of its lock is the same with `.lock` appended.
    pub path: PathBuf,
    /// The deadlines. A write waits for the writes of other processes until the deadline of a call.
    pub deadlines: Deadlines,
}

impl Config {
    /// Creates the settings of a file, with the default deadlines.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), deadlines: Deadlines::default() }
    }

    /// Sets the deadlines.
    pub const fn with_deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }
}
