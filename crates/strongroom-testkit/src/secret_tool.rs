//! libsecret's `secret-tool`, as an independent client of a provider.

use std::process::Command;

use crate::{Bus, process::output_within, wait::PATIENCE};

/// Returns the secret that `secret-tool` finds. Prompts if the collection is locked.
///
/// `None` means that no item was found, the prompt was dismissed, or there is no service: `secret-tool` does not distinguish
/// them.
///
/// # Panics
///
/// If there is no answer within [`PATIENCE`].
#[track_caller]
pub fn lookup(bus: &Bus, service: &str, username: &str) -> Option<String> {
    lookup_by(bus, &["service", service, "username", username])
}

/// Returns a secret as [`lookup`] does, by the given attributes: names and values in turn.
///
/// # Panics
///
/// If there is no answer within [`PATIENCE`].
#[track_caller]
pub fn lookup_by(bus: &Bus, attributes: &[&str]) -> Option<String> {
    let (found, secret) = run(bus, "lookup", &[], attributes, "");
    found.then(|| String::from_utf8_lossy(&secret).into_owned())
}

/// Stores a secret under the label that the `keyring` crate uses.
///
/// # Panics
///
/// If `secret-tool` fails, or has not ended within [`PATIENCE`].
#[track_caller]
pub fn store(bus: &Bus, service: &str, username: &str, secret: &str) {
    let stored = try_store(bus, service, username, secret);
    assert!(stored, "secret-tool could not store {username}@{service}");
}

/// Stores a secret under the given attributes: names and values in turn.
///
/// # Panics
///
/// If `secret-tool` fails, or has not ended within [`PATIENCE`].
#[track_caller]
pub fn store_by(bus: &Bus, attributes: &[&str], secret: &str) {
    let (stored, _) = run(bus, "store", &["--label=by attributes"], attributes, secret);
    assert!(stored, "secret-tool could not store {attributes:?}");
}

/// Stores a secret as [`store`] does. Returns whether `secret-tool` succeeded.
///
/// # Panics
///
/// If `secret-tool` has not ended within [`PATIENCE`].
#[track_caller]
pub fn try_store(bus: &Bus, service: &str, username: &str, secret: &str) -> bool {
    let label = format!("--label=keyring:{username}@{service}");
    run(bus, "store", &[&label], &["service", service, "username", username], secret).0
}

/// Deletes the item that [`lookup`] would find. Returns whether there was an item.
///
/// # Panics
///
/// If there is no answer within [`PATIENCE`].
#[track_caller]
pub fn clear(bus: &Bus, service: &str, username: &str) -> bool {
    run(bus, "clear", &[], &["service", service, "username", username], "").0
}

#[track_caller]
fn run(
    bus: &Bus,
    action: &str,
    options: &[&str],
    attributes: &[&str],
    input: &str,
) -> (bool, Vec<u8>) {
    let mut command: Command = bus.command("secret-tool");
    command.arg(action).args(options).args(attributes);
    let (status, output) = output_within(PATIENCE, &mut command, input.as_bytes());
    (status.success(), output)
}
