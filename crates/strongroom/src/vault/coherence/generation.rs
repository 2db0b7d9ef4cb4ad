//! The generation file, which every read looks at and every commit writes.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use strongroom_files::{Stamp, open_state, read_at, write_at};

use super::observation::{Observation, Seen};
use super::record::Record;

/// The number of attempts to write a file that is deleted meanwhile.
const TRIES: usize = 8;

/// The time for which a look at the path confirms that the open file is still there. It bounds how long a
/// read can miss that the file was deleted, replaced or restored. Commits look at the path each time.
const VOUCHED: Duration = Duration::from_millis(50);

/// The generation file of a service, kept open.
///
/// An open file that was deleted or replaced would never change again, so a look compares it with the file at
/// the path. That takes two system calls. The comparison is by far the more expensive of them, and a
/// [`glance`](Self::glance) leaves it out for a while.
#[derive(Debug)]
pub(super) struct GenerationFile {
    path: PathBuf,
    // Both are read without a lock: several threads that read look at them each time.
    open: ArcSwapOption<Open>,
    latest: ArcSwapOption<(Instant, Seen)>,
}

#[derive(Debug)]
struct Open {
    file: File,
    stamp: Stamp,
}

impl GenerationFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: ArcSwapOption::empty(), latest: ArcSwapOption::empty() }
    }

    /// Returns the state of the file at the path.
    ///
    /// A file that this process can't write is ignored: it would not show the commits of this process.
    pub(super) fn observe(&self) -> Observation {
        let look = self.look();
        look.or_else(|| self.open(false).ok().and_then(|()| self.look()))
            .unwrap_or(Observation::MustRead)
    }

    /// Returns the state of the file, for a read. This takes a single system call if the path was looked at
    /// recently and the record has not changed since.
    pub(super) fn glance(&self) -> Observation {
        if let Some(seen) = self.still_seen() {
            return Observation::Clean(seen);
        }
        let now = Instant::now();
        // Taken before the look, so that the look counts as older than it is.
        let observation = self.observe();
        self.latest.store(match observation {
            Observation::Clean(seen) => Some(Arc::new((now, seen))),
            Observation::MustRead => None,
        });
        observation
    }

    fn still_seen(&self) -> Option<Seen> {
        let (when, seen) = **self.latest.load().as_ref()?;
        if when.elapsed() > VOUCHED {
            return None;
        }
        let record = read(&self.open.load().as_ref()?.file)?;
        (record == Record::Clean(seen.revision())).then_some(seen)
    }

    /// Writes a record. The caller must hold the lock. Returns the stamp of the file after the write.
    ///
    /// The record is in the kernel's memory then, visible to every process of this machine, but not synced to
    /// the disk: after a power cut no process remembers anything that the file could confirm.
    ///
    /// # Errors
    ///
    /// The error of the file system. The file may then hold the old record, the new record, or a torn record.
    pub(super) fn write(&self, record: Record) -> io::Result<Stamp> {
        for _ in 0..TRIES {
            if self.look().is_none() {
                self.open(true)?;
            }
            let open = self.open.load_full();
            let Some(open) = open else { continue };
            // Dropped before the write, so that no glance returns the old state afterwards.
            self.latest.store(None);
            write_at(&open.file, &record.encode())?;
            // If the file was deleted or replaced meanwhile, no other process sees this record.
            match Stamp::at(&self.path) {
                Ok(stamp) if stamp.is_same_file(&open.stamp) => return Ok(stamp),
                _ => {}
            }
        }
        Err(io::Error::other("the file vanishes as soon as it is made"))
    }

    /// Returns the state of the open file, or `None` if it is not the file at the path.
    fn look(&self) -> Option<Observation> {
        let open = self.open.load();
        let open = open.as_ref()?;
        // The record before the stamp: a write in between gives an old record a new stamp, which no process
        // remembers.
        let record = read(&open.file);
        let stamp = Stamp::at(&self.path).ok()?;
        stamp.is_same_file(&open.stamp).then(|| Observation::of(record, stamp))
    }

    fn open(&self, create: bool) -> io::Result<()> {
        let file = open_state(&self.path, create);
        let opened = file.and_then(|file| Ok(Open { stamp: Stamp::of_file(&file)?, file }));
        self.open.store(None);
        self.latest.store(None);
        self.open.store(Some(Arc::new(opened?)));
        Ok(())
    }
}

fn read(file: &File) -> Option<Record> {
    let mut bytes = [0; 40];
    let length = read_at(file, &mut bytes).ok()?;
    (length == bytes.len()).then(|| Record::decode(&bytes)).flatten()
}
