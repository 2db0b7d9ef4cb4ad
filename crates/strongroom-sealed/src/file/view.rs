//! The parts of a single operation on a file: the open database, the keys, and the view of a transaction.

use rusqlite::Connection;
use std::path::Path;
use strongroom_core::{Error, Operation, Result, SecretBytes, SecretKey, SecretMetadata};

use super::SealedFile;
use crate::database::{self, Database};
use crate::error::{from_sqlite, replaced};
use crate::head::{Head, State};
use crate::keys::KeyRing;
use crate::limits::Clock;
use crate::rows::{self, Rows};
use crate::slot::Opener;

/// The state of a handle, for a single operation at a time.
pub(super) struct Open {
    /// Kept open between operations unless that would lock out other processes.
    pub(super) database: Option<Database>,
    pub(super) keys: KeyRing,
    pub(super) opener: Opener,
    /// The data version at which the rows were last found to match the sealed state.
    pub(super) checked: Option<i64>,
}

/// The view of a transaction: everything that an operation works on.
pub(super) struct View<'a> {
    pub(super) file: &'a SealedFile,
    pub(super) connection: &'a Connection,
    pub(super) clock: &'a Clock,
    pub(super) head: Head,
    pub(super) keys: &'a KeyRing,
    pub(super) opener: &'a mut Opener,
    pub(super) checked: &'a mut Option<i64>,
}

impl Open {
    /// Takes the database out of the handle, or opens it. [`keep`](Self::keep) puts it back.
    pub(super) fn take(&mut self, file: &SealedFile) -> Result<Database> {
        if let Some(database) = self.database.take() {
            return Ok(database);
        }
        // Data versions of two connections can't be compared.
        self.checked = None;
        let database = database::open(&file.path, file.deadline)?;
        database.trust()?;
        Ok(database)
    }

    /// Keeps the database open for the next operation, or closes it.
    ///
    /// # Errors
    ///
    /// `Busy` if another process has written the file during a read without locks.
    pub(super) fn keep(&mut self, database: Database, path: &Path) -> Result<()> {
        if database.may_stay_open() {
            self.database = Some(database);
            return Ok(());
        }
        database.check_unchanged(path)
    }

    /// Runs `work` on a consistent snapshot.
    pub(super) fn read<T>(
        &mut self,
        database: &Database,
        file: &SealedFile,
        work: impl FnOnce(&mut View<'_>) -> Result<T>,
    ) -> Result<T> {
        let Self { keys, opener, checked, .. } = self;
        let Database { connection, clock, .. } = database;
        clock.restart();
        let snapshot = database::begin_reading(connection)?;
        work(&mut View::of(file, &snapshot, clock, keys, opener, checked)?)
    }

    /// Runs `work` in a transaction.
    pub(super) fn write<T>(
        &mut self,
        database: &Database,
        file: &SealedFile,
        operation: Operation,
        work: impl FnOnce(View<'_>) -> Result<T>,
    ) -> Result<T> {
        let during = |error: Error| file.named(operation, error);
        let Self { keys, opener, checked, .. } = self;
        let Database { connection, clock, .. } = database;
        let transaction = database::begin_writing(connection, file.deadline).map_err(during)?;
        clock.restart();
        let view = View::of(file, &transaction, clock, keys, opener, checked).map_err(during)?;
        let done = work(view)?;
        transaction.commit().map_err(from_sqlite).map_err(during)?;
        Ok(done)
    }
}

impl<'a> View<'a> {
    /// Creates the view of a transaction, with the current keys of the file.
    pub(super) fn of(
        file: &'a SealedFile,
        connection: &'a Connection,
        clock: &'a Clock,
        keys: &'a mut KeyRing,
        opener: &'a mut Opener,
        checked: &'a mut Option<i64>,
    ) -> Result<Self> {
        let (id, head) = (file.id, Head::read(connection)?);
        if head.id != id {
            return Err(replaced());
        }
        if *keys.current.id() != head.key_id {
            // Another process has rotated the key: the slot that opened the vault yields the new key.
            *keys = head.key_ring(opener.open(connection, &id, &head.key_id)?)?;
        } else if head.previous.is_none() {
            keys.previous = None;
        }
        Ok(Self { file, connection, clock, head, keys, opener, checked })
    }

    pub(super) fn rows(&self) -> Rows<'_> {
        let Self { connection, clock, keys, .. } = *self;
        Rows { connection, clock, vault: &self.head.id, keys }
    }

    pub(super) fn state(&self) -> Result<State> {
        self.head.open_state(&self.keys.current)
    }

    pub(super) fn read(
        &mut self,
        key: &SecretKey,
    ) -> Result<Option<(SecretMetadata, SecretBytes)>> {
        let found = self.rows().read(key)?;
        if found.is_none() {
            self.check(&self.state()?)?;
        }
        Ok(found)
    }

    pub(super) fn contains(&mut self, key: &SecretKey) -> Result<bool> {
        let found = self.rows().find(key)?.is_some();
        if !found {
            self.check(&self.state()?)?;
        }
        Ok(found)
    }

    pub(super) fn list(&mut self, state: &State) -> Result<Vec<(SecretKey, SecretMetadata)>> {
        let listed = self.rows().list(state.records)?;
        if listed.damaged > 0 {
            return Err(rows::some_damaged(listed.damaged, state.records));
        }
        self.check(state)?;
        Ok(listed.readable)
    }

    /// Checks that no row is missing, before the caller is told that a secret does not exist.
    ///
    /// All rows are read, once for each version of the data that another connection has written. Changes by
    /// this handle need no new check.
    pub(super) fn check(&mut self, state: &State) -> Result<()> {
        let version = database::data_version(self.connection).map_err(from_sqlite)?;
        if *self.checked != Some(version) {
            self.rows().check(state)?;
            *self.checked = Some(version);
        }
        Ok(())
    }
}
