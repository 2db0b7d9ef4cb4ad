//! The repair of a vault that does not open.

use std::fmt;
use std::path::PathBuf;

use strongroom_core::{Capabilities, Result};

use crate::choose::{ChoiceReason, Chosen};
pub use crate::lifecycle::items::{VaultContent, VaultItem};
pub use crate::lifecycle::repair::Merged;
#[cfg(feature = "sealed")]
pub use crate::lifecycle::salvage::Salvaged;
use crate::lifecycle::{purge, repair};
use crate::vault::Engine;
use crate::{Backend, Config};

/// A vault that may not open: it is `Corrupt`, or it is `Ambiguous` because its store holds several items of
/// it.
///
/// ```
/// use strongroom::{Backend, Config};
///
/// let repair = Config::new("nothing-yet").backend(Backend::Memory).repair()?;
/// assert!(repair.examine()?.is_empty(), "nothing was stored yet");
/// # Ok::<(), strongroom::Error>(())
/// ```
pub struct VaultRepair {
    engine: Engine,
    chosen: Chosen,
}

impl Config {
    /// Chooses the store and reads nothing, so that it works on a vault that can't be read. It blocks.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), but never `Corrupt`.
    pub fn repair(self) -> Result<VaultRepair> {
        let (engine, chosen) = self.prepare_vault()?;
        Ok(VaultRepair { engine, chosen })
    }
}

impl VaultRepair {
    /// Returns the chosen backend.
    pub fn backend(&self) -> Backend {
        self.chosen.backend()
    }

    /// Returns the reason for choosing this backend.
    pub fn reason(&self) -> &ChoiceReason {
        self.chosen.reason()
    }

    /// Returns the capabilities of the store, which include its protection of the vault.
    pub fn store_capabilities(&self) -> Capabilities {
        self.chosen.store().capabilities()
    }

    /// Lists the items that stand in the vault's place, without any value: none, a single item, or several.
    /// Changes nothing.
    ///
    /// # Errors
    ///
    /// As [`Store::read_entry`](crate::Store::read_entry), but neither `Corrupt` nor
    /// `Ambiguous`.
    pub fn examine(&self) -> Result<Vec<VaultItem>> {
        repair::examine(&self.engine)
    }

    /// Merges several items into a single vault: the item of the highest generation, with the secrets that
    /// only the other items have. If several items have a secret, that of the higher generation stays.
    ///
    /// # Errors
    ///
    /// `Invalid` if there are not several items; `Corrupt` if any of them can't be read; otherwise the errors
    /// of a change of [`SecretManager`](crate::SecretManager). A merge that fails deletes nothing.
    pub fn merge(&self) -> Result<Merged> {
        repair::merge(&self.engine)
    }

    /// Creates a new file from the readable parts of a damaged sealed file, which is put aside. Only the
    /// available keys get a slot in the new file.
    ///
    /// The files put aside are sealed, except for a copy of the entry, which holds the old file's key.
    ///
    /// # Errors
    ///
    /// `Invalid` if the vault can be read, does not lie in a file of records, or if nothing can be recovered;
    /// as [`open`](Config::open) if the file can't be opened. Nothing was changed then. The new file takes
    /// the old file's place once it is complete.
    #[cfg(feature = "sealed")]
    pub fn salvage(&self) -> Result<Salvaged> {
        crate::lifecycle::salvage::salvage(&self.engine)
    }

    /// Copies a vault that can't be read into a file that only the user may read, then deletes the vault.
    /// Returns the path of the copy, which lies in the state directory, or nothing if the store gave nothing
    /// to copy. A sealed file is moved out of the way, and its path is returned as well.
    ///
    /// **The copy holds the vault's values, or the key of its sealed file, in the clear.**
    ///
    /// # Errors
    ///
    /// `Invalid` if there is no vault, or if it can be read; `Ambiguous` if there are several items; `Io` if
    /// no copy can be made. Nothing is deleted then.
    pub fn reset(&self) -> Result<Vec<PathBuf>> {
        repair::reset(&self.engine)
    }

    /// Deletes every entry of the service, readable or not, and returns their number.
    /// [`SecretManager::purge`](crate::SecretManager::purge) does the same for a vault that opens.
    ///
    /// # Errors
    ///
    /// `Ambiguous` if there are several items of the same name: merge them, or keep a single item, first.
    /// After a failure, some entries may already be deleted.
    pub fn purge(&self) -> Result<usize> {
        purge::purge(&self.engine)
    }
}

impl fmt::Debug for VaultRepair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultRepair").field("chosen", &self.chosen).finish_non_exhaustive()
    }
}
