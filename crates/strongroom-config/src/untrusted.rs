//! Reading files that were found in a directory, and not named by the user.

use std::fs::Metadata;
use std::io;
use std::path::Path;

use strongroom_files::{Source, open, read_open};
use zeroize::Zeroizing;

/// Reads a regular file of at most `limit` bytes, without following a link or waiting for a pipe.
///
/// # Errors
///
/// `NotFound` if the file is missing. Other kinds if it can't be read, is a link or no regular file, belongs to a user outside of
/// `owners`, or is larger.
pub(crate) fn read(path: &Path, limit: u64, owners: &[u32]) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = open(path, Source::Neighbour)?;
    if !belongs_to(&file.metadata()?, owners) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    read_open(&file, limit)
}

/// Returns whether a file belongs to one of these users. Always true on systems without numeric owners.
pub(crate) fn belongs_to(metadata: &Metadata, owners: &[u32]) -> bool {
    owner(metadata).is_none_or(|owner| owners.contains(&owner))
}

/// Returns the effective user of this process.
#[cfg(unix)]
pub(crate) fn current_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
pub(crate) fn current_user() -> u32 {
    0
}

/// Returns the owner of a file, on systems with numeric owners.
#[cfg(unix)]
pub(crate) fn owner(metadata: &Metadata) -> Option<u32> {
    Some(std::os::unix::fs::MetadataExt::uid(metadata))
}

#[cfg(not(unix))]
pub(crate) fn owner(_: &Metadata) -> Option<u32> {
    None
}
