//! Moving an application's secrets out of its file at its start, once, with a note that makes later starts cheap.

use std::io;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use strongroom::blocking::SecretManager;
use strongroom::{Config, Error, Result};
use strongroom_files::{Source, create_dir, read_text, replace};

use crate::config_file::ConfigFile;
use crate::error;
use crate::file_secret::FileSecret;
use crate::plan::{Plan, Prefer};
use crate::secure::Secured;
use crate::source::Stamp;

/// The largest note that is read, in bytes. A note has 65.
const LARGEST_NOTE: u64 = 1024;

/// The result of [`ConfigFile::first_run`], for messages in the application's own words.
#[derive(Debug)]
#[non_exhaustive]
pub enum FirstRun {
    /// The file has not changed since an earlier start, which left nothing to do.
    Unchanged,
    /// There is no file, or it contains no secret's value.
    Nothing,
    /// Secrets were moved into the store.
    Secured(Secured),
    /// File and store have different values: see [`Plan::conflicts`]. Nothing was changed. The user has to choose.
    Conflict(Plan),
    /// There is no permanent store, or it can't be used at present. The file is unchanged, and the application can go on
    /// with the values in it. The next start tries again.
    NoStore(Error),
}

impl ConfigFile {
    /// Moves the file's secrets into the application's store, if there are any.
    ///
    /// Call it at each start. Once nothing is left to do, a note beside the vault's lock remembers the file's state and the
    /// rules. As long as both stay the same, a start only compares the file's metadata with the note. The store is opened
    /// only if there are values to move.
    ///
    /// # Errors
    ///
    /// `Invalid`, with line and column, if the file doesn't have its format, and the errors of [`secure`](Self::secure).
    /// The file is then unchanged. A problem with the store is not an error: see [`FirstRun::NoStore`].
    pub fn first_run(&self, store: Config) -> Result<FirstRun> {
        let note = Note::for_file(self, &store)?;
        let stamp = match Stamp::at(&self.path) {
            Ok(stamp) => stamp,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(FirstRun::Nothing),
            Err(cause) => return Err(error::read_failed(&self.path, cause)),
        };
        if note.matches(&stamp) {
            return Ok(FirstRun::Unchanged);
        }
        if !self.has_values(&note)? {
            return Ok(FirstRun::Nothing);
        }
        let secrets = match store.open_blocking() {
            Ok(secrets) => secrets,
            Err(error) => return Ok(FirstRun::NoStore(error)),
        };
        if let Err(error) = self.check_lasting(&secrets) {
            return Ok(FirstRun::NoStore(error));
        }
        match self.plan_and_secure(&secrets) {
            // An error with a store's name comes from the store, and the file is still complete.
            Err(error) if error.store().is_some() => Ok(FirstRun::NoStore(error)),
            // Reads the new file, so that the note is about its state.
            Ok(FirstRun::Secured(done)) => self.has_values(&note).map(|_| FirstRun::Secured(done)),
            other => other,
        }
    }

    fn plan_and_secure(&self, secrets: &SecretManager) -> Result<FirstRun> {
        let plan = self.plan(secrets, Prefer::Ask)?;
        if plan.conflicts().next().is_some() {
            return Ok(FirstRun::Conflict(plan));
        }
        self.secure(secrets, &plan, |_| {}).map(FirstRun::Secured)
    }

    /// Returns whether the file contains values. If not, writes the note, with the file's state at the time of reading.
    fn has_values(&self, note: &Note<'_>) -> Result<bool> {
        let snapshot = self.read()?;
        let has_values = snapshot.secrets.iter().any(FileSecret::may_have_value);
        if !has_values {
            note.write(&snapshot.source.stamp);
        }
        Ok(has_values)
    }
}

/// The note of the last start: a digest of the file's state and the rules.
struct Note<'a> {
    /// The path of the note. `None` if the store has no directory for its state.
    path: Option<PathBuf>,
    file: &'a ConfigFile,
}

impl<'a> Note<'a> {
    /// Returns the note for this file. Each file of an application has its own.
    fn for_file(file: &'a ConfigFile, store: &Config) -> Result<Self> {
        let absolute = std::path::absolute(&file.path).unwrap_or_else(|_| file.path.clone());
        // 64 bits of the digest are plenty for the few files of an application.
        let ending = format!(".config-{}", &digest(absolute.as_os_str().as_encoded_bytes())[..16]);
        Ok(Self { path: store.state_file(&ending)?, file })
    }

    /// Returns whether the note is about this state of the file, and the same rules.
    fn matches(&self, stamp: &Stamp) -> bool {
        let noted =
            self.path.as_ref().and_then(|path| read_text(path, Source::Own, LARGEST_NOTE).ok());
        noted.is_some_and(|noted| *noted == self.text(stamp))
    }

    /// Writes the note. If that fails, the next start reads the file again.
    fn write(&self, stamp: &Stamp) {
        let Some(path) = &self.path else { return };
        if let Some(directory) = path.parent() {
            create_dir(directory).ok();
        }
        replace(path, self.text(stamp).as_bytes()).ok();
    }

    /// Returns the text of the note about this state of the file.
    fn text(&self, stamp: &Stamp) -> String {
        let state = format!("{stamp:?} {:?} {:?}", self.file.format, self.file.rules);
        format!("{}\n", digest(state.as_bytes()))
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
