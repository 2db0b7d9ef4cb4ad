//! The key agreement and the cipher of a session, with the bugs of real providers.

use std::sync::LazyLock;

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd, Resize};
use hkdf::Hkdf;
use sha2::Sha256;

use super::call::Failure;
use super::script::DhBehaviour;

/// The prime of the second Oakley group (RFC 2409).
const PRIME: &str = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
                     020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
                     4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
                     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF";
const BITS: u32 = 1024;
const BYTES: usize = 128;
/// The limit of a search. A number in 256 has a leading zero byte, so a search in e^78 reaches the limit.
const TRIES: u32 = 20_000;

static GROUP: LazyLock<BoxedMontyParams> = LazyLock::new(|| {
    let prime = BoxedUint::from_be_hex(PRIME, BITS).expect("the constant is hexadecimal");
    BoxedMontyParams::new_vartime(Odd::new(prime).expect("a large prime is odd"))
});

/// An AES-128 key.
pub(super) type Key = [u8; 16];

/// The server's result of a key agreement: the public key to send and the session key to keep.
pub(super) struct Agreement {
    pub(super) public_key: Vec<u8>,
    pub(super) key: Key,
}

/// Agrees on a key as `behaviour` demands. Its counts are decremented in place.
pub(super) fn agree(behaviour: &mut DhBehaviour, client: &[u8]) -> Result<Agreement, Failure> {
    if *behaviour == DhBehaviour::ShortClientKeyRefused && client.len() < BYTES {
        return Err(Failure::invalid("Client public key size is invalid"));
    }
    let client = client_key(client)?;
    let numbers = match behaviour {
        DhBehaviour::PublicKeyStripped => search(&client, |numbers| numbers.public[0] == 0),
        DhBehaviour::SharedSecretUnpadded { unlucky_sessions } => {
            let unlucky = *unlucky_sessions > 0;
            *unlucky_sessions = unlucky_sessions.saturating_sub(1);
            search(&client, |numbers| (numbers.secret[0] == 0) == unlucky)
        }
        _ => search(&client, |_| true),
    }?;
    let mut key = match behaviour {
        DhBehaviour::SharedSecretUnpadded { .. } => derive(stripped(&numbers.secret))?,
        _ => derive(&numbers.secret)?,
    };
    if let DhBehaviour::GarbageSession(left @ 1..) = behaviour {
        *left -= 1;
        key[0] ^= 0xff;
    }
    let public_key = match behaviour {
        DhBehaviour::PublicKeyStripped => stripped(&numbers.public).to_vec(),
        DhBehaviour::EmptyAnswer => Vec::new(),
        _ => numbers.public,
    };
    Ok(Agreement { public_key, key })
}

/// The public key and the shared secret of a private key, each padded to 128 bytes.
struct Numbers {
    public: Vec<u8>,
    secret: Vec<u8>,
}

/// Searches for a private key whose numbers meet the condition. The next key takes a single multiplication for each number, so
/// that a search is cheap.
fn search(client: &BoxedMontyForm, wanted: impl Fn(&Numbers) -> bool) -> Result<Numbers, Failure> {
    let mut private = [0; 32];
    fill(&mut private)?;
    let private = BoxedUint::from_be_slice(&private, 256)
        .map_err(|error| Failure::invalid(error.to_string()))?;
    let generator = BoxedMontyForm::new(BoxedUint::from(2u8).resize(BITS), &GROUP);
    let (mut public, mut secret) = (generator.pow(&private), client.pow(&private));
    for _ in 0..TRIES {
        let numbers = Numbers {
            public: public.retrieve().to_be_bytes().into(),
            secret: secret.retrieve().to_be_bytes().into(),
        };
        if wanted(&numbers) {
            return Ok(numbers);
        }
        (public, secret) = (public.mul(&generator), secret.mul(client));
    }
    Err(Failure::invalid("no private key does what the script wants of it with this client key"))
}

fn client_key(bytes: &[u8]) -> Result<BoxedMontyForm, Failure> {
    let number = BoxedUint::from_be_slice(stripped(bytes), BITS)
        .map_err(|_| Failure::invalid("Client public key size is invalid"))?;
    // Variable time is fine: a public key is no secret.
    let reduced = number.rem_vartime(GROUP.modulus().as_nz_ref());
    Ok(BoxedMontyForm::new(reduced, &GROUP))
}

fn stripped(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

fn derive(secret: &[u8]) -> Result<Key, Failure> {
    let mut key = Key::default();
    Hkdf::<Sha256>::new(None, secret)
        .expand(&[], &mut key)
        .map_err(|error| Failure::invalid(error.to_string()))?;
    Ok(key)
}

fn fill(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|error| Failure::invalid(error.to_string()))
}

/// Encrypts a value. Returns a fresh initialisation vector and the ciphertext.
pub(super) fn encrypt(key: &Key, plain: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let mut iv = Key::default();
    fill(&mut iv)?;
    let cipher = cbc::Encryptor::<aes::Aes128>::new(key.into(), &iv.into());
    Ok((iv.to_vec(), cipher.encrypt_padded_vec::<Pkcs7>(plain)))
}

/// Decrypts a value from a client.
pub(super) fn decrypt(key: &Key, iv: &[u8], encrypted: &[u8]) -> Result<Vec<u8>, Failure> {
    cbc::Decryptor::<aes::Aes128>::new_from_slices(key, iv)
        .map_err(|_| Failure::invalid("the parameters are no initialisation vector"))?
        .decrypt_padded_vec::<Pkcs7>(encrypted)
        .map_err(|_| Failure::invalid("the secret does not decrypt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the keys that a client as specified and the server derive.
    fn both(behaviour: &mut DhBehaviour) -> (Key, Key) {
        let generator = client_key(&[2]).expect("a number");
        let private = BoxedUint::from(0x5eed_5eed_5eedu64);
        let public = generator.pow(&private).retrieve().to_be_bytes();
        let agreement = agree(behaviour, &public).expect("an agreement");
        let server = client_key(&agreement.public_key).expect("a number");
        let secret = server.pow(&private).retrieve().to_be_bytes();
        (derive(&secret).expect("a key"), agreement.key)
    }

    fn agrees(behaviour: &mut DhBehaviour) -> bool {
        let (client, server) = both(behaviour);
        client == server
    }

    #[test]
    fn padding_agrees_and_so_does_a_stripped_public_key() {
        for mut behaviour in [DhBehaviour::Proper, DhBehaviour::PublicKeyStripped] {
            assert!(agrees(&mut behaviour), "{behaviour:?}");
        }
    }

    #[test]
    fn unlucky_and_garbage_sessions_disagree_and_count_down() {
        let unlucky = DhBehaviour::SharedSecretUnpadded { unlucky_sessions: 2 };
        for mut behaviour in [unlucky, DhBehaviour::GarbageSession(2)] {
            let agreements = [(); 4].map(|()| agrees(&mut behaviour));
            assert_eq!(agreements, [false, false, true, true], "{behaviour:?}");
        }
    }

    #[test]
    fn decrypts_what_it_encrypts() {
        let key = [7; 16];
        let (iv, encrypted) = encrypt(&key, b"value").expect("random bytes");
        assert_eq!(decrypt(&key, &iv, &encrypted).expect("the right key"), b"value");
        assert_eq!(encrypted.len(), 16);
        assert!(decrypt(&key, &iv[1..], &encrypted).is_err());
    }
}
