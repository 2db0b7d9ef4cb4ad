//! The kind of an error, and its cause where that matters beyond the kind.

use std::fmt;

/// The advice of kinds whose cause says more.
pub(super) const SEE_CAUSE: &str = "See the cause.";

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
    pub(super) const fn clause(self) -> &'static str {
        self.texts().1
    }

    /// Returns advice on the next step.
    pub(super) const fn hint(self) -> &'static str {
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
