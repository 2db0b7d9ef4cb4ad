//! Tracks time on the issues of a Jira-like server. The page stores the server's token in the operating system's credential
//! store. Only Rust code reads it from there, to send it to the server: the page never gets it back.

#![forbid(unsafe_code)]
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod database;
mod failure;
mod server;

use std::io;

use database::Database;
use strongroom::{Config, Fallback};
use tauri::Manager as _;
use tauri_plugin_strongroom::{Access, Builder};
use tracing_subscriber::filter::LevelFilter;

/// The service under which the user's secrets are found. It must never change.
const SERVICE: &str = "example-time-tracker";

/// The name of the only secret.
const TOKEN: &str = "jira_api_token";

/// The environment variable with the log level: `debug`, `trace`.
const LOG: &str = "TIME_TRACKER_LOG";

#[expect(clippy::exit, reason = "Tauri's macro has one")]
fn main() -> tauri::Result<()> {
    let level = std::env::var(LOG).ok().and_then(|level| level.parse().ok());
    tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(LevelFilter::WARN))
        .with_writer(io::stderr)
        .init();
    // TIME_TRACKER_BACKEND=file is for machines without a keyring.
    let config = Config::new(SERVICE).fallback(Fallback::Error).env_prefix("TIME_TRACKER");
    let secrets = Builder::new(config).allow(TOKEN, Access::WriteOnly);
    tauri::Builder::default()
        .plugin(secrets.build())
        .setup(|app| {
            let database = Database::open(&app.path().app_data_dir()?)?;
            app.manage(database);
            Ok(())
        })
        .invoke_handler(tauri::generate_handler![
            commands::discard_timer,
            commands::forget_account,
            commands::issues,
            commands::save_settings,
            commands::settings,
            commands::start_timer,
            commands::stop_timer,
            commands::timer,
        ])
        .run(tauri::generate_context!())
}
