//! Who can open a vault that lies in an encrypted file.

use std::fmt;

use strongroom_core::{Error, Operation, Result};
use strongroom_sealed::{KeySource, Progress, Slot, SlotId};

use crate::choose::Chosen;
use crate::vault::Vault;
use crate::{Backend, Config};

/// The key slots of a vault that lies in an encrypted file: what may open it. It blocks.
///
/// A vault whose key stands in a store's entry has a slot for that key, and can have more: a recovery
/// passphrase opens it when the entry is gone.
///
/// # Errors
///
/// `Unsupported` if the vault lies in its entry, `NotFound` if there is no file yet; and as a read of
/// [`SecretManager`](crate::SecretManager) says.
///
/// ```
/// use strongroom::{Backend, Config, KeySource, SealingKey};
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
    vault: Vault,
    chosen: Chosen,
}

impl Config {
    /// Chooses the store, for work on the vault's key slots. It blocks.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn keys(self) -> Result<VaultKeys> {
        let (vault, chosen) = self.unread()?;
        Ok(VaultKeys { vault: vault.for_keys(), chosen })
    }
}

impl VaultKeys {
    /// The backend that was chosen.
    pub fn backend(&self) -> Backend {
        self.chosen.backend()
    }

    /// The slots, the oldest first. It takes no key, and nobody is asked for a passphrase: whoever has the file
    /// can read them. [`Slot::is_changed`] is known if a key at hand opens the file.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn list(&self) -> Result<Vec<Slot>> {
        self.vault.slots().map_err(during)
    }

    /// Lets one more source open the vault. On the backend `file` it makes the file if there is none;
    /// the keys at hand open that, too.
    ///
    /// # Errors
    ///
    /// `QuotaExceeded` if there are as many as there can be; what [`KeySource`] says of one that can't be
    /// read.
    pub fn add(&self, source: &KeySource) -> Result<Slot> {
        self.vault.add_slot(source).map_err(during)
    }

    /// Checks that the keys at hand open the vault. On the backend `file` a passphrase is asked for, if it must
    /// be.
    ///
    /// # Errors
    ///
    /// `KeyMissing` and `WrongKey`.
    pub fn check(&self) -> Result<()> {
        self.vault.check_key()
    }

    /// Removes a slot, if a key at hand opens the vault by another one. A person who has read the vault's key
    /// through it may have kept that key, until [`rotate`](Self::rotate); and a copy of the file still has the
    /// slot.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; `Invalid` if it is the last one, or that of the key in the vault's
    /// entry; `KeyMissing` if no key at hand opens another one: [`remove_with`](Self::remove_with) takes one.
    pub fn remove(&self, id: &SlotId) -> Result<()> {
        self.remove_with(id, &[])
    }

    /// Removes a slot, if a key at hand or one of these sources opens the vault by another one.
    ///
    /// # Errors
    ///
    /// As [`remove`](Self::remove); `TimedOut` if a passphrase could not be tried within the deadline.
    pub fn remove_with(&self, id: &SlotId, more: &[KeySource]) -> Result<()> {
        self.vault.remove_slot(id, more).map_err(during)
    }

    /// Removes a slot, although nothing may open the vault any more.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such slot; `Invalid` if it is the last one, or that of the key in the vault's
    /// entry.
    pub fn remove_unproved(&self, id: &SlotId) -> Result<()> {
        self.vault.remove_slot_unproved(id).map_err(during)
    }

    /// Gives the vault a new key and seals every record with it. The slots stay, and the entry that holds
    /// the key of one of them: what opens the vault is the same as before.
    ///
    /// - `more` must open the slots that neither the options nor the entry open.
    /// - It works in durable steps. One that was interrupted goes on where it was, and needs no source.
    ///
    /// # Errors
    ///
    /// `KeyMissing` names the slots that nothing at hand opens: nothing was changed.
    pub fn rotate(&self, more: &[KeySource], progress: impl FnMut(Progress)) -> Result<()> {
        self.vault.rotate(more, progress).map_err(during)
    }
}

/// Says that the work with the keys failed, unless the vault could not be opened for it.
fn during(error: Error) -> Error {
    if error.operation() == Operation::Open { error } else { error.during(Operation::Keys) }
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKeys").field("chosen", &self.chosen).finish_non_exhaustive()
    }
}
