//! Paths of values in a configuration file.

use std::fmt;
use std::str::{CharIndices, FromStr};

use strongroom::{Error, Result};

use crate::error;

/// The path of a value: the keys that lead to it, as in `providers.openai.apiKey`.
///
/// An item of a list is named by its number, from 0: `servers.0.token`. A key that is empty, or contains a dot, a quote or
/// white space, is written in double quotes, with the escapes of Rust: `hosts."example.org".password`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfigPath(Vec<String>);

impl ConfigPath {
    /// Creates a path from its keys. Without keys, it is the path of the whole file.
    pub fn new<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    /// Returns the keys that lead to the value.
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    /// Returns the last key, which is the value's own.
    pub fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// Returns the path of the group that contains the value. `None` for the whole file.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// Returns the path of a value inside of this group.
    #[must_use]
    pub fn join(&self, key: impl Into<String>) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.into());
        Self(keys)
    }
}

impl FromStr for ConfigPath {
    type Err = Error;

    /// Parses a path in its displayed form.
    ///
    /// # Errors
    ///
    /// `Invalid` for an empty key without quotes, or a quote that is not closed.
    fn from_str(text: &str) -> Result<Self> {
        let mut keys = Vec::new();
        let mut rest = text;
        loop {
            let (key, after) = first_key(rest).ok_or_else(|| not_a_path(text))?;
            keys.push(key);
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None if after.is_empty() => return Ok(Self(keys)),
                None => return Err(not_a_path(text)),
            }
        }
    }
}

/// Splits the first key off a path's text, and returns it with the rest.
fn first_key(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        let (key, after) = text.split_at(end);
        return is_plain(key).then(|| (key.to_owned(), after));
    };
    let mut key = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((key, &quoted[at + 1..])),
            '\\' => key.push(escaped(&mut chars)?),
            c => key.push(c),
        }
    }
    None
}

/// Reads the rest of an escape, and returns its character.
fn escaped(chars: &mut CharIndices<'_>) -> Option<char> {
    match chars.next()?.1 {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '0' => Some('\0'),
        'u' => {
            let digits: String = chars.map(|(_, c)| c).take_while(|c| *c != '}').collect();
            char::from_u32(u32::from_str_radix(digits.strip_prefix('{')?, 16).ok()?)
        }
        c => Some(c),
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && !key.contains(|c: char| c == '.' || c == '"' || c == '\\' || c.is_whitespace())
}

fn not_a_path(text: &str) -> Error {
    error::invalid(
        format!("\"{}\" is not the path of a value", text.escape_debug()),
        "Write keys with dots in between, as in providers.openai.apiKey; quote keys that have dots themselves.",
    )
}

impl fmt::Display for ConfigPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            // Control characters are escaped, too: paths come from files, and are shown on terminals.
            if is_plain(key) && key.escape_debug().eq(key.chars()) {
                f.write_str(key)?;
            } else {
                write!(f, "\"{}\"", key.escape_debug())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use strongroom::ErrorKind;

    use super::*;

    #[test]
    fn a_path_reads_as_it_is_displayed() {
        for text in [
            "a",
            "a.b.0",
            r#"a."b.c".d"#,
            r#""""#,
            r#""a\"b\\c""#,
            r#""a b".ä"#,
            r#""\u{1b}[m\n\t""#,
        ] {
            let path: ConfigPath = text.parse().unwrap();
            assert_eq!(path.to_string(), text);
        }
        let path: ConfigPath = r#"hosts."example.org".password"#.parse().unwrap();
        assert_eq!(path.keys(), ["hosts", "example.org", "password"]);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".a", "a.", "a..b", "\"a", "\"a\"b", "a b", "a\"b"] {
            assert_eq!(
                text.parse::<ConfigPath>().unwrap_err().kind(),
                ErrorKind::Invalid,
                "{text}"
            );
        }
    }
}
