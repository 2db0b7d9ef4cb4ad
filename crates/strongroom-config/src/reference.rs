//! What a file holds in the place of a secret that is in the vault: `strongroom:NAME`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use strongroom::SecretKey;

/// What every reference begins with.
const SCHEME: &str = "strongroom:";

/// What stands between the name and the target.
const TARGET: &str = "?target=";

/// What is escaped in a name: all but what no format and no shell reads as anything else.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.');

/// The text that stands for a secret: `strongroom:NAME`, or `strongroom:NAME?target=TARGET`. Of names, only
/// letters, digits and `_-.` stand for themselves; all else is percent-encoded.
pub fn reference_to(key: &SecretKey) -> String {
    let mut text = format!("{SCHEME}{}", utf8_percent_encode(key.name(), ESCAPED));
    if let Some(target) = key.target() {
        text.extend([TARGET].into_iter().chain(utf8_percent_encode(target, ESCAPED)));
    }
    text
}

/// The secret that a text stands for, if it is a reference.
pub fn referenced(text: &str) -> Option<SecretKey> {
    let rest = text.strip_prefix(SCHEME)?;
    let decoded = |part| percent_decode_str(part).decode_utf8().ok().map(String::from);
    let key = match rest.split_once(TARGET) {
        Some((name, target)) => SecretKey::with_target(decoded(name)?, decoded(target)?),
        None => SecretKey::new(decoded(rest)?),
    };
    key.validate().is_ok().then_some(key)
}

/// Returns whether a text is a reference as [`reference_to`] writes it: what a configuration file holds in place of a
/// secret, and hardly ever a secret itself.
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
