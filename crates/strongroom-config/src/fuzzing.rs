//! The door for the fuzz targets of `fuzz/`, to what is not public. No other build has it.

use crate::Format;
use crate::edit::{self, Change};

/// Reads a text, and if it is a file of this format, changes each of its texts; says whether it is one.
///
/// # Panics
///
/// When a promise is broken.
pub fn format(format: Format, text: &str) -> bool {
    let Ok(document) = format.parse(text) else { return false };
    for (number, node) in document.nodes.iter().enumerate() {
        assert!(text.get(node.span.clone()).is_some() && text.get(node.entry.clone()).is_some());
        if node.text().is_none() {
            continue;
        }
        let change = [(number, Change::Text("strongroom:A".to_owned()))];
        // What can't be replaced would stay in the clear. An anchor's value is given up on purpose.
        if let Ok(new) = edit::changed(format, text, &document, &change) {
            assert!(
                new.starts_with(&text[..node.span.start]) && new.ends_with(&text[node.span.end..])
            );
        }
        edit::changed(format, text, &document, &[(number, Change::Removed)]).ok();
    }
    edit::with_text(format, text, &crate::ConfigPath::new(["m"]), "on").ok();
    true
}
