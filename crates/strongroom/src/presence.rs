//! Whether there is a file.

use std::io;
use std::path::Path;

use strongroom_core::{Error, ErrorKind, Operation, Result};

/// Whether there is something at this path. What may not be looked at is no answer: taken for nothing, it
/// would be an empty vault.
///
/// # Errors
///
/// `AccessDenied` if this user may not look, `Io`.
pub(crate) fn is_there(path: &Path) -> Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(hidden(path, error)),
    }
}

fn hidden(path: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => ErrorKind::AccessDenied,
        _ => ErrorKind::Io,
    };
    Error::new(kind, Operation::Get)
        .with_message(format!("nobody can tell whether there is {}", path.display()))
        .with_hint("Make its directory one that this user can look into, or run as its owner.")
        .with_source(error)
}
