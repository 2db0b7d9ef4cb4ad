//! Inserting a new entry at the end of a group.

use super::{Splice, is_blank, line_break, line_end, line_start, start_of, unwritable};
use crate::document::{Document, Kind, Node};
use crate::error::Flaw;
use crate::{ConfigPath, Format};

/// Returns the splice that adds an entry with this path and value.
pub(super) fn splice(
    format: Format,
    text: &str,
    document: &Document,
    path: &ConfigPath,
    value: &str,
) -> Result<Splice, Flaw> {
    let (Some(parent), Some(key)) = (path.parent(), path.last()) else {
        return Err(no_place(path));
    };
    let group = document.find(&parent).ok_or_else(|| no_place(path))?;
    if !matches!(document.nodes[group].kind, Kind::Map) {
        return Err(no_place(path));
    }
    let node = &document.nodes[group];
    let entry = format.entry(key, value).ok_or_else(|| unwritable(node.span.start))?;
    if text[node.span.clone()].starts_with('{') {
        return Ok(in_brackets(text, document, group, &entry));
    }
    Ok(on_a_line(text, document, group, &entry))
}

fn in_brackets(text: &str, document: &Document, group: usize, entry: &str) -> Splice {
    let inside = document.nodes[group].span.start + 1..document.nodes[group].span.end - 1;
    let Some((_, last)) = document.children(group).next_back() else {
        return Splice { range: inside.start..inside.start, text: entry.to_owned() };
    };
    let trailing = document.comma_in(last.entry.end..inside.end);
    let start = line_start(text, last.entry.start);
    let indent = &text[start..last.entry.start];
    let after = trailing.map_or(last.entry.end, |comma| comma + 1);
    let end = line_end(text, after);
    if !is_blank(indent) || end >= inside.end {
        let (before, behind) = if trailing.is_some() { (" ", ",") } else { (", ", "") };
        return Splice { range: after..after, text: [before, entry, behind].concat() };
    }
    // The new entry gets its own line. A comment after the last entry stays on that entry's line.
    let (before, behind) = if trailing.is_some() { ("", ",") } else { (",", "") };
    let comment = &text[after..end];
    let text = [before, comment, line_break(text), indent, entry, behind].concat();
    Splice { range: after..end, text }
}

fn on_a_line(text: &str, document: &Document, group: usize, entry: &str) -> Splice {
    let newline = line_break(text);
    let mut children = document.children(group).filter(|(_, node)| !has_header(document, node));
    let Some((_, last)) = children.next_back() else {
        return in_an_empty_group(text, document, group, entry);
    };
    let first = document.children(group).next().map_or(0, |(_, node)| node.entry.start);
    let start = line_start(text, first);
    // The first key of an item in a YAML list follows the dash. The new key aligns with it.
    let indent: String =
        text[start..first].chars().map(|c| if c.is_whitespace() { c } else { ' ' }).collect();
    let end = line_end(text, end_of(document, last));
    Splice { range: end..end, text: [newline, &indent, entry].concat() }
}

/// Returns a splice after the group's header, or at the start of the file.
fn in_an_empty_group(text: &str, document: &Document, group: usize, entry: &str) -> Splice {
    let (node, newline) = (&document.nodes[group], line_break(text));
    if node.has_header {
        let end = line_end(text, node.span.start);
        return Splice { range: end..end, text: [newline, entry].concat() };
    }
    let start = start_of(text);
    let blank = if text[start..].trim().is_empty() { "" } else { newline };
    Splice { range: start..start, text: [entry, newline, blank].concat() }
}

/// Returns whether the node is, or contains, a table with a header. An entry after such a header would be in the table.
fn has_header(document: &Document, node: &Node) -> bool {
    let is_in = |inner: &Node| inner.path.keys().starts_with(node.path.keys());
    document.nodes.iter().any(|inner| inner.has_header && is_in(inner))
}

/// Returns the end of the last value in a group.
fn end_of(document: &Document, node: &Node) -> usize {
    let is_in = |inner: &&Node| inner.path.keys().starts_with(node.path.keys());
    let ends = document.nodes.iter().filter(is_in).map(|inner| inner.entry.end);
    ends.max().unwrap_or(node.entry.end)
}

fn no_place(path: &ConfigPath) -> Flaw {
    Flaw::new(0, format!("there is no place for {path}"))
        .with_hint("Nothing was changed. What the marker is to stand in must be in the file.")
}
