//! What the page can ask of the application. None of it returns the token.

use strongroom::Timestamp;
use tauri::async_runtime::spawn_blocking;
use tauri::{AppHandle, Manager as _, State, command};
use tauri_plugin_strongroom::StrongroomExt as _;

use crate::TOKEN;
use crate::database::{Database, Settings, Timer};
use crate::failure::{Failure, Result};
use crate::server::{Issue, Server, base_url, is_issue_key};

/// Where the issues are, and who is asking.
#[command(async)]
pub(crate) fn settings(database: State<'_, Database>) -> Result<Settings> {
    database.settings()
}

/// Saves it. A token belongs to its server: another address would get it, so it goes first.
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

/// The user's open issues.
#[command]
pub(crate) async fn issues(app: AppHandle) -> Result<Vec<Issue>> {
    ask(&app, |server| server.issues()).await
}

/// The timer that runs, if one does.
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

/// Posts the time of the timer, and returns it in seconds. If that fails, the timer runs on.
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

/// Ends the timer, and posts nothing.
#[command(async)]
pub(crate) fn discard_timer(database: State<'_, Database>) -> Result<()> {
    database.clear_timer()
}

/// Forgets the account: the token and everything else.
#[command]
pub(crate) async fn forget_account(app: AppHandle) -> Result<()> {
    app.strongroom().forget_everything().await?;
    app.state::<Database>().forget()
}

/// Asks the server something, with the token, off the main thread.
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
