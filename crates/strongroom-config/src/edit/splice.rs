//! Replacing ranges of bytes of a text.

use std::ops::Range;

/// A range of bytes, and the text that replaces it.
#[derive(Debug)]
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Splice {
    /// Creates a splice that removes a range.
    pub(super) fn cut(range: Range<usize>) -> Self {
        Self { range, text: String::new() }
    }

    /// Creates a splice that inserts a text.
    pub(super) fn insertion(at: usize, text: String) -> Self {
        Self { range: at..at, text }
    }
}

/// Returns the text with all splices applied. `None` if two of them overlap.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut new = String::with_capacity(text.len());
    let mut at = 0;
    for splice in &splices {
        new.push_str(text.get(at..splice.range.start)?);
        new.push_str(&splice.text);
        at = splice.range.end;
    }
    new.push_str(text.get(at..)?);
    Some(new)
}
