//! The identity of a file.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// The identity of a file and the time of its last change, for comparisons.
///
/// While a file is open its inode number belongs to no other file, so the comparison with an open file's stamp can't be
/// fooled by a number that is used again. On Windows all stamps are equal: a file that is open without
/// `FILE_SHARE_DELETE` stays the file at its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// Returns the stamp of an open file.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::of(&file.metadata()?))
    }

    /// Returns the stamp of the file at a path. A symbolic link is not followed.
    ///
    /// # Errors
    ///
    /// The system's own: `NotFound`, for instance.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&path.symlink_metadata()?))
    }

    /// Whether both are of one file, changed or not.
    pub const fn is_same_file(&self, other: &Self) -> bool {
        self.device == other.device && self.inode == other.inode
    }

    /// Returns the stamp of a file that these metadata are of.
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Returns the stamp of a file that these metadata are of.
    #[cfg(not(unix))]
    pub const fn of(_: &Metadata) -> Self {
        Self { device: 0, inode: 0, changed: (0, 0) }
    }

    /// Returns the stamp of a file in a model of a file system.
    #[doc(hidden)]
    pub fn modelled(file: u8, changed: u8) -> Self {
        Self { device: 0, inode: file.into(), changed: (changed.into(), 0) }
    }
}
