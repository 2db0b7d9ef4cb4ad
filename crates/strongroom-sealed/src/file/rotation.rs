//! Rotation: a new key for the vault, with which the records are sealed anew in steps.
//!
//! The first step makes the new key, wraps it in every slot and keeps the old key, sealed with the new key.
//! From then on every process can read and change records of both keys; writes use the new key. The last step
//! deletes the old key. A crash between any two steps leaves a complete vault, and the next rotation
//! continues from there.

use strongroom_core::{ErrorKind, Fault, Operation, Result};

use super::SealedFile;
use super::view::View;
use crate::aead::{self, Key};
use crate::budget::Budget;
use crate::error::fault;
use crate::keys::Keys;
use crate::opening;
use crate::slot::{self, Opener, StoredSlot};
use crate::slot_list::SlotList;
use crate::source::KeySource;

/// The most records that a single step reseals.
const STEP_RECORDS: usize = 5_000;

/// The most bytes that a step holds in memory, except for its last record.
const STEP_BYTES: usize = 8 * 1024 * 1024;

/// The progress of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The number of records that are sealed with the new key.
    pub done: u64,
    /// The number of all records.
    pub total: u64,
}

impl SealedFile {
    /// Returns whether a rotation has begun and is not complete.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn is_rotating(&self) -> Result<bool> {
        self.read(Operation::Get, |view| Ok(view.head.previous.is_some()))
    }

    /// Gives the vault a new key, and seals every record with it.
    ///
    /// - `sources` must open every slot, so that all of them open the vault afterwards. Remove unwanted slots
    ///   first. A rotation that has begun is continued and needs no source.
    /// - Each source is tried within the file's deadline, as when a file is opened.
    /// - The rotation runs in steps, each of them durable. Other processes can read and change the vault
    ///   between the steps, and a crash at any moment leaves a complete vault. The generation stays the same.
    /// - `progress` is called before the first step and after each.
    ///
    /// Older copies of the file still open with the old key.
    ///
    /// # Errors
    ///
    /// `KeyMissing` if there are slots that no source opens, `TimedOut` if slots were not tried; the message
    /// names them, and nothing was changed. `Corrupt` if a record is damaged: the records after it keep the
    /// old key until the damaged record is removed and the rotation continued.
    pub fn rotate(&self, sources: &[KeySource], progress: impl FnMut(Progress)) -> Result<()> {
        let rotated = self.rotate_in_steps(sources, progress);
        rotated.map_err(|fault| self.error(Operation::Set, fault))
    }

    fn rotate_in_steps(
        &self,
        sources: &[KeySource],
        mut progress: impl FnMut(Progress),
    ) -> Result<(), Fault> {
        if !self.with_snapshot(|view| Ok(view.head.previous.is_some()))? {
            self.begin_rotation(sources)?;
        }
        let (total, old) =
            self.with_snapshot(|view| Ok((view.state()?.records, view.rows().count_old()?)))?;
        let (mut done, mut last) = (total.saturating_sub(old), i64::MIN);
        progress(Progress { done, total });
        while let Some((count, reached)) =
            self.write(|view| Ok::<_, Fault>((view.reseal_after(last)?, None)))?
        {
            (done, last) = (done + count, reached);
            progress(Progress { done, total });
        }
        // The log may still hold records under the old key.
        self.flush();
        Ok(())
    }

    /// Makes the new key and wraps it in every slot.
    fn begin_rotation(&self, sources: &[KeySource]) -> Result<(), Fault> {
        let id = self.id;
        let (slots, key_id) =
            self.with_snapshot(|view| Ok((slot::read_all(view.connection)?, view.head.key_id)))?;
        // Not in a transaction: passphrases take seconds, and other processes need not wait for them.
        let slots = opening::keys_of(
            slots,
            sources,
            || Budget::new(self.location.deadline),
            |slot, key| slot.unwrap(key, &id, &key_id).is_some(),
        )?;
        refuse_lost(&slots)?;
        let new = Keys::of(aead::random_key()?, &id);
        self.write(|mut view| {
            if view.head.previous.is_some() {
                // Another process has begun a rotation. The head keeps a single previous key, so a third key
                // would lose the first.
                return Ok(((), None));
            }
            if view.head.key_id != key_id || slot::count(view.connection)? != slots.len() {
                return Err(slots_changed());
            }
            Ok(((), view.switch(slots, &new)?))
        })
    }
}

impl View<'_> {
    /// Switches the head and the slots to the new key. The records keep the old key.
    ///
    /// Returns the opener by a slot of the new key: the handle may have been opened by a slot that is gone.
    fn switch(
        &mut self,
        slots: Vec<(StoredSlot, Option<Key>)>,
        new: &Keys,
    ) -> Result<Option<Opener>, Fault> {
        let (state, mut list, mut opener) = (self.state()?, SlotList::default(), None);
        for (mut slot, key) in slots {
            let key = key.ok_or_else(slots_changed)?;
            if !slot::delete(self.connection, slot.id())? {
                return Err(slots_changed());
            }
            slot.wrap(&key, &self.head.id, new)?;
            slot.write(self.connection)?;
            list.add(&slot);
            opener = Some(Opener { slot: slot.id().to_owned(), key });
        }
        list.write(self.connection, &self.head.id, new)?;
        self.head.rotate(&self.keys.current, new, &state)?;
        self.head.write(self.connection)?;
        Ok(opener)
    }

    /// Reseals some of the records after `last`; returns their number and the last row number. If no record
    /// is left, it deletes the old key and returns `None`.
    fn reseal_after(mut self, last: i64) -> Result<Option<(u64, i64)>, Fault> {
        let mut state = self.state()?;
        let sealed = self.rows().old(last, STEP_RECORDS, STEP_BYTES)?;
        let Some(reached) = sealed.last().map(|sealed| sealed.row_id.number) else {
            return self.forget_old_key();
        };
        let count = sealed.len() as u64;
        for sealed in sealed {
            let rows = self.rows();
            let (key, about, value) = rows.open_verbatim(&sealed)?;
            rows.write(&mut state, Some(sealed.row_id), &key, &about, &value)?;
        }
        self.head.seal_state(&self.keys.current, &state)?;
        self.head.write(self.connection)?;
        Ok(Some((count, reached)))
    }

    /// Deletes the old key. If another rotation has begun since this rotation passed the first records, it
    /// returns the start of the table, to begin again.
    fn forget_old_key(mut self) -> Result<Option<(u64, i64)>, Fault> {
        if self.rows().count_old()? > 0 {
            return Ok(Some((0, i64::MIN)));
        }
        self.head.previous = None;
        self.head.write(self.connection)?;
        Ok(None)
    }
}

fn slots_changed() -> Fault {
    fault(ErrorKind::Busy, "another process is changing the key slots")
}

fn refuse_lost(slots: &[(StoredSlot, Option<Key>)]) -> Result<(), Fault> {
    let lost = slots.iter().filter(|(_, key)| key.is_none());
    let names: Vec<_> = lost.map(|(slot, _)| slot.name()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join(", ");
    Err(fault(ErrorKind::KeyMissing, format!("no key at hand opens these slots: {names}"))
        .with_hint("Give their keys, too, or remove the slots first: they would open nothing."))
}

#[cfg(test)]
mod tests {
    use strongroom_core::{Secret, SecretKey, Timestamp};

    use super::*;
    use crate::{FileConfig, SealingKey};

    #[test]
    fn a_rotation_that_others_have_just_begun_is_not_begun_again() {
        let dir = tempfile::tempdir().unwrap();
        let own = KeySource::key(SealingKey::generate().unwrap());
        let config = FileConfig::new(dir.path().join("files/a.sealed"), own.clone());
        let file = SealedFile::create(&config, Timestamp::UNIX_EPOCH).unwrap();
        let key = SecretKey::new("a");
        file.change(|change| change.put(&key, &Secret::new("1"))).unwrap();
        file.begin_rotation(std::slice::from_ref(&own)).unwrap();
        file.begin_rotation(std::slice::from_ref(&own)).unwrap();
        assert!(file.get(&key).unwrap().is_some(), "its key is still there");
        file.rotate(&[], |_| ()).unwrap();
        assert!(file.get(&key).unwrap().is_some());
    }
}
