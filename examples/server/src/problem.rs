//! The errors of the server: in full for its log, in brief for its clients.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::secrets::{CLIENT_SECRET, setup_command};

/// An error of the server. It contains no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The client secret was not stored yet.
    #[error("{CLIENT_SECRET} is missing")]
    NotSetUp,
    /// The vault can't be used now.
    #[error("the secrets can't be used")]
    Secrets(#[from] strongroom::Error),
    /// The upstream can't be reached, or not in time.
    #[error("the upstream doesn't answer the request for {0}")]
    NoAnswer(&'static str, #[source] reqwest::Error),
    /// The upstream refuses the request.
    #[error("the upstream answers the request for {0} with {1}")]
    Refused(&'static str, StatusCode),
    /// The upstream's answer has an unexpected form. It is not shown, because it may contain a token.
    #[error("the upstream's answer to the request for {0} can't be used")]
    Unusable(&'static str),
}

impl Problem {
    /// Returns the error, its causes and a hint, for the operator.
    pub(crate) fn report(&self) -> String {
        let causes: Vec<_> = anyhow::Chain::new(self).map(ToString::to_string).collect();
        format!("{}. {}", causes.join(": "), self.hint())
    }

    fn hint(&self) -> String {
        match self {
            Self::NotSetUp => format!("Store it: {}", setup_command()),
            Self::Secrets(error) => error.hint().to_owned(),
            Self::Refused(_, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) => {
                format!("If {CLIENT_SECRET} is good no more, store another: {}", setup_command())
            }
            Self::NoAnswer(..) | Self::Refused(..) | Self::Unusable(_) => {
                "See whether the upstream works.".to_owned()
            }
        }
    }

    /// Returns the answer for the client: a status, and a stable code.
    const fn answer(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotSetUp => (StatusCode::SERVICE_UNAVAILABLE, "not_set_up"),
            Self::Secrets(_) => (StatusCode::SERVICE_UNAVAILABLE, "secrets_unavailable"),
            Self::NoAnswer(..) => (StatusCode::BAD_GATEWAY, "upstream_unreachable"),
            Self::Refused(..) => (StatusCode::BAD_GATEWAY, "upstream_refused"),
            Self::Unusable(_) => (StatusCode::BAD_GATEWAY, "upstream_unusable"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        tracing::warn!("{}", self.report());
        let (status, error) = self.answer();
        (status, Json(json!({ "error": error }))).into_response()
    }
}
