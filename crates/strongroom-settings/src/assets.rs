//! The files of the page, embedded unchanged.

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use strongroom::ExposeSecret as _;

use crate::access::Session;
use crate::api::secret_response;

/// A file with its path below the page, and its media type.
struct Asset {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

const HTML: &str = "text/html; charset=utf-8";

const PAGE: &str = include_str!("../assets/page.html");

/// The element of the page that takes a session's secrets.
const SESSION: &str = r#"<meta name="session" content="">"#;

const ASSETS: [Asset; 10] = [
    Asset { path: "/api.js", kind: SCRIPT, text: include_str!("../assets/api.js") },
    Asset { path: "/dialogs.js", kind: SCRIPT, text: include_str!("../assets/dialogs.js") },
    Asset { path: "/dom.js", kind: SCRIPT, text: include_str!("../assets/dom.js") },
    Asset { path: "/icon.svg", kind: "image/svg+xml", text: include_str!("../assets/icon.svg") },
    Asset { path: "/page.css", kind: STYLE, text: include_str!("../assets/page.css") },
    Asset { path: "/page.js", kind: SCRIPT, text: include_str!("../assets/page.js") },
    Asset { path: "/pasted.js", kind: SCRIPT, text: include_str!("../assets/pasted.js") },
    Asset { path: "/parts.css", kind: STYLE, text: include_str!("../assets/parts.css") },
    Asset { path: "/sections.js", kind: SCRIPT, text: include_str!("../assets/sections.js") },
    Asset { path: "/words.js", kind: SCRIPT, text: include_str!("../assets/words.js") },
];

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(asset.path, get(async || ([(CONTENT_TYPE, asset.kind)], asset.text)))
    })
}

/// Returns the page, or a redirect to its path with a slash at the end. The page names its files relative to that path.
pub(crate) async fn page(OriginalUri(uri): OriginalUri) -> Response {
    match uri.path().rsplit('/').next() {
        Some("") | None => ([(CONTENT_TYPE, HTML)], PAGE).into_response(),
        Some(last) => Redirect::temporary(&format!("{last}/")).into_response(),
    }
}

/// Returns the page with a session's secrets in it, or without a session as a refusal.
pub(crate) fn page_with(session: Option<&Session>) -> Response {
    let Some(session) = session else {
        return (StatusCode::UNAUTHORIZED, [(CONTENT_TYPE, HTML)], PAGE).into_response();
    };
    let text = session.to_text();
    let given = SESSION.replace("\"\"", &format!("\"{}\"", text.expose_secret()));
    secret_response(HTML, PAGE.replacen(SESSION, &given, 1).into())
}
