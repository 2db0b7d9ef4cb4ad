//! What a vault costs on a real gnome-keyring, beside entries in the same one.
//!
//! gnome-keyring searches all items for one and writes all of them for one, so what else it holds
//! counts: each case runs in a session of its own.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

#[cfg(target_os = "linux")]
#[path = "../support/vault.rs"]
mod vault;

#[cfg(target_os = "linux")]
mod cases;

#[cfg(target_os = "linux")]
fn main() {
    cases::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {}
