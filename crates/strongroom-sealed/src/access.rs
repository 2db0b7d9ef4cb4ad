//! The ways to open a file: shared with other processes, exclusively, or without locks and read-only.
//!
//! SQLite's log needs memory that processes share, through a file beside the log. Not every file system can
//! map files for that, and not every process that may read a file may also write beside it.

use std::fs;
use std::hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::sidecar;

/// A way to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Any number of processes read, a single process at a time writes. Shared memory coordinates them.
    Shared,
    /// A single process at a time has the file open, for a single operation. The other processes wait.
    Exclusive,
    /// No process is locked out, so the caller must check whether the file has changed meanwhile.
    ReadOnly,
}

/// The lengths and modification times of a file and its log, to notice a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileState([Option<(u64, Option<SystemTime>)>; 2]);

/// An error of SQLite on opening a file.
#[derive(Clone, Copy)]
pub(crate) struct OpenFailure<'a>(pub(crate) &'a rusqlite::Error);

impl Access {
    /// Opens a file this way, without reading it.
    pub(crate) fn connect(self, path: &Path) -> rusqlite::Result<Connection> {
        let (rights, uri) = match self {
            Self::Shared | Self::Exclusive => (OpenFlags::SQLITE_OPEN_READ_WRITE, None),
            // Without a log the file is complete, and SQLite needs no files beside it.
            Self::ReadOnly if !sidecar::has_log(path) => {
                (OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI, immutable(path))
            }
            Self::ReadOnly => (OpenFlags::SQLITE_OPEN_READ_ONLY, None),
        };
        let flags = rights
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let connection = match (self, uri) {
            (_, Some(uri)) => Connection::open_with_flags(uri, flags)?,
            (Self::ReadOnly, None) => open_unlocked(path, flags)?,
            _ => Connection::open_with_flags(path, flags)?,
        };
        if self != Self::Shared {
            // With exclusive access, SQLite keeps the log's index in its own memory and needs no shared
            // memory.
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        }
        Ok(connection)
    }
}

impl OpenFailure<'_> {
    /// Returns the access that may succeed after shared access has failed.
    pub(crate) fn fallback_access(&self, path: &Path) -> Option<Access> {
        let failure = self.0.sqlite_error()?;
        let directory = path.parent().unwrap_or(path);
        let can_write = is_writable(directory);
        // A log is read under a lock if possible, because another process may be writing it.
        let to_read = match can_write && sidecar::has_log(path) {
            true => Access::Exclusive,
            false => Access::ReadOnly,
        };
        match failure.extended_code {
            ffi::SQLITE_IOERR_SHMMAP | ffi::SQLITE_IOERR_SHMOPEN | ffi::SQLITE_IOERR_SHMLOCK => {
                Some(if can_write { Access::Exclusive } else { Access::ReadOnly })
            }
            ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_WRITE => Some(to_read),
            _ => match failure.code {
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::DiskFull => {
                    Some(to_read)
                }
                // SQLite reports the same error if the process has too many open files; so the directory
                // decides.
                ErrorCode::CannotOpen if !can_write || is_full(directory) => Some(to_read),
                _ => None,
            },
        }
    }

    /// Returns whether the file system lacks the locks or the shared memory that keep processes apart.
    pub(crate) fn lacks_locks(self) -> bool {
        self.0.sqlite_error().is_some_and(|failure| {
            matches!(
                failure.extended_code,
                ffi::SQLITE_IOERR_LOCK
                    | ffi::SQLITE_IOERR_RDLOCK
                    | ffi::SQLITE_IOERR_UNLOCK
                    | ffi::SQLITE_IOERR_CHECKRESERVEDLOCK
                    | ffi::SQLITE_IOERR_SHMLOCK
                    | ffi::SQLITE_IOERR_SHMMAP
                    | ffi::SQLITE_IOERR_SHMOPEN
            )
        })
    }
}

impl FileState {
    pub(crate) fn of(path: &Path) -> Self {
        Self([path, &sidecar::log(path)].map(|path| {
            let metadata = fs::symlink_metadata(path).ok()?;
            Some((metadata.len(), metadata.modified().ok()))
        }))
    }

    /// Returns a number that differs for different traces, except by chance.
    pub(crate) fn number(&self) -> i64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        i64::from_ne_bytes(hasher.finish().to_ne_bytes())
    }
}

/// Waits for a short time while another process has the file open exclusively.
#[expect(
    clippy::disallowed_methods,
    reason = "who closes a file tells nobody, as SQLite's own waits know"
)]
pub(crate) fn back_off() {
    // A random time, so that waiting processes don't stay in step.
    let micros = RandomState::new().hash_one(()) % 10_000;
    std::thread::sleep(Duration::from_micros(1_000 + micros));
}

/// Returns a URI by which SQLite treats the file as immutable, with unusual bytes escaped.
fn immutable(path: &Path) -> Option<PathBuf> {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    cfg!(unix).then(|| PathBuf::from(uri + "?immutable=1"))
}

/// Opens a database without locks, for a file or directory that can't be written.
#[cfg(unix)]
fn open_unlocked(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    Connection::open_with_flags_and_vfs(path, flags, "unix-none")
}

#[cfg(not(unix))]
fn open_unlocked(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, flags)
}

/// Returns whether this process may create files in a directory.
#[cfg(unix)]
pub(crate) fn is_writable(directory: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    accessat(CWD, directory, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

/// Returns whether the file system of a directory has no free space or no free inodes.
#[cfg(unix)]
pub(crate) fn is_full(directory: &Path) -> bool {
    rustix::fs::statvfs(directory).is_ok_and(|system| {
        // File systems without a fixed number of inodes, such as btrfs, report none at all.
        system.f_bavail == 0 || (system.f_files > 0 && system.f_favail == 0)
    })
}

#[cfg(not(unix))]
pub(crate) fn is_writable(directory: &Path) -> bool {
    !fs::metadata(directory).is_ok_and(|metadata| metadata.permissions().readonly())
}

#[cfg(not(unix))]
pub(crate) fn is_full(_: &Path) -> bool {
    false
}

/// Returns the type of the file system that a file is on, as `mount` names it.
#[cfg(target_os = "linux")]
pub(crate) fn file_system_of(path: &Path) -> Option<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    // Of two mounts at the same place the later covers the earlier, and `max_by_key` returns the last
    // maximum.
    let above = mounts.lines().filter_map(mount).filter(|(point, _)| path.starts_with(point));
    above.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind.to_owned())
}

/// Parses a line of `mountinfo`. Returns the mount point and the type of the file system.
#[cfg(target_os = "linux")]
fn mount(line: &str) -> Option<(&str, &str)> {
    let (mount, system) = line.split_once(" - ")?;
    Some((mount.split(' ').nth(4)?, system.split(' ').next().unwrap_or_default()))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn file_system_of(_: &Path) -> Option<String> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_file_system_is_known() {
        assert_eq!(file_system_of(Path::new("/proc/self/status")).as_deref(), Some("proc"));
        assert_eq!(file_system_of(Path::new("relative")), None);
    }
}
