//! Private buses, real providers and a scripted Secret Service for Strongroom's tests.
//!
//! All fixtures start in a [`Sandbox`], so that tests run in parallel and never touch the
//! developer's keyring. A fixture that does not start, or does not reach the requested state,
//! panics with the daemon's log.
//!
//! ```no_run
//! # #[cfg(target_os = "linux")] {
//! use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip, secret_tool};
//!
//! assert!(provider_or_skip("gnome-keyring-daemon"));
//! let bus = Bus::start(&Sandbox::new());
//! let keyring = GnomeKeyring::start(&bus, Some("hunter2"));
//! secret_tool::store(&bus, "service", "user", "value");
//! keyring.lock();
//! # }
//! ```
//!
//! Fixtures are handles: a [`Bus`] keeps its sandbox alive, a provider keeps its bus alive, and each
//! process is killed by its process id when the last handle is dropped. If no `Drop` runs (a
//! fixture in a `static`, a test process that was killed), a watchdog removes processes and
//! directories after this process has ended.
//!
//! Daemons are available on Linux only, sandboxes and [children of the test program](child) on all platforms.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod bus;
pub mod child;
#[cfg(target_os = "linux")]
mod display;
#[cfg(target_os = "linux")]
mod gnome_keyring;
#[cfg(target_os = "linux")]
mod kwallet;
mod page_session;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod provider;
mod sandbox;
#[cfg(target_os = "linux")]
pub mod scripted;
#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(target_os = "linux")]
pub mod secret_tool;
mod skip;
mod snapshots;
mod start;
#[cfg(target_os = "linux")]
mod terminal;
mod unused_name;
#[cfg(target_os = "linux")]
mod users;
mod wait;
#[cfg(target_os = "linux")]
mod watchdog;

#[cfg(target_os = "linux")]
pub use bus::{Bus, BusBuilder};
#[cfg(target_os = "linux")]
pub use display::{Display, Window};
#[cfg(target_os = "linux")]
pub use gnome_keyring::GnomeKeyring;
#[cfg(target_os = "linux")]
pub use kwallet::KWallet;
pub use page_session::PageSession;
#[cfg(target_os = "linux")]
pub use provider::provider_or_skip;
pub use sandbox::Sandbox;
pub use skip::skip;
pub use snapshots::{FIXTURE_ENTRIES, FIXTURE_SERVICE, Snapshots, is_the_fixture};
pub use start::start;
#[cfg(target_os = "linux")]
pub use terminal::Terminal;
pub use unused_name::unused_name;
#[cfg(target_os = "linux")]
pub use users::{OTHER_USER, is_root, root_or_skip};
pub use wait::{PATIENCE, wait_until};
