//! Findings about the stores of a machine, and the commands that fix problems, as data.
//!
//! This module looks nothing up: [`Config::inspect`](crate::Config::inspect) does that, and the caller shows
//! the findings.

use strongroom_core::{Capabilities, Error, ErrorKind, Persistence, Probe, Warning};

pub use self::finding::{
    Finding, Fix, Severity, SpokenFinding, SpokenFix, System, unencrypted_session,
};
use self::finding::{advised, finding};
use crate::Backend;
pub use crate::inspect::Inspection;

mod distribution;
mod finding;
mod secret_service;
#[cfg(test)]
mod tests;

/// Returns the problems of the stores that [`Config::inspect`](crate::Config::inspect) found, and their
/// fixes.
///
/// A pure function. There is a finding, or more, for each of the system's own stores in this build, the worst
/// first. The missing key of an encrypted file is reported only if secrets are kept in such a file, or if
/// there is a problem. If the secrets are in the application's own store, the findings are about that store
/// alone.
///
/// ```
/// use strongroom::Config;
/// use strongroom::doctor::{System, diagnose};
///
/// let found = Config::new("app").inspect();
/// for finding in diagnose(&found, &System::default()) {
///     println!("{:?}: {}", finding.severity, finding.problem);
/// }
/// ```
pub fn diagnose(found: &[Inspection], system: &System<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let in_this_build = found.iter().filter(|inspection| inspection.capabilities.is_some());
    for Inspection { backend, capabilities, state, env_prefix } in in_this_build {
        match *backend {
            Backend::SecretService => {
                findings.push(secret_service::finding(state, *capabilities, system, env_prefix));
            }
            Backend::Keychain => findings.push(keychain(state)),
            Backend::CredentialManager => {
                findings.push(credential_manager(state, env_prefix));
            }
            Backend::Keyutils => findings.push(keyutils(state)),
            Backend::File => findings.push(file(state, system, env_prefix)),
            Backend::Memory | Backend::PlaintextFile => {}
            backend => findings.push(own(backend, state, *capabilities)),
        }
        if let (Ok(_), Some(capabilities)) = (state, capabilities) {
            findings.extend(notes(*backend, *capabilities, system));
        }
    }
    // The user of an application with a store of its own has no use for the other stores.
    if system.in_use.is_some_and(Backend::is_custom) {
        findings.retain(|finding| finding.backend == system.in_use);
    }
    let trouble = findings.iter().any(|finding| finding.severity == Severity::Problem);
    findings.retain(|finding| {
        let needs_key =
            (finding.backend, finding.kind) == (Some(Backend::File), Some(ErrorKind::KeyMissing));
        trouble || system.in_use == Some(Backend::File) || !needs_key
    });
    // A stable sort: findings of the same severity stay in the order of the backends.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// Returns the weaknesses in the protection of a store that works. Its persistence is in its own finding. A
/// weakness that is in the nature of a store is reported only if that store is in use.
fn notes(backend: Backend, capabilities: Capabilities, system: &System<'_>) -> Vec<Finding> {
    let warnings = capabilities.warnings().into_iter().filter(|warning| match warning {
        Warning::NotPersistent(_) => false,
        Warning::ReadByContainers => system.in_use == Some(backend),
        _ => true,
    });
    warnings.map(|it| finding(backend, Severity::Note, None, format!("{backend}: {it}"))).collect()
}

/// Returns the finding about a store that is known only by its own description, such as an application's own.
fn own(
    backend: Backend,
    state: &Result<Probe, Error>,
    capabilities: Option<Capabilities>,
) -> Finding {
    let persistence = capabilities.map_or(Persistence::Permanent, |can| can.persistence);
    match (state, persistence) {
        (Ok(Probe { provider, .. }), Persistence::Permanent) => {
            let problem = format!("{backend} ({provider}) can keep secrets, until you delete them");
            finding(backend, Severity::Fine, None, problem)
        }
        (Ok(Probe { provider, .. }), _) => {
            let problem =
                format!("{backend} ({provider}) can keep secrets, which last {persistence}");
            finding(backend, Severity::Note, None, problem)
        }
        (Err(error), _) => advised(backend, error),
    }
}

/// Returns the finding about the Keychain. Its errors contain the commands, which are the same on every Mac.
fn keychain(state: &Result<Probe, Error>) -> Finding {
    let backend = Backend::Keychain;
    match state {
        Ok(Probe { provider, .. }) => {
            let problem = format!("{provider} can keep secrets, until you delete them");
            finding(backend, Severity::Fine, None, problem)
        }
        Err(error) => advised(backend, error),
    }
}

fn credential_manager(state: &Result<Probe, Error>, prefix: &str) -> Finding {
    let backend = Backend::CredentialManager;
    match state {
        Ok(Probe { provider, .. }) => {
            let problem = format!("{provider} can keep secrets, until you delete them");
            finding(backend, Severity::Fine, None, problem)
        }
        Err(error) => {
            let mut problem = advised(backend, error);
            if error.kind() == ErrorKind::NoLogonSession {
                problem.fixes.push(Fix::new(
                    "Or keep secrets in an encrypted file, which opens in any session (in PowerShell).",
                    [format!("$env:{prefix}_BACKEND = 'file'").into()],
                ));
            }
            problem
        }
    }
}

fn keyutils(state: &Result<Probe, Error>) -> Finding {
    let backend = Backend::Keyutils;
    match state {
        Ok(Probe { provider, .. }) => finding(
            backend,
            Severity::Fine,
            None,
            format!("the {provider} can keep secrets, until reboot"),
        ),
        Err(error) => {
            // The kernel's keyring is only a fallback, so its failure is a note and not a problem.
            Finding { severity: Severity::Note, ..advised(backend, error) }
        }
    }
}

/// Returns the finding about the encrypted file. A missing key is not a problem, because most users never use
/// the file.
fn file(state: &Result<Probe, Error>, system: &System<'_>, prefix: &str) -> Finding {
    let backend = Backend::File;
    match state {
        Ok(Probe { provider, .. }) => {
            let problem = format!("there are keys for {provider}, which can keep secrets for good");
            finding(backend, Severity::Fine, None, problem)
        }
        Err(error) if error.kind() == ErrorKind::KeyMissing => {
            let problem = format!("{backend}: an encrypted file needs a key: {}", error.problem());
            let mut note = finding(backend, Severity::Note, Some(error.kind()), problem);
            note.fixes = vec![key_of_file(system, prefix)];
            note
        }
        Err(error) => advised(backend, error),
    }
}

/// Returns the fix that provides a key of the encrypted file.
fn key_of_file(system: &System<'_>, prefix: &str) -> Fix {
    if system.in_use == Some(Backend::File) && system.has_secrets {
        let text = "Name the file with its passphrase. On a terminal it is asked for.";
        return Fix::new(text, [format!("export {prefix}_PASSPHRASE_FILE=FILE").into()]);
    }
    if cfg!(windows) {
        return Fix::new("Put a passphrase into a file that only you may read, and name it.", []);
    }
    Fix::new(
        "Make a passphrase in a file that only you may read, and name it. Keep a copy elsewhere. On a terminal a \
         passphrase is asked for.",
        [
            MAKE_PASSPHRASE.into(),
            format!("export {prefix}_PASSPHRASE_FILE={PASSPHRASE_FILE}").into(),
        ],
    )
}

const PASSPHRASE_FILE: &str = "~/.config/strongroom-passphrase";

/// The command that creates a passphrase. It replaces no file, because of `set -C`.
const MAKE_PASSPHRASE: &str = "mkdir -p ~/.config && (umask 077; set -C; head -c 33 /dev/urandom | base64 > ~/.config/strongroom-passphrase)";
