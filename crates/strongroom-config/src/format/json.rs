//! JSON, and JSON with comments, parsed by `jsonc-parser`.

use std::collections::HashSet;

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::common::{Range, Ranged as _};
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, parse_to_ast};
use strongroom::SecretString;

use crate::ConfigPath;
use crate::document::{Document, Kind, MAX_DEPTH, Node, duplicate, too_deep};
use crate::flaw::Flaw;

/// The extensions that common readers of JSON with comments accept, and no more of JSON5.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn parse(text: &str) -> Result<Document, Flaw> {
    // The parser doesn't accept a byte order mark.
    let (json, offset) = match text.strip_prefix('\u{feff}') {
        Some(json) => (json, '\u{feff}'.len_utf8()),
        None => (text, 0),
    };
    let collect = CollectOptions { tokens: true, ..CollectOptions::default() };
    let parsed = parse_to_ast(json, &collect, &OPTIONS).map_err(|error| flaw(&error, offset))?;
    let tokens = parsed.tokens.into_iter().flatten();
    let commas = tokens.filter(|token| token.token == Token::Comma);
    let commas = commas.map(|token| offset + token.range.start).collect();
    let mut builder = Builder { offset, document: Document { nodes: Vec::new(), commas } };
    if let Some(value) = parsed.value {
        let range = value.range();
        builder.value(ConfigPath::default(), value, range, None)?;
    }
    Ok(builder.document)
}

/// A builder of a document from the values of the parser.
struct Builder {
    /// The start of the parser's text in the file's text.
    offset: usize,
    document: Document,
}

impl Builder {
    /// Adds a value, with all values in it. `entry` is the range of its entry.
    fn value(
        &mut self,
        path: ConfigPath,
        value: Value<'_>,
        entry: Range,
        parent: Option<usize>,
    ) -> Result<(), Flaw> {
        let (start, end) = (self.offset + value.range().start, self.offset + value.range().end);
        if path.keys().len() > MAX_DEPTH {
            return Err(too_deep(start));
        }
        let number = self.document.push(Node {
            path: path.clone(),
            kind: kind(&value),
            span: start..end,
            entry: self.offset + entry.start..end,
            parent,
            comment: None,
            is_flow: true,
            has_header: false,
            is_shared: false,
        });
        match value {
            Value::Object(object) => self.object(&path, object, number),
            Value::Array(array) => self.array(&path, array, number),
            _ => Ok(()),
        }
    }

    fn array(&mut self, path: &ConfigPath, array: Array<'_>, number: usize) -> Result<(), Flaw> {
        for (index, item) in array.elements.into_iter().enumerate() {
            let range = item.range();
            self.value(path.join(index.to_string()), item, range, Some(number))?;
        }
        Ok(())
    }

    fn object(&mut self, path: &ConfigPath, object: Object<'_>, number: usize) -> Result<(), Flaw> {
        let mut keys = HashSet::new();
        for property in object.properties {
            let key = property.name.into_string();
            let path = path.join(key.clone());
            // The parser accepts duplicates.
            if !keys.insert(key) {
                return Err(duplicate(&path, self.offset + property.range.start));
            }
            self.value(path, property.value, property.range, Some(number))?;
        }
        Ok(())
    }
}

fn kind(value: &Value<'_>) -> Kind {
    match value {
        Value::StringLit(text) => Kind::Text(SecretString::from(text.value.as_ref())),
        Value::NumberLit(_) => Kind::Number,
        Value::BooleanLit(_) => Kind::Other("true or false"),
        Value::NullKeyword(_) => Kind::Other("null"),
        Value::Object(_) => Kind::Map,
        Value::Array(_) => Kind::List,
    }
}

/// Returns the parser's message as a flaw. The message that quotes the text is replaced, since the text could be a secret.
fn flaw(error: &ParseError, offset: usize) -> Flaw {
    let problem = match error.kind() {
        ParseErrorKind::String(ParseStringErrorKind::InvalidUnicodeEscapeSequence(_)) => {
            "it has a \\u escape that is no character".to_owned()
        }
        kind => kind.to_string().to_lowercase(),
    };
    Flaw::new(offset + error.range().start, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_paths_and_bytes() {
        let text = "{\n  // c\n  \"a\": {\"b\": [\"x\", 1]}, /* d */\n  \"é\": null,\n}";
        let document = parse(text).unwrap();
        let seen: Vec<_> = document
            .nodes
            .iter()
            .map(|node| (node.path.to_string(), &text[node.entry.clone()]))
            .collect();
        assert_eq!(
            seen[1..],
            [
                ("a".into(), "\"a\": {\"b\": [\"x\", 1]}"),
                ("a.b".into(), "\"b\": [\"x\", 1]"),
                ("a.b.0".into(), "\"x\""),
                ("a.b.1".into(), "1"),
                ("é".into(), "\"é\": null"),
            ]
        );
        assert_eq!(document.commas.len(), 3);
    }
}
