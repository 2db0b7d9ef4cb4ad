//! The id of a key slot.

use std::fmt;

/// The id of a key slot within its file: eight hexadecimal digits. Any text is accepted here; an unknown id
/// finds no slot.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(String);

impl SlotId {
    /// Creates an id from its text.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SlotId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl From<String> for SlotId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id may come from a hostile file, and control characters must not reach the terminal.
        write!(f, "{}", self.0.escape_debug())
    }
}

impl fmt::Debug for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
