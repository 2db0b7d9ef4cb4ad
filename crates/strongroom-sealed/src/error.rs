//! Conversions of errors from SQLite and the file system, and the errors of the file itself.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;
use strongroom_core::{Error, ErrorKind, Fault, Operation};
use strongroom_files::quoted;

/// The store's name.
pub(crate) const STORE: &str = "file";

/// The result of an inner function. Public functions add the operation and the store to a fault.
pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

/// Returns the error of an operation on the sealed file at this path.
pub(crate) fn error(path: &Path, operation: Operation, fault: Fault) -> Error {
    located(path, fault).during(operation).with_store(STORE)
}

/// Creates a fault with this message.
pub(crate) fn fault(kind: ErrorKind, message: impl Into<String>) -> Fault {
    Fault::new(kind).with_message(message)
}

/// Returns the error for a file that is not as it was written.
pub(crate) fn corrupt(message: impl Into<String>) -> Fault {
    fault(ErrorKind::Corrupt, message)
        .with_hint("Nothing was changed. Keep a copy of the file, and of those beside it.")
}

/// Returns the error for sources of which none opens the file.
pub(crate) fn wrong_key() -> Fault {
    fault(ErrorKind::WrongKey, "none of the keys at hand opens it").with_hint(
        "Use a passphrase or key that it was sealed with, or another one that was added to it.",
    )
}

/// Returns the error for a file without a key source.
pub(crate) fn no_source() -> Fault {
    fault(ErrorKind::KeyMissing, "no key source was named for it")
        .with_hint("Name a key, a key file, a credential or a passphrase.")
}

/// Returns the error for a file that is not the file that was opened.
pub(crate) fn replaced() -> Fault {
    fault(ErrorKind::Conflict, "it was replaced or deleted while it was open")
        .with_hint("Open it again. Nothing was written.")
}

/// Adds the file's path to a fault, unless the fault names a path already.
fn located(path: &Path, fault: Fault) -> Fault {
    use ErrorKind::{AlreadyExists, Invalid, NotFound, TooLarge};
    let is_about_the_caller = matches!(fault.kind(), AlreadyExists | Invalid | NotFound | TooLarge);
    let directory = path.parent().unwrap_or(path).to_string_lossy();
    if is_about_the_caller || fault.problem().contains(&*directory) {
        return fault;
    }
    let message = format!("{}: {}", quoted(path), fault.problem());
    fault.with_message(message)
}

/// Converts SQLite's error. SQLite only sees sealed bytes, so its texts hold no secret.
pub(crate) fn from_sqlite(cause: rusqlite::Error) -> Fault {
    let (kind, message, hint) = texts(&cause);
    let converted = match (kind, hint) {
        (ErrorKind::Corrupt, _) => corrupt(message),
        (_, Some(hint)) => fault(kind, message).with_hint(hint),
        (_, None) => fault(kind, message),
    };
    converted.with_source(cause)
}

/// Returns the error for a file system without free space.
pub(crate) fn disk_full(directory: &Path) -> Fault {
    let message = format!("the disk is full: nothing can be written in {}", quoted(directory));
    fault(ErrorKind::QuotaExceeded, message)
        .with_hint("Make room and try again. What was stored before is still there.")
}

/// Returns the error for a file or directory that can't be written. `what` precedes the path in the message.
pub(crate) fn read_only(what: &str, path: &Path) -> Fault {
    let path = quoted(path);
    fault(ErrorKind::AccessDenied, format!("{what}{path} can't be written"))
        .with_hint(format!("See `ls -ld {path}`, and whether it is mounted read-only."))
}

/// Returns the error for a file that another process has open exclusively.
pub(crate) fn exclusively_open(cause: Fault) -> Fault {
    fault(ErrorKind::Busy, "another process has it open, and its file system lets in one at a time")
        .with_hint("Wait until that is done. On a local disk several processes can use it at once.")
        .with_source(cause)
}

/// Returns the error for a file system that can't coordinate several processes.
pub(crate) fn no_locks(file_system: Option<String>, cause: Fault) -> Fault {
    let kind = file_system.map(|kind| format!(" ({kind})")).unwrap_or_default();
    let message = format!("its file system{kind} can't lock files, or map them into memory");
    fault(ErrorKind::Io, message)
        .with_hint("Keep it on a local disk. Folders of a network, or of a virtual machine's host, often can't.")
        .with_source(cause)
}

/// Converts the error of a file or directory.
pub(crate) fn from_io(path: &Path, cause: io::Error) -> Fault {
    strongroom_files::error(Operation::Open, path, cause).into_fault()
}

/// Returns the error of reading a key file.
pub(crate) fn key_file(path: &Path, cause: io::Error) -> Fault {
    if cause.kind() != io::ErrorKind::NotFound {
        return from_io(path, cause);
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
            (ErrorKind::Busy, "another process is writing to the sealed file", None)
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
