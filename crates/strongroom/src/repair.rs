//! The repair of a vault that does not open.

use std::fmt;
use std::path::PathBuf;

use strongroom_core::{Capabilities, Result};

use crate::choose::{ChoiceReason, Chosen};
#[cfg(feature = "sealed")]
pub use crate::vault::Salvaged;
use crate::vault::Vault;
pub use crate::vault::{Merged, VaultContent, VaultItem};
use crate::{Backend, Config};

/// A vault that may not open: `Corrupt`, or `Ambiguous` because it stands in its store more than once.
///
/// ```
/// use strongroom::{Backend, Config};
///
/// let repair = Config::new("nothing-yet").backend(Backend::Memory).repair()?;
/// assert!(repair.examine()?.is_empty(), "nothing was stored yet");
/// # Ok::<(), strongroom::Error>(())
/// ```
pub struct VaultRepair {
    vault: Vault,
    chosen: Chosen,
}

impl Config {
    /// Chooses the store and reads nothing, so that it works on a vault that can't be read. It blocks.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), but never `Corrupt`.
    pub fn repair(self) -> Result<VaultRepair> {
        let (vault, chosen) = self.unread()?;
        Ok(VaultRepair { vault, chosen })
    }
}

impl VaultRepair {
    /// The backend that was chosen.
    pub fn backend(&self) -> Backend {
        self.chosen.backend()
    }

    /// Why this backend.
    pub fn reason(&self) -> &ChoiceReason {
        self.chosen.reason()
    }

    /// What the store can do, and how it protects the vault.
    pub fn store_capabilities(&self) -> Capabilities {
        self.chosen.store().capabilities()
    }

    /// What stands where the vault should be, without any value: nothing, one item, or several. Changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// As [`Store::read_entry`](crate::Store::read_entry), but neither `Corrupt` nor
    /// `Ambiguous`.
    pub fn examine(&self) -> Result<Vec<VaultItem>> {
        self.vault.examine()
    }

    /// Makes one vault of several items: the one of the highest generation, with the secrets that only
    /// others have. Where both have one, that of the higher generation stays.
    ///
    /// # Errors
    ///
    /// `Invalid` if there are not several items, `Corrupt` if one of them can't be read, and as a change
    /// of [`SecretManager`](crate::SecretManager). A merge that fails deletes nothing.
    pub fn merge(&self) -> Result<Merged> {
        self.vault.merge()
    }

    /// Makes a new file of what can be read in a damaged sealed one, which is put aside. Keys other than
    /// those at hand have no slot in the new file.
    ///
    /// What is in the files put aside is sealed, but for a copy of the entry, which holds the old
    /// file's key.
    ///
    /// # Errors
    ///
    /// `Invalid` if the vault can be read, lies in no file of records, or nothing can be saved; as
    /// [`open`](Config::open) if the file can't be opened. Then nothing was changed. The new
    /// file takes the old one's place once it is whole.
    #[cfg(feature = "sealed")]
    pub fn salvage(&self) -> Result<Salvaged> {
        self.vault.salvage()
    }

    /// Puts a copy of a vault that can't be read into a file for the user alone, then deletes it. Returns
    /// the file, which lies in the state directory; none if the store gave nothing to copy. A sealed file
    /// is moved out of the way, and returned as well.
    ///
    /// **The copy holds the vault's values, or the key of its sealed file, in the clear.**
    ///
    /// # Errors
    ///
    /// `Invalid` if there is no vault, or one that can be read; `Ambiguous` if there are several items;
    /// `Io` if no copy can be made. Then nothing is deleted.
    pub fn reset(&self) -> Result<Vec<PathBuf>> {
        self.vault.reset()
    }

    /// Deletes every entry of the service, readable or not, and returns how many there were. As
    /// [`SecretManager::purge`](crate::SecretManager::purge), which takes a vault that opens.
    ///
    /// # Errors
    ///
    /// `Ambiguous` if there are several items of one name: merge them, or keep one, first. Where it
    /// fails, some entries may be deleted.
    pub fn purge(&self) -> Result<usize> {
        self.vault.purge()
    }
}

impl fmt::Debug for VaultRepair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultRepair").field("chosen", &self.chosen).finish_non_exhaustive()
    }
}
