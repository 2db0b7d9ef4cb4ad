//! A failure without its context, for code that does not know the operation.

use std::error::Error as StdError;
use std::fmt;

use super::kind::SEE_CAUSE;
use super::{Error, ErrorKind, Operation, Reason};
use crate::AdvisedCommand;

/// A failure without its context: the kind, the cause and the advice, but no operation, store or entry.
///
/// The inner functions of a store return it. Each public method adds the context, once, with
/// [`during`](Self::during).
///
/// ```
/// use strongroom_core::{Error, ErrorKind, Fault, Operation};
///
/// fn value() -> Result<String, Fault> {
///     Err(Fault::new(ErrorKind::Locked))
/// }
///
/// fn get() -> Result<String, Error> {
///     value().map_err(|fault| fault.during(Operation::Get).with_store("vault-server"))
/// }
///
/// assert_eq!(get().unwrap_err().to_string(), "cannot read (vault-server): the store is locked");
/// ```
pub struct Fault(Box<Inner>);

// Boxed, so that a `Result` stays small.
struct Inner {
    kind: ErrorKind,
    reason: Option<Reason>,
    message: Option<String>,
    hint: Option<String>,
    commands: Vec<AdvisedCommand>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Fault {
    /// Creates a fault of this kind.
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            reason: None,
            message: None,
            hint: None,
            commands: Vec::new(),
            source: None,
        }))
    }

    /// Sets the message, in place of the kind's own. It must never contain a value.
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// Sets the hint, in place of the kind's own.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds a helpful command of the program `strongroom`: its arguments, quoted for a shell, and a clause
    /// about its effect.
    pub fn with_command(mut self, arguments: impl Into<String>, effect: impl Into<String>) -> Self {
        self.0.commands.push(AdvisedCommand::new(arguments, effect));
        self
    }

    /// Sets the cause, to distinguish it from other causes of the same kind.
    pub fn with_reason(mut self, reason: Reason) -> Self {
        self.0.reason = Some(reason);
        self
    }

    /// Sets the source of the fault. It must not show a value either.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Returns the error of an operation that failed with this fault.
    pub fn during(self, operation: Operation) -> Error {
        Error::from_fault(self, operation)
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the cause, if it matters beyond the kind.
    pub fn reason(&self) -> Option<Reason> {
        self.0.reason
    }

    /// Returns the problem as a clause.
    pub fn problem(&self) -> &str {
        self.0.message.as_deref().unwrap_or(self.0.kind.clause())
    }

    /// Returns advice on the next step, as a sentence for the user. See [`Error::hint`].
    pub fn hint(&self) -> &str {
        match self.0.hint.as_deref().unwrap_or(self.0.kind.hint()) {
            // Without a source there is no cause to see.
            SEE_CAUSE if self.0.source.is_none() => "Try again.",
            hint => hint,
        }
    }

    /// Returns helpful commands of the program `strongroom`, the best first. See [`Error::commands`].
    pub fn commands(&self) -> &[AdvisedCommand] {
        &self.0.commands
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem())
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.problem(), self.hint())
    }
}

impl StdError for Fault {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
