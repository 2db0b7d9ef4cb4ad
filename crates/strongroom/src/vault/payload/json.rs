//! JSON values, read in place.
//!
//! serde_json only finds the bounds of values (`RawValue`). For a string it would unescape the text into
//! memory that is not wiped, and for a type that does not match it would quote the text in its error. From a
//! slice, a `RawValue` is borrowed, and skipping a value copies nothing but brackets.

use std::str::Chars;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// A JSON value within a payload, well-formed and without surrounding white space.
#[derive(Clone, Copy)]
pub(super) struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Parses a text that is a single value.
    pub(super) fn parse(text: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice::<&RawValue>(text).map(Self::from)
    }

    /// Returns the value's text.
    pub(super) fn text(self) -> &'a str {
        self.0
    }

    pub(super) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Returns a number without sign, fraction and exponent.
    pub(super) fn number(self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// Returns the elements of a list.
    pub(super) fn list(self) -> Option<Vec<Self>> {
        if !self.0.starts_with('[') {
            return None;
        }
        let elements: Vec<&RawValue> = serde_json::from_str(self.0).ok()?;
        Some(elements.into_iter().map(Self::from).collect())
    }

    /// Returns the names and values of an object's fields. Each name is a string.
    pub(super) fn object(self) -> Option<Vec<(Self, Self)>> {
        if !self.0.starts_with('{') {
            return None;
        }
        // Not a map, which would drop duplicate fields without notice.
        let fields: Fields<'_> = serde_json::from_str(self.0).ok()?;
        Some(fields.0.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Returns the text of a string between its quotes, with its escapes.
    pub(super) fn quoted(self) -> Option<&'a str> {
        self.0.strip_prefix('"')?.strip_suffix('"')
    }

    /// Returns an unescaped string, or `None` if it holds half of a surrogate pair.
    pub(super) fn string(self) -> Option<Zeroizing<String>> {
        let quoted = self.quoted()?;
        // An escape is never shorter than its character, so the buffer does not grow.
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

/// The fields of an object in their order, duplicates included.
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

/// Reads an escape sequence after its backslash.
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

/// Reads the character of a `\u` escape or of a surrogate pair, after the first `u`.
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

/// Reads four hexadecimal digits.
fn unit(rest: &mut Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | rest.next()?.to_digit(16)?))
}
