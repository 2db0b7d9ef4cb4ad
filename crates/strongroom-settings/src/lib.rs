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
//! The page shows the place of the secrets, their protection and how long they last; lists them without their values; adds,
//! replaces, renames and deletes them; shows a value for ten seconds, or copies it; reports problems of the stores; and
//! follows the changes of other processes. With a [`Migration`] it moves secrets out of files, with an [`Export`] the
//! application writes them into a file. Feature `config`, on by default, has both ready-made for configuration files:
//! `ConfigMigration`, `ConfigExport`.
//!
//! # Admission
//!
//! - A link works once, and only as long as a session would last. [`Settings::link`] makes a new link. The token in its
//!   fragment, or in the form of [`entry_page`], is exchanged for a session's two secrets, which the page keeps in its
//!   `sessionStorage`: browsers separate that by host *and port*, and by tab. There is no cookie, which a browser sends to
//!   all ports of a machine.
//! - Each request names the session's bearer in its `Authorization`. The bodies that the page sends are sealed with the
//!   session's key (AES-256-GCM), which crosses the network once, to the page. So a server that takes over the address after
//!   a crash can't read text that is typed into an open page, however fast it is.
//! - The page ends, emptied, when the stream of changes breaks for any reason. It sends no further requests.
//! - A session ends when its user does nothing for ten minutes ([`SettingsBuilder::idle`]), after twelve hours, at
//!   [`Settings::close`], and with the process.
//! - A request must name this machine as its `Host`, and the page itself as its `Origin`.
//! - Wrong tokens are refused, and don't delay the right token.
//! - An application that has its own authentication uses [`SettingsBuilder::without_token`], and puts its own layer around
//!   the router. Then nothing is sealed.
//!
//! # In a server of your own
//!
//! [`Settings::router`] limits the size of its requests' bodies, and the time to receive them. Other limits are the server's
//! task, because other accounts of the machine can reach it. `axum::serve` has no such limits:
//!
//! - limit the number of connections, the time for a request's head (`hyper`'s `header_read_timeout`) and the time of idle
//!   connections. [`Server`] does, and lets connections without a session give way;
//! - all scripts of your other pages have the rights of the settings page, since they are of the same origin;
//! - a fixed port may have belonged to another account before. A service worker or a cached script that this account left
//!   in the user's browser sees the settings page. If you can, listen on an address of 127.0.0.0/8 and a port that are new
//!   each time;
//! - use the address in [`Settings::link`], not `localhost`: another account may listen on the other loopback address of
//!   that name.
//!
//! # Out of reach
//!
//! - This crate wipes the memory of values. The HTTP library, the kernel and the browser make copies of a value that is
//!   shown or copied, and don't wipe them.
//! - A tab that is reloaded after the program has ended shows the page of any program that listens on its address by then.
//! - A shown value can be photographed. A copied value stays in the clipboard until something replaces it: the page doesn't
//!   ask before it copies, and doesn't clear the clipboard.
//! - The browser keeps a session's secrets in its profile while the tab is open. They open nothing once it has ended.

#![forbid(unsafe_code)]
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

/// The largest value that the page accepts, in bytes: the same as in an encrypted file.
pub(crate) const LARGEST_VALUE: usize = 16 << 20;

/// Tests the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
