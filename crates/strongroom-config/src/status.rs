//! Which secrets a file has, and where each of them is.

use strongroom::{SecretKey, Timestamp};

use crate::exposure::Exposure;
use crate::{ConfigPath, Format, Position};

/// The secrets of a file. It holds no value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The file's format.
    pub format: Format,
    /// The secrets: those of rules first, in their order, then the others in the order of the file.
    pub secrets: Vec<SecretStatus>,
    /// Whether the marker stands in the file. Without a marker in the rules it is false.
    pub is_marked: bool,
    /// The exposures of the values.
    pub exposures: Vec<Exposure>,
}

/// One secret of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretStatus {
    /// What it is called in the store.
    pub key: SecretKey,
    /// Who issued it, if that is known.
    pub provider: Option<String>,
    /// Where it stands in the file, or would.
    pub path: ConfigPath,
    /// Its line and column in the file, if it or what stands for it is there.
    pub position: Option<Position>,
    /// How it was found.
    pub found_by: FoundBy,
    /// Where it is.
    pub place: Place,
    /// Why it can't be moved as it stands, where that is so.
    pub problem: Option<String>,
}

/// How a secret was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FoundBy {
    /// A rule names it.
    Rule,
    /// Its key is one of those that secrets have.
    KeyName,
    /// Its value has the form of a provider's.
    ValueShape,
    /// The file refers to it.
    Reference,
    /// The file is an export.
    Export,
}

/// Where a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// In the file alone.
    File,
    /// In the store alone.
    Store,
    /// In both, with the same value.
    Both,
    /// In both, with different values.
    Differs(Ages),
    /// In neither. Where the file refers to it, that leads nowhere.
    Nowhere,
    /// Not in the file, and there was no store to ask.
    Unknown,
}

/// How old the two values of a secret are, where that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ages {
    /// When the file was last written.
    pub file: Option<Timestamp>,
    /// When the store's value was last written.
    pub store: Option<Timestamp>,
    /// Whether the store's value has expired; it was then not compared.
    pub store_expired: bool,
}
