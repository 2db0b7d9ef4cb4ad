//! The errors: each state of the server, with its kind.

use std::io;

use strongroom::error::Operation;
use strongroom::{Error, ErrorKind};
use ureq::http::StatusCode;

/// Returns the error of a request that got no answer.
pub(crate) fn broken(error: ureq::Error, operation: Operation) -> Error {
    let is_write = matches!(operation, Operation::Set | Operation::Delete);
    let failed = match &error {
        ureq::Error::Timeout(_) => {
            Error::new(ErrorKind::TimedOut, operation).with_message(if is_write {
                "the secret server didn't answer in time; the change may still take effect"
            } else {
                "the secret server didn't answer in time"
            })
        }
        error if is_unreachable(error) => Error::new(ErrorKind::NoBackend, operation)
            .with_message("the secret server can't be reached")
            .with_hint("Check the network and the server's address, and try again."),
        _ if is_write => Error::new(ErrorKind::Io, operation)
            .with_message(
                "the connection broke before the answer; the change may have taken effect",
            )
            .with_hint("Look before you try again."),
        _ => Error::new(ErrorKind::Io, operation).with_message("the connection broke"),
    };
    failed.with_source(error)
}

/// Returns the error for an answer that isn't the secret server's.
pub(crate) fn from_stranger(status: StatusCode, operation: Operation) -> Error {
    Error::new(ErrorKind::NoBackend, operation)
        .with_message(format!("no secret server answers there, but another one, with {status}"))
        .with_hint("Check the server's address, and proxies on the way.")
}

/// Returns the error for an answer of the secret server that no operation expects.
pub(crate) fn refused(status: StatusCode, operation: Operation) -> Error {
    let answers = || format!("the secret server answers {status}");
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Error::new(ErrorKind::AccessDenied, operation)
                .with_message("the secret server refuses the token")
                .with_hint("Get a token that may use this service.")
        }
        StatusCode::LOCKED => Error::new(ErrorKind::Locked, operation)
            .with_message("the secret server is sealed")
            .with_hint("Ask its administrators to unseal it."),
        StatusCode::SERVICE_UNAVAILABLE => Error::new(ErrorKind::NoBackend, operation)
            .with_message(answers())
            .with_hint("Try again in a moment."),
        StatusCode::PAYLOAD_TOO_LARGE if operation == Operation::Set => {
            Error::new(ErrorKind::TooLarge, operation)
        }
        StatusCode::INSUFFICIENT_STORAGE if operation == Operation::Set => {
            Error::new(ErrorKind::QuotaExceeded, operation)
                .with_message("the secret server has no room left for this user")
        }
        _ => Error::new(ErrorKind::Io, operation).with_message(answers()),
    }
}

/// Returns the error for an address that can't be used.
pub(crate) fn unusable(problem: &str) -> Error {
    Error::new(ErrorKind::Invalid, Operation::Choose)
        .with_message(format!("the secret server's address can't be used: {problem}"))
        .with_hint("Use an address such as https://secrets.acme.example.")
}

/// Returns whether no connection was made, so that nothing can have changed.
fn is_unreachable(error: &ureq::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Io(error) => {
            matches!(error.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable)
        }
        _ => false,
    }
}
