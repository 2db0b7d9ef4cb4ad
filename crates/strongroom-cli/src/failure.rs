//! The failure of a command.

use std::error::Error as _;
use std::io;
use std::path::Path;

use strongroom::ErrorKind;
use strongroom::error::{Operation, Reason};
use strongroom::store::{EntryName, VAULT_ENTRY};

use crate::exit::Exit;
use crate::words::command_word;

/// The result of a step of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// The failure of a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The reader of the output has gone away, as `head` does, so there is nothing to report.
    NobodyListens,
    /// A failure to report to the user.
    Report(Box<Report>),
}

/// A report to the user.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) exit: Exit,
    pub(crate) code: &'static str,
    /// The token that tells causes of the same code apart.
    pub(crate) reason: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) hint: String,
}

impl Failure {
    /// Creates a failure for a command that is not typed as it must be.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Exit::Usage, ErrorKind::Invalid.code(), message, hint)
    }

    /// Creates a failure of the program itself, with a stable token for machines.
    pub(crate) fn new(
        exit: Exit,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (message, hint) = (message.into(), hint.into());
        let causes = Vec::new();
        Self::Report(Box::new(Report { exit, code, reason: None, message, causes, hint }))
    }

    /// Creates a failure for an I/O error of a file, a terminal or a pipe.
    pub(crate) fn io(
        message: impl Into<String>,
        cause: &io::Error,
        hint: impl Into<String>,
    ) -> Self {
        let (message, hint, causes) = (message.into(), hint.into(), vec![cause.to_string()]);
        let (exit, code) = (Exit::Failed, ErrorKind::Io.code());
        Self::Report(Box::new(Report { exit, code, reason: None, message, causes, hint }))
    }

    /// Creates a failure for a file that the user named and that can't be used.
    pub(crate) fn file(doing: &str, path: &Path, cause: io::Error) -> Self {
        let error = strongroom_files::error(Operation::Choose, path, cause);
        let message = format!("cannot {doing}: {}", error.problem());
        Self::Report(Box::new(Report {
            exit: Exit::Failed,
            code: ErrorKind::Io.code(),
            reason: None,
            message,
            causes: causes(&error),
            hint: error.hint().to_owned(),
        }))
    }

    /// Returns whether it is an error of any of these kinds.
    pub(crate) fn is(&self, kinds: &[ErrorKind]) -> bool {
        match self {
            Self::NobodyListens => false,
            Self::Report(report) => kinds.iter().any(|kind| kind.code() == report.code),
        }
    }

    /// Returns the failure with another exit.
    pub(crate) fn ending(mut self, exit: Exit) -> Self {
        if let Self::Report(report) = &mut self {
            report.exit = exit;
        }
        self
    }
}

impl From<strongroom::Error> for Failure {
    fn from(error: strongroom::Error) -> Self {
        let causes = causes(&error);
        Self::Report(Box::new(Report {
            exit: error.kind().into(),
            code: error.code(),
            reason: error.reason().map(Reason::code),
            message: error.to_string(),
            causes,
            hint: hint(&error),
        }))
    }
}

fn causes(error: &strongroom::Error) -> Vec<String> {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.map(ToString::to_string).collect()
}

/// Converts an error of writing the output.
impl From<io::Error> for Failure {
    fn from(cause: io::Error) -> Self {
        if cause.kind() == io::ErrorKind::BrokenPipe {
            return Self::NobodyListens;
        }
        Self::io("cannot write the output", &cause, "See where the output goes: a full disk?")
    }
}

/// Returns the advice on an error: the library's, extended by commands of this program, and written for `strongroom`.
pub(crate) fn hint(error: &strongroom::Error) -> String {
    let hint = with_commands(error);
    match (error.kind(), error.entry()) {
        (ErrorKind::Ambiguous | ErrorKind::NotFound, Some(entry)) => about_entry(error, entry),
        (ErrorKind::AlreadyExists, _) => {
            "Leave out `--create-new` to replace it, or choose another name.".to_owned()
        }
        (ErrorKind::NoBackend, _) if error.reason() == Some(Reason::SessionNotEncrypted) => {
            format!("{hint} Or take it as it is, for one command, with `--allow-unencrypted-bus`.")
        }
        (ErrorKind::Locked | ErrorKind::NoBackend | ErrorKind::NoDefaultCollection, _) => {
            format!("{hint} `strongroom doctor` shows the commands.")
        }
        _ => hint,
    }
}

/// Returns the library's advice on an error, with the commands that follow it.
pub(crate) fn with_commands(error: &strongroom::Error) -> String {
    let commands = error.commands().iter().map(ToString::to_string);
    [error.hint().to_owned()].into_iter().chain(commands).collect::<Vec<_>>().join(" ")
}

fn about_entry(error: &strongroom::Error, entry: &EntryName) -> String {
    let service = command_word(entry.service().as_str(), "SERVICE");
    let user = command_word(entry.user().as_str(), "USER");
    match (error.kind(), user == VAULT_ENTRY) {
        (ErrorKind::Ambiguous, true) => with_commands(error),
        (ErrorKind::Ambiguous, false) => format!(
            "`strongroom entry repair {service} {user}` shows the items; with `--keep ID` it keeps one and deletes \
             the others."
        ),
        (_, true) => format!("`strongroom setup NAME --service {service}` stores a first secret."),
        (_, false) => format!(
            "`strongroom entry list {service}` shows what is there; \
             `strongroom entry set {service} {user}` stores it."
        ),
    }
}
