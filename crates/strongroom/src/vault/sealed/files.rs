//! The files of a sealed vault on disk: the database, its log, and the files of a salvage.

use std::fs;
use std::path::{Path, PathBuf};

use strongroom_core::{Error, ErrorKind, Operation, Result, Timestamp};
use strongroom_files::is_in_use;

use crate::clock::file_stamp;

/// The suffix of SQLite's write-ahead log.
const LOG: &str = "-wal";

/// Returns whether there is a file, or the log that a killed purge left of it.
///
/// # Errors
///
/// As [`is_there`].
pub(crate) fn is_anything_at(path: &Path) -> Result<bool> {
    Ok(is_there(path)? || is_there(&with(path, LOG))?)
}

/// Returns whether a path exists.
///
/// # Errors
///
/// As [`strongroom_files::is_there`].
pub(super) fn is_there(path: &Path) -> Result<bool> {
    strongroom_files::is_there(path).map_err(|fault| fault.during(Operation::Exists))
}

/// Moves a sealed file and its log aside. Returns the new path, or `None` if there is no file.
pub(super) fn put_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
    if !is_anything_at(path)? {
        return Ok(None);
    }
    let stamp = file_stamp(now);
    let mut paths = (1_u32..).map(|number| with(path, &format!(".{stamp}-{number}")));
    let aside = paths.find(|aside| !aside.exists()).unwrap_or_else(|| with(path, &stamp));
    // The file goes last. A kill in between leaves it in its place as an older state of the vault, whereas a
    // log that stays behind alone is of no use.
    for (from, to) in parts(path).into_iter().zip(parts(&aside)).rev() {
        rename(&from, &to)?;
    }
    Ok(Some(aside))
}

/// Renames a file. A missing file is no failure: another process may have moved it first.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(from, error)),
        _ => Ok(()),
    }
}

/// Deletes a file, its log and its shared memory.
pub(super) fn remove_parts(path: &Path) -> Result<()> {
    parts(path).iter().try_for_each(|part| match fs::remove_file(part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(part, error)),
        _ => Ok(()),
    })
}

/// Returns the paths of a file and of the files that SQLite keeps beside it.
fn parts(path: &Path) -> Vec<PathBuf> {
    ["", LOG, "-shm"].map(|ending| with(path, ending)).into()
}

/// Returns the path with an ending appended to its name.
pub(super) fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Returns the error of moving or deleting a file.
pub(super) fn file_error(path: &Path, error: std::io::Error) -> Error {
    if is_in_use(&error) {
        return Error::new(ErrorKind::Busy, Operation::Set)
            .with_message(format!("another program has {} open", path.display()))
            .with_hint("Nothing was changed. Close what uses this vault, and try again.")
            .with_source(error);
    }
    Error::new(ErrorKind::Io, Operation::Set)
        .with_message(format!("{} can't be moved or deleted", path.display()))
        .with_source(error)
}
