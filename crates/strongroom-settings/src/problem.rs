//! Errors as answers: a code for the page, a message and a hint for its user, and never a value.

use std::error::Error as _;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use strongroom::{Error, ErrorKind, Timestamp};

use crate::LARGEST_VALUE;

/// An error, as the answer to a request.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: String,
    /// The time of the last write to a secret that has changed since the page saw it.
    updated_at: Option<Timestamp>,
}

impl Problem {
    /// Creates a refusal, with a message and without a hint.
    pub(crate) fn refused(status: StatusCode, code: &'static str, message: &str) -> Self {
        let (message, hint) = (message.to_owned(), String::new());
        Self { status, code, message, hint, updated_at: None }
    }

    /// The problem of a request without a session, or with an ended session.
    pub(crate) fn no_session() -> Self {
        Self {
            hint: "Open the page anew from the program that it belongs to.".to_owned(),
            ..Self::refused(StatusCode::UNAUTHORIZED, "no_session", "there is no session")
        }
    }

    /// The problem of a token that is wrong, was used, or is too old.
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

    /// The problem of a secret that was changed since the page saw it.
    pub(crate) fn changed(updated_at: Option<Timestamp>) -> Self {
        let message = "another process changed the secret meanwhile; nothing was done";
        Self { updated_at, ..Self::refused(StatusCode::CONFLICT, "changed", message) }
    }

    /// The problem of a value that is too large, of `size` bytes.
    pub(crate) fn large_value(size: usize) -> Self {
        let message = format!(
            "the value has {size} bytes, and a secret has at most {LARGEST_VALUE}; nothing was stored"
        );
        Self::refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &message)
    }

    /// The problem of a body of more than `largest` bytes.
    pub(crate) fn large_body(largest: usize) -> Self {
        let message = format!("the request has more than {largest} bytes");
        Self::refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &message)
    }

    /// The problem of a body that takes too long to receive.
    pub(crate) fn slow_body() -> Self {
        Self::refused(StatusCode::REQUEST_TIMEOUT, "timed_out", "the request takes too long")
    }

    /// The problem of a body that the endpoint can't read. It has no details, because the body may contain a value.
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

/// Returns an error's problem and its cause. Neither shows a value.
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

/// Returns an answer in JSON. Not for answers with a value, since the text is not wiped.
pub(crate) fn json_response(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
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
        assert_eq!(Problem::from(error).hint, "Allow more time.");
        let bare = Error::new(ErrorKind::Locked, Operation::Get)
            .with_command("doctor", "shows the commands");
        assert_eq!(Problem::from(bare).hint, "Unlock it, or allow a prompt, and try again.");
    }
}
