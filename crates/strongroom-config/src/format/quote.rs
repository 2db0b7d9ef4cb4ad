//! Texts as they are written into a file.

use std::fmt::Write as _;

/// In double quotes, with escapes that JSON, TOML and YAML share.
///
/// What is not printable is escaped, so that nothing in a value can end a line or hide another.
pub(crate) fn basic(text: &str) -> String {
    let mut quoted = String::with_capacity(capacity(text));
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if must_be_escaped(c) => {
                // Writing to a string can't fail.
                write!(quoted, "\\u{:04x}", u32::from(c)).ok();
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// As a bare key where TOML and YAML read one so, else in quotes.
pub(crate) fn bare_or_basic(key: &str) -> String {
    let is_bare = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !is_word_of_yaml(key);
    if is_bare { key.to_owned() } else { basic(key) }
}

/// A value of a dotenv file: bare where every reader takes it so, else in single quotes, in which nothing has a
/// meaning, else in double quotes. `None` for what readers would not agree on.
pub(crate) fn env(text: &str) -> Option<String> {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-.:/@%+,?=".contains(c);
    if text.chars().all(is_bare) {
        return Some(text.to_owned());
    }
    if text.contains(['\0', '\r']) {
        return None;
    }
    if !text.contains('\'') {
        return Some(["'", text, "'"].concat());
    }
    if text.contains(['"', '\\', '$', '`']) {
        return None;
    }
    Some(["\"", text, "\""].concat())
}

/// The words that YAML 1.1 or 1.2 takes for something else than a text.
fn is_word_of_yaml(key: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(key))
}

/// Control characters, what YAML calls not printable, and what it takes for the end of a line.
fn must_be_escaped(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// So that the string never moves, and leaves nothing of a value behind.
fn capacity(text: &str) -> usize {
    2 + text
        .chars()
        .map(|c| if must_be_escaped(c) { 6 } else { c.len_utf8().max(2) })
        .sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_value_escapes_its_quotes() {
        assert_eq!(basic("a\"b\\c\nd\u{7f}\u{2028}é𝄞"), "\"a\\\"b\\\\c\\nd\\u007f\\u2028é𝄞\"");
        let text = "\u{1}\"é𝄞".repeat(9);
        assert!(basic(&text).len() <= capacity(&text));
    }

    #[test]
    fn a_dotenv_value_has_no_quotes_that_it_does_not_need() {
        assert_eq!(env("strongroom:A_B").as_deref(), Some("strongroom:A_B"));
        assert_eq!(env("").as_deref(), Some(""));
        assert_eq!(env("a b#$\"").as_deref(), Some("'a b#$\"'"));
        assert_eq!(env("it's").as_deref(), Some("\"it's\""));
        assert_eq!(env("it's $5"), None);
    }

    #[test]
    fn keys_that_yaml_reads_as_something_else_are_quoted() {
        assert_eq!(bare_or_basic("credentialStorage"), "credentialStorage");
        assert_eq!(bare_or_basic("No"), "\"No\"");
        assert_eq!(bare_or_basic("1a"), "\"1a\"");
        assert_eq!(bare_or_basic(""), "\"\"");
    }
}
