//! Checked opening and reading of files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::{Refusal, platform};

/// The demands on a file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A state file of Strongroom: a regular file of the effective user, not a symbolic link, with a single name (hard link),
    /// and not writable by other users.
    Own,
    /// A file with a secret, named by the user: a regular file of the effective user, without permissions for other users.
    /// A symbolic link to it must belong to the user or to root.
    Private,
    /// A file without a secret, named by the user: a regular file, `/dev/null`, or a descriptor of this process
    /// (`/dev/fd/3`, `/dev/stdin`), such as the result of the shell's `<(…)`.
    Given,
    /// A file of the system: a regular file of any user.
    System,
    /// A file that was found beside another file and not named by the user: a regular file of any user, not a symbolic link.
    Neighbour,
}

/// Opens a file for reading. Does not wait for the writer of a pipe.
///
/// # Errors
///
/// A [`Refusal`] if the file does not meet the demands of the source; otherwise the operating system's error, such as `NotFound`.
pub fn open(path: &Path, source: Source) -> io::Result<File> {
    platform::open(path, source)
}

/// Reads a whole file of at most `limit` bytes. All memory that held the content is wiped when it is freed.
///
/// # Errors
///
/// As [`open`]; [`Refusal::TooLarge`].
pub fn read(path: &Path, source: Source, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    read_open(&open(path, source)?, limit)
}

/// Reads a whole file of at most `limit` bytes of UTF-8.
///
/// # Errors
///
/// As [`read`]; [`Refusal::NotText`].
pub fn read_text(path: &Path, source: Source, limit: u64) -> io::Result<Zeroizing<String>> {
    let mut bytes = read(path, source, limit)?;
    // `from_utf8` takes the plain vector, so the bytes go back into a wiping wrapper on both paths.
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(Refusal::NotText.into())
        }
    }
}

/// Reads an open file to its end, at most `limit` bytes.
///
/// # Errors
///
/// [`Refusal::TooLarge`]; otherwise the operating system's error.
pub fn read_open(mut file: &File, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = file.metadata()?.len();
    if length > limit {
        return Err(Refusal::TooLarge { limit }.into());
    }
    // Pipes and files in `/proc` have no known length. A vector that grows by itself would leave an unwiped copy behind.
    let room = usize::try_from(length).unwrap_or_default().max(1023) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let mut chunk = Zeroizing::new([0; 4096]);
    loop {
        let count = match file.read(&mut *chunk) {
            Ok(0) => return Ok(bytes),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        // The file may have grown since its length was read.
        if (bytes.len() + count) as u64 > limit {
            return Err(Refusal::TooLarge { limit }.into());
        }
        grow(&mut bytes, count);
        bytes.extend_from_slice(&chunk[..count]);
    }
}

/// Makes room for more bytes. If the content moves, the old memory is wiped.
fn grow(bytes: &mut Zeroizing<Vec<u8>>, more: usize) {
    let needed = bytes.len() + more;
    if needed > bytes.capacity() {
        let mut larger = Vec::with_capacity(needed * 2);
        larger.extend_from_slice(bytes);
        *bytes = Zeroizing::new(larger);
    }
}

#[cfg(all(test, unix))]
mod tests;
