//! Values as a single line of text, for stores that damage or refuse other bytes.
//!
//! Most secrets are a single line of printable text. They are stored unchanged, so that any other program can
//! read them. All other values (binary data, control characters, line breaks, the empty value) are stored as
//! [`MARKER`] and base64. The rule depends on the value alone, never on the store, so a value reads the same
//! in every store.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroize;

use crate::{SecretBytes, secret_bytes, secret_copy};

/// The prefix of encoded values.
pub const MARKER: &str = "strongroom+base64:";

/// Returns the length in bytes of the encoding of `len` bytes that are not plain.
pub const fn encoded_len(len: usize) -> usize {
    MARKER.len() + len.div_ceil(3) * 4
}

/// Returns whether a value needs no encoding: printable text that is not empty and does not look like an
/// encoded value.
///
/// A leading byte order mark is encoded, too: Qt, and so KWallet, drops it.
pub fn is_plain(value: &[u8]) -> bool {
    is_printable(value, |_| false)
}

/// Returns whether a value is plain except for line breaks and tabs. A store may keep such text unchanged if
/// its caller wants that; [`decode`] returns it unchanged.
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

/// Returns the value as a single line of text without control characters.
pub fn encode(value: &[u8]) -> SecretBytes {
    if is_plain(value) {
        return secret_copy(value);
    }
    let mut line = vec![0; encoded_len(value.len())];
    let (marker, encoded) = line.split_at_mut(MARKER.len());
    marker.copy_from_slice(MARKER.as_bytes());
    // Encoded in place: the encoder would fill a growing string through an unwiped buffer of its own.
    let written = STANDARD.encode_slice(value, encoded).expect("the room was counted");
    debug_assert_eq!(written, encoded.len());
    secret_bytes(line)
}

/// Returns the value of a stored text.
///
/// A text that [`encode`] would not have written comes from another program, and is returned unchanged.
pub fn decode(mut stored: Vec<u8>) -> SecretBytes {
    let Some(encoded) = stored.strip_prefix(MARKER.as_bytes()) else {
        return secret_bytes(stored);
    };
    // Allocated in full: a vector that grows leaves an unwiped copy behind.
    let mut value = Vec::with_capacity(encoded.len());
    // `encode` leaves a plain value as it is, so the encoding of such a value comes from another program.
    if STANDARD.decode_vec(encoded, &mut value).is_err() || is_plain(&value) {
        // The decoder may have written a part of the value.
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
