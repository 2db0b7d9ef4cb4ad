//! D-Bus and Secret Service errors as kinds of errors; nowhere else.

use std::time::Duration;

use strongroom_core::{EntryName, Error, ErrorKind, Operation, Reason};
use zbus::DBusError as _;

use crate::SecretServiceStore;
use crate::sandbox::Sandbox;
use crate::text::printable;

/// Why a step of an operation failed, and whether the operation may be done again from its start.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) reason: Option<Reason>,
    pub(crate) retry: Retry,
    /// Whether a call got no answer at all.
    pub(crate) silence: bool,
    message: Option<String>,
    hint: Option<String>,
    source: Option<Cause>,
}

/// What has to be made anew before an operation can be done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Retry {
    /// Nothing would help.
    No,
    /// The session, and with it the knowledge of who owns the service's name.
    Session,
    /// The connection to the bus.
    Connection,
}

/// The cause as the bus or the provider tells it: an error's name and text, no message's body.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Cause(String);

impl Failure {
    /// A failure of this kind, final.
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            reason: None,
            retry: Retry::No,
            silence: false,
            message: None,
            hint: None,
            source: None,
        }
    }

    /// No answer in time.
    pub(crate) fn no_answer(waited: Duration) -> Self {
        let mut failure = Self::new(ErrorKind::TimedOut).message(format!(
            "the Secret Service did not answer within {:.1} s",
            waited.as_secs_f64()
        ));
        failure.silence = true;
        failure
    }

    /// The provider answered something that the protocol does not know.
    pub(crate) fn unexpected(what: &str) -> Self {
        Self::new(ErrorKind::Other).message(format!("the Secret Service answered {what}"))
    }

    /// Whether the object that was called is not there any more, though its owner is.
    pub(crate) fn is_vanished(&self) -> bool {
        self.kind == ErrorKind::Other && self.retry == Retry::Session
    }

    /// Adds what tells this cause apart from others of its kind.
    pub(crate) fn reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The silence is the bus's own, so the provider is not to blame.
    pub(crate) fn silent_bus(mut self) -> Self {
        self.silence = false;
        self
    }

    /// Whether no program serves secrets on the bus, as far as it tells.
    pub(crate) fn is_absence(&self) -> bool {
        self.kind == ErrorKind::NoBackend
            && matches!(self.reason, Some(Reason::NoProvider | Reason::Sandbox))
    }

    /// The same, saying what happened.
    pub(crate) fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The same, saying what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with what has to be made anew before another try.
    pub(crate) fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The library's error.
    pub(crate) fn into_error(self, operation: Operation, entry: Option<&EntryName>) -> Error {
        let mut error = Error::new(self.kind, operation).with_store(SecretServiceStore::NAME);
        if let Some(entry) = entry {
            error = error.with_entry(entry);
        }
        if let Some(reason) = self.reason {
            error = error.with_reason(reason);
        }
        if let Some(message) = self.message {
            error = error.with_message(message);
        }
        if let Some(hint) = self.hint {
            error = error.with_hint(hint);
        }
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }

    /// The bus is there and no program serves secrets on it.
    fn no_service() -> Self {
        let failure = Self::new(ErrorKind::NoBackend)
            .reason(Reason::NoProvider)
            .message("no Secret Service runs on the session bus, and none could be started");
        match Sandbox::detect() {
            // Its proxy hides what the program may not talk to.
            sandbox @ Sandbox::Flatpak(_) => failure.reason(Reason::Sandbox).hint(sandbox.hint()),
            _ => failure.hint("Install and start one: gnome-keyring, KWallet or KeePassXC."),
        }
    }

    /// The provider speaks without encryption only, which the caller did not allow.
    pub(crate) fn not_encrypted() -> Self {
        Self::new(ErrorKind::NoBackend)
            .reason(Reason::SessionNotEncrypted)
            .message(
                "the Secret Service doesn't encrypt the session, so that values would cross the \
                 session bus in the clear; nothing was sent",
            )
            .hint(
                "Use a keyring that does (gnome-keyring, KWallet, KeePassXC, oo7), or an encrypted \
                 file, the backend file.",
            )
    }

    /// The process is not the one that opened the store.
    pub(crate) fn forked() -> Self {
        Self::new(ErrorKind::NoBackend)
            .reason(Reason::Forked)
            .message("this process was forked after the store was opened; nothing was changed")
            .hint("Open the store again in the new process.")
    }

    /// The same, told as what it is: not the provider refused, but the bus on the way there.
    pub(crate) fn refused_by_bus(self) -> Self {
        let sandbox = Sandbox::detect();
        self.reason(Reason::Sandbox)
            .message(format!("{sandbox} keeps this program from the Secret Service"))
            .hint(sandbox.hint())
    }

    /// The same, with its cause as others tell it.
    pub(crate) fn caused_by(mut self, cause: &str) -> Self {
        self.source = Some(Cause(printable(cause)));
        self
    }
}

impl From<zbus::Error> for Failure {
    fn from(error: zbus::Error) -> Self {
        match &error {
            zbus::Error::MethodError(name, text, _) => {
                from_reply(name.as_str(), text.as_deref().unwrap_or_default())
            }
            zbus::Error::FDO(fdo) => {
                from_reply(fdo.name().as_str(), fdo.description().unwrap_or_default())
            }
            zbus::Error::InputOutput(_) => Self::new(ErrorKind::NoBackend)
                .message("the connection to the session bus broke")
                .retry(Retry::Connection)
                .caused_by(&error.to_string()),
            _ => Self::new(ErrorKind::Other).caused_by(&error.to_string()),
        }
    }
}

impl From<getrandom::Error> for Failure {
    fn from(error: getrandom::Error) -> Self {
        Self::new(ErrorKind::Io)
            .message("the system gave no random numbers")
            .caused_by(&error.to_string())
    }
}

/// The one table of D-Bus error names.
fn from_reply(name: &str, text: &str) -> Failure {
    const DBUS: &str = "org.freedesktop.DBus.Error.";
    const SECRET: &str = "org.freedesktop.Secret.Error.";
    let failure = match (name.strip_prefix(DBUS), name.strip_prefix(SECRET)) {
        (_, Some("IsLocked")) => Failure::new(ErrorKind::Locked),
        (_, Some("NoSession")) => Failure::new(ErrorKind::Other)
            .message("the Secret Service forgot the session")
            .retry(Retry::Session),
        (_, Some("NoSuchObject"))
        | (Some("UnknownObject" | "UnknownMethod" | "UnknownInterface"), _) => {
            Failure::new(ErrorKind::Other)
                .message("the item vanished from the Secret Service")
                .retry(Retry::Session)
        }
        (Some("ServiceUnknown" | "NameHasNoOwner"), _) => {
            Failure::no_service().retry(Retry::Session)
        }
        (Some(spawn), _) if spawn.starts_with("Spawn.") => Failure::no_service(),
        (Some("NoReply" | "Disconnected"), _) => Failure::new(ErrorKind::NoBackend)
            .message("the Secret Service ended during the call")
            .retry(Retry::Session),
        (Some("NotSupported"), _) => Failure::new(ErrorKind::Unsupported)
            .message("the Secret Service doesn't support the call"),
        (Some("Timeout" | "TimedOut"), _) => Failure::new(ErrorKind::TimedOut),
        (Some("AccessDenied" | "AuthFailed"), _) => Failure::new(ErrorKind::AccessDenied),
        (Some("LimitsExceeded"), _) => Failure::new(ErrorKind::QuotaExceeded),
        _ => Failure::new(ErrorKind::Other).message("the Secret Service refused the call"),
    };
    failure.caused_by(&format!("{name}: {text}"))
}
