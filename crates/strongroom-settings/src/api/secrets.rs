//! The secrets: a list without values, what changes them, and the one answer that shows a value.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json, json};
use strongroom::{
    Error, ErrorKind, Operation, Secret, SecretInfo, SecretMetadata, SignedDuration, Timestamp,
};

use super::body::{Form, Key, Rename, filled, read, secret_key, value};
use crate::problem::{Problem, json_response};
use crate::settings::Shared;
use crate::storage::Storage;

/// What expires within this is marked.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// `GET /api/secrets`: all of them, without a value.
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let secrets = shared.manager.list().await?;
    let storage = Storage::of(&shared.manager);
    let now = Timestamp::now();
    let secrets: Vec<_> = secrets.iter().map(|secret| as_json(secret, storage, now)).collect();
    Ok(json_response(&json!({ "secrets": secrets })))
}

/// `POST /api/secrets/add`: stores a secret under a name that has none.
pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let form: Form = read(&body)?;
    must_be_valid(&form)?;
    let key = secret_key(form.name, form.target);
    let mut secret = Secret::new(form.value.0);
    secret.metadata.provider = filled(form.provider);
    secret.metadata.scope = filled(form.scope);
    secret.metadata.expires_at = form.expires_at.map(|time| time.0);
    shared.manager.create(&key, &secret).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/secrets/replace`: gives a secret another value, and what the form says beside it.
pub(super) async fn replace(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let form: Form = read(&body)?;
    must_be_valid(&form)?;
    let key = secret_key(form.name, form.target);
    let (sender, was_there) = tokio::sync::oneshot::channel();
    let change = move |old: Option<Secret>| {
        sender.send(old.is_some()).ok();
        let mut secret = old?;
        secret.value = form.value.0;
        secret.metadata.provider = filled(form.provider);
        secret.metadata.scope = filled(form.scope);
        secret.metadata.expires_at = form.expires_at.map(|time| time.0);
        Some(secret)
    };
    shared.manager.update(&key, change).await?;
    if was_there.await != Ok(true) {
        return Err(missing(Operation::Set));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/secrets/rename`: gives a secret another name or target.
pub(super) async fn rename(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let Rename { from, to } = read(&body)?;
    shared.manager.rename(&from.into_key(), &to.into_key()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/secrets/delete`: deletes a secret.
pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let key = read::<Key>(&body)?.into_key();
    if !shared.manager.delete(&key).await? {
        return Err(missing(Operation::Delete));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/secrets/reveal`: a value, as the whole body.
pub(super) async fn reveal(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<Response, Problem> {
    let key = read::<Key>(&body)?.into_key();
    let secret = shared.manager.get(&key).await?.ok_or_else(|| missing(Operation::Get))?;
    Ok(value(secret.value))
}

/// A value that counts as expired at once is not what anybody wants.
fn must_be_valid(form: &Form) -> Result<(), Error> {
    let is_over = form.expires_at.as_ref().is_some_and(|end| end.0 <= Timestamp::now());
    let past = || {
        Error::new(ErrorKind::Invalid, Operation::Set)
            .with_message("the day of its expiry is over")
            .with_hint("Choose a day that is to come, or leave it empty.")
    };
    if is_over { Err(past()) } else { Ok(()) }
}

fn missing(operation: Operation) -> Problem {
    Error::new(ErrorKind::NotFound, operation)
        .with_message("there is no such secret any more")
        .with_hint("Somebody else has deleted or renamed it.")
        .into()
}

fn as_json(secret: &SecretInfo, storage: Storage, now: Timestamp) -> Json {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let known = &secret.metadata;
    json!({
        "name": secret.key.name(),
        "target": secret.key.target(),
        "provider": known.provider,
        "scope": known.scope,
        "created_at": time(known.created_at),
        "updated_at": time(known.updated_at),
        "expires_at": time(known.expires_at),
        "expiry": expiry(known, now),
        "storage": storage.as_json(),
    })
}

/// A token for the expiry's colour.
fn expiry(known: &SecretMetadata, now: Timestamp) -> &'static str {
    match known.expires_at {
        None => "never",
        _ if known.is_expired(now) => "expired",
        _ if known.expires_within(now, SOON) => "soon",
        _ => "later",
    }
}
