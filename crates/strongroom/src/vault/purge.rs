//! The deletion of a vault, and of all else of its service.

use strongroom_core::{EntryName, ErrorKind, Result};

use super::engine::Vault;
use crate::binding::Binding;

impl Vault {
    /// Deletes every entry of the service, the vault's included, and returns the number of deleted entries.
    pub(crate) fn purge(&self) -> Result<usize> {
        self.rewrite(|| {
            self.binding.iter().for_each(Binding::begin_to_delete);
            let entries = match self.store.capabilities().can_list {
                // A file without an entry is the whole vault. It is not opened, so that a damaged file can be
                // deleted, too.
                _ if self.place.is_direct() => Vec::new(),
                true => self.store.list_entries(self.entry.service())?,
                false => vec![self.entry.clone()],
            };
            // The entry with the key goes last. If it went first, a kill in between would leave a file that
            // nothing opens, and a vault that answers `KeyMissing`.
            let had_file = self.place.remove()?;
            let mut purged = usize::from(had_file && self.place.is_direct());
            for entry in entries {
                purged += self.remove_all(&entry)?;
            }
            self.forget_binding();
            Ok((purged, self.nothing()))
        })
    }

    /// Deletes all items of an entry, and returns their number.
    fn remove_all(&self, entry: &EntryName) -> Result<usize> {
        match self.store.remove_entry(entry) {
            // A store does not choose between several items of an entry, so all but one go first.
            Err(error) if error.kind() == ErrorKind::Ambiguous => {
                let candidates = self.store.candidates(entry)?;
                let Some(last) = candidates.first() else { return Err(error) };
                let others = self.store.keep_candidate(entry, &last.id)?;
                Ok(others + usize::from(self.store.remove_entry(entry)?))
            }
            removed => removed.map(usize::from),
        }
    }
}
