//! What keeps the server from answering: in full for its log, in brief for who asked.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::secrets::{CLIENT_SECRET, setup_command};

/// None of them holds a secret.
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
    /// The upstream says no.
    #[error("the upstream answers the request for {0} with {1}")]
    Refused(&'static str, StatusCode),
    /// The upstream says something that was not agreed upon. What, is not told: it may be a token.
    #[error("the upstream's answer to the request for {0} can't be used")]
    Unusable(&'static str),
}

impl Problem {
    /// What happened, its causes, and what to do: for the operator.
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

    /// What is said to who asked: a status, and a stable token.
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
