//! What went wrong, as an answer: a token for the page, words for its user, and never a value.

use std::error::Error as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use strongroom::{Error, ErrorKind};

/// An answer that is not the one that was asked for.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: String,
    retry_after: Option<u64>,
}

impl Problem {
    /// A refusal, in words for whoever sent the request.
    pub(crate) fn refused(status: StatusCode, code: &'static str, message: &str) -> Self {
        let (message, hint) = (message.to_owned(), String::new());
        Self { status, code, message, hint, retry_after: None }
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

    /// A token that came after too many wrong ones.
    pub(crate) fn too_many_tokens(seconds: u64) -> Self {
        Self {
            hint: format!("Wait {seconds} seconds, and try again."),
            retry_after: Some(seconds),
            ..Self::refused(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_tokens",
                "too many links were not valid",
            )
        }
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
            retry_after: None,
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
        let Self { status, code, message, hint, retry_after } = self;
        let mut response =
            json_response(&json!({ "code": code, "message": message, "hint": hint }));
        *response.status_mut() = status;
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An answer in JSON. Never for what holds a value.
pub(crate) fn json_response(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
