//! The settings page of an application's secrets: an axum [`Router`](axum::Router) with its files
//! embedded, to be mounted by the application or served alone, for a browser on the same machine.
//!
//! ```
//! use strongroom::{Backend, SecretManager};
//! use strongroom_settings::Settings;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), strongroom::Error> {
//! let secrets = SecretManager::builder("tracker").backend(Backend::Memory).open().await?;
//! let settings = Settings::builder(secrets).title("Tracker").build()?;
//!
//! // Mounted by an application, which opens the link in its user's browser ...
//! let app: axum::Router = axum::Router::new().nest_service("/settings", settings.router());
//! let link = settings.link("http://127.0.0.1:3000/settings/")?;
//!
//! // ... or served alone, until nobody uses it any more.
//! let server = settings.bind(([127, 0, 0, 1], 0))?;
//! println!("{}", server.link());
//! server.run(async { /* Ctrl-C, say */ }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The page shows where secrets are kept, what protects them and whether they last; lists them without
//! their values; adds, replaces, renames and deletes them; shows a value for ten seconds, or copies it;
//! tells what is wrong with the stores; and follows what other processes change. With a [`Migration`]
//! it moves what lies in files, with an [`Export`] it hands out a file. Feature `config`, on by default, has both
//! ready-made for configuration files: `ConfigMigration`, `ConfigExport`.
//!
//! # Who gets in
//!
//! - A link works once, and only as long as a session would last: the token in its fragment is exchanged
//!   for a cookie that scripts can't read and other sites can't send. [`Settings::link`] makes a new one.
//! - A session ends when its user does nothing for ten minutes ([`SettingsBuilder::idle`]), at
//!   [`Settings::close`], and with the process.
//! - A request must name this machine as its `Host`, and the page itself as its `Origin`.
//! - After ten wrong tokens, one in six seconds is looked at. Meanwhile the right one is refused, too.
//! - An application that knows its users already says so with [`SettingsBuilder::without_token`], and
//!   puts a layer of its own around the router.
//!
//! # What is out of reach
//!
//! - A value is in memory that is wiped in this crate. The HTTP library, the kernel and the browser copy
//!   it on its way, and don't wipe it.
//! - Browsers send cookies to all ports of a machine. The session's goes to paths below the page's own
//!   `api` alone; another account's server on this machine, which the user visits at the very same path
//!   and host, would see it.
//! - What is shown can be photographed, and what is copied lies in the clipboard.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod api;
mod assets;
#[cfg(feature = "config")]
mod config;
mod gate;
mod hooks;
mod problem;
mod server;
mod settings;
mod storage;

#[cfg(feature = "config")]
pub use config::{ConfigExport, ConfigMigration};
pub use hooks::{Export, ExportFormat, Migration, Plan, PlannedSecret};
pub use server::Server;
pub use settings::{Settings, SettingsBuilder};

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
