//! Coherence between the copies of a vault in several processes.
//!
//! There are two files in a directory of the user: the lock, held during every commit, and the generation
//! file, which every read looks at. (A third kind of file, a lock for each secret that is refreshed, takes no
//! part in this protocol.) The caller reads and writes the store itself:
//!
//! - A read [glances](Coherence::glance) or [observes](Coherence::observe), and [decides](decide). If it must
//!   read the store, it remembers the content by [`Observation::remember`], from an observation made *before*
//!   the read.
//! - A commit takes the [lock](Coherence::lock), decides by [`Commit::base`], reads the store again if it
//!   must, marks the file dirty ([`Commit::begin`]), writes the store, and marks the file clean
//!   ([`Commit::finish`]). If the process dies in between, the mark remains, and every process reads the
//!   store until a commit is finished.
//! - A reader that finds the file dirty or absent may repair it: lock, read the store, finish. It needs no
//!   begin.
//!
//! # Guarantees
//!
//! `coherence/model.rs` checks them in every interleaving of two writers and a reader, with a crash at any
//! step:
//!
//! - No acknowledged commit is lost, and no read returns a state that was replaced before the read began.
//! - This holds if the generation file is deleted at any moment, or overwritten by an older copy from a
//!   backup: each look compares the open file with the file at the path, and its time of change. A glance,
//!   which the model does not have, takes that comparison from a look of at most 50 ms ago, because it costs
//!   three times as much as the rest: for so long a read may miss that the file was deleted, replaced or
//!   restored. Commits always look.
//! - This holds if the lock file is deleted at any moment, except while a commit writes the store. A second
//!   process can then lock a new file. The first process is told ([`Finished::lost_lock`]), the second can't
//!   be. On Windows open files can't be deleted.
//! - A power cut may leave any older record. A record only confirms what a process remembers, and after a
//!   power cut no process remembers anything, so nothing is synced to the disk.
//! - If locks or files are not available (a read-only home, a network file system without locks), every read
//!   reads the store, and a commit excludes only commits of the same handle. Processes that do have the files
//!   may miss the commits of a process that has none.
//!
//! # Limits
//!
//! - Between machines that share a home, records arrive with the delay of the file system.
//! - An older record is taken for the latest if it returns within the clock tick of the last change (some
//!   milliseconds), or because a directory is moved away and back.
//! - A change to the store that bypasses this protocol is noticed at the next read of the store.

mod generation;
mod observation;
mod record;
mod refreshes;

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

use crate::state_dir::{Paths, StateDir};
use generation::GenerationFile;
use record::Record;
use refreshes::Refreshes;

pub(crate) use observation::{Decision, Observation, Seen, decide};
pub(crate) use record::Revision;
pub(crate) use strongroom_files::Held;

/// The lock and the generation file of a service, as this process has them open.
#[derive(Debug)]
pub(crate) struct Coherence {
    service: ServiceName,
    paths: Option<Paths>,
    lock: Arc<Lock>,
    refreshes: Refreshes,
    generation: Option<GenerationFile>,
    has_warned: AtomicBool,
}

/// The exclusive right to write the store, released on drop.
#[derive(Debug)]
pub(crate) struct Commit<'a> {
    coherence: &'a Coherence,
    held: Held,
}

/// The state of the generation file after a commit has marked it dirty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(Stamp);

/// The result of a finished commit.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Finished {
    /// The record of the written revision; `None` if later changes would go unnoticed.
    pub(crate) seen: Option<Seen>,
    /// Set if the lock file was deleted while the store was written. Another process may have written at the
    /// same time: read the store, and commit again if the change is not in it.
    pub(crate) lost_lock: bool,
}

impl Coherence {
    /// Opens the lock and the generation file of a service, and creates them if needed.
    ///
    /// Without a writable directory it works without them, with the limits that the module describes, and
    /// warns once.
    ///
    /// # Errors
    ///
    /// `AccessDenied` or `Invalid` if another user may have created the directory or a file in it.
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
        if let Some(error) = coherence.lock.check().map_err(|fault| fault.during(Operation::Set))? {
            coherence.warn(&error);
        }
        Ok(coherence)
    }

    /// Returns the state of the generation file, for a read. This takes a single system call most of the
    /// time, and neither blocks nor fails. A commit of another process is seen at once. A deletion,
    /// replacement or restoration of the file itself is seen within 50 ms.
    pub(crate) fn glance(&self) -> Observation {
        self.generation.as_ref().map_or(Observation::MustRead, GenerationFile::glance)
    }

    /// Returns the state of the generation file at this moment. This takes two system calls, and neither
    /// blocks nor fails.
    pub(crate) fn observe(&self) -> Observation {
        self.generation.as_ref().map_or(Observation::MustRead, GenerationFile::observe)
    }

    /// Returns whether the generation file still is as an unfinished commit of this process left it. Then no
    /// other process has begun a commit since.
    pub(crate) fn is_unchanged_since(&self, mark: Mark) -> bool {
        // On Windows a stamp does not change when the file is written.
        cfg!(unix)
            && self.observe() == Observation::MustRead
            && self.paths.as_ref().is_some_and(|paths| {
                Stamp::at(&paths.generation).is_ok_and(|stamp| stamp == mark.0)
            })
    }

    /// Waits for the exclusive right to write the store, no longer than `limit`. Blocks the thread.
    ///
    /// # Errors
    ///
    /// `Busy` if another process or thread holds it; the message names the process by its id. `Io` if the
    /// lock can't be waited for. `AccessDenied` and `Invalid` as in [`open`](Self::open).
    pub(crate) fn lock(&self, limit: Duration) -> Result<Commit<'_>> {
        match self.lock.take(limit) {
            Ok((held, missing)) => {
                missing.iter().for_each(|error| self.warn(error));
                Ok(Commit { coherence: self, held })
            }
            Err(reason) => Err(not_held(reason, "writing the vault", limit)),
        }
    }

    /// Waits for the exclusive right to refresh a secret, no longer than `limit`. Blocks the thread.
    ///
    /// It excludes other refreshes of this secret, and nothing else.
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

    /// Writes a copy of a payload beside the lock, readable by the user alone, and returns its path. The copy
    /// is synced to the disk before this returns.
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
    /// Returns whether other processes are excluded.
    pub(crate) const fn is_exclusive(&self) -> bool {
        self.held.is_exclusive()
    }

    /// Returns the state of the generation file while no other process writes it.
    pub(crate) fn base(&self) -> Observation {
        if self.held.is_exclusive() { self.coherence.observe() } else { Observation::MustRead }
    }

    /// Marks the generation file dirty, so that every process reads the store until this commit is finished.
    /// Call it after the base was read, right before the store is written.
    ///
    /// Returns `None` without a generation file or an exclusive lock: then it can't be told later whether
    /// another process has written.
    ///
    /// # Errors
    ///
    /// `Conflict` if the lock file was deleted meanwhile: lock again. `Io` if the other processes can't be
    /// told. On an error the store must not be written.
    pub(crate) fn begin(&self) -> Result<Option<Mark>> {
        let Some(generation) = &self.coherence.generation else { return Ok(None) };
        let mark = generation.write(Record::Dirty);
        // The lock is checked after the mark is written: a writer that lost the lock must not go on to the
        // store.
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

    /// Marks the generation file clean: the store now holds `revision`.
    ///
    /// Don't call it if the content of the store is unknown. Dropping the commit leaves the dirty mark.
    pub(crate) fn finish(self, revision: Revision) -> Finished {
        if !self.held.is_exclusive() {
            // Another process may write at the same time, so a clean record could be wrong.
            return Finished { seen: None, lost_lock: false };
        }
        if !self.held.is_intact() {
            return Finished { seen: None, lost_lock: true };
        }
        let written = self.coherence.generation.as_ref().map(|generation| {
            generation.write(Record::Clean(revision)).map(|stamp| Seen::written(revision, stamp))
        });
        // The second look covers a deletion between the first look and the write of the record.
        Finished { seen: written.and_then(io::Result::ok), lost_lock: !self.held.is_intact() }
    }
}

/// Returns the lock of a vault in this process's memory, shared by all handles on it.
fn of_process(service: &ServiceName) -> Arc<Lock> {
    static LOCKS: Mutex<BTreeMap<ServiceName, Arc<Lock>>> = Mutex::new(BTreeMap::new());
    let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(locks.entry(service.clone()).or_insert_with(|| Lock::new(None)))
}

fn not_held(reason: NotHeld, doing: &str, limit: Duration) -> Error {
    let holder = match reason {
        NotHeld::Busy(holder) => holder,
        NotHeld::Refused(fault) => return fault.during(Operation::Set),
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
