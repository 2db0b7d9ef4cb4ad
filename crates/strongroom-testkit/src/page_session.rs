//! The secrets of a session of the settings page, as the page keeps them.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A session of the settings page.
#[derive(Clone)]
pub struct PageSession {
    /// What its requests name.
    pub bearer: String,
    key: Vec<u8>,
}

impl PageSession {
    /// The session in the answer to a token.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn in_answer(answer: &str) -> Self {
        let session = answer.split_once(r#"{"session":""#).and_then(|(_, it)| it.split_once('"'));
        let (session, _) = session.unwrap_or_else(|| panic!("no session in {answer}"));
        Self::new(session)
    }

    /// The session whose bearer and key stand in a text, with a point in between.
    ///
    /// # Panics
    ///
    /// If that is not so.
    pub fn new(text: &str) -> Self {
        let (bearer, key) = text.split_once('.').expect("a bearer and a key");
        Self { bearer: bearer.to_owned(), key: URL_SAFE_NO_PAD.decode(key).expect("base64") }
    }

    /// The body that the page sends for this one: sealed for the path behind `/api/`.
    ///
    /// # Panics
    ///
    /// If the path is none of the page's.
    pub fn sealed(&self, path: &str, body: &str) -> Vec<u8> {
        // The same nonce each time would be no good for anything but a test.
        let nonce = [7; 12];
        let (_, path) = path.rsplit_once("/api/").expect("a path of the page");
        let payload = Payload { msg: body.as_bytes(), aad: path.as_bytes() };
        let cipher = Aes256Gcm::new_from_slice(&self.key).expect("a key of 32 bytes");
        let sealed = cipher.encrypt(&Nonce::from(nonce), payload).expect("it is short");
        [&nonce[..], &sealed].concat()
    }
}
