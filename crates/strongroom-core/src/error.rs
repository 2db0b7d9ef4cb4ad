//! Errors: their kind, the operation they occurred in, and advice on the next step.

mod fault;
mod kind;
mod operation;
mod text;

use std::error::Error as StdError;

use crate::EntryName;
use crate::advice::{Advice, Command, Sentence};

pub use fault::Fault;
pub use kind::{ErrorKind, Reason};
pub use operation::Operation;

/// The result of an operation on secrets.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of any store: its kind, its operation, its context and its cause.
///
/// `{}` is a sentence. `{:#}` adds the [`hint`](Self::hint) and the causes on the same line. `Debug`, which
/// `unwrap` and `fn main() -> Result` print, shows them on separate lines. Neither the error nor its sources
/// ever contain a secret value.
///
/// ```
/// use strongroom_core::{Error, ErrorKind, Operation};
///
/// let error = Error::new(ErrorKind::Locked, Operation::Get);
/// assert_eq!(error.to_string(), "cannot read: the store is locked");
/// assert_eq!(format!("{error:#}"), format!("{error}. {}", error.hint()));
/// ```
pub struct Error(Box<Inner>);

// Boxed, so that a `Result` stays small.
struct Inner {
    fault: Fault,
    operation: Operation,
    store: Option<&'static str>,
    entry: Option<EntryName>,
    /// `true` if the sentence ends in the hint.
    says_hint: bool,
}

impl Error {
    /// Creates an error of this kind in this operation.
    pub fn new(kind: ErrorKind, operation: Operation) -> Self {
        Self::from_fault(Fault::new(kind), operation)
    }

    fn from_fault(fault: Fault, operation: Operation) -> Self {
        Self(Box::new(Inner { fault, operation, store: None, entry: None, says_hint: false }))
    }

    /// Sets the message, in place of the kind's own. It must never contain a value.
    pub fn with_message(self, message: impl Into<String>) -> Self {
        self.with_fault(|fault| fault.with_message(message))
    }

    /// Sets the hint, in place of the kind's own. Sentences with commands stay.
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        self.with_fault(|fault| fault.with_hint(hint))
    }

    /// Sets a hint that is part of the sentence, so that plain `{}` ends in it: advice of an application for
    /// its users.
    pub fn with_remedy(mut self, hint: impl Into<String>) -> Self {
        self.0.says_hint = true;
        self.with_hint(hint)
    }

    /// Sets the advice, in place of the kind's own and of all that was added.
    pub fn with_advice(self, advice: impl Into<Advice>) -> Self {
        self.with_fault(|fault| fault.with_advice(advice))
    }

    /// Adds a sentence to the advice.
    pub fn with_sentence(self, sentence: impl Into<Sentence>) -> Self {
        self.with_fault(|fault| fault.with_sentence(sentence))
    }

    /// Adds a sentence about a helpful command: the command, and a clause about its effect.
    pub fn with_command(self, command: impl Into<Command>, effect: impl Into<String>) -> Self {
        self.with_fault(|fault| fault.with_command(command, effect))
    }

    /// Sets the cause, to distinguish it from other causes of the same kind.
    pub fn with_reason(self, reason: Reason) -> Self {
        self.with_fault(|fault| fault.with_reason(reason))
    }

    /// Sets the entry.
    pub fn with_entry(mut self, entry: &EntryName) -> Self {
        self.0.entry = Some(entry.clone());
        self
    }

    /// Sets the name of the store.
    pub fn with_store(mut self, store: &'static str) -> Self {
        self.0.store = Some(store);
        self
    }

    /// Sets the source of the error. It must not show a value either.
    pub fn with_source(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.with_fault(|fault| fault.with_source(source))
    }

    /// Sets the operation, in place of the operation in which the error was created.
    pub fn during(mut self, operation: Operation) -> Self {
        self.0.operation = operation;
        self
    }

    /// Returns the error without its context.
    pub fn into_fault(self) -> Fault {
        self.0.fault
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.fault.kind()
    }

    /// Returns the cause, if it matters beyond the kind.
    pub fn reason(&self) -> Option<Reason> {
        self.0.fault.reason()
    }

    /// Returns the operation in which the error occurred.
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// Returns the entry, if the error is about an entry.
    pub fn entry(&self) -> Option<&EntryName> {
        self.0.entry.as_ref()
    }

    /// Returns the name of the store, if a store was reached.
    pub fn store(&self) -> Option<&'static str> {
        self.0.store
    }

    /// Returns the problem as a clause, without the operation and its context.
    pub fn problem(&self) -> &str {
        self.0.fault.problem()
    }

    /// Returns advice on the next step, as a sentence for the user.
    ///
    /// It is the [`advice`](Self::advice) as a program without Strongroom's commands says it. `{:#}` and `Debug`
    /// show the hint; plain `{}` shows it only if it was set by [`with_remedy`](Self::with_remedy).
    pub fn hint(&self) -> &str {
        self.0.fault.hint()
    }

    /// Returns advice on the next step as data. A program that has Strongroom's commands says it with a
    /// [`Voice`](crate::advice::Voice) of its own.
    pub fn advice(&self) -> Advice {
        self.0.fault.advice()
    }

    /// Returns the commands in the advice, the best first.
    pub fn commands(&self) -> Vec<&Command> {
        self.0.fault.commands()
    }

    /// Returns a stable token for the kind, for machines.
    pub fn code(&self) -> &'static str {
        self.kind().code()
    }

    fn with_fault(mut self, change: impl FnOnce(Fault) -> Fault) -> Self {
        self.0.fault = change(self.0.fault);
        self
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.fault.source()
    }
}

#[cfg(test)]
mod tests {
    use super::kind::SEE_CAUSE;
    use super::*;

    #[test]
    fn it_says_what_where_and_why() {
        let entry = EntryName::new("app", "token").expect("the name is valid");
        let error = Error::new(ErrorKind::Locked, Operation::Get)
            .with_entry(&entry)
            .with_store("secret-service")
            .with_source(std::io::Error::other("cause"));
        assert_eq!(
            error.to_string(),
            r#"cannot read "token" of service "app" (secret-service): the store is locked"#
        );
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("cause"));
        assert_eq!((error.code(), error.kind()), ("locked", ErrorKind::Locked));
        assert_eq!(error.problem(), "the store is locked");
        assert_eq!(error.with_message("it is \"closed\"").problem(), "it is \"closed\"");
    }

    #[test]
    fn a_hint_of_its_own_wins_over_the_kinds() {
        let error = Error::new(ErrorKind::Io, Operation::Get);
        assert_eq!(error.hint(), "Try again.", "no cause is there to be seen");
        assert_eq!(error.with_source(std::io::Error::other("cause")).hint(), SEE_CAUSE);
        let error = Error::new(ErrorKind::Locked, Operation::Get);
        assert_eq!(error.hint(), "Unlock it, or allow a prompt, and try again.");
        let error = error.with_hint("Open Seahorse.").with_command("list", "asks for it");
        assert_eq!(error.hint(), "Open Seahorse.");
        assert_eq!(error.commands(), [&Command::new("list")]);
    }

    #[test]
    fn the_hint_is_the_advice_without_commands() {
        let bare = Error::new(ErrorKind::Corrupt, Operation::Get).with_command("repair", "helps");
        assert!(bare.hint().starts_with("Nothing was changed."), "the kind's own: {}", bare.hint());
        assert_eq!(bare.advice().sentences().len(), 2);
        let named = bare.with_hint("Keep a copy.");
        assert_eq!((named.hint(), named.commands().len()), ("Keep a copy.", 1));
        let replaced = named.with_advice("Begin anew.");
        assert_eq!((replaced.hint(), replaced.commands().len()), ("Begin anew.", 0));
    }
}
