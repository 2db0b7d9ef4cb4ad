//! Errors as answers: a code for the page, a message and a hint for its user, and never a value.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use strongroom::json::{ErrorView, VERSION};
use strongroom::{Error, ErrorKind, Timestamp};

use crate::LARGEST_VALUE;

/// The code of a request without a session. The library has no sessions.
const NO_SESSION: &str = "no_session";

/// The code of a request that is refused because of its origin. The library knows no origins.
const NOT_ALLOWED: &str = "not_allowed";

/// An error, as the answer to a request.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    error: ErrorView,
    /// The time of the last write to a secret that has changed since the page saw it.
    updated_at: Option<Timestamp>,
}

impl Problem {
    /// Creates a refusal, with a message and without a hint.
    pub(crate) fn refused(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self { status, error: ErrorView::new(code, message, ""), updated_at: None }
    }

    /// The problem of a request without a session, or with an ended session.
    pub(crate) fn no_session() -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, NO_SESSION, "there is no session")
            .with_hint("Open the page anew from the program that it belongs to.")
    }

    /// The problem of a token that is wrong, was used, or is too old.
    pub(crate) fn wrong_token() -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, NO_SESSION, "the link is not valid any more")
            .with_hint("A link works once. Open the page anew from the program that it belongs to.")
    }

    /// The problem of a request from another page, or to a Host that is not this machine.
    pub(crate) fn foreign_origin(message: &str) -> Self {
        Self::refused(StatusCode::FORBIDDEN, NOT_ALLOWED, message)
    }

    /// The problem of a secret that was changed since the page saw it.
    pub(crate) fn changed(updated_at: Option<Timestamp>) -> Self {
        let message = "another process changed the secret meanwhile; nothing was done";
        Self {
            updated_at,
            ..Self::refused(StatusCode::CONFLICT, ErrorKind::Conflict.code(), message)
        }
    }

    /// The problem of a value that is too large, of `size` bytes.
    pub(crate) fn large_value(size: usize) -> Self {
        let message = format!(
            "the value has {size} bytes, and a secret has at most {LARGEST_VALUE}; nothing was stored"
        );
        Self::refused(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::TooLarge.code(), &message)
    }

    /// The problem of a body of more than `largest` bytes.
    pub(crate) fn large_body(largest: usize) -> Self {
        let message = format!("the request has more than {largest} bytes");
        Self::refused(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::TooLarge.code(), &message)
    }

    /// The problem of a body that takes too long to receive.
    pub(crate) fn slow_body() -> Self {
        let code = ErrorKind::TimedOut.code();
        Self::refused(StatusCode::REQUEST_TIMEOUT, code, "the request takes too long")
    }

    /// The problem of a body that the endpoint can't read. It has no details, because the body may contain a value.
    pub(crate) fn bad_body() -> Self {
        let code = ErrorKind::Invalid.code();
        Self::refused(StatusCode::BAD_REQUEST, code, "the request can't be read")
    }

    fn with_hint(mut self, hint: &str) -> Self {
        self.error.hint = hint.to_owned();
        self
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self { status: status(error.kind()), error: ErrorView::from(&error), updated_at: None }
    }
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
        let Self { status, error, updated_at } = self;
        let answer = json!({ "error": error, "updated_at": updated_at });
        (status, json_response(answer)).into_response()
    }
}

/// Returns an answer in JSON, an object. Not for answers with a value, since the text is not wiped.
pub(crate) fn json_response(mut answer: Value) -> Response {
    answer["version"] = VERSION.into();
    ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use strongroom::advice::{Command, Sentence};
    use strongroom::error::Operation;

    use super::*;

    #[test]
    fn the_page_names_no_command_that_its_user_may_not_have() {
        let error = Error::new(ErrorKind::TimedOut, Operation::Get)
            .with_hint("Allow more time.")
            .with_command(Command::new("doctor").on("app"), "shows the commands")
            .with_sentence(Sentence::from("Or with ").option("--timeout 60").text("."));
        assert_eq!(Problem::from(error).error.hint, "Allow more time.");
        let bare = Error::new(ErrorKind::Locked, Operation::Get)
            .with_command("doctor", "shows the commands");
        assert_eq!(Problem::from(bare).error.hint, "Unlock it, or allow a prompt, and try again.");
    }
}
