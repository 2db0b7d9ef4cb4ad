//! The id of an item of an entry that has several items of the same name.

use std::fmt;

/// A store's own id for an item of an entry, such as a D-Bus path. It is meaningless to another store.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CandidateId(String);

impl CandidateId {
    /// Creates an id from its text.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for CandidateId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl From<String> for CandidateId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl fmt::Display for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id may come from another program, and control characters must not reach the terminal.
        write!(f, "{}", self.0.escape_debug())
    }
}

impl fmt::Debug for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
