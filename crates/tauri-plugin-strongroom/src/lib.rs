//! Secrets of a Tauri application in the operating system's credential store. The page stores and deletes secrets, and asks
//! whether they exist. Only Rust code uses them, and the page never sees a value.
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
//! # Permissions
//!
//! - The application's Rust code names the service, and each secret that the page may name, with the page's [`Access`] to
//!   it. For any other name, a command fails with [`Error::NotAllowed`] before a store is accessed.
//! - The application's capabilities name the commands that a window may call. The default permission, `strongroom:default`,
//!   allows only `status` and `exists`.
//! - Both must agree: the page gets a value only if the secret has [`Access::ReadWrite`] *and* the window has
//!   `strongroom:allow-reveal`.
//!
//! # The page
//!
//! With `withGlobalTauri` the functions are in `window.__TAURI__.strongroom`; with a bundler, in
//! `guest-js/index.ts`. Errors are objects, `{ code, message, hint, reason }`: see [`Error::code`].
//!
//! The event [`CHANGED`] tells windows which of the allowed secrets has changed, by this process or another, from the first
//! use of the store on.
//!
//! # Out of reach
//!
//! This crate wipes the memory of a value that the page sends. The webview and Tauri make copies of it, and of a value that
//! `reveal` returns, and don't wipe them. A value that the page no longer uses stays in its memory until the engine
//! collects it.

#![forbid(unsafe_code)]

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
pub use models::{CHANGED, SecretList, Status};

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
