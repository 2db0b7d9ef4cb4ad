//! Secret values: wiped when dropped, opened only by `expose_secret`.

use std::{hint, str};

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
    let exact = secret_copy(&bytes);
    bytes.zeroize();
    exact
}

/// Copies bytes as a secret, and leaves nothing of them in the processor.
pub fn secret_copy(bytes: &[u8]) -> SecretBytes {
    let copy = SecretBytes::from(Box::<[u8]>::from(bytes));
    overwrite_registers(bytes.len());
    copy
}

/// The text in secret bytes, or `None` where they are not UTF-8.
pub fn secret_text(bytes: &SecretBytes) -> Option<SecretString> {
    let text = str::from_utf8(bytes.expose_secret()).ok()?;
    Some(copy_text(text))
}

/// Copies text as a secret, like [`secret_copy`].
pub(crate) fn copy_text(text: &str) -> SecretString {
    let copy = SecretString::from(Box::<str>::from(text));
    overwrite_registers(text.len());
    copy
}

/// Overwrites the processor's vector registers after a copy of so many bytes that were secret.
///
/// They keep the last of it, up to 256 bytes, for as long as the thread copies nothing else of that length: in one that
/// waits for work, until a core dump. So that many zeros are sent the same way. [`secret_copy`] does it by itself.
pub fn overwrite_registers(len: usize) {
    let zeros = vec![0u8; len];
    hint::black_box(hint::black_box(&zeros).clone());
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
