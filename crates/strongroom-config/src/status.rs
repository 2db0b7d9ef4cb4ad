//! The status of a file: its secrets, and the place of each.

use strongroom::{SecretKey, Timestamp};

use crate::exposure::Exposure;
use crate::{ConfigPath, Format, Position};

/// The secrets of a file, and their places. A status contains no values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The format of the file.
    pub format: Format,
    /// The secrets: first those of rules, in the order of the rules, then the rest in the order of the file.
    pub secrets: Vec<SecretStatus>,
    /// Set if the marker is in the file. Always false if the rules have no marker.
    pub is_marked: bool,
    /// The exposures of the values.
    pub exposures: Vec<Exposure>,
}

/// The status of a single secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretStatus {
    /// The key of the secret in the store.
    pub key: SecretKey,
    /// The provider that issued the secret, if known.
    pub provider: Option<String>,
    /// The path in the file, even if the file has no value there.
    pub path: ConfigPath,
    /// The line and column in the file. `None` if the path is not in the file.
    pub position: Option<Position>,
    /// The reason for taking it as a secret.
    pub found_by: FoundBy,
    /// The place of the secret: the file, the store, or both.
    pub place: Place,
    /// The reason for which the value can't be moved as it is, if there is such a reason.
    pub problem: Option<String>,
}

/// The reason for taking a value as a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FoundBy {
    /// A rule names it.
    Rule,
    /// The name of its key is typical of secrets, such as `apiKey`.
    KeyName,
    /// The value is a private key, or has the form of a known provider's keys.
    ValueShape,
    /// The file contains a reference to it.
    Reference,
    /// The file is an export of secrets.
    Export,
}

/// The place of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// Only the file has it.
    File,
    /// Only the store has it.
    Store,
    /// File and store have the same value.
    Both,
    /// File and store have different values.
    Differs(Ages),
    /// Neither has it. A reference in the file, if there is one, is dangling.
    Nowhere,
    /// The file doesn't have it, and there was no store to ask.
    Unknown,
}

/// The ages of the two values of a secret, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ages {
    /// The time of the last write to the file.
    pub file: Option<Timestamp>,
    /// The time at which the store's value was last written.
    pub store: Option<Timestamp>,
    /// Set if the store's value has expired. An expired value is not compared with the file's.
    pub store_expired: bool,
}
