//! The generation file: read by every get, written by every commit.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use super::observation::Observation;
use super::platform::{self, Stamp};
use super::record::Record;

/// How often the file may vanish under one look before it counts as absent.
const TRIES: usize = 8;

/// The generation file of a service, kept open.
///
/// An open file that was deleted or replaced would never move again, so each look compares it with
/// the file at the path. That is two system calls a look.
#[derive(Debug)]
pub(super) struct GenerationFile {
    path: PathBuf,
    open: RwLock<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    stamp: Stamp,
}

impl GenerationFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: RwLock::new(None) }
    }

    /// What the file at the path says.
    ///
    /// One that this process could not write says nothing: its own commits would not show in it.
    pub(super) fn observe(&self) -> Observation {
        let look = self.look();
        look.or_else(|| self.open(false).ok().and_then(|()| self.look()))
            .unwrap_or(Observation::MustRead)
    }

    /// Writes a record, for the holder of the lock. Returns the stamp of the file that holds it now.
    ///
    /// It is in the kernel's memory then, seen by every process of this machine, and not on the
    /// disk: after a power cut no process remembers anything that the file could vouch for.
    ///
    /// # Errors
    ///
    /// What the file system says. The file may then hold the old record, the new one or no whole one.
    pub(super) fn write(&self, record: Record) -> io::Result<Stamp> {
        for _ in 0..TRIES {
            if self.look().is_none() {
                self.open(true)?;
            }
            let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
            let Some(open) = open.as_ref() else { continue };
            platform::write_at(&open.file, &record.encode())?;
            match Stamp::at(&self.path) {
                Ok(stamp) if stamp.is_same_file(&open.stamp) => return Ok(stamp),
                _ => {}
            }
        }
        Err(io::Error::other("the file vanishes as soon as it is made"))
    }

    /// What the open file says; `None` if it is not the one at the path.
    fn look(&self) -> Option<Observation> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let open = open.as_ref()?;
        let record = read(&open.file);
        let stamp = Stamp::at(&self.path).ok()?;
        stamp.is_same_file(&open.stamp).then(|| Observation::of(record, stamp))
    }

    fn open(&self, create: bool) -> io::Result<()> {
        let file = platform::options().create(create).truncate(false).open(&self.path);
        let opened = file.and_then(|file| Ok(Open { stamp: Stamp::of_file(&file)?, file }));
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        *open = None;
        *open = Some(opened?);
        Ok(())
    }
}

fn read(file: &File) -> Option<Record> {
    let mut bytes = [0; 40];
    let length = platform::read_at(file, &mut bytes).ok()?;
    (length == bytes.len()).then(|| Record::decode(&bytes)).flatten()
}
