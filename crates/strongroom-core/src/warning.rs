//! Facts about a store that weaken the protection of its entries, as data.

use std::fmt;

use crate::Persistence;

/// A fact about a working store that its users have to know.
///
/// [`code`](Self::code) is for machines; `Display` is a clause for people, without a full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Deleted and replaced values stay in the store's own history.
    KeepsDeleted,
    /// Entries do not last.
    NotPersistent(Persistence),
    /// Entries lie in a file without encryption.
    Plaintext,
    /// Containers under the same user id may read entries.
    ReadByContainers,
    /// Values cross to the store without encryption.
    SessionNotEncrypted,
    /// Writes are acknowledged before they are on disk.
    WritesLate,
}

impl Warning {
    /// Returns a stable token, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeepsDeleted => "keeps_deleted",
            Self::NotPersistent(_) => "not_persistent",
            Self::Plaintext => "plaintext",
            Self::ReadByContainers => "read_by_containers",
            Self::SessionNotEncrypted => "session_not_encrypted",
            Self::WritesLate => "writes_late",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeepsDeleted => f.write_str(
                "the store keeps replaced values in a history and deleted entries in a recycle bin, as \
                 KeePassXC does: empty both there",
            ),
            Self::NotPersistent(lasting) => {
                write!(f, "secrets last {lasting}: store them again after that")
            }
            Self::Plaintext => f.write_str(
                "secrets are kept in a file without encryption: whoever can read the file can use them",
            ),
            Self::ReadByContainers => f.write_str(
                "containers on this machine that run under the same user id, without a user \
                 namespace of their own, may read the secrets",
            ),
            Self::SessionNotEncrypted => f.write_str(
                "the store doesn't encrypt the session: values cross to it in the clear, and your other \
                 programs can record them",
            ),
            Self::WritesLate => f.write_str(
                "the store says that a value is stored before it has written it to disk (KWallet: some \
                 5 seconds before): don't switch off or kill it right after storing",
            ),
        }
    }
}
