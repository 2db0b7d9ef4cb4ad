//! A new text in the place of an old file, or as a new file: all of it is there, or nothing of it.

use std::io;
use std::path::Path;

use strongroom::Result;
use strongroom_files::{NewFile, create_new};

use crate::error;
use crate::source::Source;

/// Puts a text in the place of a file, if that is still as it was read. Owner and permissions stay.
///
/// A program that has the file open keeps the old one. A process that is killed leaves the old file or the new one, and
/// perhaps the new one's beginning beside it, which the next one takes away.
///
/// `written` is called when the new file lies ready.
///
/// # Errors
///
/// `Conflict` if the file was changed, `Busy` if another process is replacing it, `Io`, `AccessDenied`.
pub(crate) fn replace(source: &Source, text: &str, written: impl FnOnce()) -> Result<()> {
    let failed = |cause| error::writing(&source.path, cause);
    let new = NewFile::beside(&source.path).map_err(failed)?;
    let ready = new.write(text.as_bytes()).and_then(|()| new.take_access_of(&source.metadata));
    ready.map_err(failed)?;
    written();
    // A write of another program between this look and the next line is not seen: no system offers more.
    if !source.is_current().map_err(failed)? {
        return Err(error::changed_meanwhile(&source.path));
    }
    new.put_in_place().map_err(failed)
}

/// Writes a text that is a secret into a file that only its owner can read.
///
/// # Errors
///
/// `AlreadyExists` if there is a file and `may_replace` is not set; `AccessDenied`, `Io`.
pub(crate) fn write_private(path: &Path, text: &str, may_replace: bool) -> Result<()> {
    // A link is replaced, and not the file that it leads to.
    let write = if may_replace { strongroom_files::replace } else { create_new };
    write(path, text.as_bytes()).map_err(|cause| match cause.kind() {
        io::ErrorKind::AlreadyExists => error::exists(path),
        _ => error::writing(path, cause),
    })
}
