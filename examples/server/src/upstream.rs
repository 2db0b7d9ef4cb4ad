//! The requests to the upstream: for a token, and for data with the token.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;
use strongroom::{ExposeSecret as _, Secret, SecretString};

use crate::problem::Problem;

/// The deadline for a whole request. It is less than the 60 seconds for which other processes wait for a token that this
/// process fetches, so that a request that hangs doesn't make them fail.
const DEADLINE: Duration = Duration::from_secs(10);

/// The largest answer that is read, in bytes.
const LARGEST: usize = 1024 * 1024;

/// A service with a token endpoint for client credentials (RFC 6749, section 4.4).
pub(crate) struct Upstream {
    client: Client,
    base: Url,
    client_id: String,
}

/// Data as the upstream sent it.
pub(crate) struct Data {
    content_type: Option<HeaderValue>,
    bytes: Vec<u8>,
}

/// Parses the upstream's address.
///
/// # Errors
///
/// A message if the address is invalid, or if secrets would be sent to it in the clear.
pub(crate) fn base_url(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("not an address: {error}"))?;
    let is_here = url.host_str().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    });
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        "http" => Err("secrets would go over the network in the clear: take https".to_owned()),
        _ => Err("neither https nor http".to_owned()),
    }
}

impl Upstream {
    /// Creates a client. Sends no request.
    ///
    /// # Errors
    ///
    /// If the system's certificates can't be loaded.
    pub(crate) fn new(base: Url, client_id: String) -> anyhow::Result<Self> {
        // Only the first call has an effect. It fails if a provider is installed already.
        rustls::crypto::ring::default_provider().install_default().ok();
        // A redirect would send the token to another server.
        let client = Client::builder().timeout(DEADLINE).redirect(Policy::none()).build();
        Ok(Self { client: client.context("no client for HTTP")?, base, client_id })
    }

    /// Gets a new token for the client secret.
    ///
    /// # Errors
    ///
    /// `NoAnswer`, `Refused` or `Unusable`.
    pub(crate) async fn token(&self, client_secret: &SecretString) -> Result<Secret, Problem> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: String,
            /// The lifetime in seconds.
            expires_in: Option<u32>,
        }

        let request = self
            .client
            .post(self.endpoint("token"))
            .basic_auth(&self.client_id, Some(client_secret.expose_secret()))
            .form(&[("grant_type", "client_credentials")]);
        let answer = send("a token", request).await?;
        // The parser's own error may quote the token.
        let answer: Answer =
            serde_json::from_slice(&answer.bytes).map_err(|_| Problem::Unusable("a token"))?;
        let token = Secret::new(answer.access_token);
        Ok(match answer.expires_in {
            Some(seconds) => token.expires_in(Duration::from_secs(seconds.into())),
            None => token,
        })
    }

    /// Gets the data.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token). A token that is no longer valid is `Refused` with status 401.
    pub(crate) async fn data(&self, token: &SecretString) -> Result<Data, Problem> {
        let request = self.client.get(self.endpoint("data")).bearer_auth(token.expose_secret());
        send("data", request).await
    }

    fn endpoint(&self, name: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(name);
        }
        url
    }
}

/// Sends a request, and reads a successful answer. The text of a refusal is not read, because it may quote the request.
async fn send(what: &'static str, request: RequestBuilder) -> Result<Data, Problem> {
    let no_answer = |error: reqwest::Error| Problem::NoAnswer(what, error.without_url());
    let mut response = request.send().await.map_err(no_answer)?;
    if response.status() != StatusCode::OK {
        return Err(Problem::Refused(what, response.status()));
    }
    let content_type = response.headers().get(CONTENT_TYPE).cloned();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(Problem::Unusable(what));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Data { content_type, bytes })
}

impl IntoResponse for Data {
    fn into_response(self) -> Response {
        let mut response = self.bytes.into_response();
        if let Some(content_type) = self.content_type {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_goes_over_a_network_in_the_clear() {
        for fine in ["https://api.example.com", "http://localhost:9", "http://[::1]:9/v1"] {
            assert!(base_url(fine).is_ok(), "{fine}");
        }
        for wrong in ["http://api.example.com", "http://192.168.0.1", "ftp://localhost", "api"] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn endpoints_stand_below_the_address() {
        for base in ["http://localhost/v1", "http://localhost/v1/"] {
            let upstream = Upstream::new(base_url(base).unwrap(), String::new()).unwrap();
            assert_eq!(upstream.endpoint("token").as_str(), "http://localhost/v1/token");
        }
    }
}
