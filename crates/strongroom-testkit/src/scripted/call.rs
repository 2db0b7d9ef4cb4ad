//! A method call: its name, its arguments and its reply.

use zbus::message::{Flags, Message};
use zbus::{DynamicType, Type};

use std::collections::BTreeMap;
use zbus::{OwnedObjectPath, OwnedVariant};

/// The name of the properties interface.
pub(super) const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// A secret on the wire: session, parameters, value and content type.
pub(super) type WireSecret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);
/// Attributes on the wire.
pub(super) type Attributes = BTreeMap<String, String>;
/// Properties on the wire.
pub(super) type Properties = BTreeMap<String, OwnedVariant>;

/// The reply to a call: a message, `None` if it was sent already, or an error.
pub(super) type Reply = Result<Option<Message>, Failure>;

/// A D-Bus error.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) name: String,
    pub(super) text: String,
}

impl Failure {
    pub(super) fn new(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Self::new("org.freedesktop.DBus.Error.InvalidArgs", text)
    }

    pub(super) fn unknown_method(call: &Call) -> Self {
        Self::new("org.freedesktop.DBus.Error.UnknownMethod", format!("no method {}", call.name))
    }

    pub(super) fn no_such_object(path: &str) -> Self {
        Self::new("org.freedesktop.Secret.Error.NoSuchObject", format!("there is no {path}"))
    }

    pub(super) fn no_session() -> Self {
        Self::new("org.freedesktop.Secret.Error.NoSession", "the session does not exist")
    }

    pub(super) fn is_locked() -> Self {
        Self::new("org.freedesktop.Secret.Error.IsLocked", "the collection is locked")
    }
}

impl From<zbus::Error> for Failure {
    fn from(error: zbus::Error) -> Self {
        Self::invalid(error.to_string())
    }
}

/// A method call as it arrived.
pub(super) struct Call {
    pub(super) message: Message,
    /// The name in a script.
    pub(super) name: String,
    pub(super) path: String,
    pub(super) interface: String,
    pub(super) member: String,
    pub(super) sender: String,
    /// The number of releases of hung calls when the call arrived.
    pub(super) arrived: u64,
}

impl Call {
    pub(super) fn new(message: Message, arrived: u64) -> Self {
        let header = message.header();
        let path = header.path().map(|path| path.to_string()).unwrap_or_default();
        let interface = header.interface().map(|name| name.to_string()).unwrap_or_default();
        let member = header.member().map(|name| name.to_string()).unwrap_or_default();
        let sender = header.sender().map(|name| name.to_string()).unwrap_or_default();
        let name = name(&message, &interface, &member);
        Self { name, path, interface, member, sender, arrived, message }
    }

    /// Returns the arguments.
    pub(super) fn args<T>(&self) -> Result<T, Failure>
    where
        T: serde::de::DeserializeOwned + Type,
    {
        Ok(self.message.body().deserialize()?)
    }

    /// Returns a reply with this body.
    pub(super) fn reply<B>(&self, body: &B) -> Reply
    where
        B: serde::Serialize + DynamicType,
    {
        Ok(Some(Message::method_return(&self.message.header()).build(body)?))
    }

    /// Returns an error reply.
    pub(super) fn error(&self, failure: &Failure) -> zbus::Result<Message> {
        Message::error(&self.message.header(), failure.name.as_str())
            .build(&(failure.text.as_str(),))
    }

    pub(super) fn wants_answer(&self) -> bool {
        !self.message.primary_header().flags().contains(Flags::NO_REPLY_EXPECTED)
    }
}

/// Returns the name of a call in a script.
fn name(message: &Message, interface: &str, member: &str) -> String {
    // A property is named by the interface that it belongs to, so that scripts can tell apart the properties of all objects.
    if interface == PROPERTIES {
        let body = message.body();
        let target: Option<(String, String)> = match member {
            "Get" => body.deserialize().ok(),
            "Set" => {
                body.deserialize::<(String, String, OwnedVariant)>().ok().map(|(i, p, _)| (i, p))
            }
            _ => body.deserialize::<String>().ok().map(|interface| (interface, String::new())),
        };
        let (target, property) = target.unwrap_or_default();
        let dot = if property.is_empty() { "" } else { "." };
        return format!("{member}:{}{dot}{property}", last_part(&target));
    }
    format!("{}.{member}", last_part(interface))
}

fn last_part(interface: &str) -> &str {
    interface.rsplit('.').next().unwrap_or(interface)
}

/// Converts a path for the wire.
pub(super) fn wire_path(path: &str) -> Result<OwnedObjectPath, Failure> {
    Ok(OwnedObjectPath::try_from(path)?)
}

/// Converts paths for the wire.
pub(super) fn wire_paths<'a>(
    paths: impl IntoIterator<Item = &'a String>,
) -> Result<Vec<OwnedObjectPath>, Failure> {
    paths.into_iter().map(|path| wire_path(path)).collect()
}

/// Returns the path `/`, which means "none" in a reply.
pub(super) fn no_path() -> OwnedObjectPath {
    OwnedObjectPath::default()
}
