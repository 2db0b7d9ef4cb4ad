//! TOML, parsed by `toml_edit`, which knows the bytes of each value. Its writer is not used: the text is changed only at
//! those bytes.

use std::ops::Range;

use strongroom::SecretString;
use toml_edit::{Array, ArrayOfTables, Document as Toml, Item, TableLike, Value};
use toml_parser::Source;
use toml_parser::lexer::{Token, TokenKind};

use crate::ConfigPath;
use crate::document::{Document, Kind, MAX_DEPTH, Node, too_deep};
use crate::flaw::Flaw;

pub(super) fn parse(text: &str) -> Result<Document, Flaw> {
    let toml = Toml::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Flaw::new(at, error.message().to_owned())
    })?;
    let tokens = Source::new(text).lex().into_vec();
    let commas = tokens.iter().filter(|token| token.kind() == TokenKind::Comma);
    let commas = commas.map(|token| token.span().start()).collect();
    let mut builder = Builder { tokens, document: Document { nodes: Vec::new(), commas } };
    let root = Place { path: ConfigPath::default(), parent: None, is_flow: false };
    builder.item(root, toml.as_item(), 0)?;
    Ok(builder.document)
}

/// A builder of a document from the items of the parser.
struct Builder {
    tokens: Vec<Token>,
    document: Document,
}

/// The place of a value.
struct Place {
    path: ConfigPath,
    parent: Option<usize>,
    /// Set if the value is between brackets.
    is_flow: bool,
}

impl Builder {
    /// Adds an item with all values in it. `start` is the start of its entry.
    fn item(&mut self, place: Place, item: &Item, start: usize) -> Result<(), Flaw> {
        match item {
            Item::None => Ok(()),
            Item::Value(value) => self.value(place, value, start),
            Item::Table(table) => {
                // Dotted and implicit tables have no line of their own, and neither has the whole file.
                let has_header =
                    !table.is_dotted() && !table.is_implicit() && place.parent.is_some();
                let span = table.span().unwrap_or(start..start);
                let path = place.path.clone();
                let number = self.add(place, Kind::Map, span, start, has_header)?;
                self.entries(&path, table, number, false)
            }
            Item::ArrayOfTables(tables) => self.tables(place, tables, start),
        }
    }

    /// Adds the tables with the same header, `[[table]]`, as a list of maps.
    fn tables(&mut self, place: Place, tables: &ArrayOfTables, start: usize) -> Result<(), Flaw> {
        let path = place.path.clone();
        let span = tables.span().unwrap_or(start..start);
        let list = self.add(place, Kind::List, span, start, true)?;
        for (index, table) in tables.iter().enumerate() {
            let path = path.join(index.to_string());
            let place = Place { path: path.clone(), parent: Some(list), is_flow: false };
            let span = table.span().unwrap_or(start..start);
            let start = span.start;
            let number = self.add(place, Kind::Map, span, start, true)?;
            self.entries(&path, table, number, false)?;
        }
        Ok(())
    }

    /// Adds a value, with all values in it.
    fn value(&mut self, place: Place, value: &Value, start: usize) -> Result<(), Flaw> {
        let path = place.path.clone();
        let span = value.span().unwrap_or(start..start);
        // A dotted key in an inline table makes a group without brackets of its own. Its entries are still between those of
        // the table.
        let is_flow = place.is_flow;
        let number = self.add(place, kind(value), span, start, false)?;
        match value {
            Value::Array(array) => self.items(&path, array, number, start),
            Value::InlineTable(table) => {
                self.entries(&path, table, number, is_flow || !table.is_dotted())
            }
            _ => Ok(()),
        }
    }

    /// Adds the items of an array between brackets. `start` is for an item without a known place.
    fn items(
        &mut self,
        path: &ConfigPath,
        array: &Array,
        parent: usize,
        start: usize,
    ) -> Result<(), Flaw> {
        for (index, item) in array.iter().enumerate() {
            let start = item.span().map_or(start, |span| span.start);
            let path = path.join(index.to_string());
            self.value(Place { path, parent: Some(parent), is_flow: true }, item, start)?;
        }
        Ok(())
    }

    /// Adds the entries of a table. `is_flow` is set if they are between brackets.
    fn entries(
        &mut self,
        path: &ConfigPath,
        table: &dyn TableLike,
        parent: usize,
        is_flow: bool,
    ) -> Result<(), Flaw> {
        for (name, item) in table.iter() {
            let key = table.key(name).and_then(toml_edit::Key::span);
            let start = key.map_or(0, |span| self.entry_start(span.start));
            let place = Place { path: path.join(name), parent: Some(parent), is_flow };
            self.item(place, item, start)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        place: Place,
        kind: Kind,
        span: Range<usize>,
        start: usize,
        has_header: bool,
    ) -> Result<usize, Flaw> {
        let Place { path, parent, is_flow } = place;
        if path.keys().len() > MAX_DEPTH {
            return Err(too_deep(span.start));
        }
        let entry = start.min(span.start)..span.end;
        Ok(self.document.push(Node {
            path,
            kind,
            span,
            entry,
            parent,
            comment: None,
            is_flow,
            has_header,
            is_shared: false,
        }))
    }

    /// Returns the start of the entry that a key belongs to. In a dotted key, other keys and dots precede it.
    fn entry_start(&self, key: usize) -> usize {
        let after = self.tokens.partition_point(|token| token.span().start() <= key);
        let tokens = self.tokens[..after].iter().rev().take_while(|token| !precedes_entry(token));
        let first = tokens.filter(|token| token.kind() != TokenKind::Whitespace).last();
        first.map_or(key, |token| token.span().start())
    }
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::String(text) => Kind::Text(SecretString::from(text.value().as_str())),
        Value::Integer(_) | Value::Float(_) => Kind::Number,
        Value::Boolean(_) => Kind::Other("true or false"),
        Value::Datetime(_) => Kind::Other("a time"),
        Value::Array(_) => Kind::List,
        Value::InlineTable(_) => Kind::Map,
    }
}

/// Returns whether a token can stand directly before an entry, and not in its key.
fn precedes_entry(token: &Token) -> bool {
    use TokenKind::{Comma, Equals, LeftCurlyBracket, LeftSquareBracket, Newline};
    matches!(token.kind(), Newline | Comma | LeftCurlyBracket | LeftSquareBracket | Equals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_paths_and_bytes() {
        let text = "\u{feff}a.b = 'x' # c\r\n[t.\"é.f\"]\r\nk = { m.n = \"\"\"y\r\nz\"\"\", o = [1, 2.5] }\r\n\
                    [[l]]\r\np = 1\r\n[[l]]\r\np = \"2\"\r\n";
        let document = parse(text).unwrap();
        let leaves = document.nodes.iter().filter(|node| !node.is_group());
        let seen: Vec<_> =
            leaves.map(|node| (node.path.to_string(), &text[node.entry.clone()])).collect();
        assert_eq!(
            seen,
            [
                ("a.b".into(), "a.b = 'x'"),
                (r#"t."é.f".k.m.n"#.into(), "m.n = \"\"\"y\r\nz\"\"\""),
                (r#"t."é.f".k.o.0"#.into(), "1"),
                (r#"t."é.f".k.o.1"#.into(), "2.5"),
                ("l.0.p".into(), "p = 1"),
                ("l.1.p".into(), "p = \"2\""),
            ]
        );
        assert_eq!(document.commas.len(), 2);
    }
}
