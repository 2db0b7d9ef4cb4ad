//! What keeps the copies of a vault in several processes coherent.
//!
//! Two files in one directory of the user's: the lock, held around every commit, and the generation
//! file, which every read looks at. (A third kind, one lock for each secret that is refreshed, takes no
//! part in this.) The store itself is read and written by the caller:
//!
//! - A read [glances](Coherence::glance) or [observes](Coherence::observe), and [decides](decide). If it must read the store, it
//!   remembers what it read by [`Observation::remember`], from an observation made *before*.
//! - A commit takes the [lock](Coherence::lock), decides by [`Commit::base`], reads the store again if it
//!   must, marks the file dirty ([`Commit::begin`]), writes the store, and marks it clean
//!   ([`Commit::finish`]). One that ends in between leaves the mark, and everybody reads the store
//!   until a commit is finished.
//! - Whoever finds the file dirty or absent may mend that: lock, read the store, finish. No begin.
//!
//! # What holds
//!
//! `coherence/model.rs` checks it in every interleaving of two writers and a reader, with a crash at
//! any step:
//!
//! - No acknowledged commit is lost, and no read returns what was replaced before it began.
//! - This survives the generation file's deletion at any moment, and a backup's return over it: each
//!   look compares the open file with the one at the path, and the time of its change. A glance, which
//!   the model does not have, takes that comparison from a look of at most 50 ms ago, because it costs
//!   three times as much as the rest: for so long a read may miss that the file was deleted, replaced
//!   or restored. Commits always look.
//! - It survives the lock file's deletion at any moment but one: while a commit writes the store. A
//!   second process can then lock a new file. The first one is told ([`Finished::lost_lock`]), the
//!   second can't be. On Windows open files can't be deleted.
//! - A power cut may leave any older record. It vouches for what a process remembers, and after a
//!   power cut no process remembers anything; so nothing is synced to the disk.
//! - Where locks or files can't be had (read-only home, a network file system without locks), every
//!   read reads the store, and commits exclude those of the same handle only. Processes that do have
//!   the files may not see the commits of one that has not.
//!
//! What does not: between machines that share a home, records arrive with the file system's own
//! delay; an older record that returns within the clock tick of the last change (some ms), or by a
//! directory that is moved away and back, is taken for the last one; a store that somebody changes
//! without this is seen at the next read of the store.

mod generation;
mod observation;
mod record;
mod refreshes;
mod state_dir;

#[cfg(all(test, unix))]
mod model;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strongroom_core::{Error, ErrorKind, Operation, Result, SecretKey, ServiceName};
use strongroom_files::{Lock, NotHeld, Stamp, create_copy, create_dir};

use generation::GenerationFile;
use record::Record;
use refreshes::Refreshes;
use state_dir::Paths;

pub(crate) use observation::{Decision, Observation, Seen, decide};
pub(crate) use record::Revision;
pub(crate) use state_dir::StateDir;
pub(crate) use strongroom_files::Held;

/// One service's lock and generation file, as this process has them open.
#[derive(Debug)]
pub(crate) struct Coherence {
    service: ServiceName,
    paths: Option<Paths>,
    lock: Arc<Lock>,
    refreshes: Refreshes,
    generation: Option<GenerationFile>,
    has_warned: AtomicBool,
}

/// The right to write the store, given back when dropped.
#[derive(Debug)]
pub(crate) struct Commit<'a> {
    coherence: &'a Coherence,
    held: Held,
}

/// The state of the generation file after a commit has marked it dirty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(Stamp);

/// What a finished commit knows of itself.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Finished {
    /// What to remember the written revision by; `None` if it can't be told when it changes.
    pub(crate) seen: Option<Seen>,
    /// The lock file was lost while the store was written: another process may have written at the
    /// same time, so read the store, and commit again what is not in it.
    pub(crate) lost_lock: bool,
}

impl Coherence {
    /// Opens the lock and the generation file of a service, and creates them if need be.
    ///
    /// Without a directory to write in it works without, as said above, and warns once.
    ///
    /// # Errors
    ///
    /// `AccessDenied`, `Invalid` if the directory or a file in it could be another user's doing.
    pub(crate) fn open(state_dir: &StateDir, service: &ServiceName) -> Result<Self> {
        let paths = state_dir.paths(service);
        let refreshes = Refreshes::new(paths.clone());
        let files = paths.clone().map(|paths| (paths.lock, paths.generation));
        let (lock, generation) = files.unzip();
        let lock = match state_dir.is_needed() {
            true => Lock::new(lock),
            false => of_process(service),
        };
        let coherence = Self {
            service: service.clone(),
            paths,
            lock,
            refreshes,
            generation: generation.map(GenerationFile::new),
            has_warned: AtomicBool::new(!state_dir.is_needed()),
        };
        if let Some(error) = coherence.lock.check()? {
            coherence.warn(&error);
        }
        Ok(coherence)
    }

    /// What the generation file says, for a read. One system call most of the time; it neither blocks
    /// nor fails. A commit of another process is seen at once; that the file itself was deleted,
    /// replaced or restored, within 50 ms.
    pub(crate) fn glance(&self) -> Observation {
        self.generation.as_ref().map_or(Observation::MustRead, GenerationFile::glance)
    }

    /// What the generation file says now. Two system calls; it neither blocks nor fails.
    pub(crate) fn observe(&self) -> Observation {
        self.generation.as_ref().map_or(Observation::MustRead, GenerationFile::observe)
    }

    /// Whether the generation file still is as a commit of this process left it that was not finished: then no other
    /// process has begun one since.
    pub(crate) fn is_unchanged_since(&self, mark: Mark) -> bool {
        // On Windows stamps don't tell.
        cfg!(unix)
            && self.observe() == Observation::MustRead
            && self.paths.as_ref().is_some_and(|paths| {
                Stamp::at(&paths.generation).is_ok_and(|stamp| stamp == mark.0)
            })
    }

    /// Waits for the right to write the store, no longer than the limit. It blocks the thread.
    ///
    /// # Errors
    ///
    /// `Busy` if somebody else has it, by its process's number; `Io` if it can't be waited for.
    pub(crate) fn lock(&self, limit: Duration) -> Result<Commit<'_>> {
        match self.lock.take(limit) {
            Ok((held, missing)) => {
                missing.iter().for_each(|error| self.warn(error));
                Ok(Commit { coherence: self, held })
            }
            Err(reason) => Err(not_held(reason, "writing the vault", limit)),
        }
    }

    /// Waits for the right to refresh a secret, no longer than the limit. It blocks the thread.
    ///
    /// It excludes others that refresh this secret, and nobody else.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock).
    pub(crate) fn lock_refresh(&self, key: &SecretKey, limit: Duration) -> Result<Held> {
        match self.refreshes.of(key).take(limit) {
            Ok((held, missing)) => {
                missing.iter().for_each(|error| self.warn(error));
                Ok(held)
            }
            Err(reason) => Err(not_held(reason, "refreshing the secret", limit)),
        }
    }

    /// Writes a copy of a payload beside the lock, for the user alone, and returns where it is. It is on
    /// the disk when this returns.
    pub(crate) fn put_aside(&self, stamp: &str, payload: &[u8]) -> io::Result<PathBuf> {
        let paths = self.paths.as_ref().ok_or_else(|| io::Error::other("no home directory"))?;
        let path = paths.copy(stamp);
        path.parent().map_or(Ok(()), create_dir)?;
        create_copy(&path, payload)
    }

    fn warn(&self, error: &io::Error) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            let service = &self.service;
            let directory = self.paths.as_ref().and_then(|paths| paths.lock.parent());
            let directory = directory.map(|directory| format!(" in {}", directory.display()));
            tracing::warn!(
                %service,
                "no lock between processes{}, whose writes may collide: {error}",
                directory.unwrap_or_default()
            );
        }
    }
}

impl Commit<'_> {
    /// Whether other processes are excluded.
    pub(crate) const fn is_exclusive(&self) -> bool {
        self.held.is_exclusive()
    }

    /// What the generation file says while nobody else writes.
    pub(crate) fn base(&self) -> Observation {
        if self.held.is_exclusive() { self.coherence.observe() } else { Observation::MustRead }
    }

    /// Tells everybody to read the store until this commit is finished. To be called after the base
    /// was read, right before the store is written.
    ///
    /// # Errors
    ///
    /// `Conflict` if the lock file was deleted meanwhile: lock again. `Io` if the others can't be told.
    /// The store must not be written then.
    pub(crate) fn begin(&self) -> Result<Option<Mark>> {
        let Some(generation) = &self.coherence.generation else { return Ok(None) };
        let mark = generation.write(Record::Dirty);
        match mark {
            Err(error) if self.held.is_exclusive() => {
                return Err(Error::new(ErrorKind::Io, Operation::Set)
                    .with_message(
                        "other processes can't be told of the change; nothing was changed",
                    )
                    .with_source(error));
            }
            Ok(stamp) if self.held.is_exclusive() && self.held.is_intact() => {
                return Ok(Some(Mark(stamp)));
            }
            _ if self.held.is_intact() => return Ok(None),
            _ => {}
        }
        Err(Error::new(ErrorKind::Conflict, Operation::Set)
            .with_message("the vault's lock file was deleted meanwhile; nothing was changed")
            .with_hint("Try again."))
    }

    /// Says that the store holds this revision now.
    ///
    /// Not to be called when it is unknown what the store holds: dropping the commit leaves the mark.
    pub(crate) fn finish(self, revision: Revision) -> Finished {
        if !self.held.is_exclusive() {
            return Finished { seen: None, lost_lock: false };
        }
        if !self.held.is_intact() {
            return Finished { seen: None, lost_lock: true };
        }
        let written = self.coherence.generation.as_ref().map(|generation| {
            generation.write(Record::Clean(revision)).map(|stamp| Seen::written(revision, stamp))
        });
        Finished { seen: written.and_then(io::Result::ok), lost_lock: !self.held.is_intact() }
    }
}

/// Returns the lock of a vault that lies in this process's memory, for all handles on it.
fn of_process(service: &ServiceName) -> Arc<Lock> {
    static LOCKS: Mutex<BTreeMap<ServiceName, Arc<Lock>>> = Mutex::new(BTreeMap::new());
    let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(locks.entry(service.clone()).or_insert_with(|| Lock::new(None)))
}

fn not_held(reason: NotHeld, doing: &str, limit: Duration) -> Error {
    let holder = match reason {
        NotHeld::Busy(holder) => holder,
        NotHeld::Refused(error) => return error,
        NotHeld::Io(error) => {
            return Error::new(ErrorKind::Io, Operation::Set)
                .with_message("the lock can't be waited for; nothing was changed")
                .with_source(error);
        }
        _ => None,
    };
    let holder = match holder {
        Some(holder) if holder == std::process::id() => "this process".to_owned(),
        Some(holder) => format!("process {holder}"),
        None => "another process".to_owned(),
    };
    Error::new(ErrorKind::Busy, Operation::Set)
        .with_message(format!("{holder} is {doing}, for {limit:?} at least; nothing was changed"))
}
