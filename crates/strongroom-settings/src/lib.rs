//! The settings page of an application's secrets: an axum [`Router`](axum::Router) with its files
//! embedded, to be mounted by the application or served alone, for a browser on the same machine.
//!
//! ```
//! use strongroom::{Backend, Config};
//! use strongroom_settings::Settings;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), strongroom::Error> {
//! let secrets = Config::new("tracker").backend(Backend::Memory).open().await?;
//! let settings = Settings::builder(secrets).title("Tracker").build()?;
//!
//! // Mounted by an application, which opens the link in its user's browser ...
//! let app: axum::Router = axum::Router::new().nest_service("/settings", settings.router());
//! let link = settings.link("http://127.0.0.1:3000/settings/")?;
//!
//! // ... or served alone, until it is not used any more.
//! let server = settings.bind_fresh()?;
//! println!("{}", server.link());
//! server.run(async { /* Ctrl-C, say */ }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The page shows where secrets are kept, what protects them and whether they last; lists them without
//! their values; adds, replaces, renames and deletes them; shows a value for ten seconds, or copies it;
//! tells what is wrong with the stores; and follows what other processes change. With a [`Migration`]
//! it moves what lies in files, with an [`Export`] the application writes a file. Feature `config`, on by default, has
//! both ready-made for configuration files: `ConfigMigration`, `ConfigExport`.
//!
//! # Admission
//!
//! - A link works once, and only as long as a session would last. [`Settings::link`] makes a new one. The token in its
//!   fragment, or in the form of [`entry_page`], is exchanged for a session's two secrets, which the page keeps in its
//!   `sessionStorage`: browsers separate that by host *and port*, and by tab. There is no cookie, which a browser sends to
//!   all ports of a machine.
//! - Each request names the session's bearer in its `Authorization`. What the page sends beside that is sealed with
//!   the session's key (AES-256-GCM), which crosses the network once, to the page. So a server that takes over the
//!   address after a crash can't read what is typed into an open page, however fast it is.
//! - The page ends, emptied, when the stream of changes breaks in whatever way: nothing is asked or sent any more.
//! - A session ends when its user does nothing for ten minutes ([`SettingsBuilder::idle`]), after twelve hours, at
//!   [`Settings::close`], and with the process.
//! - A request must name this machine as its `Host`, and the page itself as its `Origin`.
//! - Wrong tokens are refused, and don't delay the right one.
//! - An application that knows its users already says so with [`SettingsBuilder::without_token`], and
//!   puts a layer of its own around the router. Then nothing is sealed.
//!
//! # In a server of your own
//!
//! [`Settings::router`] bounds the bodies of its requests, and the time that they take. The rest is the server's, and
//! other accounts of the machine can reach it; `axum::serve` has none of it:
//!
//! - limit the number of connections, the time for a request's head (`hyper`'s `header_read_timeout`) and of idle
//!   connections. [`Server`] does, and lets connections without a session give way;
//! - whatever your other pages run as scripts has the rights of the settings page, since it is of the same origin;
//! - a port that is always the same may have been another account's before: what that left in the user's browser, such as
//!   a service worker or a cached script, sees the settings page. Listen on an address of 127.0.0.0/8 and a port that are new each time,
//!   where you can;
//! - name the address in [`Settings::link`], not `localhost`: another account may listen on the other loopback address
//!   of that name.
//!
//! # Out of reach
//!
//! - A value is in memory that is wiped in this crate. The HTTP library, the kernel and the browser copy what is shown
//!   or copied on its way, and don't wipe it.
//! - A tab that is loaded anew after the program has ended shows what listens at its address then.
//! - What is shown can be photographed, and what is copied lies in the clipboard until something else does: the page
//!   doesn't ask before it copies, and doesn't clear it.
//! - The browser keeps a session's secrets in its profile while the tab is open. They open nothing once it has ended.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod api;
mod assets;
#[cfg(feature = "config")]
mod config;
mod connections;
mod entry;
mod gate;
mod hooks;
mod problem;
mod server;
mod settings;
mod storage;

#[cfg(feature = "config")]
pub use config::{ConfigExport, ConfigMigration};
pub use entry::entry_page;
pub use hooks::{Export, ExportFormat, Migration, Plan, PlannedSecret};
pub use server::Server;
pub use settings::{Settings, SettingsBuilder};

/// The largest value that the page takes, in bytes. An encrypted file takes as much.
pub(crate) const LARGEST_VALUE: usize = 16 << 20;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
