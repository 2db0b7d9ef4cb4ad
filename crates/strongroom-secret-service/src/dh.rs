//! The key exchange of an encrypted session: Diffie-Hellman over a 1024-bit group.

use std::hint;

use aes::Aes128;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use crypto_bigint::modular::ConstMontyForm;
use crypto_bigint::{U256, U1024, const_monty_params};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// The length of a public key and of the shared number, in bytes.
pub(crate) const GROUP_BYTES: usize = 128;
/// The length of a key and of an initialisation vector of AES-128, in bytes.
const AES_BYTES: usize = 16;

const_monty_params!(
    Group,
    U1024,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD1\
     29024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245\
     E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381\
     FFFFFFFFFFFFFFFF",
    "The Second Oakley Group (RFC 2409, section 6.2), which the protocol prescribes."
);

type Number = ConstMontyForm<Group, { U1024::LIMBS }>;

/// A key pair, this side's half of a key exchange.
///
/// The exponent has 256 bits: more than twice the strength of the group, and short enough to keep the
/// exchange cheap.
pub(crate) struct KeyPair {
    exponent: U256,
    public: [u8; GROUP_BYTES],
}

/// The key that both sides of a session derive.
pub(crate) struct SessionKey(Zeroizing<[u8; AES_BYTES]>);

/// The result of a key exchange.
pub(crate) enum Agreement {
    /// The session key, the same on both sides.
    Key(SessionKey),
    /// The shared number starts with a zero byte, which KWallet 5 drops before it derives the key. The two
    /// sides may have different keys, so another key pair is needed.
    Unlucky,
    /// The provider's number is not a valid public key of the group.
    Refused,
}

impl KeyPair {
    /// Generates a key pair with a public key that all providers read the same way.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        loop {
            let pair = Self::candidate()?;
            if keeps_its_length(&pair.public) {
                return Ok(pair);
            }
        }
    }

    /// Returns the public key, big-endian.
    pub(crate) fn public(&self) -> &[u8; GROUP_BYTES] {
        &self.public
    }

    /// Derives the session key from the provider's public key, which is big-endian and may have any length.
    pub(crate) fn agree(&self, theirs: &[u8]) -> Agreement {
        let Some(theirs) = group_element(theirs) else {
            return Agreement::Refused;
        };
        let shared = theirs.pow_bounded_exp(&self.exponent, U256::BITS).retrieve();
        let mut bytes = Zeroizing::new([0; GROUP_BYTES]);
        bytes.copy_from_slice(shared.to_be_bytes().as_ref());
        if bytes[0] == 0 {
            return Agreement::Unlucky;
        }
        Agreement::Key(derive(&bytes))
    }

    fn candidate() -> Result<Self, getrandom::Error> {
        let mut random = Zeroizing::new([0; U256::BYTES]);
        getrandom::fill(random.as_mut())?;
        let exponent = U256::from_be_slice(random.as_ref());
        let generator = Number::new(&U1024::from_u8(2));
        let mut public = [0; GROUP_BYTES];
        let number = generator.pow_bounded_exp(&exponent, U256::BITS).retrieve();
        public.copy_from_slice(number.to_be_bytes().as_ref());
        Ok(Self { exponent, public })
    }
}

impl Drop for KeyPair {
    fn drop(&mut self) {
        self.exponent.zeroize();
    }
}

impl SessionKey {
    /// Encrypts a value and returns the initialisation vector and the ciphertext.
    pub(crate) fn encrypt(&self, value: &[u8]) -> Result<(Vec<u8>, Vec<u8>), getrandom::Error> {
        let mut iv = [0; AES_BYTES];
        getrandom::fill(&mut iv)?;
        let ciphertext = seal(&self.0, &iv, value);
        // Overwrites the traces of the value (see `NOTHING`). `black_box` keeps the optimiser from dropping
        // the call.
        hint::black_box(seal(&NOTHING, &NOTHING, &vec![0; value.len()]));
        Ok((iv.to_vec(), ciphertext))
    }

    /// Decrypts a value; `None` if the ciphertext is not valid under this key.
    pub(crate) fn decrypt(&self, iv: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let value = open(&self.0, iv.try_into().ok()?, ciphertext);
        // As in `encrypt`.
        hint::black_box(open(&NOTHING, &NOTHING, &vec![0; ciphertext.len()]));
        value
    }
}

/// The key and initialisation vector of the dummy run after each value. A cipher leaves up to two KiB of a
/// value on the stack, and more in the processor's vector registers; the same work on zeros overwrites both.
const NOTHING: [u8; AES_BYTES] = [0; AES_BYTES];

#[inline(never)]
fn seal(key: &[u8; AES_BYTES], iv: &[u8; AES_BYTES], value: &[u8]) -> Vec<u8> {
    let cipher = cbc::Encryptor::<Aes128>::new(key.into(), iv.into());
    cipher.encrypt_padded_vec::<Pkcs7>(value)
}

#[inline(never)]
fn open(key: &[u8; AES_BYTES], iv: &[u8; AES_BYTES], ciphertext: &[u8]) -> Option<Vec<u8>> {
    let cipher = cbc::Decryptor::<Aes128>::new(key.into(), iv.into());
    cipher.decrypt_padded_vec::<Pkcs7>(ciphertext).ok()
}

/// Returns whether a public key fills all its bytes, read as an unsigned or as a signed number.
///
/// KWallet 5 refuses a shorter key. It also reads the key as a signed number, so that it may drop a leading
/// 0xff byte and derive another session key.
fn keeps_its_length(public: &[u8; GROUP_BYTES]) -> bool {
    !matches!(public[0], 0 | 0xff)
}

/// Parses a public key as a group element; `None` if it is out of range or makes the shared number
/// predictable.
fn group_element(bytes: &[u8]) -> Option<Number> {
    let start = bytes.iter().position(|byte| *byte != 0)?;
    let significant = &bytes[start..];
    let mut padded = [0; GROUP_BYTES];
    padded.get_mut(GROUP_BYTES.checked_sub(significant.len())?..)?.copy_from_slice(significant);
    let number = U1024::from_be_slice(&padded);
    // The modulus less 1 has order 2: the shared number would be 1 or that number.
    let largest = Group::modulus().wrapping_sub(&U1024::from_u8(2));
    (number > U1024::ONE && number <= largest).then(|| Number::new(&number))
}

fn derive(shared: &[u8; GROUP_BYTES]) -> SessionKey {
    let mut key = Zeroizing::new([0; AES_BYTES]);
    // No salt and no info, as the protocol prescribes.
    Hkdf::<Sha256>::new(None, shared)
        .expand(&[], key.as_mut())
        .expect("16 bytes are less than HKDF-SHA256 can give");
    SessionKey(key)
}

impl Group {
    const fn modulus() -> &'static U1024 {
        use crypto_bigint::modular::ConstMontyParams;
        Self::PARAMS.modulus().as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(agreement: Agreement) -> SessionKey {
        match agreement {
            Agreement::Key(key) => key,
            Agreement::Unlucky => panic!("unlucky"),
            Agreement::Refused => panic!("refused"),
        }
    }

    /// Two key pairs whose shared number is a lucky one.
    fn lucky() -> (KeyPair, KeyPair) {
        loop {
            let (ours, theirs) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
            if matches!(ours.agree(theirs.public()), Agreement::Key(_)) {
                return (ours, theirs);
            }
        }
    }

    #[test]
    fn both_sides_derive_the_same_key_and_only_that_opens() {
        let (ours, theirs) = lucky();
        let (iv, sealed) = key(ours.agree(theirs.public())).encrypt(b"value").unwrap();
        let opened = key(theirs.agree(ours.public())).decrypt(&iv, &sealed);
        assert_eq!(opened.as_deref(), Some(b"value".as_slice()));
        assert!(!sealed.windows(5).any(|window| window == b"value"));
    }

    #[test]
    fn what_is_no_ciphertext_does_not_open() {
        let (ours, theirs) = lucky();
        let key = key(ours.agree(theirs.public()));
        let (iv, sealed) = key.encrypt(b"value").unwrap();
        assert!(key.decrypt(&iv[1..], &sealed).is_none());
        assert!(key.decrypt(&iv, &sealed[1..]).is_none());
        assert!(key.decrypt(&iv, &[]).is_none());
    }

    #[test]
    fn numbers_that_give_the_shared_one_away_are_refused() {
        let ours = KeyPair::generate().unwrap();
        let modulus = Group::modulus().to_be_bytes();
        let mut below = modulus.as_ref().to_vec();
        below[GROUP_BYTES - 1] -= 1;
        let too_long = [1; GROUP_BYTES + 1];
        for public in [&[][..], &[0], &[0, 1], &below, modulus.as_ref(), &too_long] {
            assert!(matches!(ours.agree(public), Agreement::Refused), "{}", public.len());
        }
    }

    #[test]
    fn leading_zeros_of_their_key_do_not_matter() {
        let (ours, theirs) = lucky();
        let longer = [&[0, 0], theirs.public().as_slice()].concat();
        let (iv, sealed) = key(ours.agree(&longer)).encrypt(b"value").unwrap();
        assert!(key(theirs.agree(ours.public())).decrypt(&iv, &sealed).is_some());
    }

    #[test]
    fn keys_that_some_provider_would_shorten_are_not_used() {
        let mut public = [1; GROUP_BYTES];
        assert!(keeps_its_length(&public));
        for first in [0, 0xff] {
            public[0] = first;
            assert!(!keeps_its_length(&public));
        }
    }
}
