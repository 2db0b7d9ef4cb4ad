//! The file with the entries.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tempfile::NamedTempFile;

use crate::entries::Entry;

/// The file with the entries. Only a single tracker can open it at a time.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    /// The lock, held as long as the tracker runs. Two trackers would overwrite each other's entries.
    _lock: File,
}

impl Journal {
    /// Returns the directory of the user's journal.
    pub(crate) fn directory() -> anyhow::Result<PathBuf> {
        let data =
            dirs::data_local_dir().context("there is no home directory to keep entries in")?;
        Ok(data.join("tracker"))
    }

    /// Opens the journal in a directory, which is created if it doesn't exist.
    pub(crate) fn open(directory: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(directory).with_context(|| unusable(directory))?;
        let path = directory.join("lock");
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.with_context(|| unusable(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: directory.join("entries.json"), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("a tracker runs already: use that one, or quit it first")
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| unusable(&path)),
        }
    }

    /// Returns all entries, the oldest first. Without a file, there are no entries. A file that can't be read is an error, and
    /// stays.
    pub(crate) fn read(&self) -> anyhow::Result<Vec<Entry>> {
        match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| unusable(&self.path)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| unusable(&self.path)),
        }
    }

    /// Replaces the whole file. If the process is killed, the file has either the old or the new entries.
    pub(crate) fn write(&self, entries: &[Entry]) -> anyhow::Result<()> {
        self.replace(entries).with_context(|| format!("{} can't be written", self.path.display()))
    }

    fn replace(&self, entries: &[Entry]) -> anyhow::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(directory)?;
        file.write_all(&serde_json::to_vec_pretty(entries)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

fn unusable(path: &Path) -> String {
    format!("{} can't be used", path.display())
}

#[cfg(test)]
mod tests {
    use jiff::Zoned;

    use super::*;

    #[test]
    fn what_was_written_is_there_the_next_time() {
        let directory = tempfile::tempdir().unwrap();
        let entries = [Entry::starting("über \"alles\"".to_owned(), &Zoned::now())];
        let journal = Journal::open(&directory.path().join("new")).unwrap();
        assert_eq!(journal.read().unwrap(), []);
        journal.write(&entries).unwrap();
        drop(journal);
        let journal = Journal::open(&directory.path().join("new")).unwrap();
        assert_eq!(journal.read().unwrap(), entries);
    }

    #[test]
    fn two_trackers_do_not_write_over_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let first = Journal::open(directory.path()).unwrap();
        let error = Journal::open(directory.path()).unwrap_err();
        assert!(error.to_string().contains("runs already"), "{error:#}");
        drop(first);
        Journal::open(directory.path()).unwrap();
    }

    #[test]
    fn a_file_that_can_not_be_read_is_named_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("entries.json");
        fs::write(&path, "[{").unwrap();
        let error = Journal::open(directory.path()).unwrap().read().unwrap_err();
        assert!(error.to_string().contains("entries.json"), "{error:#}");
        assert_eq!(fs::read(&path).unwrap(), b"[{");
    }
}
