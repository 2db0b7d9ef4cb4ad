//! The endpoints that the page calls.
//!
//! All requests that change something or reveal a value are a `POST` with a body in JSON. No URL contains anything about a
//! secret.

mod body;
mod events;
mod secrets;
mod sections;
mod session;

pub(crate) use body::secret_response;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use strongroom::ErrorKind;

use crate::problem::Problem;
use crate::settings::Shared;
use crate::{assets, gate};

pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .merge(with_session(shared))
        .merge(assets::router())
        .route("/", get(assets::page).post(session::enter))
        .route("/api/session", post(session::exchange))
        .fallback(no_such_page)
        .layer(from_fn(gate::same_origin))
        .with_state(Arc::clone(shared))
}

/// Returns the router for all paths outside of the page.
pub(crate) fn nowhere() -> Router {
    Router::new().fallback(no_such_page).layer(from_fn(gate::same_origin))
}

async fn no_such_page() -> Problem {
    let code = ErrorKind::NotFound.code();
    Problem::refused(StatusCode::NOT_FOUND, code, "there is no such page")
}

fn with_session(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/session/end", post(session::end))
        .route("/api/session/keep", post(session::keep))
        .route("/api/about", get(sections::about))
        .route("/api/secrets", get(secrets::list))
        .route("/api/secrets/add", post(secrets::add))
        .route("/api/secrets/replace", post(secrets::replace))
        .route("/api/secrets/rename", post(secrets::rename))
        .route("/api/secrets/delete", post(secrets::delete))
        .route("/api/secrets/reveal", post(secrets::reveal))
        .route("/api/events", get(events::events))
        .route("/api/health", get(sections::health))
        .route("/api/migration", get(sections::plan))
        .route("/api/migration/secure", post(sections::secure))
        .route("/api/export", post(sections::export))
        // The gate has limited the body already, to more than axum's default.
        .layer(DefaultBodyLimit::disable())
        .route_layer(from_fn_with_state(Arc::clone(shared), gate::session))
}
