//! Writing a new text in place of an old file, or as a new file, completely or not at all.

use std::io;
use std::path::Path;

use strongroom::Result;
use strongroom_files::{NewFile, create_new};

use crate::error;
use crate::source::Source;

/// Replaces a file with a new text, if the file is still as it was read. Owner and permissions stay.
///
/// A program that has the file open keeps the old file. If the process is killed, either the old or the new file is
/// complete. An unfinished new file may remain beside it, and is removed by the next replacement.
///
/// `written` is called when the new file is complete, before it replaces the old file.
///
/// # Errors
///
/// `Conflict` if the file was changed, `Busy` if another process is replacing it, `Io`, `AccessDenied`.
pub(crate) fn replace(source: &Source, text: &str, written: impl FnOnce()) -> Result<()> {
    match try_replace(source, text, written) {
        Ok(true) => Ok(()),
        Ok(false) => Err(error::changed_meanwhile(&source.path)),
        Err(cause) => Err(error::write_failed(&source.path, cause)),
    }
}

/// Replaces a file. Returns whether the file was still as it was read.
fn try_replace(source: &Source, text: &str, written: impl FnOnce()) -> io::Result<bool> {
    let new = NewFile::beside(&source.path)?;
    new.write(text.as_bytes())?;
    new.take_access_of(&source.metadata)?;
    written();
    // A write between this check and the replacement goes unnoticed. No system can do both in a single step.
    if !source.is_current()? {
        return Ok(false);
    }
    new.put_in_place()?;
    Ok(true)
}

/// Writes a secret text into a file that only its owner can read.
///
/// # Errors
///
/// `AlreadyExists` if there is a file and `may_replace` is not set; `AccessDenied`, `Io`.
pub(crate) fn write_private(path: &Path, text: &str, may_replace: bool) -> Result<()> {
    // Replaces a link itself, and not its target.
    let write = if may_replace { strongroom_files::replace } else { create_new };
    write(path, text.as_bytes()).map_err(|cause| match cause.kind() {
        io::ErrorKind::AlreadyExists => error::already_exists(path),
        _ => error::write_failed(path, cause),
    })
}
