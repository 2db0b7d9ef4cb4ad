//! Values in the quotes of other values, so that a file keeps its style.

use super::quote::{is_word_of_yaml, must_be_escaped};

/// Returns a text as a value of a YAML file, in the quotes of `sample`. `None` if these are double quotes or those of a block,
/// or if they can't hold the text. `is_flow` is set for a value between brackets.
pub(super) fn like_yaml(text: &str, sample: &str, is_flow: bool) -> Option<String> {
    match sample.chars().next()? {
        '\'' => yaml_single(text),
        '"' | '|' | '>' => None,
        // Between brackets, old readers take a colon in plain text for the end of a key.
        _ if is_flow => None,
        _ => yaml_plain(text),
    }
}

/// Returns a text as a value of a TOML file, in the quotes of `sample`. `None` if these are no single quotes, or can't hold
/// the text.
pub(super) fn like_toml(text: &str, sample: &str) -> Option<String> {
    let is_literal = sample.starts_with('\'') && !sample.starts_with("'''");
    is_literal.then(|| toml_literal(text)).flatten()
}

/// Returns a text as a value of a dotenv file, in the quotes of `sample`. `None` if there are none, or if they can't hold the
/// text.
pub(super) fn like_env(text: &str, sample: &str) -> Option<String> {
    match sample.chars().next()? {
        '\'' => env_single(text),
        '"' => env_double(text),
        _ => None,
    }
}

/// Returns a text in single quotes, in which only the quote itself is escaped. A line break would be read as a space.
fn yaml_single(text: &str) -> Option<String> {
    if text.chars().any(must_be_escaped) {
        return None;
    }
    // With room for everything: growing would leave an unwiped copy behind.
    let mut quoted = String::with_capacity(2 + 2 * text.len());
    quoted.push('\'');
    for c in text.chars() {
        quoted.extend((c == '\'').then_some('\'').into_iter().chain([c]));
    }
    quoted.push('\'');
    Some(quoted)
}

/// Returns a text without quotes, if all versions of YAML read it as this text.
fn yaml_plain(text: &str) -> Option<String> {
    let has_syntax = text.contains(": ") || text.contains(" #") || text.ends_with([':', ' ']);
    let is_plain = text.starts_with(|c: char| c.is_alphanumeric() || "$_/^(".contains(c))
        && !has_syntax
        && !text.chars().any(must_be_escaped)
        && !is_word_of_yaml(text)
        && !could_be_number(text);
    is_plain.then(|| text.to_owned())
}

/// Returns whether YAML 1.1 or 1.2 could read a plain text as a number or a time: `0x1f`, `1e5`, `0b1`, `12:30`,
/// `2001-12-14T21:59Z`. The text starts with no sign and no dot.
fn could_be_number(text: &str) -> bool {
    let is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let has_other_letters = text.chars().any(|c| c.is_alphabetic() && !"eEoObBtTzZ".contains(c));
    text.starts_with(char::is_numeric) && (is_hexadecimal || !has_other_letters)
}

fn toml_literal(text: &str) -> Option<String> {
    let is_plain = !text.contains(|c: char| c == '\'' || (c != '\t' && c.is_control()));
    is_plain.then(|| ["'", text, "'"].concat())
}

fn env_single(text: &str) -> Option<String> {
    let is_plain = !text.contains(['\'', '\0', '\r']);
    is_plain.then(|| ["'", text, "'"].concat())
}

fn env_double(text: &str) -> Option<String> {
    let is_plain = !text.contains(['"', '\\', '$', '`', '\0', '\r']);
    is_plain.then(|| ["\"", text, "\""].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str, sample: &str) -> Option<String> {
        like_yaml(text, sample, false)
    }

    #[test]
    fn a_value_keeps_the_quotes_of_the_other() {
        for (value, expected) in [
            (yaml("a-b", "x"), Some("a-b")),
            (yaml("a-b", "'x'"), Some("'a-b'")),
            (yaml("a-b", "\"x\""), None),
            (yaml("a-b", "|-\n  x"), None),
            (like_yaml("a-b", "x", true), None),
            (like_yaml("a-b", "'x'", true), Some("'a-b'")),
            (like_toml("a-b", "'x'"), Some("'a-b'")),
            (like_toml("a-b", "'''x'''"), None),
            (like_toml("a-b", "\"x\""), None),
            (like_env("a-b", "x"), None),
            (like_env("a-b", "'x'"), Some("'a-b'")),
            (like_env("a-b", "\"x\""), Some("\"a-b\"")),
        ] {
            assert_eq!(value.as_deref(), expected);
        }
    }

    #[test]
    fn quotes_that_cannot_hold_the_text_are_not_used() {
        assert_eq!(yaml("it's", "'x'").as_deref(), Some("'it''s'"));
        assert_eq!(yaml("a\nb", "'x'"), None);
        assert_eq!(like_toml("it's", "'x'"), None);
        assert_eq!(like_env("it's", "'x'"), None);
        assert_eq!(like_env("$x", "\"x\""), None);
    }

    #[test]
    fn only_what_all_readers_of_yaml_take_for_text_is_plain() {
        for text in [
            "a",
            "strongroom:A",
            "8f3a9c",
            "two words",
            "a#b",
            "$x",
            "/a",
            "tee",
            "п🔑",
            "http://x?y=%20",
        ] {
            assert_eq!(yaml(text, "x").as_deref(), Some(text));
        }
        for text in [
            "",
            " a",
            "a ",
            "a: b",
            "a:",
            "a #b",
            "-a",
            "*a",
            "{a",
            "@a",
            "y",
            "No",
            "null",
            "1",
            "1e5",
            "0x1f",
            "0b1",
            "1_0",
            "12:30:45",
            "2001-12-14",
            "2001-12-14T21:59:43Z",
            ".inf",
            "a\tb",
            "a\u{85}b",
        ] {
            assert_eq!(yaml(text, "x"), None, "{text}");
        }
    }
}
