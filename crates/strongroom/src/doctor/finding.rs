//! Findings and their fixes, as data and in the words of a program.

use strongroom_core::advice::{Advice, Line, Sentence, Voice};
use strongroom_core::{Error, ErrorKind};

use crate::Backend;

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

/// Returns the problem of a store whose error has the advice that mends it.
pub(super) fn advised(backend: Backend, error: &Error) -> Finding {
    Finding { fixes: vec![error.into()], ..problem(backend, error) }
}

/// Returns the problem of a store, without fixes.
pub(super) fn problem(backend: Backend, error: &Error) -> Finding {
    // The general message of a kind names no store.
    let problem = match error.problem() == error.kind().to_string() {
        true => format!("{backend}: {}", error.problem()),
        false => error.problem().to_owned(),
    };
    finding(backend, Severity::Problem, Some(error.kind()), problem)
}

/// Returns a finding about a store, without fixes.
pub(super) fn finding(
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
