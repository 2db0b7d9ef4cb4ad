//! The checks of every request (its Host and Origin, its session, its body), and the headers of every answer.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::timeout;

use crate::access;
use crate::connections::Connection;
use crate::problem::Problem;
use crate::settings::Shared;

/// The content security policy: only the page's own files, no inline code, no worker, no frame around the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; worker-src 'none'; form-action 'none'; \
                      frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'";

/// The headers of each answer, refusals included.
const HEADERS: [(HeaderName, &str); 8] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // A page of another port can't become the same origin by `document.domain`.
    (HeaderName::from_static("origin-agent-cluster"), "?1"),
];

/// The header in which browsers tell the relation of the requesting page to this page.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The deadline for receiving a body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The session of the request, for handlers. `None` if the application admits requests itself.
#[derive(Clone)]
pub(crate) struct Session(pub(crate) Option<Arc<access::Session>>);

/// Refuses requests from other pages, and adds the headers to every answer.
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

/// Refuses requests without a session, and opens the sealed bodies of the rest.
pub(crate) async fn session(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    match admitted(&shared, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admitted(shared: &Shared, mut request: Request) -> Result<Request, Problem> {
    // The page sends GET requests by itself, which doesn't show that its user is there.
    let is_use = request.method() == Method::POST;
    let session = shared.access.admit(bearer(request.headers()), is_use);
    let session = session.map_err(|_| Problem::no_session())?;
    // Before the body is read: from here on, the connection doesn't give way to a new connection.
    if let Some(connection) = request.extensions().get::<Connection>() {
        connection.admit(session.clone());
    }
    request.extensions_mut().insert(Session(session.clone()));
    if request.method() != Method::POST {
        return Ok(request);
    }
    let (head, body) = request.into_parts();
    let body = whole_body(body, BODY).await?;
    let body = match session {
        Some(session) => {
            // The path is sealed with the body, so that no body can be sent to another endpoint.
            let path = head.uri.path().trim_start_matches("/api/");
            Bytes::from_owner(session.unseal(path, &body).ok_or_else(Problem::bad_body)?)
        }
        None => body,
    };
    Ok(Request::from_parts(head, Body::from(body)))
}

/// The largest body of a request with a session, in bytes: the largest value in base64, and 64 KiB for the rest.
pub(crate) const BODY: usize = crate::LARGEST_VALUE / 3 * 4 + 64 * 1024;

/// Reads a body of at most `largest` bytes.
///
/// # Errors
///
/// A problem if the body is larger, or takes longer than [`BODY_TIME`].
pub(crate) async fn whole_body(body: Body, largest: usize) -> Result<Bytes, Problem> {
    match timeout(BODY_TIME, to_bytes(body, largest)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Problem::large_body(largest)),
        Err(_) => Err(Problem::slow_body()),
    }
}

/// Returns the bearer of a request. `None` if the request has no bearer, or several.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    single_header(headers, AUTHORIZATION)?.ok()?.strip_prefix("Bearer ")
}

/// Checks that a request is for this machine, and comes from the page itself.
///
/// A foreign name that resolves to this machine must not reach the page (DNS rebinding), and no other page may change or
/// read anything (cross-site request forgery).
fn check_origin(request: &Request) -> Result<(), Problem> {
    let authority = authority(request).filter(|it| is_loopback(it));
    let authority =
        authority.ok_or_else(|| Problem::foreign_origin("the Host is not this machine"))?;
    if request.headers().contains_key(SERVICE_WORKER) {
        return Err(Problem::foreign_origin("the page has no service worker"));
    }
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    match single_header(request.headers(), ORIGIN) {
        Some(Ok(origin)) if is_origin(origin, authority) => Ok(()),
        // Browsers send no Origin with a navigation, or with a GET request of the page itself.
        None if is_read && !is_from_another_site(request) => Ok(()),
        _ if is_entry(request) => Ok(()),
        _ => Err(Problem::foreign_origin("the request comes from another page")),
    }
}

/// The header of a request for a service worker's script. Such a worker would see everything that the page fetches.
const SERVICE_WORKER: HeaderName = HeaderName::from_static("service-worker");

/// Returns whether the request is the form of [`entry_page`](crate::entry_page). The form comes from a file, which has the
/// origin `null`; its token admits it.
fn is_entry(request: &Request) -> bool {
    *request.method() == Method::POST && request.uri().path() == "/"
}

/// Returns the host and port of the request. `None` if it names several hosts, or no host.
fn authority(request: &Request) -> Option<&str> {
    let target = request.uri().authority().map(|authority| authority.as_str());
    match (single_header(request.headers(), HOST), target) {
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
    let is_address = host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    is_address || ["[::1]", "localhost"].iter().any(|known| host.eq_ignore_ascii_case(known))
}

fn is_origin(origin: &str, authority: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

/// Returns whether a page of another site fetches this. A link from there is allowed, because the page shows nothing without
/// a session.
fn is_from_another_site(request: &Request) -> bool {
    let mode = first_header(request, HeaderName::from_static("sec-fetch-mode"));
    let site = first_header(request, SEC_FETCH_SITE);
    let is_navigation = mode == Some(b"navigate");
    !is_navigation && site.is_some_and(|site| site != b"same-origin" && site != b"none")
}

fn first_header(request: &Request, name: HeaderName) -> Option<&[u8]> {
    request.headers().get(name).map(HeaderValue::as_bytes)
}

/// Returns the value of a header that may occur once. `Some(Err)` if it occurs more often, or is not text.
fn single_header(headers: &HeaderMap, name: HeaderName) -> Option<Result<&str, ()>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    Some(if values.next().is_some() { Err(()) } else { first.to_str().map_err(|_| ()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "127.200.3.4:8080",
            "localhost:1",
            "LOCALHOST",
            "[::1]",
            "[::1]:9",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "example.com",
            "127.0.0.1.example.com",
            "localhost.example.com:80",
            "example.com:127.0.0.1",
            "user@localhost",
            "0.0.0.0",
            "128.0.0.1",
            "127.1",
            "::1",
            "",
            ":80",
            "127.0.0.1:80:80",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_bearer_comes_once_and_in_one_form() {
        let named = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(AUTHORIZATION, HeaderValue::from_static(line));
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(named(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(named(&["Bearer abc", "Bearer abc"]), None);
        assert_eq!(named(&["Basic abc"]), None);
        assert_eq!(named(&[]), None);
    }
}
