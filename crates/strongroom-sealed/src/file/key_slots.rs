//! Who can open the vault.

use strongroom_core::{Error, ErrorKind, Operation, Result, Timestamp};

use super::SealedFile;
use crate::budget::Budget;
use crate::error::fault;
use crate::slot::{self, NewSlot, StoredSlot};
use crate::{KeySource, Slot, database};

impl SealedFile {
    /// The key slots, the oldest first.
    ///
    /// # Errors
    ///
    /// `Corrupt` names a damaged slot, which can be removed.
    pub fn slots(&self) -> Result<Vec<Slot>> {
        self.read(Operation::List, |view| {
            slot::all(view.connection)?.iter().map(StoredSlot::shown).collect()
        })
    }

    /// Adds a slot: from now on this source opens the vault, too. `now` is when.
    ///
    /// A passphrase is tried out first, which takes about a second.
    ///
    /// # Errors
    ///
    /// `QuotaExceeded` if there are [`MAX_SLOTS`](crate::MAX_SLOTS); `TimedOut` if the passphrase costs more
    /// work than the deadline allows; those of [`KeySource`] for a source that can't be read.
    pub fn add_slot(&self, source: &KeySource, now: Timestamp) -> Result<Slot> {
        let slot = self.prepare(source, now)?;
        self.write(Operation::Set, |view| {
            let inserted = slot.insert(view.connection, &view.head.id, &view.keys.current);
            inserted.map(|(slot, _)| slot).map_err(|error| error.during(Operation::Set))
        })
    }

    /// Removes a slot. Whoever has read the vault's key through it may have kept that key, and every
    /// copy of the file still has the slot: [`rotate`](Self::rotate) helps against the first.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; `Invalid` if it is the last one.
    pub fn remove_slot(&self, id: &str) -> Result<()> {
        self.write(Operation::Delete, |view| {
            let remove = || {
                if !slot::delete(view.connection, id)? {
                    return Err(no_slot(id));
                }
                if slot::count(view.connection)? == 0 {
                    return Err(fault(ErrorKind::Invalid, "it is the only key slot")
                        .with_hint("Add another one first: nothing would open the vault."));
                }
                Ok(())
            };
            remove().map_err(|error: Error| error.during(Operation::Delete))
        })?;
        self.flush();
        Ok(())
    }

    /// Puts a slot in the place of another, as one: changes a passphrase, for instance.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; what [`KeySource`] says of one that can't be read.
    pub fn replace_slot(&self, id: &str, source: &KeySource, now: Timestamp) -> Result<Slot> {
        let slot = self.prepare(source, now)?;
        let added = self.write(Operation::Set, |view| {
            let replace = || {
                if !slot::delete(view.connection, id)? {
                    return Err(no_slot(id));
                }
                let (slot, opener) =
                    slot.insert(view.connection, &view.head.id, &view.keys.current)?;
                if view.opener.slot == id {
                    *view.opener = opener;
                }
                Ok(slot)
            };
            replace().map_err(|error: Error| error.during(Operation::Set))
        })?;
        self.flush();
        Ok(added)
    }

    fn prepare(&self, source: &KeySource, now: Timestamp) -> Result<NewSlot> {
        let slot = NewSlot::prepare(source, now, &mut Budget::new(self.deadline));
        slot.map_err(|error| error.during(Operation::Set))
    }

    /// Takes what was deleted out of the log, too.
    pub(super) fn flush(&self) {
        // Where it is opened for each operation, it was emptied when it was closed.
        if let Ok(open) = self.lock()
            && let Some(database) = &open.database
        {
            database::flush_log(&database.connection);
        }
    }
}

fn no_slot(id: &str) -> Error {
    fault(ErrorKind::NotFound, format!("there is no key slot {id:?}"))
}
