//! The access token: read from the vault while it is valid, and otherwise fetched once for all processes.

use std::time::Duration;

use strongroom::{ExposeSecret as _, Secret, SecretManager, SecretString, Timestamp};

use crate::problem::Problem;
use crate::secrets::{ACCESS_TOKEN, client_secret};
use crate::upstream::Upstream;

/// The remaining lifetime that a token needs, so that it doesn't end during a request.
const MARGIN: Duration = Duration::from_secs(30);

/// Returns a token that is valid for a request, and is not the rejected token.
///
/// If several tasks and processes find the token stale, a single request to the upstream gets the new token for all of them,
/// even if each was rejected with the old token.
///
/// # Errors
///
/// As [`client_secret`] and [`Upstream::token`]; `Secrets` if the vault can't be used.
pub(crate) async fn access_token(
    secrets: &SecretManager,
    upstream: &Upstream,
    rejected: Option<&SecretString>,
) -> Result<Secret, Problem> {
    let is_stale = |token: &Secret| {
        let is_it =
            |rejected: &SecretString| rejected.expose_secret() == token.value.expose_secret();
        token.expires_within(Timestamp::now(), MARGIN) || rejected.is_some_and(is_it)
    };
    let fetch = async |_old: Option<Secret>| {
        let token = upstream.token(&client_secret(secrets).await?).await?;
        tracing::info!("got a new access token");
        Ok(token)
    };
    secrets.refresh(ACCESS_TOKEN, is_stale, fetch).await
}
