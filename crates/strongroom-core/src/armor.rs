//! Values as one line of text, for stores that damage or refuse other bytes.
//!
//! Most secrets are one line of printable text already and are kept as they are, so that any other
//! program can read them. The rest (binary, control characters, newlines, nothing at all) goes
//! out as [`MARKER`] and base64. The rule depends on the value alone, never on the store, so that a
//! value reads the same wherever it lies.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroize;

use crate::{SecretBytes, secret_bytes, secret_copy};

/// What an encoded value starts with.
pub const MARKER: &str = "strongroom+base64:";

/// The length in bytes of what [`encode`] makes of `len` bytes that are not plain.
pub const fn encoded_len(len: usize) -> usize {
    MARKER.len() + len.div_ceil(3) * 4
}

/// Whether a value needs no encoding: printable text, not empty, and not taken for an encoded one.
///
/// A leading byte order mark needs it too: Qt, and so KWallet, drops one.
pub fn is_plain(value: &[u8]) -> bool {
    is_printable(value, |_| false)
}

/// Returns whether a value is plain but for line breaks and tabs: a store may keep such text as it is, where its caller wants that.
/// [`decode`] returns it unchanged.
pub fn is_text(value: &[u8]) -> bool {
    is_printable(value, |character| matches!(character, '\n' | '\r' | '\t'))
}

fn is_printable(value: &[u8], is_allowed: impl Fn(char) -> bool) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    !text.is_empty()
        && !text.starts_with(MARKER)
        && !text.starts_with('\u{feff}')
        && !text.contains(|character: char| character.is_control() && !is_allowed(character))
}

/// The value as one line of text without control characters.
pub fn encode(value: &[u8]) -> SecretBytes {
    if is_plain(value) {
        return secret_copy(value);
    }
    let mut line = vec![0; encoded_len(value.len())];
    let (marker, encoded) = line.split_at_mut(MARKER.len());
    marker.copy_from_slice(MARKER.as_bytes());
    // Straight into its place: to grow a string, the encoder would go through a buffer of its own.
    let written = STANDARD.encode_slice(value, encoded).expect("the room was counted");
    debug_assert_eq!(written, encoded.len());
    secret_bytes(line)
}

/// The value in what a store returned.
///
/// What [`encode`] would not have written was written by somebody else, and comes back as it is.
pub fn decode(mut stored: Vec<u8>) -> SecretBytes {
    let Some(encoded) = stored.strip_prefix(MARKER.as_bytes()) else {
        return secret_bytes(stored);
    };
    // Room for all of it beforehand: a vector that grows leaves an unwiped copy behind.
    let mut value = Vec::with_capacity(encoded.len());
    if STANDARD.decode_vec(encoded, &mut value).is_err() || is_plain(&value) {
        value.zeroize();
        return secret_bytes(stored);
    }
    stored.zeroize();
    secret_bytes(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    fn round_trip(value: &[u8]) -> Vec<u8> {
        decode(encode(value).expose_secret().to_vec()).expose_secret().to_vec()
    }

    proptest! {
        #[test]
        fn every_value_comes_back_from_one_printable_line(value: Vec<u8>) {
            let stored = encode(&value);
            prop_assert_eq!(round_trip(&value), value);
            let line = std::str::from_utf8(stored.expose_secret()).expect("armor is text");
            prop_assert!(!line.is_empty() && !line.contains(char::is_control));
        }

        #[test]
        fn what_others_wrote_comes_back_or_decodes(value: Vec<u8>) {
            let stored = [MARKER.as_bytes(), STANDARD.encode(value).as_bytes()].concat();
            let read = decode(stored.clone());
            let untouched = read.expose_secret() == stored;
            prop_assert!(untouched || encode(read.expose_secret()).expose_secret() == stored);
        }
    }

    #[test]
    fn ordinary_secrets_stay_readable_for_other_programs() {
        for value in ["sk-abc_DEF.123", "pässwörd", "{\"version\":1}", "two words"] {
            assert_eq!(encode(value.as_bytes()).expose_secret(), value.as_bytes());
        }
    }

    #[test]
    fn text_of_several_lines_is_text_and_not_plain() {
        for text in ["a\nb", "-----BEGIN-----\r\n\tMII\r\n", "{\n}\n"] {
            assert!(is_text(text.as_bytes()) && !is_plain(text.as_bytes()), "{text:?}");
            assert_eq!(decode(text.into()).expose_secret(), text.as_bytes());
        }
        let marked = format!("{MARKER}YQ==\n");
        for other in ["", "\u{feff}a\n", "a\0b\n", "a\x1bb", &marked] {
            assert!(!is_text(other.as_bytes()), "{other:?}");
        }
    }

    #[test]
    fn nothing_a_value_and_its_encoding_are_three_different_lines() {
        let nothing = encode(b"");
        let encoded = encode(b"a\nb");
        let encoded_twice = encode(encoded.expose_secret());
        assert_eq!(nothing.expose_secret(), MARKER.as_bytes());
        assert_ne!(encoded.expose_secret(), encoded_twice.expose_secret());
        assert_eq!(round_trip(encoded.expose_secret()), encoded.expose_secret());
    }

    #[test]
    fn a_broken_encoding_is_returned_as_it_is() {
        let broken = format!("{MARKER}%%%").into_bytes();
        assert_eq!(decode(broken.clone()).expose_secret(), broken);
    }
}
