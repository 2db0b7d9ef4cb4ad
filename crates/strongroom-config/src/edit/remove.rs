//! Removing entries, with their keys and commas. Comments stay.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Change, Splice, is_blank, line_end, line_start};
use crate::Format;
use crate::document::{Document, Kind, Node};
use crate::error::Flaw;

/// The entries that are removed together.
pub(super) struct Removal<'a> {
    format: Format,
    text: &'a str,
    document: &'a Document,
    gone: BTreeSet<usize>,
}

impl<'a> Removal<'a> {
    pub(super) fn new(
        format: Format,
        text: &'a str,
        document: &'a Document,
        changes: &[(usize, Change)],
    ) -> Self {
        let gone = changes.iter().filter(|(_, change)| *change == Change::Removed);
        Self { format, text, document, gone: gone.map(|(number, _)| *number).collect() }
    }

    /// Returns the cuts for a single entry.
    pub(super) fn splices(&self, number: usize) -> Result<Vec<Splice>, Flaw> {
        let node = &self.document.nodes[number];
        let Some(parent) = node.parent else { return Err(no_entry(node)) };
        if matches!(self.document.nodes[parent].kind, Kind::List) {
            return Err(no_entry(node));
        }
        if node.is_flow { Ok(self.of_flow(number, parent)) } else { self.of_lines(number, parent) }
    }

    /// Returns the cuts for an entry between brackets: the entry and the comma after it, or for the last entry the comma
    /// before.
    fn of_flow(&self, number: usize, parent: usize) -> Vec<Splice> {
        let entry = &self.document.nodes[number].entry;
        let group = self.in_brackets(parent);
        let siblings = self.entries(group);
        let next =
            siblings.iter().map(|(_, node)| node.entry.start).find(|start| *start >= entry.end);
        let behind = entry.end..next.unwrap_or(self.document.nodes[group].span.end);
        if let Some(comma) = self.document.comma_in(behind) {
            // A comment between the entry and its comma stays.
            let between = &self.text[entry.end..comma];
            if between.trim().is_empty() {
                return vec![self.cut(entry.start..comma + 1)];
            }
            return vec![self.cut(entry.clone()), cut(comma..comma + 1)];
        }
        // Other removed entries cut the comma after them. The comma after the last entry that stays is left over.
        let kept = siblings
            .iter()
            .rev()
            .find(|(other, node)| node.entry.end <= entry.start && !self.gone.contains(other));
        let comma = kept.and_then(|(_, node)| self.document.comma_in(node.entry.end..entry.start));
        match comma {
            Some(comma) if is_blank(&self.text[comma + 1..entry.start]) => {
                vec![cut(comma..entry.end)]
            }
            Some(comma) => vec![cut(comma..comma + 1), self.cut(entry.clone())],
            None => vec![self.cut(entry.clone())],
        }
    }

    /// Returns the cuts for an entry on lines of its own: these lines, or only the part before a comment.
    fn of_lines(&self, number: usize, parent: usize) -> Result<Vec<Splice>, Flaw> {
        let Node { entry, comment, .. } = &self.document.nodes[number];
        let comment = comment.clone().map_or("", |comment| &self.text[comment]);
        let mut siblings = self.siblings(parent);
        if self.format == Format::Yaml && siblings.all(|(other, _)| self.gone.contains(&other)) {
            // Without any entry, YAML would read null in place of the group.
            let is_first = self.siblings(parent).next().is_some_and(|(first, _)| first == number);
            if is_first {
                return Ok(vec![Splice { range: entry.clone(), text: ["{}", comment].concat() }]);
            }
        }
        let start = line_start(self.text, entry.start);
        if is_blank(&self.text[start..entry.start]) {
            if comment.is_empty() {
                return Ok(vec![self.cut(entry.clone())]);
            }
            let text = comment.trim_start().to_owned();
            return Ok(vec![Splice { range: entry.clone(), text }]);
        }
        // In YAML, this entry follows the dash of a list's item. The next entry takes its place.
        let next = self
            .siblings(parent)
            .map(|(_, node)| node.entry.start)
            .find(|start| *start >= entry.end);
        match next {
            Some(next) if self.text[entry.end..next].trim().is_empty() => {
                Ok(vec![cut(entry.start..next)])
            }
            _ => Err(super::tangled(entry.start)),
        }
    }

    /// Returns a cut of the range, and of its whole line if nothing else is on it, or else of the blanks after it.
    fn cut(&self, range: Range<usize>) -> Splice {
        let start = line_start(self.text, range.start);
        let end = line_end(self.text, range.end);
        let has_line =
            is_blank(&self.text[start..range.start]) && is_blank(&self.text[range.end..end]);
        if has_line && (start > 0 || end < self.text.len()) {
            let rest = &self.text[end..];
            let newline = ["\r\n", "\n"].iter().find(|newline| rest.starts_with(**newline));
            return cut(start..end + newline.map_or(0, |newline| newline.len()));
        }
        let rest = &self.text[range.end..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let is_before_end = rest.trim_start_matches([' ', '\t']).starts_with(['}', ']']);
        cut(range.start..range.end + if is_before_end { 0 } else { blanks })
    }

    /// Returns the group with the brackets around an entry of this group. TOML's dotted keys make groups without brackets.
    fn in_brackets(&self, group: usize) -> usize {
        let node = &self.document.nodes[group];
        match node.parent {
            Some(parent) if !self.has_brackets(node) => self.in_brackets(parent),
            _ => group,
        }
    }

    fn entries(&self, group: usize) -> Vec<(usize, &'a Node)> {
        let entries = self.siblings(group).flat_map(|(number, node)| {
            let is_one = !node.is_group() || self.has_brackets(node);
            if is_one { vec![(number, node)] } else { self.entries(number) }
        });
        entries.collect()
    }

    fn has_brackets(&self, node: &Node) -> bool {
        self.text[node.span.clone()].starts_with(['{', '['])
    }

    fn siblings(&self, parent: usize) -> impl Iterator<Item = (usize, &'a Node)> {
        self.document.children(parent)
    }
}

fn cut(range: Range<usize>) -> Splice {
    Splice { range, text: String::new() }
}

fn no_entry(node: &Node) -> Flaw {
    Flaw::new(node.span.start, "an item of a list can't go without moving those behind it")
        .with_hint("Nothing was changed. Leave a reference or an empty text in its place.")
}
