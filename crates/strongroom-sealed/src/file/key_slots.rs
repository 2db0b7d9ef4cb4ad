//! The key slots of an open vault: listing, adding, replacing and removing them.

use strongroom_core::{Error, ErrorKind, Operation, Result, Timestamp};

use super::{SealedFile, View};
use crate::budget::Budget;
use crate::error::{fault, located};
use crate::head::Head;
use crate::slot::{self, NewSlot, Opener, StoredSlot};
use crate::slot_list::{SlotChange, SlotList};
use crate::{FileConfig, KeySource, Slot, SlotId, beside, database, opening};

impl SealedFile {
    /// Returns the key slots, the oldest first.
    ///
    /// # Errors
    ///
    /// `Corrupt` if a slot is damaged. The message names the slot, which can be removed.
    pub fn slots(&self) -> Result<Vec<Slot>> {
        self.read(Operation::List, |view| {
            let stored = slot::each(view.connection)?;
            let changes = view.slot_list(&stored)?.changes(&stored);
            let shown = stored.into_iter().map(|slot| slot?.shown());
            let mut slots = shown.collect::<Result<Vec<_>>>()?;
            for slot in &mut slots {
                slot.is_changed = changes.iter().any(|change| *change.id() == slot.id);
            }
            Ok(slots)
        })
    }

    /// Returns the key slots of a file without opening the vault, the oldest first. It needs no key, so
    /// nothing authenticates the result.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no file; `Corrupt` if it is not a vault, or a slot is damaged; `AccessDenied`,
    /// `Io`.
    pub fn slots_without_key(config: &FileConfig) -> Result<Vec<Slot>> {
        let slots = || {
            beside::refuse_orphan(&config.path)?;
            let database = database::open(&config.path, config.deadline)?;
            let slots = slot::each(&database.connection)?;
            database.check_unchanged(&config.path)?;
            slots.into_iter().map(|slot| slot?.shown()).collect::<Result<Vec<_>>>()
        };
        slots().map_err(|error: Error| located(&config.path, error.during(Operation::List)))
    }

    /// Returns the slots that are not as they were written with the vault's key, including damaged and
    /// missing slots.
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

    /// Returns whether this handle was opened by this slot.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn is_opened_by(&self, id: &SlotId) -> Result<bool> {
        self.read(Operation::Get, |view| Ok(view.opener.slot == id.as_str()))
    }

    /// Adds a slot, so that this source opens the vault, too. `now` becomes the slot's creation time.
    ///
    /// For a passphrase, the key is derived first, which takes about a second.
    ///
    /// # Errors
    ///
    /// `QuotaExceeded` if there are [`MAX_SLOTS`](crate::MAX_SLOTS) already; `TimedOut` if the passphrase
    /// costs more work than the deadline allows; the errors of a [`KeySource`] that can't be read.
    pub fn add_slot(&self, source: &KeySource, now: Timestamp) -> Result<Slot> {
        let slot = self.prepare(source, now)?;
        self.change_slots(Operation::Set, |view, list| {
            Ok((view.insert(slot, list)?.0.shown()?, None))
        })
    }

    /// Removes a slot, provided that another slot is known to open the vault: the slot that this handle was
    /// opened by, or a slot that fits any of these sources.
    ///
    /// The owner of the removed slot may have kept the vault's key, and every copy of the file still has the
    /// slot. [`rotate`](Self::rotate) helps against the first.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; `Invalid` if it is the last slot; `KeyMissing` if no source is
    /// known to open another slot; as [`open`](Self::open) for slots that could not be tried.
    pub fn remove_slot_if_open(&self, id: &SlotId, sources: &[KeySource]) -> Result<()> {
        let id = id.as_str();
        let proof = self.opened_without(id, sources)?;
        self.change_slots(Operation::Delete, |view, list| {
            view.delete(id, list)?;
            // Another process may have removed the proven slot since it was tried.
            let opener = proof.as_ref().unwrap_or(view.opener);
            opener.open(view.connection, &view.head.id, &view.head.key_id)?;
            Ok(((), proof))
        })?;
        self.flush();
        Ok(())
    }

    /// Finds another slot that is known to open the vault; `None` if the handle's own slot is another.
    fn opened_without(&self, id: &str, sources: &[KeySource]) -> Result<Option<Opener>> {
        let (is_own, slots, vault, key_id) = self.read(Operation::Delete, |view| {
            let mut slots = slot::each(view.connection)?;
            let is_it = |slot: &Result<StoredSlot>| slot.as_ref().is_ok_and(|slot| slot.id() == id);
            if slots.len() == 1 && slots.iter().any(is_it) {
                return Err(only_slot());
            }
            slots.retain(|slot| !is_it(slot));
            let Head { id: vault, key_id, .. } = view.head;
            let opens = view.opener.open(view.connection, &vault, &key_id).is_ok();
            Ok((opens && view.opener.slot != id, slots, vault, key_id))
        })?;
        if is_own {
            return Ok(None);
        }
        // Not in a transaction: passphrases take seconds, and other processes need not wait for them.
        let mut budget = Budget::new(self.deadline);
        match opening::open(slots, &vault, &key_id, sources, &mut budget) {
            Ok((_, opener)) => Ok(Some(opener)),
            Err(error) => Err(self.named(Operation::Delete, no_other_way_in(id, error))),
        }
    }

    /// Removes a slot without a check that another slot can be opened, so the vault may be lost.
    /// [`remove_slot_if_open`](Self::remove_slot_if_open) does check.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; `Invalid` if it is the last slot.
    pub fn remove_slot(&self, id: &SlotId) -> Result<()> {
        self.change_slots(Operation::Delete, |view, list| {
            view.delete(id.as_str(), list)?;
            if slot::count(view.connection)? == 0 {
                return Err(only_slot());
            }
            Ok(((), None))
        })?;
        self.flush();
        Ok(())
    }

    /// Replaces a slot in a single transaction, for instance to change a passphrase.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; the errors of a [`KeySource`] that can't be read.
    pub fn replace_slot(&self, id: &SlotId, source: &KeySource, now: Timestamp) -> Result<Slot> {
        let (id, slot) = (id.as_str(), self.prepare(source, now)?);
        let added = self.change_slots(Operation::Set, |view, list| {
            view.delete(id, list)?;
            let (slot, opener) = view.insert(slot, list)?;
            // If the handle was opened by the replaced slot, it needs a slot to follow the next rotation.
            let is_own = view.opener.slot == id;
            Ok((slot.shown()?, is_own.then_some(opener)))
        })?;
        self.flush();
        Ok(added)
    }

    /// Changes the slots and their sealed list in a single transaction. The handle takes over the opener that
    /// `work` returns.
    fn change_slots<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&View<'_>, &mut SlotList) -> Result<(T, Option<Opener>)>,
    ) -> Result<T> {
        self.write(operation, |view| {
            let change = || {
                let mut list = view.slot_list(&slot::each(view.connection)?)?;
                let done = work(&view, &mut list)?;
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

    /// Removes deleted data from the log, too.
    pub(super) fn flush(&self) {
        // A database that is opened for each operation has emptied its log at the close.
        if let Some(database) = self.sessions.main().kept() {
            database::flush_log(&database.connection);
        }
    }
}

impl View<'_> {
    /// Reads the sealed list of slots. `slots` are the slots that the file has.
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

fn only_slot() -> Error {
    fault(ErrorKind::Invalid, "it is the only key slot")
        .with_hint("Add another one first: nothing would open the vault.")
}

/// Converts the error for a slot without a proven alternative. An error about a slot that could not be tried
/// is returned unchanged.
fn no_other_way_in(id: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::WrongKey | ErrorKind::KeyMissing => fault(
            ErrorKind::KeyMissing,
            "no other key at hand opens it, and without this slot it might be lost",
        )
        .with_hint(format!(
            "Nothing was changed. Name a key that stays, so that it can be tried: `strongroom key remove \
             {id} --key-file PATH`, or with `--passphrase-file PATH`. `--force` removes it all the same."
        )),
        _ => error,
    }
}

fn no_slot(id: &str) -> Error {
    fault(ErrorKind::NotFound, format!("there is no key slot {id:?}"))
}
