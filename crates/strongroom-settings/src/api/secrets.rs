//! The endpoints for secrets: the list without values, the changes, and revealing a value.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use strongroom::error::Operation;
use strongroom::json::{SecretView, StoreView};
use strongroom::{
    Error, ErrorKind, ExposeSecret as _, Secret, SecretKey, SecretManager, SecretMetadata,
    Timestamp,
};
use tokio::sync::oneshot;

use super::body::{Form, Key, Rename, Seen, read, secret_response};
use crate::LARGEST_VALUE;
use crate::problem::{Problem, json_response};
use crate::settings::Shared;
use crate::storage::Storage;

/// `GET /api/secrets`: returns all secrets without their values.
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let secrets = shared.manager.list().await?;
    let store = StoreView::from(&shared.manager);
    Ok(json_response(json!({
        "secrets": SecretView::list(secrets),
        "warnings": store.warnings(),
        "store": store,
        "badge": Storage::of(&shared.manager),
    })))
}

/// `POST /api/secrets/add`: stores a new secret. Fails if the name exists.
pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let form: Form = read(&body)?;
    must_be_valid(&form)?;
    let (key, _, secret) = form.into_parts();
    shared.manager.create(&key, &secret).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/secrets/replace`: replaces the value and the metadata of a secret.
pub(super) async fn replace(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let form: Form = read(&body)?;
    must_be_valid(&form)?;
    let (key, seen, secret) = form.into_parts();
    change(&shared.manager, &key, seen, Operation::Set, Some(secret)).await
}

/// `POST /api/secrets/rename`: changes the name or the target of a secret.
///
/// A value that another process writes between the check and the rename is kept under the new name.
pub(super) async fn rename(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let Rename { from, to } = read(&body)?;
    let (old, seen) = from.into_parts();
    let secrets = shared.manager.list().await?;
    if let Some(found) = secrets.iter().find(|secret| secret.key == old) {
        must_be_seen(&found.metadata, seen)?;
    }
    shared.manager.rename(&old, &to.into_key()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/secrets/delete`: deletes a secret.
pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let (key, seen) = read::<Seen>(&body)?.into_parts();
    change(&shared.manager, &key, seen, Operation::Delete, None).await
}

/// `POST /api/secrets/reveal`: returns a value as the whole body.
pub(super) async fn reveal(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<Response, Problem> {
    let key = read::<Key>(&body)?.into_key();
    let secret = shared.manager.get(&key).await?.ok_or_else(|| missing(Operation::Get))?;
    Ok(secret_response("text/plain; charset=utf-8", secret.value))
}

/// Replaces or deletes a secret, unless another process has changed it since the page saw it.
async fn change(
    manager: &SecretManager,
    key: &SecretKey,
    seen: Option<Timestamp>,
    operation: Operation,
    new: Option<Secret>,
) -> Result<StatusCode, Problem> {
    // The closure runs on another thread, and can only return the library's error. The channel carries the page's problem.
    let (sender, problem) = oneshot::channel();
    let changed = manager.try_update(key, move |old| {
        let found = old.ok_or_else(|| missing(operation));
        let checked = found.and_then(|old| must_be_seen(&old.metadata, seen));
        checked.map(|()| new).map_err(|why| {
            sender.send(why).ok();
            Error::new(ErrorKind::Conflict, operation)
        })
    });
    match (changed.await, problem.await) {
        (Ok(()), _) => Ok(StatusCode::NO_CONTENT),
        (Err(_), Ok(why)) => Err(why),
        (Err(error), Err(_)) => Err(error.into()),
    }
}

fn must_be_seen(found: &SecretMetadata, seen: Option<Timestamp>) -> Result<(), Problem> {
    // In a layout without times both are `None`, and changes of other processes go unnoticed.
    if found.updated_at == seen { Ok(()) } else { Err(Problem::changed(found.updated_at)) }
}

/// Refuses values that a vault would accept, but that are most likely a mistake in a form.
fn must_be_valid(form: &Form) -> Result<(), Problem> {
    let value = form.value.0.expose_secret();
    let size = value.len();
    let is_over = form.expires_at.as_ref().is_some_and(|end| end.0 <= Timestamp::now());
    let (message, hint) = match size {
        0 => ("the value is empty", "Type or paste a value."),
        _ if size > LARGEST_VALUE => return Err(Problem::large_value(size)),
        _ if is_reference(value) => (
            "the value is a reference, which stands for a secret in a configuration file",
            "Give the secret itself.",
        ),
        _ if is_over => {
            ("the day of its expiry is over", "Choose a day that is to come, or leave it empty.")
        }
        _ => return Ok(()),
    };
    let error = Error::new(ErrorKind::Invalid, Operation::Set).with_message(message);
    Err(error.with_hint(hint).into())
}

#[cfg(feature = "config")]
fn is_reference(value: &str) -> bool {
    strongroom_config::is_reference(value.trim())
}

#[cfg(not(feature = "config"))]
fn is_reference(_: &str) -> bool {
    false
}

fn missing(operation: Operation) -> Problem {
    Error::new(ErrorKind::NotFound, operation)
        .with_message("there is no such secret any more")
        .with_hint("Another process has deleted or renamed it.")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::body::Value;

    fn checked_value(value: &str) -> Result<(), Problem> {
        let value = Value(value.into());
        let name = "KEY".to_owned();
        let (target, provider, scope, expires_at, seen) = (None, None, None, None, None);
        must_be_valid(&Form { name, target, provider, scope, expires_at, value, seen })
    }

    #[cfg(feature = "config")]
    #[test]
    fn a_reference_is_no_value() {
        assert!(checked_value("strongroom:KEY").is_err());
        assert!(checked_value("strongroom: a sentence?").is_ok());
    }

    #[test]
    fn a_value_has_a_byte_at_least_and_16_mib_at_most() {
        let checked = |size| checked_value(&"x".repeat(size));
        assert!(checked(1).is_ok() && checked(16 << 20).is_ok());
        assert!(checked(0).is_err());
        let refused = format!("{:?}", checked((16 << 20) + 1).unwrap_err());
        assert!(refused.contains("too_large") && refused.contains("at most 16777216"), "{refused}");
    }
}
