//! The key slots of an open vault: listing, adding, replacing and removing them.

use strongroom_core::advice::{Command, Sentence};
use strongroom_core::{ErrorKind, Fault, Operation, Result, Timestamp};

use super::SealedFile;
use super::view::View;
use crate::budget::Budget;
use crate::config::FileConfig;
use crate::error::{self, fault};
use crate::head::Head;
use crate::slot::{self, NewSlot, Opener, Slot, StoredSlot};
use crate::slot_id::SlotId;
use crate::slot_list::{SlotChange, SlotList};
use crate::source::KeySource;
use crate::{database, opening, sidecar};

impl SealedFile {
    /// Returns the key slots, the oldest first.
    ///
    /// # Errors
    ///
    /// `Corrupt` if a slot is damaged. The message names the slot, which can be removed.
    pub fn slots(&self) -> Result<Vec<Slot>> {
        self.read(Operation::List, |view| {
            let stored = slot::read_each(view.connection)?;
            let changes = view.slot_list(&stored)?.changes(&stored);
            let shown = stored.into_iter().map(|slot| slot?.to_slot());
            let mut slots = shown.collect::<Result<Vec<_>, _>>()?;
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
        let slots = read_without_key(config);
        slots.map_err(|fault| error::error(&config.path, Operation::List, fault))
    }

    /// Returns the slots that are not as they were written with the vault's key, including damaged and
    /// missing slots.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn slot_changes(&self) -> Result<Vec<SlotChange>> {
        self.read(Operation::List, |view| {
            let stored = slot::read_each(view.connection)?;
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
        self.insert_slot(source, now).map_err(|fault| self.error(Operation::Set, fault))
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
        self.delete_if_open(id.as_str(), sources)
            .map_err(|fault| self.error(Operation::Delete, fault))?;
        self.flush();
        Ok(())
    }

    fn delete_if_open(&self, id: &str, sources: &[KeySource]) -> Result<(), Fault> {
        let proof = self.opened_without(id, sources)?;
        self.change_slots(|view, list| {
            view.delete(id, list)?;
            // Another process may have removed the proven slot since it was tried.
            let opener = proof.as_ref().unwrap_or(view.opener);
            opener.open(view.connection, &view.head.id, &view.head.key_id)?;
            Ok(((), proof))
        })
    }

    /// Finds another slot that is known to open the vault; `None` if the handle's own slot is another.
    fn opened_without(&self, id: &str, sources: &[KeySource]) -> Result<Option<Opener>, Fault> {
        let (is_own, slots, vault, key_id) = self.with_snapshot(|view| {
            let mut slots = slot::read_each(view.connection)?;
            if slots.len() == 1 && slots.iter().flatten().any(|slot| slot.id() == id) {
                return Err(only_slot());
            }
            slots.retain(|slot| !slot.as_ref().is_ok_and(|slot| slot.id() == id));
            let Head { id: vault, key_id, .. } = view.head;
            let opens = view.opener.open(view.connection, &vault, &key_id).is_ok();
            Ok((opens && view.opener.slot != id, slots, vault, key_id))
        })?;
        if is_own {
            return Ok(None);
        }
        // Not in a transaction: passphrases take seconds, and other processes need not wait for them.
        let mut budget = Budget::new(self.location.deadline);
        match opening::open(slots, &vault, &key_id, sources, &mut budget) {
            Ok((_, opener)) => Ok(Some(opener)),
            Err(fault) => Err(no_other_way_in(id, fault)),
        }
    }

    /// Removes a slot without a check that another slot can be opened, so the vault may be lost.
    /// [`remove_slot_if_open`](Self::remove_slot_if_open) does check.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; `Invalid` if it is the last slot.
    pub fn remove_slot(&self, id: &SlotId) -> Result<()> {
        let removed = self.change_slots(|view, list| {
            view.delete(id.as_str(), list)?;
            if slot::count(view.connection)? == 0 {
                return Err(only_slot());
            }
            Ok(((), None))
        });
        removed.map_err(|fault| self.error(Operation::Delete, fault))?;
        self.flush();
        Ok(())
    }

    /// Replaces a slot in a single transaction, for instance to change a passphrase.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; the errors of a [`KeySource`] that can't be read.
    pub fn replace_slot(&self, id: &SlotId, source: &KeySource, now: Timestamp) -> Result<Slot> {
        let replaced = self.exchange_slot(id.as_str(), source, now);
        let added = replaced.map_err(|fault| self.error(Operation::Set, fault))?;
        self.flush();
        Ok(added)
    }

    fn insert_slot(&self, source: &KeySource, now: Timestamp) -> Result<Slot, Fault> {
        let slot = self.prepare(source, now)?;
        self.change_slots(|view, list| Ok((view.insert(slot, list)?.0.to_slot()?, None)))
    }

    fn exchange_slot(&self, id: &str, source: &KeySource, now: Timestamp) -> Result<Slot, Fault> {
        let slot = self.prepare(source, now)?;
        self.change_slots(|view, list| {
            view.delete(id, list)?;
            let (slot, opener) = view.insert(slot, list)?;
            // If the handle was opened by the replaced slot, it needs a slot to follow the next rotation.
            let is_own = view.opener.slot == id;
            Ok((slot.to_slot()?, is_own.then_some(opener)))
        })
    }

    /// Changes the slots and their sealed list in a single transaction. The handle takes over the opener that
    /// `work` returns.
    fn change_slots<T>(
        &self,
        work: impl FnOnce(&View<'_>, &mut SlotList) -> Result<(T, Option<Opener>), Fault>,
    ) -> Result<T, Fault> {
        self.write(|view| {
            let mut list = view.slot_list(&slot::read_each(view.connection)?)?;
            let done = work(&view, &mut list)?;
            list.write(view.connection, &view.head.id, &view.keys.current)?;
            Ok(done)
        })
    }

    fn prepare(&self, source: &KeySource, now: Timestamp) -> Result<NewSlot, Fault> {
        NewSlot::prepare(source, now, &mut Budget::new(self.location.deadline))
    }

    /// Removes deleted data from the log, too.
    pub(super) fn flush(&self) {
        // A database that is opened for each operation has emptied its log at the close.
        let session = self.sessions.main();
        if let Some(database) = session.kept().filter(|_| self.is_in_place()) {
            database::flush_log(&database.connection);
        }
    }
}

impl View<'_> {
    /// Reads the sealed list of slots. `slots` are the slots that the file has.
    fn slot_list(&self, slots: &[Result<StoredSlot, Fault>]) -> Result<SlotList, Fault> {
        SlotList::read(self.connection, &self.head.id, &self.keys.current, slots)
    }

    fn insert(&self, slot: NewSlot, list: &mut SlotList) -> Result<(StoredSlot, Opener), Fault> {
        let inserted = slot.insert(self.connection, &self.head.id, &self.keys.current)?;
        list.add(&inserted.0);
        Ok(inserted)
    }

    fn delete(&self, id: &str, list: &mut SlotList) -> Result<(), Fault> {
        if !slot::delete(self.connection, id)? {
            return Err(no_slot(id));
        }
        list.remove(id);
        Ok(())
    }
}

fn read_without_key(config: &FileConfig) -> Result<Vec<Slot>, Fault> {
    sidecar::refuse_orphan(&config.path)?;
    let database = database::open(&config.path, config.deadline)?;
    let slots = slot::read_each(&database.connection)?;
    database.check_unchanged(&config.path)?;
    slots.into_iter().map(|slot| slot?.to_slot()).collect()
}

fn only_slot() -> Fault {
    fault(ErrorKind::Invalid, "it is the only key slot")
        .with_hint("Add another one first: nothing would open the vault.")
}

/// Converts the fault for a slot without a proven alternative. A fault about a slot that could not be tried
/// is returned unchanged.
fn no_other_way_in(id: &str, cause: Fault) -> Fault {
    match cause.kind() {
        ErrorKind::WrongKey | ErrorKind::KeyMissing => fault(
            ErrorKind::KeyMissing,
            "no other key at hand opens it, and without this slot it might be lost",
        )
        .with_hint("Nothing was changed. Name a key that stays, so that it can be tried.")
        .with_sentence(ways_to_remove(id)),
        _ => cause,
    }
}

fn ways_to_remove(id: &str) -> Sentence {
    let remove = Command::new("key remove").value(id, "ID").words("--key-file PATH");
    Sentence::default()
        .command(remove)
        .text(" names one, and so does ")
        .option("--passphrase-file PATH")
        .text(". ")
        .option("--force")
        .text(" removes it all the same.")
}

fn no_slot(id: &str) -> Fault {
    fault(ErrorKind::NotFound, format!("there is no key slot {id:?}"))
}
