//! YAML, read from the events of `granit-parser`, which have byte ranges.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use granit_parser::{
    Event, Parser, ScalarStyle, ScanError, Scanner, Span, StrInput, StructureStyle, Tag, TokenType,
    options,
};
use strongroom::SecretString;

use crate::ConfigPath;
use crate::document::{Document, Kind, MAX_DEPTH, Node, duplicate, too_deep};
use crate::flaw::Flaw;

pub(super) fn parse(text: &str) -> Result<Document, Flaw> {
    check_line_ends(text)?;
    let mut builder = Builder { text, ..Builder::default() };
    for event in Parser::new_from_str_with_options(text, limits()) {
        let (event, span) = event.map_err(|error| flaw(text, &error))?;
        let span = byte_range(span, text)?;
        // The parser reads ahead before these events, so they don't mark the end of the text that was handled.
        let is_ahead = matches!(event, Event::StreamStart | Event::DocumentStart(..));
        builder.event(event, span.clone())?;
        builder.last_end = if is_ahead { builder.last_end } else { span.end };
    }
    builder.document.commas = commas(text)?;
    builder.mark_shared();
    builder.close_groups();
    Ok(builder.document)
}

/// Refuses carriage returns without a line feed. They end a line in YAML, but not in editors and other tools.
fn check_line_ends(text: &str) -> Result<(), Flaw> {
    let mut returns = text.match_indices('\r').map(|(at, _)| at);
    match returns.find(|at| !text[at + 1..].starts_with('\n')) {
        Some(at) => Err(Flaw::new(at, "a line ends with a carriage return alone")),
        None => Ok(()),
    }
}

/// Returns the options of the parser. Its limits are those of all formats.
fn limits() -> granit_parser::Options {
    options! { emit_comments: false, flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH }
}

/// A builder of a document from the events of the parser.
#[derive(Default)]
struct Builder<'a> {
    text: &'a str,
    document: Document,
    /// The groups around the next value, the innermost last.
    open: Vec<Group>,
    /// The numbers of the nodes with an anchor, by the parser's number of the anchor.
    anchors: HashMap<usize, usize>,
    /// The anchors that an alias names.
    aliased: Vec<usize>,
    /// The number of documents that have begun.
    documents: usize,
    /// The end of the last event: of a value or a key, or of the start of a group.
    last_end: usize,
}

/// An open group.
struct Group {
    /// The number of its node.
    number: usize,
    is_flow: bool,
    content: Content,
}

/// The content of an open group so far.
enum Content {
    Items {
        count: usize,
    },
    Entries {
        keys: HashSet<String>,
        /// The key of the next value, and its start. `None` if a key is due.
        key: Option<(String, usize)>,
    },
}

/// The place of the next value.
struct Place {
    path: ConfigPath,
    parent: Option<usize>,
    start: usize,
    is_flow: bool,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Flaw> {
        match event {
            Event::DocumentStart(..) => return self.begin_document(&span),
            Event::Scalar(value, style, anchor, tag) => {
                let is_key = self.take_key(&value, &span)?;
                if !is_key {
                    self.add_scalar(value, style, tag.as_deref(), span, anchor);
                }
            }
            Event::Alias(anchor) => {
                self.refuse_as_key(&span)?;
                self.aliased.push(anchor);
                self.add(Kind::Alias, span, 0);
            }
            Event::MappingStart(style, anchor, _) => {
                let entries = Content::Entries { keys: HashSet::new(), key: None };
                return self.begin_group(Kind::Map, span, anchor, style, entries);
            }
            Event::SequenceStart(style, anchor, _) => {
                let items = Content::Items { count: 0 };
                return self.begin_group(Kind::List, span, anchor, style, items);
            }
            Event::MappingEnd | Event::SequenceEnd => self.end_group(&span),
            _ => {}
        }
        Ok(())
    }

    fn begin_document(&mut self, span: &Range<usize>) -> Result<(), Flaw> {
        self.documents += 1;
        if self.documents > 1 {
            return Err(Flaw::new(span.start, "a second document begins")
                .with_hint("Nothing was changed. Put each document into a file of its own."));
        }
        Ok(())
    }

    /// Adds a scalar that is a value, and not a key.
    fn add_scalar(
        &mut self,
        value: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Range<usize>,
        anchor: usize,
    ) {
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let span = if is_block { self.block_span(span) } else { span };
        let comment = is_block.then(|| self.block_comment(&span)).flatten();
        let number = self.add(kind(value, style, tag), span, anchor);
        self.document.nodes[number].comment = comment;
    }

    /// Takes a scalar as the key of the next value, if a key is due. Returns whether it did.
    fn take_key(&mut self, value: &str, span: &Range<usize>) -> Result<bool, Flaw> {
        let Some(group) = self.open.last_mut() else { return Ok(false) };
        let Content::Entries { keys, key } = &mut group.content else { return Ok(false) };
        if key.is_some() {
            return Ok(false);
        }
        if !keys.insert(value.to_owned()) {
            let path = self.document.nodes[group.number].path.join(value);
            return Err(duplicate(&path, span.start));
        }
        *key = Some((value.to_owned(), span.start));
        Ok(true)
    }

    /// Refuses a group or an alias as a key, because a path can't name it.
    fn refuse_as_key(&self, span: &Range<usize>) -> Result<(), Flaw> {
        match self.open.last() {
            Some(Group { content: Content::Entries { key: None, .. }, .. }) => {
                Err(Flaw::new(span.start, "a key is not a plain text")
                    .with_hint("Nothing was changed. Write the key out as text."))
            }
            _ => Ok(()),
        }
    }

    fn begin_group(
        &mut self,
        kind: Kind,
        span: Range<usize>,
        anchor: usize,
        style: StructureStyle,
        content: Content,
    ) -> Result<(), Flaw> {
        self.refuse_as_key(&span)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span.start));
        }
        let number = self.add(kind, span, anchor);
        self.open.push(Group { number, is_flow: style == StructureStyle::Flow, content });
        Ok(())
    }

    /// Ends the innermost group. Groups without brackets get their ends in `close_groups`.
    fn end_group(&mut self, span: &Range<usize>) {
        if let Some(Group { number, is_flow: true, .. }) = self.open.pop() {
            self.document.nodes[number].span.end = span.end;
            self.document.nodes[number].entry.end = span.end;
        }
    }

    /// Adds a node at the place that is due, and returns its number. The anchor is 0 for none.
    fn add(&mut self, kind: Kind, span: Range<usize>, anchor: usize) -> usize {
        let Place { path, parent, start, is_flow } = self.next_place(&span);
        let number = self.document.push(Node {
            path,
            kind,
            entry: start..span.end,
            span,
            parent,
            comment: None,
            is_flow,
            has_header: false,
            is_shared: false,
        });
        // The parser counts anchors from 1.
        if anchor != 0 {
            self.anchors.insert(anchor, number);
        }
        number
    }

    /// Returns the place of the next value in the innermost group.
    fn next_place(&mut self, span: &Range<usize>) -> Place {
        let Some(group) = self.open.last_mut() else {
            let path = ConfigPath::default();
            return Place { path, parent: None, start: span.start, is_flow: false };
        };
        let (key, start) = match &mut group.content {
            Content::Items { count } => {
                *count += 1;
                ((*count - 1).to_string(), span.start)
            }
            Content::Entries { key, .. } => {
                key.take().unwrap_or_else(|| (String::new(), span.start))
            }
        };
        let path = self.document.nodes[group.number].path.join(key);
        Place { path, parent: Some(group.number), start, is_flow: group.is_flow }
    }

    /// Returns the bytes of a block scalar: from its indicator (`|` or `>`) to its last line that is not blank. The parser's
    /// range goes from its first line to the next value.
    fn block_span(&self, span: Range<usize>) -> Range<usize> {
        let before = &self.text[self.last_end.min(span.start)..span.start];
        let header = before.trim_end().rfind('\n').map_or(0, |newline| newline + 1);
        let mut last = ' ';
        let mark = before[header..].char_indices().find(|(_, c)| {
            // After comments at the start of the file, a byte order mark can precede the document.
            let begins =
                matches!(c, '|' | '>' | '#') && (last.is_whitespace() || last == '\u{feff}');
            last = *c;
            begins
        });
        // The range of a scalar without a line begins with its indicator, and the line before may be a comment.
        let sign = match mark {
            Some((at, '|' | '>')) => header + at,
            _ => before.len(),
        };
        let start = span.start - (before.len() - sign);
        start..start + self.text[start..span.end].trim_end().len()
    }

    /// Returns the comment after a block scalar's indicator, with the blanks before it.
    fn block_comment(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let header = self.text[span.clone()].lines().next()?;
        let sign = header.find([' ', '\t'])?;
        header[sign..]
            .trim_start()
            .starts_with('#')
            .then_some(span.start + sign..span.start + header.len())
    }

    /// Marks the values that an alias shows in a second place.
    fn mark_shared(&mut self) {
        let aliased = self.aliased.iter().filter_map(|anchor| self.anchors.get(anchor));
        for &number in aliased {
            self.document.nodes[number].is_shared = true;
        }
        // A group precedes its entries, so a single pass reaches all of them.
        for number in 0..self.document.nodes.len() {
            let parent = self.document.nodes[number].parent;
            if parent.is_some_and(|parent| self.document.nodes[parent].is_shared) {
                self.document.nodes[number].is_shared = true;
            }
        }
    }

    /// Extends groups without brackets to the end of their last value.
    fn close_groups(&mut self) {
        // In reverse, so that a group has its own end before its parent takes it over.
        for number in (1..self.document.nodes.len()).rev() {
            let Node { parent, entry, .. } = &self.document.nodes[number];
            let (Some(parent), end) = (*parent, entry.end) else { continue };
            let parent = &mut self.document.nodes[parent];
            parent.span.end = parent.span.end.max(end);
            parent.entry.end = parent.entry.end.max(end);
        }
    }
}

fn kind(value: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Kind {
    match tag {
        Some(tag) if tag.is_yaml_core_schema_tag("str") => {}
        Some(_) => return Kind::Other("a value with a tag"),
        None if style != ScalarStyle::Plain => {}
        None => {
            if let Some(kind) = plain_kind(&value) {
                return kind;
            }
        }
    }
    Kind::Text(SecretString::from(value.into_owned()))
}

/// Returns the kind of a plain scalar that is not a text, by the core schema (YAML 1.2.2, 10.3.2), and for truth values
/// also by YAML 1.1.
fn plain_kind(value: &str) -> Option<Kind> {
    match value.to_ascii_lowercase().as_str() {
        "" | "~" | "null" => return Some(Kind::Other("null")),
        ".inf" | "-.inf" | "+.inf" | ".nan" => return Some(Kind::Number),
        "true" | "false" | "yes" | "no" | "on" | "off" => {
            return Some(Kind::Other("true or false"));
        }
        _ => {}
    }
    let digits = value.trim_start_matches(['-', '+']);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && (value.parse::<f64>().is_ok() || digits.starts_with("0x") || digits.starts_with("0o"));
    is_number.then_some(Kind::Number)
}

/// Returns the commas between brackets. The parser's events don't have them.
fn commas(text: &str) -> Result<Vec<usize>, Flaw> {
    let mut scanner = Scanner::with_options(StrInput::new(text), limits());
    let mut commas = Vec::new();
    for token in &mut scanner {
        let (span, token) = token.map_err(|error| flaw(text, &error))?.into_parts();
        if token == TokenType::FlowEntry {
            commas.push(byte_range(span, text)?.start);
        }
    }
    Ok(commas)
}

/// Returns the bytes of a range of the parser.
fn byte_range(span: Span, text: &str) -> Result<Range<usize>, Flaw> {
    let range = span.byte_range().filter(|range| text.get(range.clone()).is_some());
    range.ok_or_else(|| Flaw::new(0, "its values can't be told apart"))
}

/// Returns the parser's message as a flaw.
fn flaw(text: &str, error: &ScanError) -> Flaw {
    let marker = error.marker();
    let at = marker.byte_offset().unwrap_or_else(|| {
        text.char_indices().nth(marker.index()).map_or(text.len(), |(at, _)| at)
    });
    Flaw::new(at, error.kind().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_paths_and_bytes() {
        let text = "\u{feff}# c\r\na: &x é  # d\r\n\"b\":\r\n  - k: |\r\n      1\r\n      2\r\n\r\n    m: {n: 'p, q', o: 3}\r\n  - *x\r\n";
        let document = parse(text).unwrap();
        let leaves = document.nodes.iter().filter(|node| !node.is_group());
        let seen: Vec<_> =
            leaves.map(|node| (node.path.to_string(), &text[node.entry.clone()])).collect();
        assert_eq!(
            seen,
            [
                ("a".into(), "a: &x é"),
                ("b.0.k".into(), "k: |\r\n      1\r\n      2"),
                ("b.0.m.n".into(), "n: 'p, q'"),
                ("b.0.m.o".into(), "o: 3"),
                ("b.1".into(), "*x"),
            ]
        );
        assert_eq!(document.commas.len(), 1);
        assert!(document.nodes.iter().any(|node| node.path.to_string() == "a" && node.is_shared));
    }

    #[test]
    fn only_texts_are_texts() {
        let text = "[a, 1, '1', !!str 1, 0x1f, -.5, ~, No, !secret x, 1a, 1.2.3, '', .inf]";
        let document = parse(text).unwrap();
        let kinds: Vec<_> =
            document.nodes[1..].iter().map(|node| format!("{:?}", node.kind)).collect();
        assert_eq!(
            kinds,
            [
                "Text",
                "Number",
                "Text",
                "Text",
                "Number",
                "Number",
                "null",
                "true or false",
                "a value with a tag",
                "Text",
                "Text",
                "Text",
                "Number",
            ]
        );
    }
}
