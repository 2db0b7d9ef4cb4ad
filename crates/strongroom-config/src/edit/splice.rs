//! Replacing ranges of bytes of a text.

use std::ops::Range;

use zeroize::Zeroizing;

/// A range of bytes, and the text that replaces it. Without `Debug`, since it can be a secret.
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) text: Zeroizing<String>,
}

impl Splice {
    pub(super) fn new(range: Range<usize>, text: String) -> Self {
        Self { range, text: Zeroizing::new(text) }
    }

    /// Creates a splice that removes a range.
    pub(super) fn cut(range: Range<usize>) -> Self {
        Self::new(range, String::new())
    }

    /// Creates a splice that inserts a text.
    pub(super) fn insertion(at: usize, text: String) -> Self {
        Self::new(at..at, text)
    }
}

/// Returns the text with all splices applied. `None` if two of them overlap.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> Option<Zeroizing<String>> {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    // With room for everything: growing would leave an unwiped copy behind.
    let added: usize = splices.iter().map(|splice| splice.text.len()).sum();
    let mut new = Zeroizing::new(String::with_capacity(text.len() + added));
    let mut at = 0;
    for splice in &splices {
        new.push_str(text.get(at..splice.range.start)?);
        new.push_str(&splice.text);
        at = splice.range.end;
    }
    new.push_str(text.get(at..)?);
    Some(new)
}
