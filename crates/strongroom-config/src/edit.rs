//! Changes to single values of a text. All other bytes stay.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use crate::document::{Document, Leaf, Node};
use crate::flaw::Flaw;
use crate::{ConfigPath, Format};

#[cfg(any(fuzzing, test))]
mod check;
mod flaws;
mod insert;
mod lines;
mod remove;
mod splice;

#[cfg(fuzzing)]
pub(crate) use check::check;
use flaws::{inseparable, not_a_text, unwritable};
use remove::Removal;
use splice::Splice;

/// The change to a single value. Without `Debug`, since its text can be a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change<'a> {
    /// Replaces the value with a text, in the same quotes if they can hold it.
    Text(&'a str),
    /// Removes the value and its key.
    Removal,
}

/// Returns the text with changes to some values of the document. Each value may be named once.
///
/// The result has been parsed, to check that all other values are unchanged.
///
/// # Errors
///
/// A flaw at a value that can't be changed like this.
pub(crate) fn apply_changes(
    format: Format,
    text: &str,
    document: &Document,
    changes: &[(usize, Change<'_>)],
) -> Result<Zeroizing<String>, Flaw> {
    let Some(first) = changes.first() else { return Ok(Zeroizing::new(text.to_owned())) };
    let splices = splices(format, text, document, changes)?;
    let at = document.nodes[first.0].span.start;
    let new = splice::apply(text, splices).ok_or_else(|| inseparable(at))?;
    // A splice at a wrong place would show as a changed, missing or additional value.
    let mut expected = document.leaves(text);
    for (number, change) in changes {
        let path = &document.nodes[*number].path;
        match change {
            Change::Text(value) => drop(expected.insert(path, Leaf::Text(value))),
            Change::Removal => drop(expected.remove(path)),
        }
    }
    check_values(format, &new, &expected, at)?;
    Ok(new)
}

/// Returns the text with `value` at a path: in place of the value there, or as a new entry of its group, which must exist.
///
/// # Errors
///
/// A flaw if the value can't be inserted.
pub(crate) fn set_text(
    format: Format,
    text: &str,
    path: &ConfigPath,
    value: &str,
) -> Result<Zeroizing<String>, Flaw> {
    let document = format.parse(text)?;
    let splice = match document.find(path) {
        Some(number) if !document.nodes[number].is_group() => {
            replacement(format, text, &document.nodes[number], value)?
        }
        Some(number) => return Err(not_a_text(path, document.nodes[number].span.start)),
        None => insert::insertion(format, text, &document, path, value)?,
    };
    let at = splice.range.start;
    let new = splice::apply(text, vec![splice]).ok_or_else(|| inseparable(at))?;
    let mut expected = document.leaves(text);
    expected.insert(path, Leaf::Text(value));
    check_values(format, &new, &expected, at)?;
    Ok(new)
}

fn splices(
    format: Format,
    text: &str,
    document: &Document,
    changes: &[(usize, Change<'_>)],
) -> Result<Vec<Splice>, Flaw> {
    let removed = changes.iter().filter(|(_, change)| *change == Change::Removal);
    let removed: BTreeSet<_> = removed.map(|(number, _)| *number).collect();
    let removal = Removal { format, text, document, removed };
    let mut splices = Vec::new();
    for (number, change) in changes {
        match change {
            Change::Text(value) => {
                splices.push(replacement(format, text, &document.nodes[*number], value)?);
            }
            Change::Removal => splices.extend(removal.splices(*number)?),
        }
    }
    Ok(splices)
}

/// Returns the splice that replaces a value with a text. A text stays in its quotes, if they can hold the new text.
fn replacement(format: Format, text: &str, node: &Node, value: &str) -> Result<Splice, Flaw> {
    let quoted = match node.text() {
        Some(_) => format.quoted_like(value, &text[node.span.clone()], node.is_flow),
        None => format.quoted(value),
    };
    let quoted = Zeroizing::new(quoted.ok_or_else(|| unwritable(node.span.start))?);
    // In YAML, an empty value directly follows a colon or a tag. The new value needs a space in between.
    let is_close = format == Format::Yaml
        && node.span.is_empty()
        && !text[..node.span.start].ends_with([' ', '\t', '\n']);
    let before = if is_close { " " } else { "" };
    let comment = node.comment.clone().map_or("", |comment| &text[comment]);
    Ok(Splice::new(node.span.clone(), [before, &quoted, comment].concat()))
}

/// Checks that a new text contains exactly these values.
fn check_values(
    format: Format,
    new: &str,
    expected: &BTreeMap<&ConfigPath, Leaf<'_>>,
    at: usize,
) -> Result<(), Flaw> {
    match format.parse(new) {
        Ok(document) if document.leaves(new) == *expected => Ok(()),
        _ => Err(inseparable(at)),
    }
}

#[cfg(test)]
mod tests;
