//! The names of the Secret Service protocol.
//!
//! See the [specification](https://specifications.freedesktop.org/secret-service-spec/latest/).

use zbus::OwnedObjectPath;

/// The name of the bus itself, and its object.
pub(crate) const DBUS: &str = "org.freedesktop.DBus";
pub(crate) const DBUS_PATH: &str = "/org/freedesktop/DBus";

/// The bus name of the service.
pub(crate) const BUS_NAME: &str = "org.freedesktop.secrets";
/// The path of the service object.
pub(crate) const SERVICE_PATH: &str = "/org/freedesktop/secrets";

pub(crate) const SERVICE: &str = "org.freedesktop.Secret.Service";
pub(crate) const COLLECTION: &str = "org.freedesktop.Secret.Collection";
pub(crate) const ITEM: &str = "org.freedesktop.Secret.Item";
pub(crate) const PROMPT: &str = "org.freedesktop.Secret.Prompt";
pub(crate) const SESSION: &str = "org.freedesktop.Secret.Session";
pub(crate) const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The alias of the collection that new items go to.
pub(crate) const DEFAULT_ALIAS: &str = "default";
/// The alias of the collection that lasts until the user logs out.
pub(crate) const SESSION_ALIAS: &str = "session";
/// The end of that collection's path in gnome-keyring and oo7.
pub(crate) const SESSION_COLLECTION: &str = "/collection/session";
/// The path that stands for an object that does not exist, or for a prompt that is not needed.
pub(crate) const NO_OBJECT: &str = "/";

/// The algorithms of an encrypted session and of a session without encryption.
pub(crate) const ALGORITHM_DH: &str = "dh-ietf1024-sha256-aes128-cbc-pkcs7";
pub(crate) const ALGORITHM_PLAIN: &str = "plain";

/// The attributes that `secret-tool`, the `keyring` crate and Python's `keyring` use too.
pub(crate) const ATTRIBUTE_SERVICE: &str = "service";
pub(crate) const ATTRIBUTE_USER: &str = "username";
/// The attribute by which the `keyring` crate distinguishes several items of a user, and its value for the
/// first item.
pub(crate) const ATTRIBUTE_TARGET: &str = "target";
pub(crate) const DEFAULT_TARGET: &str = "default";
pub(crate) const ATTRIBUTE_SCHEMA: &str = "xdg:schema";
pub(crate) const GENERIC_SCHEMA: &str = "org.freedesktop.Secret.Generic";

/// A value on the wire: session, parameters (the IV), value, content type.
pub(crate) type WireSecret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// The content type of every value: with any other type, KWallet damages bytes over 0x7f.
pub(crate) const CONTENT_TYPE: &str = "text/plain";
