//! The payload of a key, which holds a value.

use strongroom_core::{ExposeSecret, Fault, SecretBytes, armor};

use crate::error::too_large;

/// The largest payload of a `user` key in bytes (`keyrings(7)`).
pub(crate) const MAX_BYTES: usize = 32_767;

/// A value in a form that the kernel accepts.
pub(crate) enum Payload<'a> {
    Armored(SecretBytes),
    Raw(&'a SecretBytes),
}

impl<'a> Payload<'a> {
    /// Creates the payload: the value itself, or its armor if it is empty or looks armored.
    ///
    /// # Errors
    ///
    /// `TooLarge` if the payload is longer than [`MAX_BYTES`].
    pub(crate) fn new(value: &'a SecretBytes) -> Result<Self, Fault> {
        let bytes = value.expose_secret();
        let payload = if bytes.is_empty() || bytes.starts_with(armor::MARKER.as_bytes()) {
            Self::Armored(armor::encode(bytes))
        } else {
            Self::Raw(value)
        };
        match payload.bytes().len() {
            ..=MAX_BYTES => Ok(payload),
            len => Err(too_large(len, MAX_BYTES)),
        }
    }

    /// Returns the bytes that go into the key.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Armored(armor) => armor.expose_secret(),
            Self::Raw(value) => value.expose_secret(),
        }
    }
}

/// Returns the value in a key's payload.
pub(crate) fn value(payload: Vec<u8>) -> SecretBytes {
    armor::decode(payload)
}

#[cfg(test)]
mod tests {
    use strongroom_core::{ErrorKind, secret_bytes};

    use super::*;

    fn stored(value: &[u8]) -> Vec<u8> {
        let value = secret_bytes(value.to_vec());
        Payload::new(&value).expect("it is small").bytes().to_vec()
    }

    #[test]
    fn only_nothing_and_what_looks_armored_is_encoded() {
        for raw in [&b"plain"[..], b"a\nb", b"\0", &[0xff], "\u{feff}x".as_bytes()] {
            assert_eq!(stored(raw), raw);
        }
        assert_eq!(stored(b""), armor::MARKER.as_bytes());
        let looks_armored = format!("{}YQ==", armor::MARKER);
        assert_ne!(stored(looks_armored.as_bytes()), looks_armored.as_bytes());
    }

    #[test]
    fn a_value_that_outgrows_the_key_by_its_armor_is_too_large() {
        let value = armor::MARKER.repeat(MAX_BYTES / armor::MARKER.len());
        let value = secret_bytes(value.into_bytes());
        let error = Payload::new(&value).err().expect("it must be refused");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
}
