//! The commands that the page can call. None of them returns the token.

use strongroom::Timestamp;
use tauri::async_runtime::spawn_blocking;
use tauri::{AppHandle, Manager as _, State, command};
use tauri_plugin_strongroom::StrongroomExt as _;

use crate::TOKEN;
use crate::database::{Database, Settings, Timer};
use crate::failure::{Failure, Result};
use crate::server::{Issue, Server, base_url, is_issue_key};

/// Returns the settings: the address of the server, and the user's account.
#[command(async)]
pub(crate) fn settings(database: State<'_, Database>) -> Result<Settings> {
    database.settings()
}

/// Saves the settings. If the server changes, the token is deleted first, so that the new server doesn't get it.
#[command]
pub(crate) async fn save_settings(app: AppHandle, settings: Settings) -> Result<()> {
    let new = base_url(&settings.base_url)?;
    let database = app.state::<Database>();
    let old = database.settings()?.base_url;
    if base_url(&old).is_ok_and(|old| old.origin() != new.origin()) {
        app.strongroom().secrets().await?.delete(TOKEN).await?;
    }
    database.save_settings(&Settings { base_url: new.into(), ..settings })
}

/// Returns the user's open issues.
#[command]
pub(crate) async fn issues(app: AppHandle) -> Result<Vec<Issue>> {
    ask(&app, |server| server.issues()).await
}

/// Returns the running timer, if there is one.
#[command(async)]
pub(crate) fn timer(database: State<'_, Database>) -> Result<Option<Timer>> {
    database.timer()
}

/// Starts the timer for an issue.
#[command(async)]
pub(crate) fn start_timer(database: State<'_, Database>, issue: String) -> Result<Timer> {
    if !is_issue_key(&issue) {
        return Err(Failure::new("invalid", "there is no such issue", "Load the issues again."));
    }
    let timer = Timer { issue, started: Timestamp::now().as_second() };
    if !database.start_timer(&timer)? {
        return Err(Failure::new("busy", "a timer is running", "Stop it first."));
    }
    Ok(timer)
}

/// Posts the time of the timer, and returns it in seconds. If that fails, the timer keeps running.
#[command]
pub(crate) async fn stop_timer(app: AppHandle) -> Result<i64> {
    let database = app.state::<Database>();
    let Some(timer) = database.timer()? else {
        return Err(Failure::new("not_found", "no timer is running", "Start one first."));
    };
    let seconds = ask(&app, move |server| server.log(&timer, Timestamp::now())).await?;
    database.clear_timer()?;
    Ok(seconds)
}

/// Ends the timer without posting its time.
#[command(async)]
pub(crate) fn discard_timer(database: State<'_, Database>) -> Result<()> {
    database.clear_timer()
}

/// Deletes everything about the account, including the token.
#[command]
pub(crate) async fn forget_account(app: AppHandle) -> Result<()> {
    app.strongroom().forget_everything().await?;
    app.state::<Database>().forget()
}

/// Runs a request to the server, with the token, on another thread.
async fn ask<T: Send + 'static>(
    app: &AppHandle,
    question: impl FnOnce(&Server) -> Result<T> + Send + 'static,
) -> Result<T> {
    let token = app.strongroom().secrets().await?.get_value(TOKEN).await?.ok_or_else(|| {
        Failure::new("not_found", "there is no token yet", "Enter one in the settings.")
    })?;
    let settings = app.state::<Database>().settings()?;
    let answer = spawn_blocking(move || question(&Server::new(&settings, &token)?)).await;
    answer.map_err(|error| Failure::new("other", error.to_string(), "Try again."))?
}
