//! Errors: their kind, the operation they occurred in, and advice on the next step.

mod text;

use std::error::Error as StdError;
use std::fmt;

use crate::{AdvisedCommand, EntryName};

/// The advice of kinds whose cause says more.
const SEE_CAUSE: &str = "See the cause.";

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
    kind: ErrorKind,
    reason: Option<Reason>,
    operation: Operation,
    store: Option<&'static str>,
    entry: Option<EntryName>,
    message: Option<String>,
    hint: Option<String>,
    /// `true` if the sentence ends in the hint.
    says_hint: bool,
    commands: Vec<AdvisedCommand>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ErrorKind {
    /// The system refused the caller.
    AccessDenied,
    /// The entry exists, and the write was to create it.
    AlreadyExists,
    /// Several items have the same name.
    Ambiguous,
    /// The secrets are in another backend than the requested backend.
    BoundElsewhere,
    /// Another process or thread holds a resource past the deadline.
    Busy,
    /// Two sides hold different values.
    Conflict,
    /// The stored data can't be read.
    Corrupt,
    /// The user closed the prompt.
    Dismissed,
    /// The secret has expired.
    Expired,
    /// The data in a permanent store is no longer there.
    Gone,
    /// A prompt is needed, and can't be shown here.
    InteractionNotAllowed,
    /// An argument of the caller is not valid.
    Invalid,
    /// Reading or writing a file, socket or pipe failed.
    Io,
    /// The sealed data exists, but its key does not.
    KeyMissing,
    /// The store is locked.
    Locked,
    /// The store can't be used.
    NoBackend,
    /// The store runs, but has no collection for new entries.
    NoDefaultCollection,
    /// The login session has no credentials of its own (Windows network logon).
    NoLogonSession,
    /// There is no such entry.
    NotFound,
    /// A failure that no other kind describes.
    Other,
    /// The system's limit for this user is reached.
    QuotaExceeded,
    /// The deadline passed.
    TimedOut,
    /// The value is larger than the store accepts.
    TooLarge,
    /// The store can't do this.
    Unsupported,
    /// The key does not fit the sealed data.
    WrongKey,
}

/// The cause of an error, for causes that matter beyond the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The store would be shared with other containers.
    Container,
    /// The store belongs to another user of the machine.
    ForeignOwner,
    /// The process was forked after the store was opened.
    Forked,
    /// There is no session bus.
    NoBus,
    /// No program serves secrets on the session bus.
    NoProvider,
    /// A sandbox or a policy keeps the program from the store.
    Sandbox,
    /// The program that serves the store doesn't encrypt the session.
    SessionNotEncrypted,
    /// The session bus at the configured address does not exist, and the user has another session bus.
    StaleBusAddress,
}

/// The operation in which an error occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Operation {
    /// Making a backup of a vault, or reading one.
    Backup,
    /// Choosing a store.
    Choose,
    /// Deleting an entry.
    Delete,
    /// Checking whether an entry exists.
    Exists,
    /// Reading an entry's value.
    Get,
    /// Working with the keys of a sealed file.
    Keys,
    /// Listing the entries of a service.
    List,
    /// Moving a vault into another store.
    Move,
    /// Checking a name.
    Name,
    /// Opening the file of a vault.
    Open,
    /// Checking whether the store can be used.
    Probe,
    /// Repairing an entry with several items.
    Repair,
    /// Restoring a backup's secrets into a vault.
    Restore,
    /// Serving the settings page.
    Serve,
    /// Writing an entry's value.
    Set,
}

impl Error {
    /// Creates an error of this kind in this operation.
    pub fn new(kind: ErrorKind, operation: Operation) -> Self {
        Self(Box::new(Inner {
            kind,
            reason: None,
            operation,
            store: None,
            entry: None,
            message: None,
            hint: None,
            says_hint: false,
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

    /// Sets a hint that is part of the sentence, so that plain `{}` ends in it: advice of an application for
    /// its users.
    pub fn with_remedy(mut self, hint: impl Into<String>) -> Self {
        self.0.says_hint = true;
        self.with_hint(hint)
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
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Sets the operation, in place of the operation in which the error was created.
    pub fn during(mut self, operation: Operation) -> Self {
        self.0.operation = operation;
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the cause, if it matters beyond the kind.
    pub fn reason(&self) -> Option<Reason> {
        self.0.reason
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
        self.0.message.as_deref().unwrap_or(self.0.kind.clause())
    }

    /// Returns advice on the next step, as a sentence for the user.
    ///
    /// It names no command of the program `strongroom`, which the users of an application may not have:
    /// [`commands`](Self::commands) has those. `{:#}` and `Debug` show the hint; plain `{}` shows it only if
    /// it was set by [`with_remedy`](Self::with_remedy).
    pub fn hint(&self) -> &str {
        match self.0.hint.as_deref().unwrap_or(self.0.kind.hint()) {
            // Without a source there is no cause to see.
            SEE_CAUSE if self.0.source.is_none() => "Try again.",
            hint => hint,
        }
    }

    /// Returns helpful commands of the program `strongroom`, in addition to the [`hint`](Self::hint), the
    /// best first.
    pub fn commands(&self) -> &[AdvisedCommand] {
        &self.0.commands
    }

    /// Returns a stable token for the kind, for machines.
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }
}

impl Reason {
    /// Returns a stable token, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::ForeignOwner => "foreign_owner",
            Self::Forked => "forked",
            Self::NoBus => "no_bus",
            Self::NoProvider => "no_provider",
            Self::Sandbox => "sandbox",
            Self::SessionNotEncrypted => "session_not_encrypted",
            Self::StaleBusAddress => "stale_bus_address",
        }
    }
}

impl ErrorKind {
    /// Returns a stable token, in snake case.
    pub const fn code(self) -> &'static str {
        self.texts().0
    }

    /// Returns the problem as a clause.
    const fn clause(self) -> &'static str {
        self.texts().1
    }

    /// Returns advice on the next step.
    const fn hint(self) -> &'static str {
        self.texts().2
    }

    /// Returns token, clause and hint.
    const fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::AccessDenied => (
                "access_denied",
                "the system refused access",
                "Check who owns the entry and whether this program may use it.",
            ),
            Self::AlreadyExists => (
                "already_exists",
                "it exists already",
                "Overwrite it on purpose, or choose another name.",
            ),
            Self::Ambiguous => (
                "ambiguous",
                "several items answer to this name",
                "Look at them, keep one and delete the others.",
            ),
            Self::BoundElsewhere => (
                "bound_elsewhere",
                "the secrets live in another backend",
                "Use that backend, or move the secrets first.",
            ),
            Self::Busy => ("busy", "somebody else is using it", "Try again in a moment."),
            Self::Conflict => {
                ("conflict", "two sides hold different values", "Compare them and choose one.")
            }
            Self::Corrupt => (
                "corrupt",
                "the stored data can't be read",
                "Nothing was changed. Keep a copy before you write over it.",
            ),
            Self::Dismissed => (
                "dismissed",
                "the prompt was closed without an answer",
                "Try again and answer the prompt.",
            ),
            Self::Expired => ("expired", "it has expired", "Store a new value."),
            Self::Gone => (
                "gone",
                "what was stored is no longer there",
                "Bring it back, from a backup for instance, or begin anew on purpose.",
            ),
            Self::InteractionNotAllowed => (
                "interaction_not_allowed",
                "a prompt is needed and none can be shown here",
                "Try again from a desktop session, or unlock the store first.",
            ),
            Self::Invalid => ("invalid", "the argument can't be used", "Correct it and try again."),
            Self::Io => ("io", "reading or writing failed", SEE_CAUSE),
            Self::KeyMissing => (
                "key_missing",
                "the key to the sealed data is gone",
                "Bring the key back. No new one is made over existing data.",
            ),
            Self::Locked => {
                ("locked", "the store is locked", "Unlock it, or allow a prompt, and try again.")
            }
            Self::NoBackend => (
                "no_backend",
                "no usable credential store was found",
                "Install and start one, or choose another backend.",
            ),
            Self::NoDefaultCollection => (
                "no_default_collection",
                "the Secret Service has no default collection",
                "Create one in the desktop's password manager and make it the default.",
            ),
            Self::NoLogonSession => (
                "no_logon_session",
                "this login has no credentials of its own",
                "Use an interactive login; a network logon can't reach the store.",
            ),
            Self::NotFound => ("not_found", "there is no such entry", "Store it first."),
            Self::Other => ("other", "it failed", SEE_CAUSE),
            Self::QuotaExceeded => (
                "quota_exceeded",
                "the system's limit for this user is reached",
                "Delete entries that are not needed any more, or use another backend.",
            ),
            Self::TimedOut => (
                "timed_out",
                "no answer within the deadline",
                "See whether the store hangs or waits for you, then try again.",
            ),
            Self::TooLarge => (
                "too_large",
                "the value is larger than the store takes",
                "Store less in one entry, or use another backend.",
            ),
            Self::Unsupported => {
                ("unsupported", "the store can't do this", "Use a backend that can.")
            }
            Self::WrongKey => (
                "wrong_key",
                "the key does not fit the sealed data",
                "Use the key that the data was sealed with.",
            ),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.clause())
    }
}

impl Operation {
    /// Returns the operation in words that can follow "cannot".
    const fn words(self) -> &'static str {
        match self {
            Self::Backup => "back up",
            Self::Choose => "choose a store",
            Self::Delete => "delete",
            Self::Exists => "look for",
            Self::Get => "read",
            Self::Keys => "work with the keys",
            Self::List => "list entries",
            Self::Move => "move the secrets",
            Self::Name => "use this name",
            Self::Open => "open the vault",
            Self::Probe => "use the store",
            Self::Repair => "repair",
            Self::Restore => "restore",
            Self::Serve => "serve the settings page",
            Self::Set => "store",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(error.hint(), ErrorKind::Locked.hint());
        let error = error.with_hint("Open Seahorse.").with_command("list", "asks for it");
        assert_eq!(error.hint(), "Open Seahorse.");
        assert_eq!(error.commands()[0].to_string(), "`strongroom list` asks for it.");
    }
}
