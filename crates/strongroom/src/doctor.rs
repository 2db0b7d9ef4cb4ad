//! Findings about the stores of a machine, and the commands that fix problems, as data.
//!
//! This module looks nothing up: [`Config::inspect`](crate::Config::inspect) does that, and the caller shows
//! the findings.

use strongroom_core::advice::{Advice, Line, Sentence, Voice};
use strongroom_core::{Capabilities, Error, ErrorKind, Persistence, Probe, Warning};

use crate::Backend;
pub use crate::inspect::Inspection;

mod distribution;
mod secret_service;
#[cfg(test)]
mod tests;

/// The properties of a system that its fixes depend on.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
#[non_exhaustive]
pub struct System<'a> {
    /// The text of `/etc/os-release`, or empty if there is none.
    pub os_release: &'a str,
    /// `true` if the user is root and needs no `sudo`.
    pub is_root: bool,
    /// The backend in which secrets are, or would be, kept.
    pub in_use: Option<Backend>,
    /// `true` if there are secrets already, which would not be found if another store were named.
    pub has_secrets: bool,
}

impl<'a> System<'a> {
    /// Creates a system of which nothing is known.
    pub const fn new() -> Self {
        Self { os_release: "", is_root: false, in_use: None, has_secrets: false }
    }

    /// Sets the text of `/etc/os-release`.
    pub const fn os_release(mut self, text: &'a str) -> Self {
        self.os_release = text;
        self
    }

    /// Sets whether the user is root.
    pub const fn is_root(mut self, is_root: bool) -> Self {
        self.is_root = is_root;
        self
    }

    /// Sets the backend in which secrets are, or would be, kept.
    pub fn in_use(mut self, backend: impl Into<Option<Backend>>) -> Self {
        self.in_use = backend.into();
        self
    }

    /// Sets whether there are secrets already.
    pub const fn has_secrets(mut self, has_secrets: bool) -> Self {
        self.has_secrets = has_secrets;
        self
    }
}

/// A finding about a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The severity of the finding.
    pub severity: Severity,
    /// The backend of the finding; `None` if it is about all of them.
    pub backend: Option<Backend>,
    /// The kind of error that the store's users get; `None` if they get none.
    pub kind: Option<ErrorKind>,
    /// The description of the state or the problem, in words for the user.
    pub problem: String,
    /// The ways to fix it, the best first. A single fix is enough.
    pub fixes: Vec<Fix>,
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Severity {
    /// The store works.
    Fine,
    /// The user should know it.
    Note,
    /// The store can't be used as it is.
    Problem,
}

/// A way to fix a problem, as data: the program that shows it words its commands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fix {
    /// The occasion or the reason for this fix. The commands in it are to be typed, too.
    pub advice: Advice,
    /// The lines to type, in this order; empty if there are none beyond the commands in the advice.
    pub steps: Vec<Line>,
}

/// A finding in the words of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SpokenFinding {
    /// The severity of the finding.
    pub severity: Severity,
    /// The backend of the finding; `None` if it is about all of them.
    pub backend: Option<Backend>,
    /// The kind of error that the store's users get; `None` if they get none.
    #[cfg_attr(feature = "serde", serde(rename = "code"))]
    pub kind: Option<ErrorKind>,
    /// The description of the state or the problem, in words for the user.
    #[cfg_attr(feature = "serde", serde(rename = "message"))]
    pub problem: String,
    /// The ways to fix it, the best first. A single fix is enough.
    pub fixes: Vec<SpokenFix>,
}

/// A way to fix a problem, in the words of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SpokenFix {
    /// The occasion or the reason for this fix, in words for the user.
    pub text: String,
    /// The commands to type, in this order; empty if there is nothing to type.
    pub commands: Vec<String>,
}

impl Finding {
    /// Creates a finding about no store in particular, without a fix.
    pub fn new(severity: Severity, problem: impl Into<String>) -> Self {
        Self { severity, backend: None, kind: None, problem: problem.into(), fixes: Vec::new() }
    }

    /// Returns the finding in the words of a program, without fixes that the program does not have the
    /// commands for.
    pub fn spoken_by(&self, voice: &dyn Voice) -> SpokenFinding {
        let Self { severity, backend, kind, .. } = *self;
        let fixes = self.fixes.iter().filter_map(|fix| fix.spoken_by(voice)).collect();
        SpokenFinding { severity, backend, kind, problem: self.problem.clone(), fixes }
    }
}

impl Fix {
    /// Creates a fix from its advice and the lines to type.
    pub fn new(advice: impl Into<Advice>, steps: impl IntoIterator<Item = Line>) -> Self {
        Self { advice: advice.into(), steps: steps.into_iter().collect() }
    }

    /// Returns the fix in the words of a program, or `None` if the program does not have the commands for it.
    pub fn spoken_by(&self, voice: &dyn Voice) -> Option<SpokenFix> {
        let text = self.advice.spoken_by(voice);
        let steps: Vec<_> =
            self.steps.iter().map(|line| line.spoken_by(voice)).collect::<Option<_>>()?;
        if text.is_empty() {
            return None;
        }
        let advised = self.advice.lines().into_iter().filter_map(|line| line.spoken_by(voice));
        Some(SpokenFix { text, commands: advised.chain(steps).collect() })
    }
}

/// Returns an error's own advice as a fix.
impl From<&Error> for Fix {
    fn from(error: &Error) -> Self {
        Self::new(error.advice(), [])
    }
}

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
    let is_due = |warning: &Warning| match warning {
        Warning::NotPersistent(_) => false,
        Warning::ReadByContainers => system.in_use == Some(backend),
        _ => true,
    };
    let warnings = capabilities.warnings().into_iter().filter(is_due);
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

/// Returns the problem of a store whose error has the advice that mends it.
fn advised(backend: Backend, error: &Error) -> Finding {
    Finding { fixes: vec![error.into()], ..problem(backend, error) }
}

fn problem(backend: Backend, error: &Error) -> Finding {
    // The general message of a kind names no store.
    let problem = match error.problem() == error.kind().to_string() {
        true => format!("{backend}: {}", error.problem()),
        false => error.problem().to_owned(),
    };
    finding(backend, Severity::Problem, Some(error.kind()), problem)
}

fn finding(
    backend: Backend,
    severity: Severity,
    kind: Option<ErrorKind>,
    problem: String,
) -> Finding {
    Finding { severity, backend: Some(backend), kind, problem, fixes: Vec::new() }
}

/// Returns advice to accept a session without encryption.
pub fn unencrypted_session() -> Sentence {
    Sentence::from("Or take it as it is, for one command, with ")
        .option("--allow-unencrypted-bus")
        .text(".")
}
