//! The generation file: read by every get, written by every commit.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use strongroom_files::{Stamp, open_state, read_at, write_at};

use super::observation::{Observation, Seen};
use super::record::Record;

/// How often the file may vanish under one look before it counts as absent.
const TRIES: usize = 8;

/// How long a look at the path vouches that the open file is the one there. It bounds what a read can
/// miss when the file is deleted, replaced or restored; commits look at the path each time.
const VOUCHED: Duration = Duration::from_millis(50);

/// The generation file of a service, kept open.
///
/// An open file that was deleted or replaced would never move again, so a look compares it with the
/// file at the path. That is two system calls, of which the comparison is the dearer one by far: a
/// [`glance`](Self::glance) leaves it out for a while.
#[derive(Debug)]
pub(super) struct GenerationFile {
    path: PathBuf,
    open: RwLock<Option<Open>>,
    latest: Mutex<Option<(Instant, Seen)>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    stamp: Stamp,
}

impl GenerationFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: RwLock::new(None), latest: Mutex::new(None) }
    }

    /// What the file at the path says.
    ///
    /// One that this process could not write says nothing: its own commits would not show in it.
    pub(super) fn observe(&self) -> Observation {
        let look = self.look();
        look.or_else(|| self.open(false).ok().and_then(|()| self.look()))
            .unwrap_or(Observation::MustRead)
    }

    /// What the file says, for a read: one system call, if the path was looked at not long ago and the
    /// record is still the one from then.
    pub(super) fn glance(&self) -> Observation {
        if let Some(seen) = self.still_seen() {
            return Observation::Clean(seen);
        }
        let now = Instant::now();
        let observation = self.observe();
        *self.latest() = match observation {
            Observation::Clean(seen) => Some((now, seen)),
            Observation::MustRead => None,
        };
        observation
    }

    fn still_seen(&self) -> Option<Seen> {
        let (when, seen) = (*self.latest())?;
        if when.elapsed() > VOUCHED {
            return None;
        }
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let record = read(&open.as_ref()?.file)?;
        (record == Record::Clean(seen.revision())).then_some(seen)
    }

    fn latest(&self) -> MutexGuard<'_, Option<(Instant, Seen)>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
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
            *self.latest() = None;
            write_at(&open.file, &record.encode())?;
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
        let file = open_state(&self.path, create);
        let opened = file.and_then(|file| Ok(Open { stamp: Stamp::of_file(&file)?, file }));
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        *open = None;
        *self.latest() = None;
        *open = Some(opened?);
        Ok(())
    }
}

fn read(file: &File) -> Option<Record> {
    let mut bytes = [0; 40];
    let length = read_at(file, &mut bytes).ok()?;
    (length == bytes.len()).then(|| Record::decode(&bytes)).flatten()
}
