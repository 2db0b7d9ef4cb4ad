//! The connections of a handle to its file.
//!
//! The first connection reads and writes. While it is in use, reads take further connections, so that they
//! wait neither for a change nor for each other.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use strongroom_core::ErrorKind;

use super::location::Location;
use crate::database::Database;
use crate::error::Result;

/// The largest number of connections of a handle. The first takes three descriptors, each other two.
pub(super) const MAX_SESSIONS: usize = 4;

/// The connections of a handle, opened when they are needed.
pub(super) struct Sessions {
    main: Mutex<Session>,
    further: [Mutex<Session>; MAX_SESSIONS - 1],
    /// Set if the file may be open several times.
    is_shared: AtomicBool,
    /// The number of reads that have waited for a connection, to spread them.
    waits: AtomicUsize,
}

/// A connection, for a single operation at a time.
pub(super) struct Session {
    /// Kept open between operations unless that would lock out other processes.
    database: Option<Database>,
    pub(super) row_check: RowCheck,
}

/// The result of the last check that no row is missing.
pub(super) struct RowCheck {
    /// Set for the first connection, which needs no new check after a change by this handle.
    pub(super) is_main: bool,
    /// The data version at which the rows were last found to match the sealed state.
    pub(super) version: Option<i64>,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            main: Mutex::new(Session::new(true)),
            further: std::array::from_fn(|_| Mutex::new(Session::new(false))),
            is_shared: AtomicBool::new(false),
            waits: AtomicUsize::new(0),
        }
    }

    /// Returns the connection that writes, once it is free.
    pub(super) fn main(&self) -> MutexGuard<'_, Session> {
        self.main.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a connection that is free. If there is none, it waits for one of them.
    fn any(&self) -> MutexGuard<'_, Session> {
        if let Some(free) = try_lock(&self.main) {
            return free;
        }
        // Of a file that can't be shared, a second connection would lock out the first.
        if !self.is_shared.load(Ordering::Relaxed) {
            return self.main();
        }
        if let Some(free) = self.further.iter().find_map(try_lock) {
            return free;
        }
        let turn = self.waits.fetch_add(1, Ordering::Relaxed) % self.further.len();
        self.further[turn].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a connection for a read, with its open database. [`keep`](Self::keep) puts the database back.
    pub(super) fn to_read(
        &self,
        location: &Location,
    ) -> Result<(MutexGuard<'_, Session>, Database)> {
        let mut session = self.any();
        match session.take(location) {
            Ok(database) => Ok((session, database)),
            Err(fault) if session.row_check.is_main || fault.kind() == ErrorKind::Conflict => {
                Err(fault)
            }
            // The process may have too many open files, for instance.
            Err(_) => {
                drop(session);
                self.to_write(location)
            }
        }
    }

    /// Returns the first connection, with its open database. [`keep`](Self::keep) puts the database back.
    pub(super) fn to_write(
        &self,
        location: &Location,
    ) -> Result<(MutexGuard<'_, Session>, Database)> {
        let mut session = self.main();
        let database = session.take(location)?;
        Ok((session, database))
    }

    /// Keeps the database of a connection open for its next operation, or closes it.
    ///
    /// # Errors
    ///
    /// `Busy` if another process has written the file during a read without locks.
    pub(super) fn keep(
        &self,
        session: &mut Session,
        database: Database,
        path: &Path,
    ) -> Result<()> {
        if !database.may_stay_open() {
            return database.check_unchanged(path);
        }
        session.database = Some(database);
        self.is_shared.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Session {
    const fn new(is_main: bool) -> Self {
        Self { database: None, row_check: RowCheck { is_main, version: None } }
    }

    /// Returns the open database, if it is kept open.
    pub(super) const fn kept(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// Takes the database out of the session, or opens it.
    ///
    /// # Errors
    ///
    /// `Conflict` if the file is not in its place.
    fn take(&mut self, location: &Location) -> Result<Database> {
        location.check()?;
        if let Some(database) = self.database.take() {
            return Ok(database);
        }
        // Data versions of two connections can't be compared.
        self.row_check.version = None;
        let database = location.connect()?;
        database.trust()?;
        Ok(database)
    }
}

fn try_lock(session: &Mutex<Session>) -> Option<MutexGuard<'_, Session>> {
    match session.try_lock() {
        Ok(session) => Some(session),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
