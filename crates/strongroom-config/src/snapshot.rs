//! A configuration file at the time of reading: its text, its values and its secrets.

use crate::document::{Document, Node};
use crate::file_secret::{Content, FileSecret};
use crate::position::{Lines, Position};
use crate::source::Source;

/// A file that was read and parsed, with the secrets that were found in it.
pub(crate) struct Snapshot {
    pub(crate) source: Source,
    pub(crate) document: Document,
    pub(crate) secrets: Vec<FileSecret>,
    lines: Lines,
}

impl Snapshot {
    /// Creates a snapshot. The document and the secrets are those of the source's text.
    pub(crate) fn new(source: Source, document: Document, secrets: Vec<FileSecret>) -> Self {
        let lines = Lines::of(&source.text);
        Self { source, document, secrets, lines }
    }

    /// Returns the secrets that the file contains references to.
    pub(crate) fn references(&self) -> impl Iterator<Item = &FileSecret> {
        self.secrets.iter().filter(|secret| matches!(secret.content, Content::Reference))
    }

    /// Returns the place of a secret in the document.
    pub(crate) fn node(&self, secret: &FileSecret) -> Option<&Node> {
        secret.node.map(|number| &self.document.nodes[number])
    }

    /// Returns the line and column of a secret. `None` if its path is not in the file.
    pub(crate) fn position(&self, secret: &FileSecret) -> Option<Position> {
        let node = self.node(secret)?;
        Some(self.lines.position(&self.source.text, node.span.start))
    }
}
