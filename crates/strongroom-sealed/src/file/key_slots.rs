//! Who can open the vault.

use strongroom_core::{Error, ErrorKind, Operation, Result, Timestamp};

use super::{SealedFile, View};
use crate::budget::Budget;
use crate::error::fault;
use crate::slot::{self, NewSlot, Opener, StoredSlot};
use crate::slot_list::{SlotChange, SlotList};
use crate::{KeySource, Slot, database};

impl SealedFile {
    /// The key slots, the oldest first.
    ///
    /// # Errors
    ///
    /// `Corrupt` names a damaged slot, which can be removed.
    pub fn slots(&self) -> Result<Vec<Slot>> {
        self.read(Operation::List, |view| {
            let stored = slot::each(view.connection)?;
            let changes = view.slot_list(&stored)?.changes(&stored);
            let shown = stored.into_iter().map(|slot| slot?.shown());
            let mut slots = shown.collect::<Result<Vec<_>>>()?;
            for slot in &mut slots {
                slot.is_changed = changes.iter().any(|change| change.id() == slot.id);
            }
            Ok(slots)
        })
    }

    /// The slots that are not as they were written with the vault's key, damaged and missing ones included.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn slot_changes(&self) -> Result<Vec<SlotChange>> {
        self.read(Operation::List, |view| {
            let stored = slot::each(view.connection)?;
            Ok(view.slot_list(&stored)?.changes(&stored))
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
        self.change_slots(Operation::Set, |view, list| view.insert(slot, list)?.0.shown())
    }

    /// Removes a slot. Whoever has read the vault's key through it may have kept that key, and every
    /// copy of the file still has the slot: [`rotate`](Self::rotate) helps against the first.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; `Invalid` if it is the last one.
    pub fn remove_slot(&self, id: &str) -> Result<()> {
        self.change_slots(Operation::Delete, |view, list| {
            view.delete(id, list)?;
            if slot::count(view.connection)? == 0 {
                return Err(fault(ErrorKind::Invalid, "it is the only key slot")
                    .with_hint("Add another one first: nothing would open the vault."));
            }
            Ok(())
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
        let added = self.change_slots(Operation::Set, |view, list| {
            view.delete(id, list)?;
            let (slot, opener) = view.insert(slot, list)?;
            if view.opener.slot == id {
                *view.opener = opener;
            }
            slot.shown()
        })?;
        self.flush();
        Ok(added)
    }

    /// Changes the slots and their list as one.
    fn change_slots<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut View<'_>, &mut SlotList) -> Result<T>,
    ) -> Result<T> {
        self.write(operation, |mut view| {
            let change = || {
                let mut list = view.slot_list(&slot::each(view.connection)?)?;
                let done = work(&mut view, &mut list)?;
                list.write(view.connection, &view.head.id, &view.keys.current)?;
                Ok(done)
            };
            change().map_err(|error: Error| error.during(operation))
        })
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

impl View<'_> {
    /// The list that vouches for slots, of which these are there.
    fn slot_list(&self, slots: &[Result<StoredSlot>]) -> Result<SlotList> {
        SlotList::read(self.connection, &self.head.id, &self.keys.current, slots)
    }

    fn insert(&self, slot: NewSlot, list: &mut SlotList) -> Result<(StoredSlot, Opener)> {
        let inserted = slot.insert(self.connection, &self.head.id, &self.keys.current)?;
        list.add(&inserted.0);
        Ok(inserted)
    }

    fn delete(&self, id: &str, list: &mut SlotList) -> Result<()> {
        if !slot::delete(self.connection, id)? {
            return Err(no_slot(id));
        }
        list.remove(id);
        Ok(())
    }
}

fn no_slot(id: &str) -> Error {
    fault(ErrorKind::NotFound, format!("there is no key slot {id:?}"))
}
