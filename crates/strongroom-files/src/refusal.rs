//! The reasons why a file or directory is not used.

use std::error::Error;
use std::fmt;
use std::fs::Metadata;
use std::io;

/// The reason why a file or directory is not used. An [`io::Error`] of this crate carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The path is a symbolic link, or leads through a link of another user.
    Link,
    /// The file has this number of names (hard links), so that it could be changed under another name.
    Names(u64),
    /// The path is a directory.
    Directory,
    /// The path is a pipe, a socket or a device, which could block for ever.
    Special,
    /// The file belongs to another user.
    Owner {
        /// The user id of the owner.
        owner: u32,
        /// The effective user id of this process.
        user: u32,
    },
    /// The permissions let other users read or change the file.
    Mode {
        /// The permissions of the file.
        mode: u32,
        /// The largest allowed permissions.
        allowed: u32,
    },
    /// The file is larger than the limit of the read.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The file is not UTF-8.
    NotText,
}

impl Refusal {
    /// Returns the refusal that an error carries.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    const fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Link | Self::Names(_) | Self::Owner { .. } | Self::Mode { .. } => {
                io::ErrorKind::PermissionDenied
            }
            Self::Directory => io::ErrorKind::IsADirectory,
            Self::TooLarge { .. } => io::ErrorKind::FileTooLarge,
            Self::Special => io::ErrorKind::InvalidInput,
            Self::NotText => io::ErrorKind::InvalidData,
        }
    }
}

/// Checks that these metadata describe a regular file.
pub(crate) fn check_regular(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    if kind.is_file() {
        Ok(())
    } else if kind.is_dir() {
        Err(Refusal::Directory.into())
    } else if kind.is_symlink() {
        Err(Refusal::Link.into())
    } else {
        Err(Refusal::Special.into())
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.kind(), refusal)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link => f.write_str("it is a symbolic link, which is not followed"),
            Self::Names(names) => write!(f, "it has {names} names (hard links)"),
            Self::Directory => f.write_str("it is a directory"),
            Self::Special => f.write_str("it is a pipe, a socket or a device"),
            Self::Owner { owner, user } => write!(
                f,
                "it belongs to {}, and this process runs as {}",
                crate::user_name(*owner),
                crate::user_name(*user)
            ),
            Self::Mode { mode, .. } => {
                write!(f, "it may be used by others: its mode is {mode:04o}")
            }
            Self::TooLarge { limit } => write!(f, "it has more than {limit} bytes"),
            Self::NotText => f.write_str("it is not text (UTF-8)"),
        }
    }
}

impl Error for Refusal {}
