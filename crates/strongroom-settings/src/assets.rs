//! The page's own files, embedded as they are.

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;

/// A file by its path below the page, with its type.
struct Asset {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

const PAGE: &str = include_str!("../assets/page.html");

const ASSETS: [Asset; 9] = [
    Asset { path: "/api.js", kind: SCRIPT, text: include_str!("../assets/api.js") },
    Asset { path: "/dialogs.js", kind: SCRIPT, text: include_str!("../assets/dialogs.js") },
    Asset { path: "/dom.js", kind: SCRIPT, text: include_str!("../assets/dom.js") },
    Asset { path: "/icon.svg", kind: "image/svg+xml", text: include_str!("../assets/icon.svg") },
    Asset { path: "/page.css", kind: STYLE, text: include_str!("../assets/page.css") },
    Asset { path: "/page.js", kind: SCRIPT, text: include_str!("../assets/page.js") },
    Asset { path: "/parts.css", kind: STYLE, text: include_str!("../assets/parts.css") },
    Asset { path: "/sections.js", kind: SCRIPT, text: include_str!("../assets/sections.js") },
    Asset { path: "/words.js", kind: SCRIPT, text: include_str!("../assets/words.js") },
];

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new().route("/", get(page)), |router, asset| {
        router.route(asset.path, get(async || ([(CONTENT_TYPE, asset.kind)], asset.text)))
    })
}

/// The page names its files relative to itself, so it has to stand in a directory.
async fn page(OriginalUri(uri): OriginalUri) -> Response {
    match uri.path().rsplit('/').next() {
        Some("") | None => ([(CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response(),
        Some(last) => Redirect::temporary(&format!("{last}/")).into_response(),
    }
}
