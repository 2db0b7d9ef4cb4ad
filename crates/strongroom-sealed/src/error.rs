//! Conversions of errors from SQLite and the file system, and the errors of the file itself.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;
use strongroom_core::{Error, ErrorKind, Operation};
use strongroom_files::quoted;

use crate::SealedStore;

/// Creates an error of this crate. The caller sets the operation.
pub(crate) fn fault(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(kind, Operation::Probe).with_store(SealedStore::NAME).with_message(message)
}

/// Returns the error for a file that is not as it was written.
pub(crate) fn corrupt(message: impl Into<String>) -> Error {
    fault(ErrorKind::Corrupt, message)
        .with_hint("Nothing was changed. Keep a copy of the file, and of those beside it.")
}

/// Returns the error for sources of which none opens the file.
pub(crate) fn wrong_key() -> Error {
    fault(ErrorKind::WrongKey, "none of the keys at hand opens it").with_hint(
        "Use a passphrase or key that it was sealed with, or another one that was added to it.",
    )
}

/// Returns the error for a file without a key source.
pub(crate) fn no_source() -> Error {
    fault(ErrorKind::KeyMissing, "no key source was named for it")
        .with_hint("Name a key, a key file, a credential or a passphrase.")
}

/// Returns the error for a file that is not the file that was opened.
pub(crate) fn replaced() -> Error {
    fault(ErrorKind::Conflict, "it was replaced or deleted while it was open")
        .with_hint("Open it again. Nothing was written.")
}

/// Adds the file's path to an error, unless the error names a path already.
pub(crate) fn located(path: &Path, error: Error) -> Error {
    use ErrorKind::{AlreadyExists, Invalid, NotFound, TooLarge};
    let is_about_the_caller = matches!(error.kind(), AlreadyExists | Invalid | NotFound | TooLarge);
    let directory = path.parent().unwrap_or(path).to_string_lossy();
    if is_about_the_caller || error.problem().contains(&*directory) {
        return error;
    }
    let message = format!("{}: {}", quoted(path), error.problem());
    error.with_message(message)
}

/// Converts SQLite's error. SQLite only sees sealed bytes, so its texts hold no secret.
pub(crate) fn from_sqlite(cause: rusqlite::Error) -> Error {
    let (kind, message, hint) = texts(&cause);
    let mut error = fault(kind, message);
    if kind == ErrorKind::Corrupt {
        error = corrupt(message);
    } else if let Some(hint) = hint {
        error = error.with_hint(hint);
    }
    error.with_source(cause)
}

/// Returns the error for a file system without free space.
pub(crate) fn disk_full(directory: &Path) -> Error {
    let message = format!("the disk is full: nothing can be written in {}", quoted(directory));
    fault(ErrorKind::QuotaExceeded, message)
        .with_hint("Make room and try again. What was stored before is still there.")
}

/// Returns the error for a file or directory that can't be written. `what` precedes the path in the message.
pub(crate) fn read_only(what: &str, path: &Path) -> Error {
    let path = quoted(path);
    fault(ErrorKind::AccessDenied, format!("{what}{path} can't be written"))
        .with_hint(format!("See `ls -ld {path}`, and whether it is mounted read-only."))
}

/// Returns the error for a file that another process has open exclusively.
pub(crate) fn taken(cause: Error) -> Error {
    fault(ErrorKind::Busy, "another process has it open, and its file system lets in one at a time")
        .with_hint("Wait until that is done. On a local disk several processes can use it at once.")
        .with_source(cause)
}

/// Returns the error for a file system that can't coordinate several processes.
pub(crate) fn no_locks(file_system: Option<String>, cause: Error) -> Error {
    let kind = file_system.map(|kind| format!(" ({kind})")).unwrap_or_default();
    let message = format!("its file system{kind} can't lock files, or map them into memory");
    fault(ErrorKind::Io, message)
        .with_hint("Keep it on a local disk. Folders of a network, or of a virtual machine's host, often can't.")
        .with_source(cause)
}

/// Returns the error of an operation on the file or directory at this path.
pub(crate) fn file(path: &Path, operation: Operation, cause: io::Error) -> Error {
    strongroom_files::error(operation, path, cause).with_store(SealedStore::NAME)
}

/// Returns the error of opening the file or directory at this path.
pub(crate) fn opening(path: &Path, cause: io::Error) -> Error {
    file(path, Operation::Probe, cause)
}

/// Returns the error of reading a key file.
pub(crate) fn key_file(path: &Path, cause: io::Error) -> Error {
    if cause.kind() != io::ErrorKind::NotFound {
        return file(path, Operation::Probe, cause);
    }
    fault(ErrorKind::KeyMissing, format!("the key file {} is not there", quoted(path)))
        .with_source(cause)
}

/// Returns the kind, the message, and a hint if the kind's own does not fit.
fn texts(cause: &rusqlite::Error) -> (ErrorKind, &'static str, Option<&'static str>) {
    const DAMAGED: (ErrorKind, &str, Option<&str>) =
        (ErrorKind::Corrupt, "the sealed file is damaged", None);
    const FULL: (ErrorKind, &str, Option<&str>) = (
        ErrorKind::QuotaExceeded,
        "the disk is full",
        Some("Make room and try again. What was stored before is still there."),
    );
    let rusqlite::Error::SqliteFailure(failure, _) = cause else {
        // The statements are fixed, so a missing column or a wrong type means a damaged file.
        return DAMAGED;
    };
    match failure.extended_code {
        ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS => return DAMAGED,
        // SQLite extends the shared-memory file by writing zeros.
        ffi::SQLITE_IOERR_SHMSIZE => return FULL,
        ffi::SQLITE_CANTOPEN_SYMLINK => {
            let message = "the sealed file is a symbolic link, which is not followed";
            return (ErrorKind::AccessDenied, message, None);
        }
        _ => {}
    }
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            (ErrorKind::Busy, "somebody else is writing to the sealed file", None)
        }
        ErrorCode::DiskFull => FULL,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => (
            ErrorKind::AccessDenied,
            "the sealed file or its directory can't be written",
            Some("Make both writable for their user: others' changes could not be seen."),
        ),
        ErrorCode::CannotOpen => (
            ErrorKind::Io,
            "the sealed file, or one beside it, can't be opened",
            Some("Look whether its directory can be written, and how many files are open."),
        ),
        ErrorCode::SystemIoFailure => (ErrorKind::Io, "reading or writing failed", None),
        ErrorCode::OperationInterrupted => (
            ErrorKind::TimedOut,
            "reading the sealed file takes longer than the deadline allows",
            Some("Allow more time. If it was quick before, somebody changed the file."),
        ),
        ErrorCode::TooBig => (ErrorKind::TooLarge, "the value is too large", None),
        ErrorCode::OutOfMemory => (ErrorKind::Other, "there is not enough memory", None),
        ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::ConstraintViolation
        | ErrorCode::SchemaChanged
        | ErrorCode::TypeMismatch
        | ErrorCode::Unknown => DAMAGED,
        _ => (ErrorKind::Other, "the embedded database failed", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: i32) -> ErrorKind {
        from_sqlite(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)).kind()
    }

    #[test]
    fn each_cause_has_a_kind_of_its_own() {
        assert_eq!(kind(ffi::SQLITE_BUSY), ErrorKind::Busy);
        assert_eq!(kind(ffi::SQLITE_BUSY_RECOVERY), ErrorKind::Busy);
        assert_eq!(kind(ffi::SQLITE_FULL), ErrorKind::QuotaExceeded);
        assert_eq!(kind(ffi::SQLITE_IOERR_SHMSIZE), ErrorKind::QuotaExceeded);
        assert_eq!(kind(ffi::SQLITE_READONLY_DIRECTORY), ErrorKind::AccessDenied);
        assert_eq!(kind(ffi::SQLITE_IOERR_WRITE), ErrorKind::Io);
        assert_eq!(kind(ffi::SQLITE_IOERR_SHORT_READ), ErrorKind::Corrupt);
        assert_eq!(kind(ffi::SQLITE_NOTADB), ErrorKind::Corrupt);
        assert_eq!(kind(ffi::SQLITE_CANTOPEN), ErrorKind::Io);
    }
}
