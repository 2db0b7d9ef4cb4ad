//! The commands that the page can call. Each checks the allow-list before it accesses the store.

use strongroom::ExposeSecret as _;
use strongroom::json::SecretView;
use tauri::ipc::{InvokeResponseBody, Response};
use tauri::{AppHandle, Runtime, command};

use crate::models::{Metadata, Value};
use crate::{Access, Result, SecretList, Status, Strongroom, StrongroomExt as _};

/// Returns whether secrets can be stored on this machine, and in which store.
#[command]
pub(crate) async fn status<R: Runtime>(app: AppHandle<R>) -> Result<Status> {
    Ok(app.strongroom().status().await)
}

/// Returns whether a secret exists, expired or not.
#[command]
pub(crate) async fn exists<R: Runtime>(app: AppHandle<R>, name: String) -> Result<bool> {
    let plugin = app.strongroom();
    let key = plugin.allowed().key(name, Access::StatusOnly)?;
    plugin.run(async |secrets| secrets.exists(&key).await).await
}

/// Returns the metadata of a secret. `None` if it doesn't exist.
#[command]
pub(crate) async fn describe<R: Runtime>(
    app: AppHandle<R>,
    name: String,
) -> Result<Option<SecretView>> {
    let plugin = app.strongroom();
    let key = plugin.allowed().key(name, Access::StatusOnly)?;
    // Only the list has metadata without reading the value.
    let found = all(plugin).await?.secrets;
    Ok(found.into_iter().find(|found| found.info.key == key))
}

/// Returns the metadata of all existing secrets that the page may name, and their store.
#[command]
pub(crate) async fn list<R: Runtime>(app: AppHandle<R>) -> Result<SecretList> {
    all(app.strongroom()).await
}

/// Stores a secret. Replaces the old value and its metadata.
#[command]
pub(crate) async fn set<R: Runtime>(
    app: AppHandle<R>,
    name: String,
    value: Value,
    metadata: Option<Metadata>,
) -> Result<()> {
    let plugin = app.strongroom();
    let key = plugin.allowed().key(name, Access::WriteOnly)?;
    let secret = value.into_secret(metadata.unwrap_or_default())?;
    plugin.run(async |secrets| secrets.set(&key, &secret).await).await
}

/// Deletes a secret. Returns whether it existed.
#[command]
pub(crate) async fn delete<R: Runtime>(app: AppHandle<R>, name: String) -> Result<bool> {
    let plugin = app.strongroom();
    let key = plugin.allowed().key(name, Access::WriteOnly)?;
    plugin.run(async |secrets| secrets.delete(&key).await).await
}

/// Returns the value of a secret, or `null` if it doesn't exist.
#[command]
pub(crate) async fn reveal<R: Runtime>(app: AppHandle<R>, name: String) -> Result<Response> {
    let plugin = app.strongroom();
    let key = plugin.allowed().key(name, Access::ReadWrite)?;
    let secret = plugin.run(async |secrets| secrets.get(&key).await).await?;
    let value = secret.as_ref().map(|secret| secret.value.expose_secret());
    // Encoded from the wrapper, because a `String` as the result would be one more copy that is not wiped.
    let json = serde_json::to_string(&value).expect("text has a form in JSON");
    Ok(Response::new(InvokeResponseBody::Json(json)))
}

async fn all<R: Runtime>(plugin: &Strongroom<R>) -> Result<SecretList> {
    let allowed = plugin.allowed();
    plugin
        .run(async |vault| {
            let mut secrets = vault.list().await?;
            secrets.retain(|secret| allowed.has(&secret.key));
            Ok(SecretList::new(secrets, &vault))
        })
        .await
}
