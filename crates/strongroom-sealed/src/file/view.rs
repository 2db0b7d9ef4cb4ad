//! The parts of a single operation on a file: the keys, and the view of a transaction.

use std::sync::Arc;

use rusqlite::Connection;
use strongroom_core::{SecretKey, SecretMetadata};

use super::sessions::RowCheck;
use crate::database;
use crate::error::{Result, from_sqlite};
use crate::head::{Head, State};
use crate::keys::KeyRing;
use crate::limits::Clock;
use crate::rows::{self, Rows};
use crate::slot::Opener;

/// The keys of an open vault, which its operations share.
#[derive(Clone)]
pub(super) struct Unlocked {
    pub(super) keys: KeyRing,
    pub(super) opener: Arc<Opener>,
}

/// The view of a transaction: everything that an operation works on.
pub(super) struct View<'a> {
    pub(super) connection: &'a Connection,
    pub(super) clock: &'a Clock,
    pub(super) head: Head,
    pub(super) keys: &'a KeyRing,
    pub(super) opener: &'a Opener,
    pub(super) row_check: &'a mut RowCheck,
}

/// The result of looking for a secret.
pub(super) enum LookUp<T> {
    /// The secret, or its record.
    Found(T),
    /// There is no such secret.
    Absent,
    /// No row was found, but rows may be missing: that was not checked.
    Unchecked,
}

impl Unlocked {
    /// Returns whether these are the keys of a file with this head, without a key that it no longer needs.
    pub(super) fn is_current(&self, head: &Head) -> bool {
        let has_surplus = self.keys.previous.is_some() && head.previous.is_none();
        *self.keys.current.id() == head.key_id && !has_surplus
    }

    /// Takes over the keys of a file whose key another process has rotated, or has finished rotating.
    pub(super) fn follow(self: &mut Arc<Self>, connection: &Connection, head: &Head) -> Result<()> {
        if self.is_current(head) {
            return Ok(());
        }
        let unlocked = Arc::make_mut(self);
        if *unlocked.keys.current.id() == head.key_id {
            unlocked.keys.previous = None;
        } else {
            // The slot that opened the vault yields the new key.
            let key = unlocked.opener.open(connection, &head.id, &head.key_id)?;
            unlocked.keys = head.key_ring(key)?;
        }
        Ok(())
    }

    pub(super) fn replace_opener(self: &mut Arc<Self>, opener: Opener) {
        Arc::make_mut(self).opener = Arc::new(opener);
    }
}

impl<'a> View<'a> {
    pub(super) fn of(
        connection: &'a Connection,
        clock: &'a Clock,
        head: Head,
        unlocked: &'a Unlocked,
        row_check: &'a mut RowCheck,
    ) -> Self {
        let Unlocked { keys, opener } = unlocked;
        Self { connection, clock, head, keys, opener, row_check }
    }

    pub(super) fn rows(&self) -> Rows<'_> {
        let Self { connection, clock, keys, .. } = *self;
        Rows { connection, clock, vault: &self.head.id, keys }
    }

    pub(super) fn state(&self) -> Result<State> {
        self.head.open_state(&self.keys.current)
    }

    /// Looks for a secret by `find`. Returns `Unchecked` only if `must_check` is not set.
    pub(super) fn look_up<T>(
        &mut self,
        find: impl Fn(Rows<'_>) -> Result<Option<T>>,
        must_check: bool,
    ) -> Result<LookUp<T>> {
        if let Some(found) = find(self.rows())? {
            return Ok(LookUp::Found(found));
        }
        let version = Some(self.data_version()?);
        if !must_check && !self.row_check.is_main && self.row_check.version != version {
            return Ok(LookUp::Unchecked);
        }
        self.check(&self.state()?)?;
        Ok(LookUp::Absent)
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
    /// All rows are read, once for each version of the data that another connection has written. On the first
    /// connection, changes by this handle need no new check.
    pub(super) fn check(&mut self, state: &State) -> Result<()> {
        let version = Some(self.data_version()?);
        if self.row_check.version != version {
            self.rows().check(state)?;
            self.row_check.version = version;
        }
        Ok(())
    }

    fn data_version(&self) -> Result<i64> {
        database::data_version(self.connection).map_err(from_sqlite)
    }
}
