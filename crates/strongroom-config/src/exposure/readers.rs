//! Other users and other names that give access to a file.

use std::path::Path;

use super::Exposure;
use crate::source::Source;

/// Returns the exposure by the permissions of a file and of the directories above it.
pub(super) fn by_permissions(source: &Source) -> Option<Exposure> {
    let mode = source.access().mode.filter(|mode| mode & 0o044 != 0)?;
    let mut directories = source.path.ancestors().skip(1);
    if mode & 0o004 != 0 && directories.all(lets_others_in) {
        return Some(Exposure::ReadableByOthers { mode });
    }
    Some(Exposure::MaybeReadableByOthers { mode })
}

/// Returns the exposure by the hard links of a file.
pub(super) fn by_other_names(source: &Source) -> Option<Exposure> {
    let names = source.access().names.filter(|names| *names > 1)?;
    Some(Exposure::HasOtherNames { names })
}

#[cfg(unix)]
fn lets_others_in(directory: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // Opening a file in a directory needs only the directory's execute bit.
    directory.symlink_metadata().is_ok_and(|found| found.mode() & 0o001 != 0)
}

#[cfg(not(unix))]
fn lets_others_in(_: &Path) -> bool {
    false
}
