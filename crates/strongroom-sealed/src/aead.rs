//! Sealing and opening bytes: XChaCha20-Poly1305 after a random nonce.

use std::hint;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretBox};
use strongroom_core::{ErrorKind, Fault};
use zeroize::Zeroizing;

use crate::error::{Result, fault};

/// A key of any purpose. It is read by `expose_secret` only, and wiped when dropped.
pub(crate) type Key = SecretBox<[u8; 32]>;

/// The length of the nonce, which precedes the ciphertext.
pub(crate) const NONCE: usize = 24;

/// The length of the tag, which follows the ciphertext.
const TAG: usize = 16;

/// Seals bytes, bound to a context that [`open`] needs, too. Returns nonce, ciphertext and tag.
pub(crate) fn seal(key: &Key, context: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    seal_with(key, random()?, context, plain)
}

/// Seals bytes with a nonce that must never have been used with this key before.
pub(crate) fn seal_with(
    key: &Key,
    nonce: [u8; NONCE],
    context: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>> {
    // Allocated in full: the plaintext is encrypted in place, and a vector that grows would leave an unwiped
    // copy of it.
    let mut sealed = Vec::with_capacity(NONCE + plain.len() + TAG);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let cipher = XChaCha20Poly1305::new(key.expose_secret().into());
    let body = (&mut sealed[NONCE..]).into();
    let tag = cipher
        .encrypt_inout_detached(&XNonce::from(nonce), context, body)
        .map_err(|_| fault(ErrorKind::Other, "the value is too long to be sealed"))?;
    sealed.extend_from_slice(&tag);
    overwrite_registers(plain.len());
    Ok(sealed)
}

/// Opens sealed bytes; `None` if they were not sealed with this key and bound to this context.
pub(crate) fn open(key: &Key, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let (body, tag) = rest.split_last_chunk::<TAG>()?;
    let mut plain = Zeroizing::new(body.to_vec());
    let cipher = XChaCha20Poly1305::new(key.expose_secret().into());
    let buffer = plain.as_mut_slice().into();
    cipher.decrypt_inout_detached(&XNonce::from(*nonce), context, buffer, &Tag::from(*tag)).ok()?;
    overwrite_registers(body.len());
    Some(plain)
}

/// Overwrites the processor's vector registers after `len` secret bytes were copied and encrypted.
///
/// The registers keep the last of these bytes while the thread waits for work. The same number of zeros is
/// copied and encrypted to replace them.
fn overwrite_registers(len: usize) {
    let zeros = vec![0; len];
    let mut copy = hint::black_box(hint::black_box(&zeros).clone());
    let cipher = XChaCha20Poly1305::new(&[0; 32].into());
    let nonce = XNonce::from([0; NONCE]);
    let done = cipher.encrypt_inout_detached(&nonce, &[], copy.as_mut_slice().into());
    drop(hint::black_box((copy, done)));
    hint::black_box(hint::black_box(&zeros).clone());
}

/// Returns random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| no_random(&error))?;
    Ok(bytes)
}

/// Returns a random key.
pub(crate) fn random_key() -> Result<Key> {
    let mut outcome = Ok(());
    let key = Key::init_with_mut(|bytes| outcome = getrandom::fill(bytes));
    outcome.map_err(|error| no_random(&error)).map(|()| key)
}

/// Returns the key in decrypted bytes; `None` unless they are 32.
pub(crate) fn key_from(bytes: &[u8]) -> Option<Key> {
    (bytes.len() == 32).then(|| Key::init_with_mut(|key| key.copy_from_slice(bytes)))
}

fn no_random(error: &getrandom::Error) -> Fault {
    fault(ErrorKind::Other, "the system gives no random bytes")
        .with_source(std::io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_context_open_what_was_sealed() {
        let (key, other) = (random_key().unwrap(), random_key().unwrap());
        let sealed = seal(&key, b"context", b"plain").unwrap();
        assert_eq!(open(&key, b"context", &sealed).unwrap().as_slice(), b"plain");
        assert!(open(&other, b"context", &sealed).is_none());
        assert!(open(&key, b"contexts", &sealed).is_none());
    }

    #[test]
    fn no_bit_can_be_flipped_and_no_byte_left_out() {
        let key = random_key().unwrap();
        let sealed = seal(&key, b"", b"plain").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, b"", &flipped).is_none(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(open(&key, b"", &sealed[..length]).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn the_same_bytes_are_never_sealed_alike() {
        let key = random_key().unwrap();
        assert_ne!(seal(&key, b"", b"plain").unwrap(), seal(&key, b"", b"plain").unwrap());
    }
}
