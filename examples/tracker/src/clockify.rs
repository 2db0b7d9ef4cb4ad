//! The part of Clockify's API that a stopped timer needs: <https://docs.clockify.me>.

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use strongroom::{ExposeSecret as _, SecretString};
use ureq::http::header::{CONTENT_TYPE, HeaderValue};
use ureq::http::{StatusCode, Uri};
use ureq::{Agent, Error};

use crate::entries::Entry;

/// The address of Clockify's API.
pub(crate) const URL: &str = "https://api.clockify.me/api/v1";

/// The deadline of a request.
const DEADLINE: Duration = Duration::from_secs(10);

/// A client of Clockify.
#[derive(Debug)]
pub(crate) struct Clockify {
    agent: Agent,
    base: Uri,
}

/// Clockify's answer about the user that the key belongs to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    default_workspace: String,
}

impl Clockify {
    pub(crate) fn new(base: Uri) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(DEADLINE))
            // A redirect would send the key to another server.
            .max_redirects(0)
            .build();
        Self { agent: config.into(), base }
    }

    /// Adds a stopped entry to the default workspace of the key's user. The error is a message for the user.
    ///
    /// If the answer is lost, the entry may have been added. Clockify doesn't notice when it is sent again.
    pub(crate) fn add(&self, entry: &Entry, key: &SecretString) -> Result<(), String> {
        let key = header(key)?;
        let user = self.agent.get(self.url("user")).header("X-Api-Key", key.clone());
        let user = user.call().and_then(|mut answer| {
            done(answer.status())?;
            answer.body_mut().read_to_string()
        });
        let user: User = serde_json::from_str(&user.map_err(|error| reason(&error))?)
            .map_err(|error| format!("Clockify's answer can't be read: {error}."))?;
        let body = json!({
            "description": entry.description,
            "start": format!("{:.0}", entry.start),
            "end": entry.end.map(|end| format!("{end:.0}")),
        });
        let url = self.url(&format!("workspaces/{}/time-entries", user.default_workspace));
        let request = self.agent.post(url).header("X-Api-Key", key);
        let answer = request.header(CONTENT_TYPE, "application/json").send(body.to_string());
        answer.and_then(|answer| done(answer.status())).map_err(|error| reason(&error))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base.to_string().trim_end_matches('/'))
    }
}

/// Parses the address of Clockify's API. The key must not cross a network in the clear.
pub(crate) fn base_url(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|error| format!("{error}"))?;
    let host = url.host().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    match url.scheme_str() {
        Some("https") => Ok(url),
        Some("http") if is_here => Ok(url),
        _ => Err("it takes an address that begins with https://".to_owned()),
    }
}

fn header(key: &SecretString) -> Result<HeaderValue, String> {
    let header = HeaderValue::from_str(key.expose_secret());
    let mut header =
        header.map_err(|_| "The key is none of Clockify's. `tracker setup` replaces it.")?;
    header.set_sensitive(true);
    Ok(header)
}

fn done(status: StatusCode) -> Result<(), Error> {
    if status.is_success() { Ok(()) } else { Err(Error::StatusCode(status.as_u16())) }
}

fn reason(error: &Error) -> String {
    match error {
        Error::StatusCode(401 | 403) => {
            "Clockify refuses the key. `tracker setup` replaces it.".to_owned()
        }
        Error::StatusCode(status) => format!("Clockify answers {status}."),
        Error::Timeout(_) => {
            format!("Clockify doesn't answer within {} seconds.", DEADLINE.as_secs())
        }
        error => format!("Clockify can't be reached: {error}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_leaves_this_machine_encrypted() {
        for url in [
            URL,
            "https://example.org",
            "http://127.0.0.1:80/api",
            "http://[::1]",
            "http://localhost",
        ] {
            assert!(base_url(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "/api",
            "api.clockify.me",
            "http://api.clockify.me",
            "http://127.0.0.1.example.org",
            "ftp://localhost",
        ] {
            assert!(base_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_key_that_no_header_can_hold_is_refused_without_being_shown() {
        let error = header(&SecretString::from("s3cret\nvalue")).unwrap_err();
        assert!(error.contains("tracker setup") && !error.contains("s3cret"), "{error}");
        let header = header(&SecretString::from("s3cret")).unwrap();
        assert!(!format!("{header:?}").contains("s3cret"));
    }
}
