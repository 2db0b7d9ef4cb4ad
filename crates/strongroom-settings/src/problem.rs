//! What went wrong, as an answer: a token for the page, words for its user, and never a value.

use std::error::Error as _;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use strongroom::{Error, ErrorKind, Timestamp};

use crate::LARGEST_VALUE;

/// An answer that is not the one that was asked for.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: String,
    /// When a secret was written last that the page has seen otherwise.
    updated_at: Option<Timestamp>,
}

impl Problem {
    /// A refusal, in words for whoever sent the request.
    pub(crate) fn refused(status: StatusCode, code: &'static str, message: &str) -> Self {
        let (message, hint) = (message.to_owned(), String::new());
        Self { status, code, message, hint, updated_at: None }
    }

    /// There is no session, or not any more.
    pub(crate) fn no_session() -> Self {
        Self {
            hint: "Open the page anew from the program that it belongs to.".to_owned(),
            ..Self::refused(StatusCode::UNAUTHORIZED, "no_session", "there is no session")
        }
    }

    /// A token that opens nothing.
    pub(crate) fn wrong_token() -> Self {
        Self {
            hint: "A link works once. Open the page anew from the program that it belongs to."
                .to_owned(),
            ..Self::refused(
                StatusCode::UNAUTHORIZED,
                "wrong_token",
                "the link is not valid any more",
            )
        }
    }

    /// A secret that was changed since the page saw it.
    pub(crate) fn changed(updated_at: Option<Timestamp>) -> Self {
        let message = "another process changed the secret meanwhile; nothing was done";
        Self { updated_at, ..Self::refused(StatusCode::CONFLICT, "changed", message) }
    }

    /// A value of so many bytes, which is too large.
    pub(crate) fn large_value(size: usize) -> Self {
        let message = format!(
            "the value has {size} bytes, and a secret has at most {LARGEST_VALUE}; nothing was stored"
        );
        Self::refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &message)
    }

    /// A body that is larger than so many bytes.
    pub(crate) fn large_body(largest: usize) -> Self {
        let message = format!("the request has more than {largest} bytes");
        Self::refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &message)
    }

    /// A body that takes too long.
    pub(crate) fn slow_body() -> Self {
        Self::refused(StatusCode::REQUEST_TIMEOUT, "timed_out", "the request takes too long")
    }

    /// A body that is not what the endpoint takes. What is wrong with it is not told: it may hold a
    /// value.
    pub(crate) fn bad_body() -> Self {
        Self::refused(StatusCode::BAD_REQUEST, "bad_request", "the request can't be read")
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self {
            status: status(error.kind()),
            code: error.code(),
            message: told(&error),
            hint: error.hint().to_owned(),
            updated_at: None,
        }
    }
}

/// What happened and why. Neither an error nor its cause shows a value.
fn told(error: &Error) -> String {
    let problem = error.problem();
    error.source().map_or_else(|| problem.to_owned(), |cause| format!("{problem}: {cause}"))
}

const fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::AlreadyExists | ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Expired => StatusCode::GONE,
        ErrorKind::Invalid | ErrorKind::Unsupported => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, message, hint, updated_at } = self;
        let mut answer = json!({ "code": code, "message": message, "hint": hint });
        if let Some(updated_at) = updated_at {
            answer["updated_at"] = updated_at.to_string().into();
        }
        (status, json_response(&answer)).into_response()
    }
}

/// An answer in JSON. Never for what holds a value.
pub(crate) fn json_response(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
