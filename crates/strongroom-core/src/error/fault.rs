//! A failure without its context, for code that does not know the operation.

use std::error::Error as StdError;
use std::fmt;

use super::kind::SEE_CAUSE;
use super::{Error, ErrorKind, Operation, Reason};
use crate::advice::{Advice, Command, Neutral, Sentence};

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
    /// The advice of its own, without the kind's.
    advice: Advice,
    /// The part of that advice that names no command; `None` if there is none.
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Fault {
    /// Creates a fault of this kind.
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            reason: None,
            message: None,
            advice: Advice::new(),
            hint: None,
            source: None,
        }))
    }

    /// Sets the message, in place of the kind's own. It must never contain a value.
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// Sets the hint, in place of the kind's own. Sentences with commands stay.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.advice.replace_text(hint.into());
        self.heard()
    }

    /// Sets the advice, in place of the kind's own and of all that was added.
    pub fn with_advice(mut self, advice: impl Into<Advice>) -> Self {
        self.0.advice = advice.into();
        self.heard()
    }

    /// Adds a sentence to the advice.
    pub fn with_sentence(mut self, sentence: impl Into<Sentence>) -> Self {
        self.0.advice = std::mem::take(&mut self.0.advice).and(sentence);
        self.heard()
    }

    /// Adds a sentence about a helpful command: the command, and a clause about its effect.
    pub fn with_command(self, command: impl Into<Command>, effect: impl Into<String>) -> Self {
        self.with_sentence(command.into().does(effect.into()))
    }

    /// Renders the part of the advice that is for every user.
    fn heard(mut self) -> Self {
        self.0.hint = Some(self.0.advice.spoken_by(&Neutral)).filter(|hint| !hint.is_empty());
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

    /// Returns the advice, with commands. See [`Error::advice`].
    pub fn advice(&self) -> Advice {
        match self.0.hint {
            Some(_) => self.0.advice.clone(),
            None => Advice::from(self.hint().to_owned()).and_all(self.0.advice.clone()),
        }
    }

    /// Returns the commands in the advice, the best first.
    pub fn commands(&self) -> Vec<&Command> {
        self.0.advice.commands()
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
