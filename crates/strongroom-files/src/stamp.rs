//! The identity of a file.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// The identity of a file and the time of its last change, for comparison.
///
/// The inode number of an open file is not reused, so a comparison with the stamp of an open file is reliable.
/// On Windows all stamps are equal: a file that is open without `FILE_SHARE_DELETE` stays at its path.
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
    /// Returns the operating system's error.
    pub fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::of(&file.metadata()?))
    }

    /// Returns the stamp of the file at a path. Symbolic links are not followed.
    ///
    /// # Errors
    ///
    /// Returns the operating system's error, such as `NotFound`.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&path.symlink_metadata()?))
    }

    /// Returns whether both stamps belong to the same file, changed or not.
    pub const fn is_same_file(&self, other: &Self) -> bool {
        self.device == other.device && self.inode == other.inode
    }

    /// Returns the stamp of the file that these metadata describe.
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Returns the stamp of the file that these metadata describe.
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
