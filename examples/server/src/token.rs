//! The access token: taken from the vault while it is good, and fetched once for all processes when it is not.

use std::time::Duration;

use strongroom::{ExposeSecret as _, Secret, SecretManager, SecretString, Timestamp};

use crate::problem::Problem;
use crate::secrets::{ACCESS_TOKEN, client_secret};
use crate::upstream::Upstream;

/// A token that ends while a request is under way is of no use.
const MARGIN: Duration = Duration::from_secs(30);

/// A token that is good for a request, and that is not the one which was rejected.
///
/// Of all tasks and processes that find it stale one asks the upstream, and the others take what it got: so
/// two that were rejected with the same token fetch one new token between them.
///
/// # Errors
///
/// As [`client_secret`] and [`Upstream::token`] say; `Secrets` if the vault can't be used.
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
