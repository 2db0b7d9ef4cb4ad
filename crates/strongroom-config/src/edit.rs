//! Changes to a text, byte for byte where they are meant, and nowhere else.

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

/// What becomes of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// This text stands in its place.
    Text(String),
    /// It goes, with its key.
    Removed,
}

/// Some bytes of a text, and what stands there instead.
#[derive(Debug)]
struct Splice {
    range: Range<usize>,
    text: String,
}

/// The text with these changes of values of the document, each of which is named once.
///
/// The result has been read again: it holds every other value as it was.
///
/// # Errors
///
/// A flaw at a value that can't be changed so.
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

/// The text with this text at a path, be there something or not. What it stands in must be there.
///
/// # Errors
///
/// A flaw where it can't be put in.
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

/// A text in the place of a value.
fn replacement(format: Format, text: &str, node: &Node, value: &str) -> Result<Splice, Flaw> {
    let quoted = format.quoted(value).ok_or_else(|| unwritable(node.span.start))?;
    // In YAML, a value that was not there at all follows a colon or a tag directly.
    let is_close = format == Format::Yaml
        && node.span.is_empty()
        && !text[..node.span.start].ends_with([' ', '\t', '\n']);
    let before = if is_close { " " } else { "" };
    let comment = node.comment.clone().map_or("", |comment| &text[comment]);
    Ok(Splice { range: node.span.clone(), text: [before, &quoted, comment].concat() })
}

/// The text with all of these in it; `None` if two of them want the same bytes.
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

/// Checks that a new text holds these values and no others.
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

/// The end of the line that a byte is in, before its line break.
fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    end - usize::from(text[..end].ends_with('\r') && end > at)
}

/// The start of the line that a byte is in.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(start_of(text).min(at), |newline| newline + 1)
}

/// Where a text begins: a byte order mark belongs to no line.
fn start_of(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// The line break of a text: that of its first line.
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
