//! The form of a value in an item.

use strongroom_core::{ExposeSecret, SecretBytes, armor, secret_copy};

/// Returns the bytes to store: the value itself, or its armor if it is empty or looks armored.
///
/// `SecItemUpdate` takes a pointer to no bytes as "leave the value as it is"
/// (`ItemImpl::modifyContent` in Apple's Security), so an item is never empty.
pub(crate) fn encode(value: &SecretBytes) -> SecretBytes {
    let bytes = value.expose_secret();
    if bytes.is_empty() || bytes.starts_with(armor::MARKER.as_bytes()) {
        armor::encode(bytes)
    } else {
        secret_copy(bytes)
    }
}

/// Returns the value in the bytes of an item.
pub(crate) fn decode(stored: Vec<u8>) -> SecretBytes {
    armor::decode(stored)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strongroom_core::secret_bytes;

    use super::*;

    fn stored(value: &[u8]) -> Vec<u8> {
        encode(&secret_bytes(value.to_vec())).expose_secret().to_vec()
    }

    fn value() -> impl Strategy<Value = Vec<u8>> {
        let marked =
            "[A-Za-z0-9+/=%]{0,9}".prop_map(|rest| (armor::MARKER.to_owned() + &rest).into());
        prop_oneof![any::<Vec<u8>>(), marked]
    }

    proptest! {
        #[test]
        fn every_value_comes_back_from_an_item_that_is_not_empty(value in value()) {
            let stored = stored(&value);
            prop_assert!(!stored.is_empty());
            let read = decode(stored);
            prop_assert!(read.expose_secret() == value);
        }
    }

    #[test]
    fn only_nothing_and_what_looks_armored_is_encoded() {
        for raw in [&b"plain"[..], b"a\nb", b"\0", &[0xff], "\u{feff}x".as_bytes()] {
            assert_eq!(stored(raw), raw);
        }
        assert_eq!(stored(b""), armor::MARKER.as_bytes());
    }
}
