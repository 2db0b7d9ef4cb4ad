//! Files that are opened to be read, and the state's files that stay open.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::{Refusal, platform};

/// The demands on a file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A file of this program's own: reached by no link, a regular file of the effective user with one name, that no
    /// other user may write.
    Own,
    /// A file with a secret that the user names: a regular file of the effective user, closed to other users. A link to it must be
    /// the user's or root's.
    Private,
    /// A file that the user names and that needs no protection here: a regular file, `/dev/null`, or a descriptor of this process
    /// (`/dev/fd/3`, `/dev/stdin`), which is what a shell's `<(…)` is.
    Given,
    /// A file of the system, which any user may own: a regular file.
    System,
    /// A file that was found beside another, and not named by the user: a regular file, reached by no link. Any user may own it.
    Found,
}

/// Opens a file to read it, without waiting.
///
/// # Errors
///
/// A [`Refusal`] if it is not what the source must be; the system's own, `NotFound` for instance.
pub fn open(path: &Path, source: Source) -> io::Result<File> {
    platform::open(path, source)
}

/// Reads a whole file of at most `limit` bytes. No copy is left behind in memory that is not wiped.
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
/// [`Refusal::TooLarge`]; the system's own.
pub fn read_open(mut file: &File, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = file.metadata()?.len();
    if length > limit {
        return Err(Refusal::TooLarge { limit }.into());
    }
    // Files of `/proc` and pipes tell no length. A vector that grows by itself leaves an unwiped copy behind.
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
        if (bytes.len() + count) as u64 > limit {
            return Err(Refusal::TooLarge { limit }.into());
        }
        grow(&mut bytes, count);
        bytes.extend_from_slice(&chunk[..count]);
    }
}

/// Makes room for more bytes, and wipes the old place where they move.
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
