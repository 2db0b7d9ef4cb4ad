//! Values that other programs stored.

use std::ops::Range;
use std::str;

use strongroom_core::{ExposeSecret, SecretBytes, secret_copy};
use zeroize::Zeroizing;

/// The characters below the syllables of Hangul, with most scripts.
const ALL_BUT_HANGUL: Range<char> = '\0'..'\u{a000}';
/// The syllables of Hangul.
const HANGUL: Range<char> = '\u{ac00}'..'\u{d7a4}';

/// Returns the value in a blob that another program stored.
///
/// Windows' own tools and the `keyring` crate's `set_password` store text as UTF-16 in little-endian order,
/// other programs as UTF-8 or any bytes, and nothing marks the encoding. So text in UTF-8 stays as it is,
/// text in UTF-16 is converted to UTF-8, and all other bytes stay as they are.
pub(crate) fn decode_foreign(blob: SecretBytes) -> SecretBytes {
    from_utf16(blob.expose_secret()).unwrap_or(blob)
}

fn from_utf16(blob: &[u8]) -> Option<SecretBytes> {
    let (units, rest) = blob.as_chunks();
    if !rest.is_empty() || is_utf8_text(blob) {
        return None;
    }
    // No unit takes more than three bytes, so the text never moves and leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity(3 * units.len()));
    for char in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
        text.push(char.ok()?);
    }
    is_text(&text).then(|| secret_copy(text.as_bytes()))
}

fn is_utf8_text(blob: &[u8]) -> bool {
    str::from_utf8(blob).is_ok_and(|text| !text.contains(is_control))
}

/// Returns whether a user may have typed this text: random text hardly ever stays within a single script.
fn is_text(text: &str) -> bool {
    let has_ascii = text.contains(|char: char| char.is_ascii());
    !text.contains(is_strange)
        && (has_ascii || is_within(text, ALL_BUT_HANGUL) || is_within(text, HANGUL))
}

/// Returns whether a character hardly ever is in a text: one for private use, a noncharacter, or a control
/// character.
fn is_strange(char: char) -> bool {
    matches!(char, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
        || matches!(char, '\u{fdd0}'..='\u{fdef}' | '\u{fffe}' | '\u{ffff}')
        || is_control(char)
}

/// Returns whether a text consists of letters and digits of this range, and of characters beyond it that take
/// a surrogate pair, such as emoji.
fn is_within(text: &str, script: Range<char>) -> bool {
    text.chars()
        .all(|char| char.len_utf16() == 2 || (char.is_alphanumeric() && script.contains(&char)))
}

/// Returns whether a character is a control character, but not a tab or a line end.
fn is_control(char: char) -> bool {
    char.is_control() && !char.is_whitespace()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strongroom_core::secret_bytes;

    use super::*;

    fn read(blob: &[u8]) -> Vec<u8> {
        decode_foreign(secret_bytes(blob.to_vec())).expose_secret().to_vec()
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    proptest! {
        #[test]
        fn printable_ascii_is_read_from_either_encoding(text in "[ -~\t\r\n]{0,40}") {
            prop_assert_eq!(read(text.as_bytes()), text.as_bytes());
            prop_assert_eq!(read(&utf16(&text)), text.as_bytes());
        }

        #[test]
        fn text_in_utf8_stays_as_it_is(text in "\\PC{0,40}") {
            prop_assert_eq!(read(text.as_bytes()), text.as_bytes());
        }

        #[test]
        fn what_becomes_text_was_text_in_utf16(blob in prop::collection::vec(any::<u8>(), 0..40)) {
            let value = read(&blob);
            if value != blob {
                prop_assert_eq!(utf16(str::from_utf8(&value).expect("it is text")), blob);
            }
        }
    }

    #[test]
    fn text_in_utf16_is_read_in_any_script() {
        for text in [
            "s3cret",
            "grüße",
            "пароль",
            "密码",
            "🔐",
            "密码🔐",
            "비밀번호",
            "e\u{301}!",
            "€ 5",
            "x",
        ] {
            assert_eq!(read(&utf16(text)), text.as_bytes(), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay_as_they_are() {
        let ascending: Vec<u8> = (0..=255).collect();
        let lone_surrogate = [0x00, 0xd8, b'a', 0];
        let blobs: [&[u8]; 7] =
            [b"", b"\xff", b"\0\0", b"a\0b", &[0xff, 0xff], &ascending, &lone_surrogate];
        for blob in blobs {
            assert_eq!(read(blob), blob);
        }
    }

    #[test]
    fn keys_are_hardly_ever_taken_for_text() {
        let mut state = 1;
        for (bytes, most) in [(16, 10_000 / 50), (32, 10_000 / 200)] {
            let keys = (0..10_000).map(|_| random_key(&mut state, bytes));
            assert!(keys.filter(|key| read(key) != *key).count() < most, "{bytes} bytes");
        }
    }

    fn random_key(state: &mut u64, bytes: usize) -> Vec<u8> {
        (0..bytes / 8).flat_map(|_| random(state).to_le_bytes()).collect()
    }

    /// Returns the next number of a fixed sequence, by Splitmix.
    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
