//! The settings of sealed files: their place, their key sources and their deadline.

use std::path::PathBuf;
use std::time::Duration;

use strongroom_core::Deadlines;

use crate::KeySource;

/// The settings of a [`SealedFile`](crate::SealedFile).
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct FileConfig {
    /// The path of the file. The file and its directory must be private to the user, and are created that
    /// way.
    pub path: PathBuf,
    /// The sources that open the file. Keys are tried first, then passphrases, the cheapest slot first.
    pub sources: Vec<KeySource>,
    /// The limit of a single step: of the wait for other writers, and of the work for all passphrase slots
    /// together. 5 seconds by default.
    pub deadline: Duration,
}

/// The settings of a [`SealedStore`](crate::SealedStore).
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Config {
    /// The directory of the files, which has a file for each service. It is created on first use, for the
    /// user alone.
    pub directory: PathBuf,
    /// The sources that open every file. A new file gets a slot for each.
    pub sources: Vec<KeySource>,
    /// The limit of a single step, as [`FileConfig::deadline`]. 5 seconds by default.
    pub deadline: Duration,
}

impl FileConfig {
    /// Creates the settings of a file without a key source. [`or`](Self::or) adds a source.
    pub fn keyless(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), sources: Vec::new(), deadline: Deadlines::default().call }
    }

    /// Creates the settings of a file with this key source.
    pub fn new(path: impl Into<PathBuf>, source: KeySource) -> Self {
        Self { path: path.into(), sources: vec![source], deadline: Deadlines::default().call }
    }

    /// Adds a key source.
    pub fn or(mut self, source: KeySource) -> Self {
        self.sources.push(source);
        self
    }

    /// Sets the deadline.
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Config {
    /// Creates the settings of a directory without a key source. [`or`](Self::or) adds a source.
    pub fn keyless(directory: impl Into<PathBuf>) -> Self {
        let deadline = Deadlines::default().call;
        Self { directory: directory.into(), sources: Vec::new(), deadline }
    }

    /// Creates the settings of a directory with this key source.
    pub fn new(directory: impl Into<PathBuf>, source: KeySource) -> Self {
        let deadline = Deadlines::default().call;
        Self { directory: directory.into(), sources: vec![source], deadline }
    }

    /// Adds a key source.
    pub fn or(mut self, source: KeySource) -> Self {
        self.sources.push(source);
        self
    }

    /// Sets the deadline.
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}
