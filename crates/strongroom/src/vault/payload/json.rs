//! JSON that is looked at where it lies.
//!
//! serde_json finds where values begin and end (`RawValue`), and nothing else: asked for a string, it
//! would unescape it in memory that nobody wipes, and asked for what is not there, it would quote
//! what is. From a slice, a `RawValue` is borrowed; skipping over one copies nothing but brackets.

use std::str::Chars;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// One JSON value within a payload: well-formed, and without white space around it.
#[derive(Clone, Copy)]
pub(super) struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// The one value in this text.
    pub(super) fn parse(text: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice::<&RawValue>(text).map(Self::from)
    }

    /// Its text.
    pub(super) fn text(self) -> &'a str {
        self.0
    }

    pub(super) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// A number without sign, fraction and exponent.
    pub(super) fn number(self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// The elements of a list.
    pub(super) fn list(self) -> Option<Vec<Self>> {
        if !self.0.starts_with('[') {
            return None;
        }
        let elements: Vec<&RawValue> = serde_json::from_str(self.0).ok()?;
        Some(elements.into_iter().map(Self::from).collect())
    }

    /// The names and values of an object's fields, each name a string.
    pub(super) fn object(self) -> Option<Vec<(Self, Self)>> {
        if !self.0.starts_with('{') {
            return None;
        }
        let fields: Fields<'_> = serde_json::from_str(self.0).ok()?;
        Some(fields.0.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// A string as it stands between its quotes, escapes and all.
    pub(super) fn quoted(self) -> Option<&'a str> {
        self.0.strip_prefix('"')?.strip_suffix('"')
    }

    /// A string, unless it holds half of a surrogate pair.
    pub(super) fn string(self) -> Option<Zeroizing<String>> {
        let quoted = self.quoted()?;
        let mut string = Zeroizing::new(String::with_capacity(quoted.len()));
        let mut rest = quoted.chars();
        while let Some(next) = rest.next() {
            string.push(if next == '\\' { escape(&mut rest)? } else { next });
        }
        Some(string)
    }
}

impl<'a> From<&'a RawValue> for Json<'a> {
    fn from(raw: &'a RawValue) -> Self {
        Self(raw.get())
    }
}

/// An object's fields in their order, those that stand twice included.
struct Fields<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

/// The character of an escape sequence, after its backslash.
fn escape(rest: &mut Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return code_point(rest),
        itself => itself,
    })
}

/// The character of one or two `\u` escapes, after the first `u`.
fn code_point(rest: &mut Chars<'_>) -> Option<char> {
    let first = unit(rest)?;
    if let Some(character) = char::from_u32(first) {
        return Some(character);
    }
    if rest.next()? != '\\' || rest.next()? != 'u' {
        return None;
    }
    let pair = [first, unit(rest)?].map(|unit| unit as u16);
    char::decode_utf16(pair).next()?.ok()
}

/// Four hexadecimal digits.
fn unit(rest: &mut Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | rest.next()?.to_digit(16)?))
}
