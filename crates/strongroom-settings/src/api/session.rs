//! Sessions: a token for a cookie, and the end of it.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use strongroom::ExposeSecret as _;

use super::body::read;
use crate::access::{Refused, WRONG_TOKEN_INTERVAL};
use crate::gate::Session;
use crate::problem::Problem;
use crate::settings::Shared;

#[derive(Deserialize)]
struct Token {
    token: String,
}

/// `POST /api/session`: opens a session with a token.
///
/// The cookie's path is that of the request's directory, so it goes to the API alone, wherever the
/// application has mounted it.
pub(super) async fn exchange(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<Response, Problem> {
    let Token { token } = read(&body)?;
    let session = shared.access.exchange(&token)?.map_err(|refused| {
        tracing::warn!(?refused, "a link to the settings page was refused");
        match refused {
            Refused::Wrong => Problem::wrong_token(),
            Refused::TooMany => Problem::too_many_tokens(WRONG_TOKEN_INTERVAL.as_secs()),
        }
    })?;
    let name = shared.access.cookie();
    let cookie = format!("{name}={}; HttpOnly; SameSite=Strict", session.expose_secret());
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// `POST /api/session/keep`: somebody is there. The gate has noted it.
pub(super) async fn keep() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `POST /api/session/end`: ends the session.
pub(super) async fn end(
    State(shared): State<Arc<Shared>>,
    Extension(Session(session)): Extension<Session>,
) -> StatusCode {
    if let Some(session) = session {
        shared.access.end(&session);
    }
    StatusCode::NO_CONTENT
}
