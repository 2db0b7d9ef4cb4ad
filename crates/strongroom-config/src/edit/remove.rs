//! Removing entries, with their keys and commas. Comments stay.

use std::collections::BTreeSet;
use std::ops::Range;

use super::flaws::inseparable;
use super::lines::{is_blank, line_end, line_start};
use super::splice::Splice;
use crate::Format;
use crate::document::{Document, Kind, Node};
use crate::flaw::Flaw;

/// The entries that are removed together.
pub(super) struct Removal<'a> {
    pub(super) format: Format,
    pub(super) text: &'a str,
    pub(super) document: &'a Document,
    /// The numbers of the entries.
    pub(super) removed: BTreeSet<usize>,
}

impl<'a> Removal<'a> {
    /// Returns the cuts for a single entry.
    pub(super) fn splices(&self, number: usize) -> Result<Vec<Splice>, Flaw> {
        let node = &self.document.nodes[number];
        match node.parent {
            Some(parent) if !matches!(self.document.nodes[parent].kind, Kind::List) => {
                match node.is_flow {
                    true => Ok(self.between_brackets(number, parent)),
                    false => self.on_lines(number, parent),
                }
            }
            _ => Err(not_an_entry(node)),
        }
    }

    /// Returns the cuts for an entry between brackets: the entry and the comma after it, or for the last entry the comma
    /// before.
    fn between_brackets(&self, number: usize, parent: usize) -> Vec<Splice> {
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
            return vec![self.cut(entry.clone()), Splice::cut(comma..comma + 1)];
        }
        // Other removed entries cut the comma after them. The comma after the last entry that stays is left over.
        let kept = siblings
            .iter()
            .rev()
            .find(|(other, node)| node.entry.end <= entry.start && !self.removed.contains(other));
        let comma = kept.and_then(|(_, node)| self.document.comma_in(node.entry.end..entry.start));
        match comma {
            Some(comma) if is_blank(&self.text[comma + 1..entry.start]) => {
                vec![Splice::cut(comma..entry.end)]
            }
            Some(comma) => vec![Splice::cut(comma..comma + 1), self.cut(entry.clone())],
            None => vec![self.cut(entry.clone())],
        }
    }

    /// Returns the cuts for an entry on lines of its own: these lines, or only the part before a comment.
    fn on_lines(&self, number: usize, parent: usize) -> Result<Vec<Splice>, Flaw> {
        let Node { entry, comment, .. } = &self.document.nodes[number];
        let comment = comment.clone().map_or("", |comment| &self.text[comment]);
        if self.is_first_of_emptied_group(number, parent) {
            // Without any entry, YAML would read null in place of the group.
            return Ok(vec![Splice::new(entry.clone(), ["{}", comment].concat())]);
        }
        let start = line_start(self.text, entry.start);
        if !is_blank(&self.text[start..entry.start]) {
            return self.after_dash(entry, parent);
        }
        if comment.is_empty() {
            return Ok(vec![self.cut(entry.clone())]);
        }
        Ok(vec![Splice::new(entry.clone(), comment.trim_start().to_owned())])
    }

    /// Returns whether all entries of a YAML group are removed, and this is the first of them.
    fn is_first_of_emptied_group(&self, number: usize, parent: usize) -> bool {
        let mut numbers = self.siblings(parent).map(|(number, _)| number);
        self.format == Format::Yaml
            && numbers.clone().next() == Some(number)
            && numbers.all(|number| self.removed.contains(&number))
    }

    /// Returns the cut for an entry that follows the dash of a list's item in YAML. The next entry takes its place.
    fn after_dash(&self, entry: &Range<usize>, parent: usize) -> Result<Vec<Splice>, Flaw> {
        let mut starts = self.siblings(parent).map(|(_, node)| node.entry.start);
        match starts.find(|start| *start >= entry.end) {
            Some(next) if self.text[entry.end..next].trim().is_empty() => {
                Ok(vec![Splice::cut(entry.start..next)])
            }
            _ => Err(inseparable(entry.start)),
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
            return Splice::cut(start..end + newline.map_or(0, |newline| newline.len()));
        }
        let rest = &self.text[range.end..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let is_before_end = rest.trim_start_matches([' ', '\t']).starts_with(['}', ']']);
        Splice::cut(range.start..range.end + if is_before_end { 0 } else { blanks })
    }

    /// Returns the group with the brackets around an entry of this group. TOML's dotted keys make groups without brackets.
    fn in_brackets(&self, group: usize) -> usize {
        let node = &self.document.nodes[group];
        match node.parent {
            Some(parent) if !self.has_brackets(node) => self.in_brackets(parent),
            _ => group,
        }
    }

    /// Returns the entries between the brackets of a group: those of a group without brackets in place of that group.
    fn entries(&self, group: usize) -> Vec<(usize, &'a Node)> {
        let mut entries = Vec::new();
        for (number, node) in self.siblings(group) {
            match node.is_group() && !self.has_brackets(node) {
                true => entries.extend(self.entries(number)),
                false => entries.push((number, node)),
            }
        }
        entries
    }

    fn has_brackets(&self, node: &Node) -> bool {
        self.text[node.span.clone()].starts_with(['{', '['])
    }

    fn siblings(&self, parent: usize) -> impl Iterator<Item = (usize, &'a Node)> + Clone {
        self.document.children(parent)
    }
}

fn not_an_entry(node: &Node) -> Flaw {
    Flaw::new(node.span.start, "an item of a list can't go without moving those behind it")
        .with_hint("Nothing was changed. Leave a reference or an empty text in its place.")
}
