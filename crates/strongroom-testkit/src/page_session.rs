//! A session of the settings page, as the page keeps it.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A session of the settings page: its bearer token and its key.
#[derive(Clone)]
pub struct PageSession {
    /// The bearer token of the page's requests.
    pub bearer: String,
    key: Vec<u8>,
}

impl PageSession {
    /// Parses the session in the server's answer to a token.
    ///
    /// # Panics
    ///
    /// If the answer contains no session.
    pub fn in_answer(answer: &str) -> Self {
        let session = answer.split_once(r#"{"session":""#).and_then(|(_, it)| it.split_once('"'));
        let (session, _) = session.unwrap_or_else(|| panic!("no session in {answer}"));
        Self::new(session)
    }

    /// Parses a session of the form `<bearer>.<key in base64>`.
    ///
    /// # Panics
    ///
    /// If the text has another form.
    pub fn new(text: &str) -> Self {
        let (bearer, key) = text.split_once('.').expect("a bearer and a key");
        Self { bearer: bearer.to_owned(), key: URL_SAFE_NO_PAD.decode(key).expect("base64") }
    }

    /// Encrypts a request body as the page does, bound to the path after `/api/`.
    ///
    /// # Panics
    ///
    /// If the path does not contain `/api/`.
    pub fn sealed(&self, path: &str, body: &str) -> Vec<u8> {
        // A fixed nonce is insecure, and fine for a test.
        let nonce = [7; 12];
        let (_, path) = path.rsplit_once("/api/").expect("a path of the page");
        let payload = Payload { msg: body.as_bytes(), aad: path.as_bytes() };
        let cipher = Aes256Gcm::new_from_slice(&self.key).expect("a key of 32 bytes");
        let sealed = cipher.encrypt(&Nonce::from(nonce), payload).expect("it is short");
        [&nonce[..], &sealed].concat()
    }
}
