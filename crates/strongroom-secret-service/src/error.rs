//! Maps D-Bus and Secret Service errors to error kinds. No other module does.

use std::time::Duration;

use strongroom_core::advice::Advice;
use strongroom_core::{EntryName, Error, ErrorKind, Operation, Reason};
use zbus::DBusError as _;

use crate::SecretServiceStore;
use crate::sandbox::Sandbox;
use crate::text::printable;

/// The failure of a step, and whether the operation may be repeated from its start.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) reason: Option<Reason>,
    pub(crate) retry: Retry,
    /// Set if a call got no answer at all.
    pub(crate) silence: bool,
    message: Option<String>,
    advice: Option<Advice>,
    source: Option<Cause>,
}

/// The state that has to be rebuilt before an operation can be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Retry {
    /// Repeating would not help.
    No,
    /// The session, and the known owner of the service's bus name.
    Session,
    /// The connection to the bus.
    Connection,
}

/// The cause as the bus or the provider reports it: an error's name and text, but never a message body, which
/// may hold a value.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Cause(String);

impl Failure {
    /// Creates a failure of this kind that does not permit a repetition.
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            reason: None,
            retry: Retry::No,
            silence: false,
            message: None,
            advice: None,
            source: None,
        }
    }

    /// Creates the failure for a call without an answer in time.
    pub(crate) fn no_answer(waited: Duration) -> Self {
        let mut failure = Self::new(ErrorKind::TimedOut).message(format!(
            "the Secret Service did not answer within {:.1} s",
            waited.as_secs_f64()
        ));
        failure.silence = true;
        failure
    }

    /// Creates the failure for an answer that the protocol does not allow.
    pub(crate) fn unexpected(what: &str) -> Self {
        Self::new(ErrorKind::Other).message(format!("the Secret Service answered {what}"))
    }

    /// Returns whether the called object no longer exists, though its owner does.
    pub(crate) fn is_vanished(&self) -> bool {
        self.kind == ErrorKind::Other && self.retry == Retry::Session
    }

    /// Sets the reason, which distinguishes causes of the same kind.
    pub(crate) fn reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Marks the silence as the bus's own, so that the provider is not blamed.
    pub(crate) fn silent_bus(mut self) -> Self {
        self.silence = false;
        self
    }

    /// Returns whether the bus reports no program that serves secrets.
    pub(crate) fn is_absence(&self) -> bool {
        self.kind == ErrorKind::NoBackend
            && matches!(self.reason, Some(Reason::NoProvider | Reason::Sandbox))
    }

    /// Sets the message.
    pub(crate) fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Sets the hint, the user's next step.
    pub(crate) fn hint(mut self, hint: impl Into<Advice>) -> Self {
        self.advice = Some(hint.into());
        self
    }

    /// Sets the state that has to be rebuilt before the operation is repeated.
    pub(crate) fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Converts the failure to the library's error.
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
        if let Some(advice) = self.advice {
            error = error.with_advice(advice);
        }
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }

    /// Creates the failure for a bus on which no program serves secrets.
    fn no_service() -> Self {
        let failure = Self::new(ErrorKind::NoBackend)
            .reason(Reason::NoProvider)
            .message("no Secret Service runs on the session bus, and none could be started");
        match Sandbox::detect() {
            // The Flatpak proxy hides names that the program may not talk to.
            sandbox @ Sandbox::Flatpak(_) => failure.reason(Reason::Sandbox).hint(sandbox.hint()),
            _ => failure.hint("Install and start one: gnome-keyring, KWallet or KeePassXC."),
        }
    }

    /// Creates the failure for a provider without encryption, which the caller did not allow.
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

    /// Creates the failure for a process that was forked after the store was opened.
    pub(crate) fn forked() -> Self {
        Self::new(ErrorKind::NoBackend)
            .reason(Reason::Forked)
            .message("this process was forked after the store was opened; nothing was changed")
            .hint("Open the store again in the new process.")
    }

    /// Changes the failure to say that the bus refused the call, not the provider.
    pub(crate) fn refused_by_bus(self) -> Self {
        let sandbox = Sandbox::detect();
        self.reason(Reason::Sandbox)
            .message(format!("{sandbox} keeps this program from the Secret Service"))
            .hint(sandbox.hint())
    }

    /// Sets the cause, a text of another program, which is escaped for display.
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

/// Maps the name of a D-Bus error to a failure.
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
