//! References, the texts in place of secrets that are in the vault: `strongroom:NAME`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use strongroom::SecretKey;

/// The start of every reference.
const SCHEME: &str = "strongroom:";

/// The text between the name and the target.
const TARGET: &str = "?target=";

/// The escaped characters of a name: all but those without a meaning in every format and shell.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.');

/// Returns the reference to a secret: `strongroom:NAME`, or `strongroom:NAME?target=TARGET`. Letters and digits of ASCII
/// and `_-.` are written as they are, all other characters are percent-encoded.
pub fn reference_to(key: &SecretKey) -> String {
    let mut text = format!("{SCHEME}{}", utf8_percent_encode(key.name(), ESCAPED));
    if let Some(target) = key.target() {
        text.extend([TARGET].into_iter().chain(utf8_percent_encode(target, ESCAPED)));
    }
    text
}

/// Returns the secret that a text refers to, if it is a reference.
pub fn referenced(text: &str) -> Option<SecretKey> {
    let rest = text.strip_prefix(SCHEME)?;
    let key = match rest.split_once(TARGET) {
        Some((name, target)) => SecretKey::with_target(decode(name)?, decode(target)?),
        None => SecretKey::new(decode(rest)?),
    };
    key.validate().is_ok().then_some(key)
}

fn decode(part: &str) -> Option<String> {
    percent_decode_str(part).decode_utf8().ok().map(String::from)
}

/// Returns whether a text is a reference exactly as [`reference_to`] writes it. Such a text is hardly ever a secret itself.
pub fn is_reference(text: &str) -> bool {
    referenced(text).is_some_and(|key| reference_to(&key) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_leads_back_to_its_secret() {
        for (key, text) in [
            (SecretKey::new("OPENAI_API_KEY"), "strongroom:OPENAI_API_KEY"),
            (SecretKey::with_target("a b", "p/q?"), "strongroom:a%20b?target=p%2Fq%3F"),
            (SecretKey::new("?target=x"), "strongroom:%3Ftarget%3Dx"),
            (SecretKey::new("schlüssel"), "strongroom:schl%C3%BCssel"),
        ] {
            assert_eq!(reference_to(&key), text);
            assert_eq!(referenced(text), Some(key));
        }
    }

    #[test]
    fn other_texts_are_no_references() {
        for text in
            ["", "NAME", "strongroom:", "strongroom:%ff", "strongroom:a?target=", "Strongroom:a"]
        {
            assert_eq!(referenced(text), None, "{text}");
        }
    }
}
