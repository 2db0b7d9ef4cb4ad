//! The endpoints for sessions: exchanging a token, keeping a session, and ending it.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use strongroom::ExposeSecret as _;

use super::body::{read, secret_response};
use crate::assets;
use crate::gate::{Session, whole_body};
use crate::problem::Problem;
use crate::settings::Shared;

/// The largest body with a token, in bytes.
const TOKEN: usize = 4 * 1024;

#[derive(Deserialize)]
struct Token {
    token: String,
}

/// `POST /api/session`: exchanges a token for a session, and returns the session's secrets.
pub(super) async fn exchange(
    State(shared): State<Arc<Shared>>,
    body: Body,
) -> Result<Response, Problem> {
    let Token { token } = read(&whole_body(body, TOKEN).await?)?;
    let session = shared.access.exchange(&token)?.ok_or_else(Problem::wrong_token)?;
    let text = session.to_text();
    let answer = format!("{{\"session\":\"{}\"}}", text.expose_secret());
    Ok(secret_response("application/json", answer.into()))
}

/// `POST /`: exchanges a token from a form for a session, and returns the page with the session's secrets.
pub(super) async fn enter(
    State(shared): State<Arc<Shared>>,
    body: Body,
) -> Result<Response, Problem> {
    let body = whole_body(body, TOKEN).await?;
    // A token needs no decoding: a form encodes none of its characters.
    let token = body.strip_prefix(b"token=").and_then(|token| std::str::from_utf8(token).ok());
    let session = shared.access.exchange(token.unwrap_or_default())?;
    Ok(assets::page_with(session.as_deref()))
}

/// `POST /api/session/keep`: tells that the user is there. The gate has extended the session already.
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
