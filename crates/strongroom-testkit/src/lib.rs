//! Private buses, real providers and a scripted Secret Service for Strongroom's tests.
//!
//! Everything here starts in a [`Sandbox`] of its own, so tests run in parallel and never meet the
//! developer's own keyring. A fixture that doesn't come up, or doesn't reach the state it was asked
//! for, panics with the daemon's own words.
//!
//! ```no_run
//! use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip, secret_tool};
//!
//! if !provider_or_skip("gnome-keyring-daemon") {
//!     return;
//! }
//! let bus = Bus::start(&Sandbox::new());
//! let keyring = GnomeKeyring::start(&bus, Some("hunter2"));
//! secret_tool::store(&bus, "service", "user", "value");
//! keyring.lock();
//! ```
//!
//! Fixtures are handles: a [`Bus`] keeps its sandbox, a provider keeps its bus, and each process is
//! killed by its pid when the last handle goes. Processes and directories that no `Drop` reaches (a
//! fixture in a `static`, a test process that was killed) are cleared away by a watchdog once this
//! process has ended.
//!
//! Linux only, like the stores; elsewhere the crate is empty.

#![cfg(target_os = "linux")]

mod bus;
mod display;
mod gnome_keyring;
mod kwallet;
mod process;
mod provider;
mod sandbox;
pub mod scripted;
mod secret_service;
pub mod secret_tool;
mod unused_name;
mod wait;
mod watchdog;

pub use bus::Bus;
pub use display::{Display, Window};
pub use gnome_keyring::GnomeKeyring;
pub use kwallet::KWallet;
pub use provider::provider_or_skip;
pub use sandbox::Sandbox;
pub use unused_name::unused_name;
pub use wait::{PATIENCE, wait_until};
