//! The key slots of a vault that lies in an encrypted file.

use std::fmt;

use strongroom_core::{Capabilities, Error, Operation, Result};
use strongroom_sealed::{KeySource, Progress, Slot, SlotId};

use crate::choose::{ChoiceReason, Chosen};
use crate::lifecycle::key_slots;
use crate::vault::Engine;
use crate::{Backend, Config};

/// The key slots of a vault that lies in an encrypted file. Each slot lets a key or a passphrase open it. The
/// methods block.
///
/// A vault whose key stands in a store's entry has a slot for that key, and can have more: with a slot for a
/// recovery passphrase it can be opened when the entry is gone.
///
/// # Errors
///
/// Every call can fail with `Unsupported` if the vault lies in its entry, with `NotFound` if there is no file
/// yet, and as a read of [`SecretManager`](crate::SecretManager) describes.
///
/// ```
/// use strongroom::{Backend, Config};
/// use strongroom::keys::{KeySource, SealingKey};
///
/// # let dir = tempfile::tempdir()?;
/// let keys = Config::new("example")
///     .backend(Backend::File)
///     .data_dir(dir.path().join("data"))
///     .state_dir(dir.path().join("state"))
///     .key(KeySource::key(SealingKey::generate()?))
///     .keys()?;
/// keys.add(&KeySource::key(SealingKey::generate()?).with_label("spare"))?;
/// assert_eq!(keys.list()?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VaultKeys {
    engine: Engine,
    chosen: Chosen,
}

impl Config {
    /// Chooses the store for work on the vault's key slots. It blocks.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn keys(self) -> Result<VaultKeys> {
        let (engine, chosen) = self.prepare_vault()?;
        Ok(VaultKeys { engine: engine.keeping_sources(), chosen })
    }
}

impl VaultKeys {
    /// Returns the chosen backend.
    pub fn backend(&self) -> Backend {
        self.chosen.backend()
    }

    /// Returns the capabilities of the store, which include its protection of the vault.
    pub fn store_capabilities(&self) -> Capabilities {
        self.chosen.store().capabilities()
    }

    /// Returns the reason for choosing this backend.
    pub fn reason(&self) -> &ChoiceReason {
        self.chosen.reason()
    }

    /// Lists the slots, the oldest first. This needs no key, and the user is not asked for a passphrase: any
    /// reader of the file can list them. [`Slot::is_changed`] is known if an available key opens the file.
    ///
    /// # Errors
    ///
    /// Only the errors that every call can return.
    pub fn list(&self) -> Result<Vec<Slot>> {
        key_slots::slots(&self.engine).map_err(during)
    }

    /// Adds a slot, so that another source opens the vault. On the backend `file` it creates the file if
    /// there is none; the available keys open that file, too.
    ///
    /// # Errors
    ///
    /// `QuotaExceeded` if the vault has the largest number of slots; the errors of [`KeySource`] for a source
    /// that can't be read.
    pub fn add(&self, source: &KeySource) -> Result<Slot> {
        key_slots::add_slot(&self.engine, source).map_err(during)
    }

    /// Checks that the available keys open the vault. On the backend `file` the user is asked for a
    /// passphrase if necessary.
    ///
    /// # Errors
    ///
    /// `KeyMissing` or `WrongKey` if they don't.
    pub fn check(&self) -> Result<()> {
        key_slots::check_key(&self.engine)
    }

    /// Removes a slot, if an available key opens the vault by another slot. A person may have read the
    /// vault's key through the slot and kept it: that key stays valid until [`rotate`](Self::rotate). A copy
    /// of the file still has the slot.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; `Invalid` if it is the last slot, or the slot of the key in the
    /// vault's entry; `KeyMissing` if no available key opens another slot: [`remove_with`](Self::remove_with)
    /// takes such a key.
    pub fn remove(&self, id: &SlotId) -> Result<()> {
        self.remove_with(id, &[])
    }

    /// Removes a slot, if an available key or any of the sources in `more` opens the vault by another slot.
    ///
    /// # Errors
    ///
    /// As [`remove`](Self::remove); `TimedOut` if a passphrase could not be tried within the deadline.
    pub fn remove_with(&self, id: &SlotId, more: &[KeySource]) -> Result<()> {
        key_slots::remove_slot(&self.engine, id, more).map_err(during)
    }

    /// Removes a slot without proof that anything else opens the vault, which may be impossible to open
    /// afterwards.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; `Invalid` if it is the last slot, or the slot of the key in the
    /// vault's entry.
    pub fn remove_unproved(&self, id: &SlotId) -> Result<()> {
        key_slots::remove_slot_unproved(&self.engine, id).map_err(during)
    }

    /// Gives the vault a new key and seals every record with it. The slots stay, and so does the entry that
    /// holds the key of a slot: the same keys open the vault as before.
    ///
    /// - `more` must open the slots that neither the configuration nor the entry opens.
    /// - It works in durable steps. The next call continues an interrupted rotation, and then needs no
    ///   source.
    ///
    /// # Errors
    ///
    /// `KeyMissing`, which names the slots that no available source opens, in which case nothing was changed.
    pub fn rotate(&self, more: &[KeySource], progress: impl FnMut(Progress)) -> Result<()> {
        key_slots::rotate(&self.engine, more, progress).map_err(during)
    }
}

/// Sets the operation of an error to `Keys`, unless the vault could not be opened.
fn during(error: Error) -> Error {
    if error.operation() == Operation::Open { error } else { error.during(Operation::Keys) }
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKeys").field("chosen", &self.chosen).finish_non_exhaustive()
    }
}
