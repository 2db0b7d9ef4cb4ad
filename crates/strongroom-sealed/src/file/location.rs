//! The place of an open file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_files::Stamp;

use crate::database::{self, Database};
use crate::error::{Result, from_io, replaced};

/// The path of an open file, its identity, and the deadline of its operations.
pub(super) struct Location {
    pub(super) path: PathBuf,
    pub(super) deadline: Duration,
    stamp: Stamp,
}

impl Location {
    /// Opens the file at this path. The database is not trusted yet.
    pub(super) fn open(path: &Path, deadline: Duration) -> Result<(Self, Database)> {
        // SQLite opens the file by its path. The stamps before and after show that it has opened the file at
        // the path.
        let stamp = Stamp::at(path).map_err(|cause| from_io(path, cause))?;
        let location = Self { path: path.to_owned(), deadline, stamp };
        let database = location.connect()?;
        Ok((location, database))
    }

    /// Opens one more connection to the file. The database is not trusted yet.
    ///
    /// # Errors
    ///
    /// `Conflict` if another file is at the path.
    pub(super) fn connect(&self) -> Result<Database> {
        let database = database::open(&self.path, self.deadline)?;
        self.check()?;
        Ok(database)
    }

    /// Returns whether the file at the path is still the file that was opened.
    pub(super) fn is_in_place(&self) -> bool {
        Stamp::at(&self.path).is_ok_and(|stamp| stamp.is_same_file(&self.stamp))
    }

    /// Checks that the file is still in its place: a change to a replaced file would be lost.
    ///
    /// # Errors
    ///
    /// `Conflict`.
    pub(super) fn check(&self) -> Result<()> {
        if self.is_in_place() { Ok(()) } else { Err(replaced()) }
    }
}
