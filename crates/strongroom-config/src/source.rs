//! A configuration file as it was read: its text, and the marks by which a change is noticed.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use strongroom::{Error, Result, Timestamp};
use strongroom_files::{Refusal, open, read_open};
use zeroize::Zeroizing;

use crate::error;
use crate::flaw::Flaw;

/// The largest file that is read, and the largest export that is written, in bytes. Enough for some 200,000 keys.
pub(crate) const MAX_LEN: u64 = 32 << 20;

/// A file with the text that was read from it.
#[derive(Debug)]
pub(crate) struct Source {
    /// The canonical path, without symbolic links.
    pub(crate) path: PathBuf,
    pub(crate) text: Zeroizing<String>,
    pub(crate) stamp: Stamp,
    pub(crate) metadata: Metadata,
}

/// The identity and the state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    size: u64,
    modified: Option<Timestamp>,
    /// Device, inode and time of change, on systems that have them.
    identity: [i64; 4],
}

/// The permissions and the number of names of a file, on systems that have them.
pub(crate) struct Access {
    pub(crate) mode: Option<u32>,
    pub(crate) names: Option<u64>,
}

impl Source {
    /// Reads the file at a path. Symbolic links are followed.
    ///
    /// # Errors
    ///
    /// `NotFound`, `AccessDenied` or `Io` if the file can't be read; `TooLarge` for more than [`MAX_LEN`] bytes; `Invalid`,
    /// with line and column, for a text that is not UTF-8, and for anything that is no file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        // The target of a link is replaced, so that the link stays.
        let target = path.canonicalize().map_err(|cause| error::read_failed(path, cause))?;
        let (bytes, metadata) = read(&target).map_err(|cause| error::read_failed(path, cause))?;
        let bytes = bytes.ok_or_else(|| error::too_large(&error::displayed(path), MAX_LEN))?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(Self {
                path: target,
                text: Zeroizing::new(text.to_owned()),
                stamp: Stamp::of(&metadata),
                metadata,
            }),
            Err(broken) => Err(not_utf8(&bytes, broken.valid_up_to(), path)),
        }
    }

    /// Returns whether the file is still as it was read: the same file with the same text. Its permissions may differ.
    pub(crate) fn is_current(&self) -> io::Result<bool> {
        let (bytes, metadata) = read(&self.path)?;
        let is_same = bytes.is_some_and(|bytes| *bytes == self.text.as_bytes());
        Ok(is_same && self.stamp.is_same_file(&Stamp::of(&metadata)))
    }

    /// Returns the time of the last write, on systems that have it.
    pub(crate) fn modified(&self) -> Option<Timestamp> {
        self.stamp.modified
    }

    #[cfg(unix)]
    pub(crate) fn access(&self) -> Access {
        use std::os::unix::fs::MetadataExt as _;
        Access { mode: Some(self.metadata.mode() & 0o7777), names: Some(self.metadata.nlink()) }
    }

    #[cfg(not(unix))]
    pub(crate) fn access(&self) -> Access {
        Access { mode: None, names: None }
    }
}

impl Stamp {
    /// Returns the state of the file at a path, without reading it. Symbolic links are followed.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::of(&metadata))
    }

    fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().map(Timestamp::from);
        Self { size: metadata.len(), modified, identity: identity(metadata) }
    }

    fn is_same_file(&self, other: &Self) -> bool {
        // Device and inode. The time of change also moves if only permissions or names change.
        self.identity[..2] == other.identity[..2]
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> [i64; 4] {
    use std::os::unix::fs::MetadataExt as _;
    // The numbers are only compared, so a change of sign doesn't matter.
    [
        metadata.dev().cast_signed(),
        metadata.ino().cast_signed(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ]
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> [i64; 4] {
    [0; 4]
}

/// Reads a file. The bytes are `None` if they are more than [`MAX_LEN`].
fn read(path: &Path) -> io::Result<(Option<Zeroizing<Vec<u8>>>, Metadata)> {
    let file = open(path, strongroom_files::Source::Given)?;
    let metadata = file.metadata()?;
    match read_open(&file, MAX_LEN) {
        Ok(bytes) => Ok((Some(bytes), metadata)),
        Err(cause) => match Refusal::of(&cause) {
            Some(Refusal::TooLarge { .. }) => Ok((None, metadata)),
            _ => Err(cause),
        },
    }
}

/// Returns the error for a text of which only the first `valid` bytes are UTF-8.
fn not_utf8(bytes: &[u8], valid: usize, path: &Path) -> Error {
    let text = std::str::from_utf8(&bytes[..valid]).unwrap_or_default();
    Flaw::new(valid, "it is not UTF-8")
        .with_hint("Save the file as UTF-8, and try again.")
        .into_error(text, &error::displayed(path))
}
