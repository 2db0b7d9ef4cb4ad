//! Failures of the connection to a bus.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::process::geteuid;
use strongroom_core::advice::Sentence;
use strongroom_core::{ErrorKind, Reason};

use crate::address::{Address, Unusable, VARIABLE};
use crate::error::Failure;

/// Creates the failure for a session without a bus.
pub(super) fn no_bus() -> Failure {
    Failure::new(ErrorKind::NoBackend)
        .with_reason(Reason::NoBus)
        .with_message("there is no D-Bus session bus to reach a Secret Service on")
        .with_hint(
            Sentence::from("Log in to a desktop session, or run the command under ")
                .shell("dbus-run-session")
                .text("."),
        )
}

/// Changes the failure of a call without an answer to say that the bus is silent, not the provider.
pub(super) fn silent_bus(failure: Failure, address: &Address) -> Failure {
    failure
        .of_silent_bus()
        .with_message(format!("the session bus at {address} did not answer in time"))
        .with_hint("See whether its dbus-daemon or dbus-broker is stopped, or log in again.")
}

/// Creates the failure for a bus whose socket refuses a connection.
pub(super) fn unreachable_bus(address: &Address, error: &io::Error) -> Failure {
    // A socket in another user's directory can't be reached at all: that user is the better explanation.
    if error.kind() == io::ErrorKind::PermissionDenied
        && let Some(owner) = address.path().and_then(blocking_owner)
    {
        return foreign_bus(address, owner);
    }
    no_bus()
        .with_message(format!("there is no D-Bus session bus at {address}"))
        .with_cause(&error.to_string())
}

/// Creates the failure for a bus that refuses this process, or is another bus than the address says.
pub(super) fn refusing_bus(address: &Address, cause: &str) -> Failure {
    no_bus()
        .with_message(format!("the session bus at {address} doesn't take this process"))
        .with_cause(cause)
}

/// Creates the failure for an address that is not used.
pub(super) fn unusable_address(unusable: &Unusable) -> Failure {
    Failure::new(ErrorKind::NoBackend)
        .with_message(format!(
            "the address of the session bus can't be used: {} ({})",
            unusable.problem, unusable.address
        ))
        .with_hint("Name your own bus by its socket: unix:path=… with its absolute path.")
}

/// Creates the failure for a bus of another user, to whom secrets must not go.
pub(super) fn foreign_bus(address: &Address, owner: u32) -> Failure {
    foreign_owner(&format!("the session bus at {address}"), owner)
}

/// Creates the failure for a bus or a provider of another user. Nothing was sent to it.
pub(crate) fn foreign_owner(peer: &str, owner: u32) -> Failure {
    let own = strongroom_files::user_name(geteuid().as_raw());
    let owner_name = strongroom_files::user_name(owner);
    Failure::new(ErrorKind::NoBackend)
        .with_reason(Reason::ForeignOwner)
        .with_message(format!(
            "{peer} belongs to {owner_name}, and this process runs as {own}; nothing was sent"
        ))
        .with_hint(advice_on_foreign_session(owner))
}

fn advice_on_foreign_session(owner: u32) -> Sentence {
    let way = match strongroom_files::login_name(owner) {
        Some(name) if geteuid().as_raw() == 0 => {
            Sentence::from(format!("Run it as {name}: without sudo, or in a shell of that user, "))
                .shell(format!("su - {name}"))
                .text(". For secrets of root's own, do without that bus: ")
        }
        _ => Sentence::from(
            "This shell comes from another user's session: begin one of your own, by ssh or by su with \
             a dash. Or do without that bus: ",
        ),
    };
    way.shell(format!("unset {VARIABLE} XDG_RUNTIME_DIR")).text(".")
}

/// Returns the other user that keeps this user out of a path: the owner of the deepest part of it that can be
/// seen. `None` if that is this user or root.
fn blocking_owner(path: &Path) -> Option<u32> {
    let seen = path.ancestors().find_map(|part| part.symlink_metadata().ok())?;
    let owner = seen.uid();
    (owner != geteuid().as_raw() && owner != 0).then_some(owner)
}
