//! The server with the issues: the needed part of Jira Cloud's REST API.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use strongroom::{ExposeSecret as _, SecretString, Timestamp};
use tauri::Url;
use ureq::http::{HeaderValue, Response, header::AUTHORIZATION};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};
use zeroize::Zeroizing;

use crate::database::{Settings, Timer};
use crate::failure::{Failure, Result};

/// An issue that can be worked on.
#[derive(Debug, Serialize)]
pub(crate) struct Issue {
    key: String,
    summary: String,
    status: String,
}

/// A client of the server, for a user.
pub(crate) struct Server {
    agent: Agent,
    base: String,
    authorization: HeaderValue,
}

/// The deadline of a request.
const DEADLINE: Duration = Duration::from_secs(15);

/// The shortest worklog that Jira accepts, in seconds.
const MINUTE: i64 = 60;

impl Server {
    pub(crate) fn new(settings: &Settings, token: &SecretString) -> Result<Self> {
        // The system's certificates, since companies have servers with certificates of their own authority.
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(DEADLINE))
            .http_status_as_error(false)
            // A redirect would send the token to another server.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .new_agent();
        let base = base_url(&settings.base_url)?.as_str().trim_end_matches('/').to_owned();
        Ok(Self { agent, base, authorization: basic(&settings.email, token)? })
    }

    /// Returns the user's open issues.
    pub(crate) fn issues(&self) -> Result<Vec<Issue>> {
        let mut response = self
            .agent
            .get(format!("{}/rest/api/3/search/jql", self.base))
            .query("jql", "assignee = currentUser() AND statusCategory != Done ORDER BY updated")
            .query("fields", "summary,status")
            .header(AUTHORIZATION, &self.authorization)
            .call()?;
        accepted(&response)?;
        let found: Found = response.body_mut().read_json()?;
        Ok(found.issues.into_iter().map(Issue::from).collect())
    }

    /// Posts the time from a timer's start until now, and returns it in seconds.
    pub(crate) fn log(&self, timer: &Timer, now: Timestamp) -> Result<i64> {
        let seconds = (now.as_second() - timer.started).max(MINUTE);
        let started = Timestamp::from_second(timer.started).unwrap_or(now);
        let started = started.to_string();
        let worklog = json!({
            "started": format!("{}.000+0000", started.trim_end_matches('Z')),
            "timeSpentSeconds": seconds,
        });
        let response = self
            .agent
            .post(format!("{}/rest/api/3/issue/{}/worklog", self.base, timer.issue))
            .header(AUTHORIZATION, &self.authorization)
            .send_json(worklog)?;
        accepted(&response)?;
        Ok(seconds)
    }
}

/// Parses a server's address. The token must not cross a network in the clear.
pub(crate) fn base_url(text: &str) -> Result<Url> {
    let url = Url::parse(text.trim()).ok();
    let is_loopback =
        |url: &Url| matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    url.filter(|url| url.scheme() == "https" || url.scheme() == "http" && is_loopback(url))
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| {
            let message = "this is not the address of a server";
            Failure::new("invalid", message, "Enter it as https://example.atlassian.net.")
        })
}

/// Returns whether a text can be an issue's key. The key becomes a part of addresses, so other characters are refused.
pub(crate) fn is_issue_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn basic(email: &str, token: &SecretString) -> Result<HeaderValue> {
    let credentials = Zeroizing::new(format!("{email}:{}", token.expose_secret()));
    let header = Zeroizing::new(format!("Basic {}", STANDARD.encode(credentials.as_bytes())));
    let mut header = HeaderValue::from_str(&header).expect("base64 is fit for a header");
    header.set_sensitive(true);
    Ok(header)
}

fn accepted(response: &Response<Body>) -> Result<()> {
    let status = response.status();
    match status.as_u16() {
        200..=299 => Ok(()),
        401 | 403 => Err(Failure::new(
            "unauthorized",
            "the server doesn't accept the token",
            "Check the e-mail address, and enter a new token.",
        )),
        _ => Err(Failure::new(
            "server",
            format!("the server answered {status}"),
            "Check the server's address, and try again.",
        )),
    }
}

#[derive(Deserialize)]
struct Found {
    issues: Vec<FoundIssue>,
}

#[derive(Deserialize)]
struct FoundIssue {
    key: String,
    fields: Fields,
}

#[derive(Deserialize)]
struct Fields {
    summary: String,
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    name: String,
}

impl From<FoundIssue> for Issue {
    fn from(FoundIssue { key, fields }: FoundIssue) -> Self {
        Self { key, summary: fields.summary, status: fields.status.name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_only_where_nobody_on_the_way_can_read_it() {
        for taken in ["https://example.atlassian.net", " https://a/jira/ ", "http://127.0.0.1:8080"]
        {
            assert!(base_url(taken).is_ok(), "{taken}");
        }
        let refused =
            ["", "example.atlassian.net", "http://example.org", "ftp://a", "https://me:pass@a"];
        for refused in refused {
            assert!(base_url(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn only_a_key_becomes_part_of_an_address() {
        assert!(is_issue_key("WEB-12"));
        for refused in ["", "../x", "WEB-12?a", "WEB 12", "WEB/12"] {
            assert!(!is_issue_key(refused), "{refused}");
        }
    }

    #[test]
    fn a_request_shows_no_token() {
        let header = basic("me@example.org", &SecretString::from("marker")).unwrap();
        assert_eq!(header, "Basic bWVAZXhhbXBsZS5vcmc6bWFya2Vy");
        assert_eq!(format!("{header:?}"), "Sensitive");
    }
}
