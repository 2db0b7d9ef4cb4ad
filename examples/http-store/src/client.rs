//! The HTTP client: requests with the token, and a deadline for each.

use std::io::Read as _;
use std::net::IpAddr;

use strongroom::error::Operation;
use strongroom::store::secret_bytes;
use strongroom::{
    Deadlines, Error, ErrorKind, ExposeSecret as _, Result, SecretBytes, SecretString,
};
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue, IF_NONE_MATCH};
use ureq::http::{Method, Request, Response, Uri};
use ureq::{Agent, AsSendBody, Body};

use crate::error::{broken, from_stranger, unusable};

/// The header that every answer of the secret server has. An answer without it comes from another server, such as a proxy on
/// the way. A 404 from there doesn't mean that an entry is missing.
const MARK: &str = "Acme-Secrets";

/// The largest list of names that is read, in bytes.
const LARGEST_LIST: u64 = 1 << 20;

/// A client of the secret server.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    bearer: HeaderValue,
}

/// An answer of the secret server.
pub(crate) type Answer = Response<Body>;

impl Client {
    /// Creates a client. Sends no request.
    ///
    /// # Errors
    ///
    /// `Invalid` for an address or a token that can't be used.
    pub(crate) fn new(url: &str, token: &SecretString, deadlines: Deadlines) -> Result<Self> {
        let base = base_url(url)?;
        let config = Agent::config_builder()
            // Covers everything from the resolution of the name to the last byte of the answer.
            .timeout_global(Some(deadlines.call))
            .http_status_as_error(false)
            // The token must go to this server only.
            .max_redirects(0)
            .proxy(None)
            .build();
        Ok(Self { agent: config.into(), base, bearer: bearer(token)? })
    }

    /// Returns the server's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Returns whether values are encrypted on their way.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// Sends a request without a body.
    ///
    /// # Errors
    ///
    /// `TimedOut`, `NoBackend`, `Io`: see [`broken`] and [`from_stranger`].
    pub(crate) fn send(&self, method: Method, path: &str, operation: Operation) -> Result<Answer> {
        self.run(self.request(method, path), (), operation)
    }

    /// Sends a value.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub(crate) fn put(&self, path: &str, value: &SecretBytes, is_new: bool) -> Result<Answer> {
        let request = self.request(Method::PUT, path);
        let request = if is_new { request.header(IF_NONE_MATCH, "*") } else { request };
        self.run(request, value.expose_secret(), Operation::Set)
    }

    fn request(&self, method: Method, path: &str) -> ureq::http::request::Builder {
        let uri = format!("{}{path}", self.base);
        Request::builder().method(method).uri(uri).header(AUTHORIZATION, self.bearer.clone())
    }

    fn run(
        &self,
        request: ureq::http::request::Builder,
        body: impl AsSendBody,
        operation: Operation,
    ) -> Result<Answer> {
        let sent = request.body(body).map_err(ureq::Error::from);
        let answer = sent.and_then(|request| self.agent.run(request));
        let answer = answer.map_err(|error| broken(error, operation))?;
        match answer.headers().contains_key(MARK) {
            true => Ok(answer),
            false => Err(from_stranger(answer.status(), operation)),
        }
    }
}

/// Reads the value in an answer: whole, or not at all.
///
/// # Errors
///
/// `Corrupt` if its length is not known, or larger than `max`; `TimedOut` and `Io` if it doesn't arrive.
pub(crate) fn value(answer: &mut Answer, max: usize) -> Result<SecretBytes> {
    let Some(len) = length(answer).filter(|len| *len <= max) else {
        return Err(Error::new(ErrorKind::Corrupt, Operation::Get)
            .with_message("the secret server sent a value of unknown length, or too large a one"));
    };
    // Room for the whole value: a vector that grows leaves copies behind.
    let mut bytes = Vec::with_capacity(len);
    let body = answer.body_mut().as_reader();
    let read = body.take(len as u64).read_to_end(&mut bytes);
    // Wrapped before the result is checked, so that a partial value is wiped, too.
    let value = secret_bytes(bytes);
    // The HTTP client returns an error if the body is shorter than its length.
    read.map_err(|error| broken(error.into(), Operation::Get))?;
    Ok(value)
}

/// Returns the length of an answer, from its header.
fn length(answer: &Answer) -> Option<usize> {
    answer.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads the names in an answer.
///
/// # Errors
///
/// `Io` for an answer that is not a list of names, or too long; `TimedOut` if it doesn't arrive.
pub(crate) fn names(answer: &mut Answer) -> Result<Vec<String>> {
    let text = answer.body_mut().with_config().limit(LARGEST_LIST).read_to_string();
    let text = text.map_err(|error| broken(error, Operation::List))?;
    serde_json::from_str(&text).map_err(|error| {
        Error::new(ErrorKind::Io, Operation::List)
            .with_message("the secret server's list of names can't be read")
            .with_source(error)
    })
}

/// Checks the server's address. The token must not cross a network in the clear.
fn base_url(url: &str) -> Result<String> {
    let parsed: Uri = url.parse().map_err(|_| unusable("it is no URL"))?;
    let host = parsed.host().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    if parsed.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(unusable("it has a user name or a password in it"));
    }
    if parsed.query().is_some() {
        return Err(unusable("it has a query"));
    }
    match parsed.scheme_str() {
        Some("https") if cfg!(feature = "tls") => {}
        Some("https") => return Err(unusable("this build has no TLS (feature `tls`)")),
        Some("http") if is_here => {}
        _ => return Err(unusable("it begins with neither https:// nor this machine's http://")),
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn bearer(token: &SecretString) -> Result<HeaderValue> {
    let header = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
    let mut header = header.map_err(|_| {
        Error::new(ErrorKind::Invalid, Operation::Choose)
            .with_message("the token has a line break in it, or other characters that no token has")
            .with_hint("Correct the token and try again.")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str, token: &str) -> String {
        let client = Client::new(url, &SecretString::from(token), Deadlines::default());
        let error = client.err().expect("it is refused");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        format!("{error:?}")
    }

    #[test]
    fn a_token_crosses_no_network_in_the_clear() {
        for url in ["http://127.0.0.1:80", "http://[::1]/", "http://localhost/acme"] {
            assert!(base_url(url).is_ok(), "{url}");
        }
        for url in
            ["", "acme", "http://acme.example", "http://127.0.0.1.acme.example", "ftp://localhost"]
        {
            problem(url, "t");
        }
        assert_eq!(base_url("https://acme.example").is_ok(), cfg!(feature = "tls"));
    }

    #[test]
    fn what_is_secret_in_an_argument_is_not_shown() {
        assert!(!problem("http://user:s3cret@localhost", "t").contains("s3cret"));
        assert!(!problem("http://localhost", "s3cret\nvalue").contains("s3cret"));
    }
}
