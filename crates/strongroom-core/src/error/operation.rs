//! The operation in which an error occurred.

use std::fmt;

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
