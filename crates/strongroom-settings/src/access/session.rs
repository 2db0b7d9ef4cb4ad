//! The secrets of one session.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use strongroom::{ExposeSecret as _, Result, SecretString};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::random;

/// The length of the nonce before each sealed body, in bytes.
const NONCE: usize = 12;

/// The length of the key, in bytes.
const KEY: usize = 32;

/// A session: a bearer that each of its requests names, and a key that seals the bodies of its requests.
///
/// The key crosses the network once, to the page. So a server that takes over the address later, and receives the page's
/// requests, learns nothing from them.
pub(crate) struct Session {
    bearer: SecretString,
    key: SecretString,
}

impl Session {
    /// Creates a session with random secrets.
    ///
    /// # Errors
    ///
    /// `Io` if the system gives no random bytes.
    pub(super) fn new() -> Result<Self> {
        Ok(Self { bearer: random::<32>()?, key: random::<KEY>()? })
    }

    /// Returns both secrets in the page's form: the bearer and the key, with a dot in between.
    pub(crate) fn to_text(&self) -> SecretString {
        let [bearer, key] = [&self.bearer, &self.key].map(|secret| secret.expose_secret());
        [bearer, ".", key].concat().into()
    }

    /// Returns whether this is the session's bearer. The time depends only on the length.
    pub(super) fn is(&self, bearer: &str) -> bool {
        is_same(&self.bearer, bearer)
    }

    /// Opens a body that was sealed for this path. `None` if it was not.
    ///
    /// A sealed body is a nonce, followed by the body encrypted with AES-256-GCM, with the path as associated data.
    pub(crate) fn unseal(&self, path: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, msg) = sealed.split_at_checked(NONCE)?;
        let mut key = Zeroizing::new([0; KEY]);
        URL_SAFE_NO_PAD.decode_slice(self.key.expose_secret(), key.as_mut_slice()).ok()?;
        let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
        let nonce = Nonce::try_from(nonce).ok()?;
        cipher.decrypt(&nonce, Payload { msg, aad: path.as_bytes() }).ok().map(Zeroizing::new)
    }
}

/// Compares two texts in a time that depends only on the length.
pub(super) fn is_same(known: &SecretString, given: &str) -> bool {
    known.expose_secret().as_bytes().ct_eq(given.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(session: &Session, path: &str, body: &[u8]) -> Vec<u8> {
        let text = session.to_text();
        let (_, key) = text.expose_secret().split_once('.').unwrap();
        let key = URL_SAFE_NO_PAD.decode(key).unwrap();
        let cipher = Aes256Gcm::new_from_slice(&key).unwrap();
        let nonce = Nonce::from([7; NONCE]);
        let payload = Payload { msg: body, aad: path.as_bytes() };
        [nonce.to_vec(), cipher.encrypt(&nonce, payload).unwrap()].concat()
    }

    #[test]
    fn a_body_opens_for_its_session_and_its_path() {
        let session = Session::new().unwrap();
        let body = sealed(&session, "secrets/add", b"body");
        assert_eq!(*session.unseal("secrets/add", &body).unwrap(), b"body");
        assert!(session.unseal("secrets/delete", &body).is_none());
        assert!(Session::new().unwrap().unseal("secrets/add", &body).is_none());
        for changed in
            [&body[1..], &body[..body.len() - 1], b"", b"{}", &[body.as_slice(), b"x"].concat()]
        {
            assert!(session.unseal("secrets/add", changed).is_none());
        }
    }
}
