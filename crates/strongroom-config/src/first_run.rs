//! What an application does at its start: moving secrets out of its file once, and looking no further after that.

use std::io;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use strongroom::blocking::SecretManager;
use strongroom::{Config, Error, Result};
use strongroom_files::{Source, create_dir, read_text, replace};

use crate::config_file::ConfigFile;
use crate::find::Found;
use crate::plan::{Plan, Prefer};
use crate::secure::Secured;
use crate::source::Stamp;

/// The most that is read of the note of an earlier start, in bytes.
const LARGEST_NOTE: u64 = 1024;

/// What happened at the start of an application, for it to tell in its own words.
#[derive(Debug)]
#[non_exhaustive]
pub enum FirstRun {
    /// The file is as it was at the last start, when nothing was left to do.
    Unchanged,
    /// There is no file, or no secret's value in it.
    Nothing,
    /// These secrets were moved into the store.
    Secured(Secured),
    /// File and store hold different values, as the plan's [conflicts](Plan::conflicts) say. Nothing was changed;
    /// the user has to choose.
    Conflict(Plan),
    /// There is no store that lasts, or it can't be used now. The file is as it was; go on with what is in it.
    /// The next start tries again.
    NoStore(Error),
}

impl ConfigFile {
    /// Moves the file's secrets into the application's store, if there are any.
    ///
    /// Call it at each start. Once nothing is left to do, that is remembered beside the vault's lock, and costs
    /// one look at the file's state after that, until somebody writes the file or the rules are others. The store
    /// is opened only if there is something to move.
    ///
    /// # Errors
    ///
    /// `Invalid`, with line and column, if the file can't be read as what it should be, and as
    /// [`secure`](Self::secure). The file is then as it was. What is wrong with the store is no error:
    /// see [`FirstRun::NoStore`].
    pub fn first_run(&self, store: Config) -> Result<FirstRun> {
        let note = Note::of(self, &store)?;
        let stamp = match Stamp::at(&self.path) {
            Ok(stamp) => stamp,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(FirstRun::Nothing),
            Err(cause) => return Err(crate::error::reading(&self.path, cause)),
        };
        if note.says(&stamp) {
            return Ok(FirstRun::Unchanged);
        }
        if !self.has_values(&note)? {
            return Ok(FirstRun::Nothing);
        }
        let secrets = match store.open_blocking() {
            Ok(secrets) => secrets,
            Err(error) => return Ok(FirstRun::NoStore(error)),
        };
        if let Err(error) = self.check_lasts(&secrets) {
            return Ok(FirstRun::NoStore(error));
        }
        match self.moved(&secrets) {
            Err(error) if error.store().is_some() => Ok(FirstRun::NoStore(error)),
            Ok(FirstRun::Secured(done)) => self.has_values(&note).map(|_| FirstRun::Secured(done)),
            other => other,
        }
    }

    fn moved(&self, secrets: &SecretManager) -> Result<FirstRun> {
        let plan = self.plan(secrets, Prefer::Neither)?;
        if plan.conflicts().next().is_some() {
            return Ok(FirstRun::Conflict(plan));
        }
        self.secure(secrets, &plan, |_| {}).map(FirstRun::Secured)
    }

    /// Whether there is anything to move. If not, that is remembered of the file as it was read.
    fn has_values(&self, note: &Note<'_>) -> Result<bool> {
        let read = self.read()?;
        let has_values = read.found.iter().any(Found::holds_something);
        if !has_values {
            note.remember(&read.source.stamp);
        }
        Ok(has_values)
    }
}

/// What is remembered of the last start: a digest of the state of the file, and of the rules.
struct Note<'a> {
    path: Option<PathBuf>,
    of: &'a ConfigFile,
}

impl<'a> Note<'a> {
    /// One for each file of an application.
    fn of(of: &'a ConfigFile, store: &Config) -> Result<Self> {
        let file = std::path::absolute(&of.path).unwrap_or_else(|_| of.path.clone());
        let ending = format!(".config-{}", &digest(file.as_os_str().as_encoded_bytes())[..16]);
        Ok(Self { path: store.state_file(&ending)?, of })
    }

    fn says(&self, stamp: &Stamp) -> bool {
        let noted =
            self.path.as_ref().and_then(|path| read_text(path, Source::Own, LARGEST_NOTE).ok());
        noted.is_some_and(|noted| *noted == self.text(stamp))
    }

    /// Where it can't be, the next start looks again.
    fn remember(&self, stamp: &Stamp) {
        let Some(path) = &self.path else { return };
        if let Some(directory) = path.parent() {
            create_dir(directory).ok();
        }
        replace(path, self.text(stamp).as_bytes()).ok();
    }

    fn text(&self, stamp: &Stamp) -> String {
        let known = format!("{stamp:?} {:?} {:?}", self.of.format, self.of.rules);
        format!("{}\n", digest(known.as_bytes()))
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
