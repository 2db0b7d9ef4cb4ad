//! Paths of files: in the forms of git and of the operating system, and the files that they name.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path};

/// Returns whether two paths name the same file. A link at the end of a path is not followed.
#[cfg(unix)]
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(one), Ok(other)) = (fs::symlink_metadata(one), fs::symlink_metadata(other)) else {
        return false;
    };
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// Returns a path in the form that the index uses: with slashes, and on Windows as UTF-8.
pub(super) fn path_in_index(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for component in path.components() {
        let Component::Normal(name) = component else { return None };
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        // Outside of Unix, a name that isn't Unicode has no form in the index.
        let is_text = cfg!(unix) || name.to_str().is_some();
        bytes.extend_from_slice(is_text.then_some(name.as_encoded_bytes())?);
    }
    Some(bytes)
}

/// Returns a name in a repository's files as a name of the operating system.
#[cfg(unix)]
pub(super) fn os_name(bytes: &[u8]) -> Option<&OsStr> {
    Some(std::os::unix::ffi::OsStrExt::from_bytes(bytes))
}

#[cfg(not(unix))]
pub(super) fn os_name(bytes: &[u8]) -> Option<&OsStr> {
    std::str::from_utf8(bytes).ok().map(OsStr::new)
}

/// Returns the number of the file system that contains a directory, if file systems have numbers.
#[cfg(unix)]
pub(super) fn device(directory: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(directory.symlink_metadata().ok()?.dev())
}

#[cfg(not(unix))]
pub(super) fn device(_: &Path) -> Option<u64> {
    None
}
