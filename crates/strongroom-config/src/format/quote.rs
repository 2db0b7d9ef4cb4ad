//! Quoting of keys and values for a file.

use std::fmt::Write as _;

/// Returns a text in double quotes, with the escapes that JSON, TOML and YAML share.
///
/// Characters that are not printable are escaped, so that no value can end a line, or hide another value.
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

/// Returns a key as it is, if TOML and YAML both read it as the same text, or else in quotes.
pub(crate) fn bare_or_basic(key: &str) -> String {
    let is_bare = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !is_word_of_yaml(key);
    if is_bare { key.to_owned() } else { basic(key) }
}

/// Returns a value for a dotenv file: bare if all readers agree on it, or else in single quotes, where no character has a
/// special meaning, or else in double quotes. `None` if readers would disagree on all of these forms.
pub(crate) fn env(text: &str) -> Option<String> {
    if text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:/@%+,?=".contains(c)) {
        return Some(text.to_owned());
    }
    // No variable can contain a zero byte, and readers drop or convert carriage returns.
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

/// Returns whether YAML 1.1 or 1.2 takes a word for something other than a text.
pub(super) fn is_word_of_yaml(key: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(key))
}

/// Returns whether a character is a control character, not printable by YAML's rules, or a line break of YAML.
pub(super) fn must_be_escaped(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Returns the capacity for a quoted text. With it the string never moves, which would leave an unwiped copy behind.
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
