//! The failure of a command.

use std::error::Error as _;
use std::io;
use std::path::Path;

use strongroom::ErrorKind;
use strongroom::advice::{Advice, Command, Sentence};
use strongroom::doctor::unencrypted_session;
use strongroom::error::{Operation, Reason};
use strongroom::store::{EntryName, VAULT_ENTRY};

use crate::exit::Exit;

/// The result of a step of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// The failure of a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The reader of the output has gone away, as `head` does, so there is nothing to report.
    OutputClosed,
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
    pub(crate) advice: Advice,
}

impl Failure {
    /// Creates a failure for a command that is not typed as it must be.
    pub(crate) fn usage(message: impl Into<String>, advice: impl Into<Advice>) -> Self {
        Self::new(Exit::Usage, ErrorKind::Invalid.code(), message, advice)
    }

    /// Creates a failure of the program itself, with a stable token for machines.
    pub(crate) fn new(
        exit: Exit,
        code: &'static str,
        message: impl Into<String>,
        advice: impl Into<Advice>,
    ) -> Self {
        let (message, advice) = (message.into(), advice.into());
        let causes = Vec::new();
        Self::Report(Box::new(Report { exit, code, reason: None, message, causes, advice }))
    }

    /// Creates a failure for an I/O error of a file, a terminal or a pipe.
    pub(crate) fn io(
        message: impl Into<String>,
        cause: &io::Error,
        advice: impl Into<Advice>,
    ) -> Self {
        let (message, advice, causes) = (message.into(), advice.into(), vec![cause.to_string()]);
        let (exit, code) = (Exit::Failed, ErrorKind::Io.code());
        Self::Report(Box::new(Report { exit, code, reason: None, message, causes, advice }))
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
            advice: error.advice(),
        }))
    }

    /// Returns whether it is an error of any of these kinds.
    pub(crate) fn is(&self, kinds: &[ErrorKind]) -> bool {
        match self {
            Self::OutputClosed => false,
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
            advice: advice(&error),
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
            return Self::OutputClosed;
        }
        Self::io("cannot write the output", &cause, "See where the output goes: a full disk?")
    }
}

/// Returns the advice on an error: the library's, extended by commands of this program.
pub(crate) fn advice(error: &strongroom::Error) -> Advice {
    let advice = error.advice();
    match (error.kind(), error.entry()) {
        (ErrorKind::Ambiguous | ErrorKind::NotFound, Some(entry))
            if error.commands().is_empty() =>
        {
            advice.and(about_entry(error.kind(), entry))
        }
        (ErrorKind::AlreadyExists, _) => replace_it().text("choose another name.").into(),
        (ErrorKind::NoBackend, _) if error.reason() == Some(Reason::SessionNotEncrypted) => {
            advice.and(unencrypted_session())
        }
        (ErrorKind::Locked | ErrorKind::NoBackend | ErrorKind::NoDefaultCollection, _) => {
            advice.and(Command::new("doctor").does("shows the commands"))
        }
        _ => advice,
    }
}

/// Returns advice on a secret that exists: to replace it, or to use another command.
pub(crate) fn replace_or_use(command: Command) -> Sentence {
    replace_it().text("use ").command(command).text(".")
}

fn replace_it() -> Sentence {
    Sentence::from("Leave out ").option("--create-new").text(" to replace it, or ")
}

fn about_entry(kind: ErrorKind, entry: &EntryName) -> Sentence {
    let (service, user) = (entry.service().as_str(), entry.user().as_str());
    match (kind, user) {
        (ErrorKind::Ambiguous, _) => Sentence::default()
            .command(Command::new("entry repair").value(service, "SERVICE").value(user, "USER"))
            .text(" shows the items; with ")
            .option("--keep ID")
            .text(" it keeps one and deletes the others."),
        (_, VAULT_ENTRY) => Command::new("setup NAME").on(service).does("stores a first secret"),
        (_, user) => Sentence::default()
            .command(Command::new("entry list").value(service, "SERVICE"))
            .text(" shows what is there; ")
            .command(Command::new("entry set").value(service, "SERVICE").value(user, "USER"))
            .text(" stores it."),
    }
}
