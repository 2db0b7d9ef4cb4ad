//! Maps D-Bus and Secret Service errors to faults. No other module does.

use std::error;
use std::time::Duration;

use strongroom_core::advice::Advice;
use strongroom_core::{ErrorKind, Fault, Reason};
use zbus::DBusError as _;

use crate::sandbox::Sandbox;
use crate::text::printable;

/// The failure of a step: a fault, and whether the operation may be repeated from its start.
#[derive(Debug)]
pub(crate) struct Failure {
    fault: Fault,
    pub(crate) retry: Retry,
    /// Set if a call got no answer at all.
    pub(crate) is_silence: bool,
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
        Self { fault: Fault::new(kind), retry: Retry::No, is_silence: false }
    }

    /// Creates the failure for a call without an answer in time.
    pub(crate) fn no_answer(waited: Duration) -> Self {
        let failure = Self::new(ErrorKind::TimedOut).with_message(format!(
            "the Secret Service did not answer within {:.1} s",
            waited.as_secs_f64()
        ));
        Self { is_silence: true, ..failure }
    }

    /// Creates the failure for an answer that the protocol does not allow.
    pub(crate) fn unexpected(answer: &str) -> Self {
        Self::new(ErrorKind::Other).with_message(format!("the Secret Service answered {answer}"))
    }

    /// Returns the kind.
    pub(crate) fn kind(&self) -> ErrorKind {
        self.fault.kind()
    }

    /// Returns the reason, which distinguishes causes of the same kind.
    pub(crate) fn reason(&self) -> Option<Reason> {
        self.fault.reason()
    }

    /// Returns the cause.
    pub(crate) fn cause(&self) -> Option<&(dyn error::Error + 'static)> {
        error::Error::source(&self.fault)
    }

    /// Returns whether the called object no longer exists, though its owner does.
    pub(crate) fn is_vanished(&self) -> bool {
        self.kind() == ErrorKind::Other && self.retry == Retry::Session
    }

    /// Returns whether the bus reports no program that serves secrets.
    pub(crate) fn is_absence(&self) -> bool {
        self.kind() == ErrorKind::NoBackend
            && matches!(self.reason(), Some(Reason::NoProvider | Reason::Sandbox))
    }

    /// Sets the reason.
    pub(crate) fn with_reason(self, reason: Reason) -> Self {
        Self { fault: self.fault.with_reason(reason), ..self }
    }

    /// Sets the message.
    pub(crate) fn with_message(self, message: impl Into<String>) -> Self {
        Self { fault: self.fault.with_message(message), ..self }
    }

    /// Sets the hint, the user's next step.
    pub(crate) fn with_hint(self, hint: impl Into<Advice>) -> Self {
        Self { fault: self.fault.with_advice(hint), ..self }
    }

    /// Sets the cause, a text of another program, which is escaped for display.
    pub(crate) fn with_cause(self, cause: &str) -> Self {
        Self { fault: self.fault.with_source(Cause(printable(cause))), ..self }
    }

    /// Sets the state that has to be rebuilt before the operation is repeated.
    pub(crate) fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Marks the silence as the bus's own, so that the provider is not blamed.
    pub(crate) fn of_silent_bus(self) -> Self {
        Self { is_silence: false, ..self }
    }

    /// Changes the failure to say that the bus refused the call, not the provider.
    pub(crate) fn refused_by_bus(self) -> Self {
        let sandbox = Sandbox::detect();
        self.with_reason(Reason::Sandbox)
            .with_message(format!("{sandbox} keeps this program from the Secret Service"))
            .with_hint(sandbox.hint())
    }

    /// Creates the failure for a bus on which no program serves secrets.
    fn no_service() -> Self {
        let failure = Self::new(ErrorKind::NoBackend)
            .with_reason(Reason::NoProvider)
            .with_message("no Secret Service runs on the session bus, and none could be started");
        match Sandbox::detect() {
            // The Flatpak proxy hides names that the program may not talk to.
            sandbox @ Sandbox::Flatpak(_) => {
                failure.with_reason(Reason::Sandbox).with_hint(sandbox.hint())
            }
            _ => failure.with_hint("Install and start one: gnome-keyring, KWallet or KeePassXC."),
        }
    }

    /// Creates the failure for a provider without encryption, which the caller did not allow.
    pub(crate) fn not_encrypted() -> Self {
        Self::new(ErrorKind::NoBackend)
            .with_reason(Reason::SessionNotEncrypted)
            .with_message(
                "the Secret Service doesn't encrypt the session, so that values would cross the \
                 session bus in the clear; nothing was sent",
            )
            .with_hint(
                "Use a keyring that does (gnome-keyring, KWallet, KeePassXC, oo7), or an encrypted \
                 file, the backend file.",
            )
    }

    /// Creates the failure for a process that was forked after the store was opened.
    pub(crate) fn forked() -> Self {
        Self::new(ErrorKind::NoBackend)
            .with_reason(Reason::Forked)
            .with_message("this process was forked after the store was opened; nothing was changed")
            .with_hint("Open the store again in the new process.")
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        failure.fault
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
                .with_message("the connection to the session bus broke")
                .with_retry(Retry::Connection)
                .with_cause(&error.to_string()),
            _ => Self::new(ErrorKind::Other).with_cause(&error.to_string()),
        }
    }
}

impl From<getrandom::Error> for Failure {
    fn from(error: getrandom::Error) -> Self {
        Self::new(ErrorKind::Io)
            .with_message("the system gave no random numbers")
            .with_cause(&error.to_string())
    }
}

/// Maps the name of a D-Bus error to a failure.
fn from_reply(name: &str, text: &str) -> Failure {
    const DBUS: &str = "org.freedesktop.DBus.Error.";
    const SECRET: &str = "org.freedesktop.Secret.Error.";
    let failure = match (name.strip_prefix(DBUS), name.strip_prefix(SECRET)) {
        (_, Some("IsLocked")) => Failure::new(ErrorKind::Locked),
        (_, Some("NoSession")) => Failure::new(ErrorKind::Other)
            .with_message("the Secret Service forgot the session")
            .with_retry(Retry::Session),
        (_, Some("NoSuchObject"))
        | (Some("UnknownObject" | "UnknownMethod" | "UnknownInterface"), _) => {
            Failure::new(ErrorKind::Other)
                .with_message("the item vanished from the Secret Service")
                .with_retry(Retry::Session)
        }
        (Some("ServiceUnknown" | "NameHasNoOwner"), _) => {
            Failure::no_service().with_retry(Retry::Session)
        }
        (Some(spawn), _) if spawn.starts_with("Spawn.") => Failure::no_service(),
        (Some("NoReply" | "Disconnected"), _) => Failure::new(ErrorKind::NoBackend)
            .with_message("the Secret Service ended during the call")
            .with_retry(Retry::Session),
        (Some("NotSupported"), _) => Failure::new(ErrorKind::Unsupported)
            .with_message("the Secret Service doesn't support the call"),
        (Some("Timeout" | "TimedOut"), _) => Failure::new(ErrorKind::TimedOut),
        (Some("AccessDenied" | "AuthFailed"), _) => Failure::new(ErrorKind::AccessDenied),
        (Some("LimitsExceeded"), _) => Failure::new(ErrorKind::QuotaExceeded),
        _ => Failure::new(ErrorKind::Other).with_message("the Secret Service refused the call"),
    };
    failure.with_cause(&format!("{name}: {text}"))
}
