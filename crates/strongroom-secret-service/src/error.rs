//! D-Bus and Secret Service errors as kinds of errors; nowhere else.

use std::time::Duration;

use strongroom_core::{EntryName, Error, ErrorKind, Operation};
use zbus::DBusError as _;

use crate::SecretServiceStore;

/// Why a step of an operation failed, and whether the operation may be done again from its start.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
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
        Self { kind, retry: Retry::No, silence: false, message: None, hint: None, source: None }
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

    /// The bus could not be reached.
    pub(crate) fn no_bus(error: &zbus::Error) -> Self {
        let mut failure = Self::new(ErrorKind::NoBackend)
            .message("there is no D-Bus session bus to reach a Secret Service on")
            .hint("Log in to a desktop session, or run the command under `dbus-run-session`.");
        failure.source = Some(Cause(error.to_string()));
        failure
    }

    /// The bus is there and nobody serves secrets on it.
    fn no_service() -> Self {
        Self::new(ErrorKind::NoBackend)
            .message("no Secret Service runs on the session bus, and none could be started")
            .hint("Install and start one: gnome-keyring, KWallet or KeePassXC.")
    }

    fn caused_by(mut self, name: &str, text: &str) -> Self {
        self.source = Some(Cause(format!("{name}: {}", text.escape_debug())));
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
            zbus::Error::InputOutput(_) => {
                let mut failure = Self::new(ErrorKind::NoBackend)
                    .message("the connection to the session bus broke")
                    .retry(Retry::Connection);
                failure.source = Some(Cause(error.to_string()));
                failure
            }
            _ => {
                let mut failure = Self::new(ErrorKind::Other);
                failure.source = Some(Cause(error.to_string()));
                failure
            }
        }
    }
}

impl From<getrandom::Error> for Failure {
    fn from(error: getrandom::Error) -> Self {
        let mut failure = Self::new(ErrorKind::Io).message("the system gave no random numbers");
        failure.source = Some(Cause(error.to_string()));
        failure
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
        (Some("Timeout" | "TimedOut"), _) => Failure::new(ErrorKind::TimedOut),
        (Some("AccessDenied" | "AuthFailed"), _) => Failure::new(ErrorKind::AccessDenied),
        (Some("LimitsExceeded"), _) => Failure::new(ErrorKind::QuotaExceeded),
        _ => Failure::new(ErrorKind::Other).message("the Secret Service refused the call"),
    };
    failure.caused_by(name, text)
}
