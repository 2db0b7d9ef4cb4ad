//! Where sealed files lie, what opens them, and how long to wait for others.

use std::path::PathBuf;
use std::time::Duration;

use strongroom_core::Deadlines;

use crate::KeySource;

/// How a [`SealedFile`](crate::SealedFile) is opened.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct FileConfig {
    /// The file. Its directory must be the user's alone; both are made that way.
    pub path: PathBuf,
    /// The sources that open the file. Keys are tried first, then passphrases, the cheapest slot first.
    pub sources: Vec<KeySource>,
    /// The limit of one step: of the wait for other writers, and of the work that the passphrase slots ask
    /// for, all together. 5 seconds by default.
    pub deadline: Duration,
}

/// How a [`SealedStore`](crate::SealedStore) is set up.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Config {
    /// Where the files lie, one for each service. Made when it is needed, for the user alone.
    pub directory: PathBuf,
    /// The sources that open every one of them; a new file gets a slot for each.
    pub sources: Vec<KeySource>,
    /// The limit of one step, as [`FileConfig::deadline`]. 5 seconds by default.
    pub deadline: Duration,
}

impl FileConfig {
    /// This file, which nothing opens yet: [`or`](Self::or) adds what does.
    pub fn keyless(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), sources: Vec::new(), deadline: Deadlines::default().call }
    }

    /// This file, opened by this source.
    pub fn new(path: impl Into<PathBuf>, source: KeySource) -> Self {
        Self { path: path.into(), sources: vec![source], deadline: Deadlines::default().call }
    }

    /// The same with one more source.
    pub fn or(mut self, source: KeySource) -> Self {
        self.sources.push(source);
        self
    }

    /// The same with another deadline.
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Config {
    /// Files in this directory, which nothing opens yet: [`or`](Self::or) adds what does.
    pub fn keyless(directory: impl Into<PathBuf>) -> Self {
        let deadline = Deadlines::default().call;
        Self { directory: directory.into(), sources: Vec::new(), deadline }
    }

    /// Files in this directory, opened by this source.
    pub fn new(directory: impl Into<PathBuf>, source: KeySource) -> Self {
        let deadline = Deadlines::default().call;
        Self { directory: directory.into(), sources: vec![source], deadline }
    }

    /// The same with one more source.
    pub fn or(mut self, source: KeySource) -> Self {
        self.sources.push(source);
        self
    }

    /// The same with another deadline.
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}
