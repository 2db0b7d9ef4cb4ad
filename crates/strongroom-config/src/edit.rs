//! Changes to single values of a text. All other bytes stay.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::document::{Document, Leaf, Node};
use crate::error::Flaw;
use crate::{ConfigPath, Format};

#[cfg(any(fuzzing, test))]
mod check;
mod insert;
mod remove;

#[cfg(fuzzing)]
pub(crate) use check::check;

/// The change to a single value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Replaces the value with a text.
    Text(String),
    /// Removes the value and its key.
    Removed,
}

/// A range of bytes, and the text that replaces it.
#[derive(Debug)]
struct Splice {
    range: Range<usize>,
    text: String,
}

/// Returns the text with changes to some values of the document. Each value may be named once.
///
/// The result has been parsed, to check that all other values are unchanged.
///
/// # Errors
///
/// A flaw at a value that can't be changed like this.
pub(crate) fn changed(
    format: Format,
    text: &str,
    document: &Document,
    changes: &[(usize, Change)],
) -> Result<String, Flaw> {
    let Some(first) = changes.first() else { return Ok(text.to_owned()) };
    let removal = remove::Removal::new(format, text, document, changes);
    let mut splices = Vec::new();
    for (number, change) in changes {
        match change {
            Change::Text(value) => {
                splices.push(replacement(format, text, &document.nodes[*number], value)?)
            }
            Change::Removed => splices.extend(removal.splices(*number)?),
        }
    }
    let at = document.nodes[first.0].span.start;
    let new = spliced(text, splices).ok_or_else(|| tangled(at))?;
    // A splice at a wrong place would show as a changed, missing or additional value.
    let mut expected = document.leaves(text);
    for (number, change) in changes {
        let path = &document.nodes[*number].path;
        match change {
            Change::Text(value) => drop(expected.insert(path, Leaf::Text(value))),
            Change::Removed => drop(expected.remove(path)),
        }
    }
    expect(format, &new, &expected, at)?;
    Ok(new)
}

/// Returns the text with `value` at a path: in place of the value there, or as a new entry of its group, which must exist.
///
/// # Errors
///
/// A flaw if the value can't be inserted.
pub(crate) fn with_text(
    format: Format,
    text: &str,
    path: &ConfigPath,
    value: &str,
) -> Result<String, Flaw> {
    let document = format.parse(text)?;
    let splice = match document.find(path) {
        Some(number) if !document.nodes[number].is_group() => {
            replacement(format, text, &document.nodes[number], value)?
        }
        Some(number) => return Err(in_the_way(path, document.nodes[number].span.start)),
        None => insert::splice(format, text, &document, path, value)?,
    };
    let at = splice.range.start;
    let new = spliced(text, vec![splice]).ok_or_else(|| tangled(at))?;
    let mut expected = document.leaves(text);
    expected.insert(path, Leaf::Text(value));
    expect(format, &new, &expected, at)?;
    Ok(new)
}

/// Returns the splice that replaces a value with a text.
fn replacement(format: Format, text: &str, node: &Node, value: &str) -> Result<Splice, Flaw> {
    let quoted = format.quoted(value).ok_or_else(|| unwritable(node.span.start))?;
    // In YAML, an empty value directly follows a colon or a tag. The new value needs a space in between.
    let is_close = format == Format::Yaml
        && node.span.is_empty()
        && !text[..node.span.start].ends_with([' ', '\t', '\n']);
    let before = if is_close { " " } else { "" };
    let comment = node.comment.clone().map_or("", |comment| &text[comment]);
    Ok(Splice { range: node.span.clone(), text: [before, &quoted, comment].concat() })
}

/// Returns the text with all splices applied. `None` if two of them overlap.
fn spliced(text: &str, mut splices: Vec<Splice>) -> Option<String> {
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

/// Checks that a new text contains exactly these values.
fn expect(
    format: Format,
    new: &str,
    expected: &BTreeMap<&ConfigPath, Leaf<'_>>,
    at: usize,
) -> Result<(), Flaw> {
    match format.parse(new) {
        Ok(document) if document.leaves(new) == *expected => Ok(()),
        _ => Err(tangled(at)),
    }
}

/// Returns the end of the line that contains a byte, before its line break.
fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    end - usize::from(text[..end].ends_with('\r') && end > at)
}

/// Returns the start of the line that contains a byte.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(start_of(text).min(at), |newline| newline + 1)
}

/// Returns the start of the first line, which a byte order mark doesn't belong to.
fn start_of(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// Returns the line break of a text: that of its first line.
fn line_break(text: &str) -> &'static str {
    match text.find('\n') {
        Some(end) if text[..end].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c == ' ' || c == '\t')
}

fn unwritable(at: usize) -> Flaw {
    Flaw::new(at, "what is to stand there can't be written in this format").with_hint(BY_HAND)
}

fn tangled(at: usize) -> Flaw {
    Flaw::new(at, "the value can't be changed without changing others").with_hint(BY_HAND)
}

fn in_the_way(path: &ConfigPath, at: usize) -> Flaw {
    Flaw::new(at, format!("{path} holds other values, and was to be a text")).with_hint(BY_HAND)
}

const BY_HAND: &str =
    "Nothing was changed. Leave a reference in the value's place, or take it out by hand.";

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
