//! Inserting a new entry at the end of a group.

use super::flaws::unwritable;
use super::lines::{first_line_start, is_blank, line_break, line_end, line_start};
use super::splice::Splice;
use crate::document::{Document, Kind, Node};
use crate::flaw::Flaw;
use crate::{ConfigPath, Format};

/// Returns the splice that adds an entry with this path and value.
///
/// # Errors
///
/// A flaw if the path's group is missing or no map, or if the format can't represent the entry.
pub(super) fn insertion(
    format: Format,
    text: &str,
    document: &Document,
    path: &ConfigPath,
    value: &str,
) -> Result<Splice, Flaw> {
    let (Some(parent), Some(key)) = (path.parent(), path.last()) else {
        return Err(missing_group(path));
    };
    let group = document.find(&parent).ok_or_else(|| missing_group(path))?;
    if !matches!(document.nodes[group].kind, Kind::Map) {
        return Err(missing_group(path));
    }
    let node = &document.nodes[group];
    let entry = format.entry(key, value).ok_or_else(|| unwritable(node.span.start))?;
    if text[node.span.clone()].starts_with('{') {
        return Ok(in_brackets(text, document, group, &entry));
    }
    Ok(on_own_line(text, document, group, &entry))
}

/// Returns the splice for a group with brackets: after its last entry.
fn in_brackets(text: &str, document: &Document, group: usize, entry: &str) -> Splice {
    let inside = document.nodes[group].span.start + 1..document.nodes[group].span.end - 1;
    let Some((_, last)) = document.children(group).next_back() else {
        return Splice::insertion(inside.start, entry.to_owned());
    };
    let trailing = document.comma_in(last.entry.end..inside.end);
    let start = line_start(text, last.entry.start);
    let indent = &text[start..last.entry.start];
    let after = trailing.map_or(last.entry.end, |comma| comma + 1);
    let end = line_end(text, after);
    if !is_blank(indent) || end >= inside.end {
        let (before, behind) = if trailing.is_some() { (" ", ",") } else { (", ", "") };
        return Splice::insertion(after, [before, entry, behind].concat());
    }
    // The new entry gets its own line. A comment after the last entry stays on that entry's line.
    let (before, behind) = if trailing.is_some() { ("", ",") } else { (",", "") };
    let comment = &text[after..end];
    let text = [before, comment, line_break(text), indent, entry, behind].concat();
    Splice::new(after..end, text)
}

/// Returns the splice for a group without brackets: on a line after its last entry.
fn on_own_line(text: &str, document: &Document, group: usize, entry: &str) -> Splice {
    let newline = line_break(text);
    let mut children = document.children(group).filter(|(_, node)| !has_header(document, node));
    let Some((_, last)) = children.next_back() else {
        return in_empty_group(text, document, group, entry);
    };
    let first = document.children(group).next().map_or(0, |(_, node)| node.entry.start);
    let start = line_start(text, first);
    // The first key of an item in a YAML list follows the dash. The new key aligns with it.
    let indent: String =
        text[start..first].chars().map(|c| if c.is_whitespace() { c } else { ' ' }).collect();
    let end = line_end(text, end_of(document, last));
    Splice::insertion(end, [newline, &indent, entry].concat())
}

/// Returns a splice after the group's header, or at the start of the file.
fn in_empty_group(text: &str, document: &Document, group: usize, entry: &str) -> Splice {
    let (node, newline) = (&document.nodes[group], line_break(text));
    if node.has_header {
        let end = line_end(text, node.span.start);
        return Splice::insertion(end, [newline, entry].concat());
    }
    let start = first_line_start(text);
    let blank = if text[start..].trim().is_empty() { "" } else { newline };
    Splice::insertion(start, [entry, newline, blank].concat())
}

/// Returns whether the node is, or contains, a table with a header. An entry after such a header would be in the table.
fn has_header(document: &Document, node: &Node) -> bool {
    document.nodes.iter().any(|inner| inner.has_header && is_within(inner, node))
}

/// Returns the end of the last value in a group.
fn end_of(document: &Document, node: &Node) -> usize {
    let inner = document.nodes.iter().filter(|inner| is_within(inner, node));
    inner.map(|inner| inner.entry.end).max().unwrap_or(node.entry.end)
}

/// Returns whether a node is another one, or in it.
fn is_within(inner: &Node, node: &Node) -> bool {
    inner.path.keys().starts_with(node.path.keys())
}

fn missing_group(path: &ConfigPath) -> Flaw {
    Flaw::new(0, format!("there is no place for {path}"))
        .with_hint("Nothing was changed. What the marker is to stand in must be in the file.")
}
