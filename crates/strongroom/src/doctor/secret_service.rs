//! The finding about the Linux desktop's keyring, and the commands that fix its problems.

use strongroom_core::{Capabilities, Error, ErrorKind, Persistence, Probe, Reason};

use super::distribution::install;
use super::finding::{self, Finding, Fix, Severity, System, problem, unencrypted_session};
use crate::Backend;

/// Returns the finding about the desktop's keyring.
pub(super) fn finding(
    state: &Result<Probe, Error>,
    capabilities: Option<Capabilities>,
    system: &System<'_>,
    prefix: &str,
) -> Finding {
    let backend = Backend::SecretService;
    let Probe { provider, .. } = match state {
        Ok(probe) => probe,
        Err(error) => {
            let mut problem = problem(backend, error);
            problem.fixes = fixes(error, system, prefix);
            return problem;
        }
    };
    let persistence = capabilities.map_or(Persistence::Permanent, |can| can.persistence);
    let is_encrypted = capabilities.and_then(|can| can.session_encrypted) == Some(true);
    let session = if is_encrypted { ", over an encrypted session" } else { "" };
    if persistence == Persistence::Permanent {
        let problem = format!("{provider} can keep secrets{session}, until you delete them");
        return finding::finding(backend, Severity::Fine, None, problem);
    }
    let problem = format!("{provider} can keep secrets{session}, which last {persistence}");
    let mut note = finding::finding(backend, Severity::Note, None, problem);
    note.fixes = vec![Fix::new(
        "Make a collection that lasts, and set it as default.",
        [install(system, "seahorse").into(), "seahorse".into()],
    )];
    note
}

fn fixes(error: &Error, system: &System<'_>, prefix: &str) -> Vec<Fix> {
    let mut fixes = way_out(error, system);
    let is_replaceable = matches!(
        error.reason(),
        Some(Reason::NoProvider | Reason::NoBus | Reason::StaleBusAddress)
    );
    // Secrets that exist already would not be found in another store.
    if error.kind() == ErrorKind::NoBackend && is_replaceable && !system.has_secrets {
        fixes.push(session_only(prefix));
    }
    fixes
}

fn way_out(error: &Error, system: &System<'_>) -> Vec<Fix> {
    match (error.kind(), error.reason()) {
        (ErrorKind::NoBackend, Some(Reason::NoProvider)) => no_daemon(system),
        (ErrorKind::NoBackend, Some(Reason::NoBus)) => no_bus(system),
        (ErrorKind::NoBackend, Some(Reason::SessionNotEncrypted)) => {
            vec![error.into(), Fix::new(unencrypted_session(), [])]
        }
        (ErrorKind::NoDefaultCollection, _) => no_collection(system),
        (ErrorKind::Locked, _) => locked(),
        _ => vec![error.into()],
    }
}

fn no_bus(system: &System<'_>) -> Vec<Fix> {
    vec![
        Fix::new("On a desktop: run it in a terminal of the desktop session, where a bus is.", []),
        Fix::new(
            "On a server or in a container: install a keyring, start a shell with a bus, \
             and open the keyring in it with a password of your choice.",
            [
                install(system, "dbus gnome-keyring").into(),
                "dbus-run-session -- bash".into(),
                UNLOCK.into(),
            ],
        ),
    ]
}

fn no_daemon(system: &System<'_>) -> Vec<Fix> {
    vec![
        Fix::new(
            "Install a keyring, log out and in again: the login opens it.",
            [install(system, "gnome-keyring").into()],
        ),
        Fix::new("Or start it here and now, with your login password.", [UNLOCK.into()]),
    ]
}

fn no_collection(system: &System<'_>) -> Vec<Fix> {
    vec![
        Fix::new(
            "On a desktop: store something. A window then asks for the new keyring's password.",
            [],
        ),
        Fix::new(
            "In gnome-keyring, without a window: create it with your login password.",
            [UNLOCK.into()],
        ),
        Fix::new(
            "Or make one by hand, and set it as default.",
            [install(system, "seahorse").into(), "seahorse".into()],
        ),
    ]
}

fn locked() -> Vec<Fix> {
    vec![
        Fix::new("On a desktop: read a secret, and answer the window that appears.", []),
        Fix::new("In gnome-keyring, without a window: open it with its password.", [UNLOCK.into()]),
    ]
}

/// The command that unlocks gnome-keyring. It reads the password without showing it, and works with and
/// without a running daemon; without `--replace`, a second daemon would start beside the first and open
/// nothing.
const UNLOCK: &str = "read -rsp 'Password: ' p; printf %s \"$p\" | gnome-keyring-daemon \
                      --replace --unlock --components=secrets >/dev/null; unset p";

fn session_only(prefix: &str) -> Fix {
    Fix::new(
        "Or do without: the kernel keeps secrets until reboot, and this silences the warning.",
        [format!("export {prefix}_BACKEND=keyutils").into()],
    )
}
