//! Where a value stands in a configuration file.

use std::fmt;
use std::str::{CharIndices, FromStr};

use strongroom::{Error, Result};

use crate::error;

/// The place of a value: the keys that lead to it, as in `providers.openai.apiKey`.
///
/// An item of a list is named by its number, from 0: `servers.0.token`. A key that holds a dot, a quote or
/// white space, or that is empty, is written in double quotes, with the escapes of Rust:
/// `hosts."example.org".password`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfigPath(Vec<String>);

impl ConfigPath {
    /// The path of these keys. Without any it is the whole file.
    pub fn new<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    /// The keys that lead to the value.
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    /// The last key: the value's own.
    pub fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// The path of what the value stands in; `None` for the whole file.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// The path of a value in this one.
    #[must_use]
    pub fn join(&self, key: impl Into<String>) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.into());
        Self(keys)
    }
}

impl FromStr for ConfigPath {
    type Err = Error;

    /// Reads a path as it is displayed.
    ///
    /// # Errors
    ///
    /// `Invalid` for an empty key without quotes, or a quote that is not closed.
    fn from_str(text: &str) -> Result<Self> {
        let mut keys = Vec::new();
        let mut rest = text;
        loop {
            let (key, after) = first_key(rest).ok_or_else(|| error::path(text))?;
            keys.push(key);
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None if after.is_empty() => return Ok(Self(keys)),
                None => return Err(error::path(text)),
            }
        }
    }
}

/// The first key of a path's text, and what follows it.
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

/// The character that an escape stands for.
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

impl fmt::Display for ConfigPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            // What could write on a terminal is escaped, too.
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
