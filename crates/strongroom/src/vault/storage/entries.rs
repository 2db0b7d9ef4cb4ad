//! The search for entries in place of a vault, or beside it.

use strongroom_core::{Error, ErrorKind, KeyringStore as _, Operation, Result};

use super::Storage;
use crate::layout::VAULT_ENTRY;
use crate::vault::entries::Entries;
use crate::vault::file::Prepared;
use crate::vault::payload::{Stored, Unreadable};

impl Storage {
    /// Returns the entries if the secrets are entries or are to become entries, and `None` in another layout.
    ///
    /// # Errors
    ///
    /// `Conflict` if there is a vault beside the entries: whichever is shown, the secrets of the other would
    /// seem lost. `KeyMissing` if there is a sealed file whose key was in the vault's entry. `Unsupported` in
    /// a store that can't list.
    pub(super) fn find_entries(&self) -> Result<Option<Entries>> {
        let Some(place) = &self.entries else { return Ok(None) };
        let users = self.store.list(self.service().as_str())?;
        let others = users.iter().filter(|user| user.as_str() != VAULT_ENTRY).count();
        let entries = self.entries_with(others == 0);
        let has_vault = others < users.len() && !(place.yields()? && self.is_foreign()?);
        if !has_vault && place.awaits_vault()? {
            return Ok(None);
        }
        if !has_vault {
            // A sealed file without an entry takes precedence over entries.
            let has_file = !self.recover(&mut Prepared::default())?.is_none();
            return Ok(entries.filter(|_| !has_file));
        }
        match place.home_in_move()? {
            // Both exist during a move, and the binding tells which of them is complete.
            Some(home) => Ok(entries.filter(|_| home.in_entries)),
            None if others == 0 || place.yields()? => Ok(None),
            None => Err(self.vault_beside_entries()),
        }
    }

    /// Returns whether the entry `vault` belongs to another program.
    fn is_foreign(&self) -> Result<bool> {
        let line = self.store.read_entry(&self.entry)?;
        Ok(line.is_some_and(|line| Stored::parse(&line).is_err_and(Unreadable::is_foreign)))
    }

    fn vault_beside_entries(&self) -> Error {
        Error::new(ErrorKind::Conflict, Operation::Get)
            .with_message("the secrets are entries of their own, and there is a vault beside them")
            .with_hint("Move the vault's secrets into entries, too. Nothing is written over.")
            .with_command(
                self.command("move --to").words(self.store.name()).words("--layout entries"),
                "does it",
            )
    }
}
