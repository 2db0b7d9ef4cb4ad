//! Secret values: wiped when dropped, opened only by `expose_secret`.

use std::str;

use secrecy::{ExposeSecret, SecretSlice, SecretString};
use zeroize::Zeroize;

/// Secret bytes that are wiped when dropped and show nothing in `Debug`.
///
/// Make one with [`secret_bytes`], which leaves no copy behind.
pub type SecretBytes = SecretSlice<u8>;

/// Takes ownership of bytes as a secret.
///
/// A vector with spare capacity would be moved by the allocator when it is boxed, and its first
/// place be left unwiped; such a vector is copied and wiped here instead.
pub fn secret_bytes(mut bytes: Vec<u8>) -> SecretBytes {
    if bytes.len() == bytes.capacity() {
        return SecretBytes::from(bytes);
    }
    let exact: Box<[u8]> = Box::from(bytes.as_slice());
    bytes.zeroize();
    SecretBytes::from(exact)
}

/// The text in secret bytes, or `None` where they are not UTF-8.
pub fn secret_text(bytes: &SecretBytes) -> Option<SecretString> {
    let text = str::from_utf8(bytes.expose_secret()).ok()?;
    Some(SecretString::from(Box::<str>::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spare_capacity_does_not_change_the_value() {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"value");
        assert_eq!(secret_bytes(bytes).expose_secret(), b"value");
    }

    #[test]
    fn only_utf8_is_text() {
        let text = secret_text(&secret_bytes("grüße".into())).expect("it is UTF-8");
        assert_eq!(text.expose_secret(), "grüße");
        assert!(secret_text(&secret_bytes(vec![0xff])).is_none());
    }

    #[test]
    fn debug_shows_no_byte() {
        let shown = format!("{:?}", secret_bytes(b"marker".to_vec()));
        assert!(!shown.contains("marker") && !shown.contains("109"), "{shown}");
    }
}
