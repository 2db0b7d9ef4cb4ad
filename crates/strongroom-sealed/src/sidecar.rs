//! The files that SQLite keeps beside a sealed file: its log and the log's index, but never a journal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use strongroom_files::{check_own, quoted};

use crate::error::{self, Result, corrupt};

/// The largest log that is read, in bytes. A log holds at least a whole change, so the limit is above twice
/// the size of the largest backup.
const LARGEST_LOG: u64 = 1024 * 1024 * 1024;

/// Returns the path of the log.
pub(crate) fn log(path: &Path) -> PathBuf {
    with_ending(path, "-wal")
}

/// Returns the length of the log in bytes; 0 if there is none.
pub(crate) fn log_len(path: &Path) -> u64 {
    log(path).symlink_metadata().map_or(0, |metadata| metadata.len())
}

/// Returns whether there is a log that is not empty.
pub(crate) fn has_log(path: &Path) -> bool {
    log_len(path) > 0
}

/// Checks the files beside a sealed file, before SQLite reads or replays them.
///
/// # Errors
///
/// `Corrupt` for a rollback journal, which SQLite would write into the file, and for a log that is too large;
/// as [`check_own`] for a log or index that is not a regular file of the user alone.
pub(crate) fn check(path: &Path) -> Result<()> {
    let journal = with_ending(path, "-journal");
    if journal.symlink_metadata().is_ok() {
        let journal = quoted(&journal);
        return Err(corrupt(format!("{journal} lies beside it, and a sealed file has no journal"))
            .with_hint(format!(
                "Another program made it, or somebody put it there. Copy all of it, then move {journal} away."
            )));
    }
    for part in [log(path), with_ending(path, "-shm")] {
        match check_own(&part) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(error::from_io(&part, cause));
            }
            _ => {}
        }
    }
    if log_len(path) > LARGEST_LOG {
        let log = quoted(&log(path));
        return Err(corrupt(format!("{log} has more than {} MiB", LARGEST_LOG >> 20)));
    }
    Ok(())
}

/// Removes the log's index, which stays behind if memory can't be shared. No process may have the file open.
pub(crate) fn remove_index(path: &Path) {
    drop(fs::remove_file(with_ending(path, "-shm")));
}

/// Refuses a log without its database. SQLite would replay it into the next database at this path, and it
/// holds the latest changes of the lost file.
pub(crate) fn refuse_orphan(path: &Path) -> Result<()> {
    let log = log(path);
    let is_orphan = log.symlink_metadata().is_ok() && path.symlink_metadata().is_err();
    if !is_orphan {
        return Ok(());
    }
    let (path, log) = (quoted(path), quoted(&log));
    Err(corrupt(format!("{path} is gone and its log is still there"))
        .with_hint(format!("Bring {path} back, or move {log} away.")))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}
