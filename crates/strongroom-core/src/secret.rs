//! Secret values, which are wiped when dropped and read only by `expose_secret`.

use std::{hint, str};

use secrecy::{ExposeSecret, SecretSlice, SecretString};
use zeroize::Zeroize;

/// Secret bytes that are wiped when dropped and show nothing in `Debug`.
///
/// Created by [`secret_bytes`], which leaves no copy behind.
pub type SecretBytes = SecretSlice<u8>;

/// Converts bytes into a secret.
///
/// Boxing a vector with spare capacity makes the allocator move it, which leaves an unwiped copy at the old
/// place. Such a vector is copied and wiped here instead.
pub fn secret_bytes(mut bytes: Vec<u8>) -> SecretBytes {
    if bytes.len() == bytes.capacity() {
        return SecretBytes::from(bytes);
    }
    let exact = secret_copy(&bytes);
    bytes.zeroize();
    exact
}

/// Copies bytes into a secret, and leaves none of them in the processor's registers.
pub fn secret_copy(bytes: &[u8]) -> SecretBytes {
    // A boxed slice has no spare capacity, so it is not moved again.
    let copy = SecretBytes::from(Box::<[u8]>::from(bytes));
    overwrite_registers(bytes.len());
    copy
}

/// Returns the text in secret bytes; `None` if they are not UTF-8.
pub fn secret_text(bytes: &SecretBytes) -> Option<SecretString> {
    let text = str::from_utf8(bytes.expose_secret()).ok()?;
    Some(copy_text(text))
}

/// Copies text into a secret, as [`secret_copy`].
pub(crate) fn copy_text(text: &str) -> SecretString {
    let copy = SecretString::from(Box::<str>::from(text));
    overwrite_registers(text.len());
    copy
}

/// Overwrites the processor's vector registers after a copy of `len` secret bytes.
///
/// The registers keep the last of the bytes, up to 256, until the thread copies data of such a length again.
/// In a thread that waits for work they would still be in a core dump. So the same number of zeros is copied.
/// [`secret_copy`] calls this itself.
pub fn overwrite_registers(len: usize) {
    let zeros = vec![0u8; len];
    // The compiler must not remove a copy that has no effect.
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
