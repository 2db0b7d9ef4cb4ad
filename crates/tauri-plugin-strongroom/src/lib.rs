//! Secrets of a Tauri application in the operating system's credential store. The page stores them, asks
//! whether they are there, and deletes them; what uses them is Rust, and the page never sees a value.
//!
//! ```no_run
//! use strongroom::ExposeSecret;
//! use tauri_plugin_strongroom::{Access, Builder, Error, StrongroomExt};
//!
//! #[tauri::command]
//! async fn sync(app: tauri::AppHandle) -> Result<(), Error> {
//!     let secrets = app.strongroom().secrets().await?;
//!     if let Some(token) = secrets.get_value("jira_api_token").await? {
//!         send(token.expose_secret());
//!     }
//!     Ok(())
//! }
//! # fn send(_token: &str) {}
//!
//! let app = tauri::Builder::default()
//!     .plugin(
//!         Builder::new("planim-time-tracker").allow("jira_api_token", Access::WriteOnly).build(),
//!     )
//!     .invoke_handler(tauri::generate_handler![sync]);
//! # let _: tauri::Builder<tauri::Wry> = app;
//! ```
//!
//! # Who decides what
//!
//! - The application's Rust code names the service, and each secret that the page may name, with what
//!   the page may do to it: [`Access`]. Any other name is [`Error::NotAllowed`] before a store is touched.
//! - Its capabilities name the commands that a window may call. The default permission, `strongroom:default`,
//!   is `status` and `exists` alone.
//! - Both must agree: a value goes to the page only where the secret has [`Access::ReadWrite`] *and* the
//!   window has `strongroom:allow-reveal`.
//!
//! # The page
//!
//! With `withGlobalTauri` the functions are in `window.__TAURI__.strongroom`; with a bundler, in
//! `guest-js/index.ts`. Errors are objects, `{ code, message, hint }`: see [`Error::code`].
//!
//! The event [`CHANGED`] tells windows which of the allowed secrets changes, by this process or another, from
//! the first use of the store on.
//!
//! # What is out of reach
//!
//! A value that the page sends is in memory that is wiped once it has arrived here. The webview and Tauri copy
//! it on its way, as they copy what `reveal` shows, and don't wipe it. What a page has dropped stays in its
//! memory until the engine collects it.

mod access;
mod builder;
mod commands;
mod error;
mod handle;
mod models;

pub use access::Access;
pub use builder::Builder;
pub use error::{Error, Result};
pub use handle::{Strongroom, StrongroomExt};
pub use models::{CHANGED, Changed, Description, Problem, Status, Storage, Warning};

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
