//! What every request passes: the Host and Origin that it names, its session, the headers of the answer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::Problem;
use crate::settings::Shared;

/// Own files only, no inline code, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'none'; frame-ancestors 'none'; \
                      base-uri 'none'; require-trusted-types-for 'script'";

/// What each answer carries, refusals included.
const HEADERS: [(HeaderName, &str); 7] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What tells a browser's request from that of another page, where the browser says it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The session of the request, for handlers; `None` where the application lets its users in.
#[derive(Clone)]
pub(crate) struct Session(pub(crate) Option<Arc<str>>);

/// Refuses what comes from elsewhere, and puts the headers on every answer.
pub(crate) async fn same_origin(request: Request, next: Next) -> Response {
    let mut response = match check_origin(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Refuses what has no session.
pub(crate) async fn session(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = cookie(request.headers(), shared.access.cookie()).map(Arc::from);
    // What the page fetches by itself doesn't show that somebody is there.
    let is_used = request.method() == Method::POST;
    if !shared.access.admits(session.as_deref(), is_used) {
        return Problem::no_session().into_response();
    }
    request.extensions_mut().insert(Session(session));
    next.run(request).await
}

/// A name that resolves to another machine must not reach the page (DNS rebinding), and no other page
/// may change or read anything (cross-site request forgery).
fn check_origin(request: &Request) -> Result<(), Problem> {
    let refused = |what| Problem::refused(StatusCode::FORBIDDEN, "foreign_origin", what);
    let authority = authority(request).filter(|it| is_loopback(it));
    let authority = authority.ok_or_else(|| refused("the Host is not this machine"))?;
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    match one(request.headers(), ORIGIN) {
        Some(Ok(origin)) if is_origin(origin, authority) => Ok(()),
        None if is_read && !is_from_another_site(request) => Ok(()),
        _ => Err(refused("the request comes from another page")),
    }
}

/// Where the request says it goes. Two answers that differ are none.
fn authority(request: &Request) -> Option<&str> {
    let target = request.uri().authority().map(|authority| authority.as_str());
    match (one(request.headers(), HOST), target) {
        (Some(host), None) => host.ok(),
        (Some(host), Some(target)) => host.ok().filter(|host| *host == target),
        (None, target) => target,
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    ["127.0.0.1", "[::1]", "localhost"].iter().any(|known| host.eq_ignore_ascii_case(known))
}

fn is_origin(origin: &str, authority: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

/// Whether another site's page fetches it. A link on one may lead here: the page shows nothing by itself.
fn is_from_another_site(request: &Request) -> bool {
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    let is_navigation = header(HeaderName::from_static("sec-fetch-mode")) == Some(b"navigate");
    let site = header(SEC_FETCH_SITE);
    !is_navigation && site.is_some_and(|site| site != b"same-origin" && site != b"none")
}

/// A header that may come once.
fn one(headers: &HeaderMap, name: HeaderName) -> Option<Result<&str, ()>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    Some(if values.next().is_some() { Err(()) } else { first.to_str().map_err(|_| ()) })
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]", "[::1]:9"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "example.com",
            "127.0.0.1.example.com",
            "localhost.example.com:80",
            "example.com:127.0.0.1",
            "user@localhost",
            "0.0.0.0",
            "::1",
            "",
            ":80",
            "127.0.0.1:80:80",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; xs=1"));
        headers.append(COOKIE, HeaderValue::from_static("c; s=2=3"));
        assert_eq!(cookie(&headers, "s"), Some("2=3"));
        assert_eq!(cookie(&headers, "x"), None);
    }
}
