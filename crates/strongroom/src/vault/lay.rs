//! Writing a whole vault: the choice of its layout, its sealed file if it has one, and its entry.

use strongroom_core::{
    Error, ErrorKind, ExposeSecret as _, Operation, Persistence, Result, SecretBytes, WriteMode,
};

use super::content::Content;
use super::engine::Vault;
use super::payload::{Payload, VaultId};
use super::place::Prepared;

/// The longest inline vault, in bytes. An inline vault is rewritten as a whole at each change.
const INLINE_MAX: usize = 64 * 1024;

impl Vault {
    /// Chooses the layout of a vault, and writes its sealed file if the layout is `sealed`. Returns the
    /// content, and the line of its entry unless the sealed file is the whole vault.
    ///
    /// If this has to write the store, it calls `mark` before, which tells other processes.
    pub(super) fn laid_out(
        &self,
        vault: Payload,
        prepared: &Prepared,
        mark: impl FnOnce() -> Result<()>,
    ) -> Result<(Content, Option<SecretBytes>)> {
        let line = vault.to_line();
        let reason = match self.check_size(&line) {
            Err(too_large) => Some(too_large),
            Ok(()) if self.place.takes_all() || line.expose_secret().len() > INLINE_MAX => None,
            Ok(()) => return Ok((Content::Inline(vault), Some(line))),
        };
        let lasts = self.store.capabilities().persistence == Persistence::Permanent;
        // In a store that forgets no sealed file is created, so nothing has to be prepared for it.
        if lasts && self.place.needs_entry() {
            self.stand_in(vault.id, mark)?;
        }
        let sealed = self.place.seal(&vault, prepared, lasts, self.now());
        let sealed = sealed.map_err(|error| self.named(error))?;
        match (sealed, reason) {
            (Some((content, entry)), _) => Ok((content, entry)),
            (None, Some(too_large)) => Err(too_large),
            (None, None) => Ok((Content::Inline(vault), Some(line))),
        }
    }

    /// Writes the entry of a vault. Does nothing without a line.
    pub(super) fn write_entry_of(
        &self,
        content: Content,
        line: Option<SecretBytes>,
    ) -> Result<Content> {
        let Some(line) = line else { return Ok(content) };
        match self.store.write_entry(&self.entry, &line, WriteMode::Overwrite) {
            Ok(()) => Ok(content),
            Err(error) => {
                // After a timeout the store may still receive the key, and then the file is the vault.
                if error.kind() != ErrorKind::TimedOut {
                    self.abandon(content, Some(&line));
                }
                Err(error)
            }
        }
    }

    /// Deletes a new sealed file, unless the store may have its key: a write that failed may still have taken
    /// effect, and then the file is the vault. If the store can't tell, the file stays.
    pub(super) fn abandon(&self, content: Content, line: Option<&SecretBytes>) {
        if !content.is_sealed() {
            return;
        }
        drop(content);
        let is_unknown = match (line, self.store.read_entry(&self.entry)) {
            (None, _) | (Some(_), Ok(None)) => true,
            (Some(line), Ok(Some(stored))) => line.expose_secret() != stored.expose_secret(),
            (Some(_), Err(_)) => false,
        };
        if is_unknown {
            drop(self.place.remove());
        }
    }

    /// Writes an empty vault as the entry, if there is none, before the sealed file is created. Without it, a
    /// kill in between would leave a file without an entry, which counts as a vault whose key is lost.
    fn stand_in(&self, id: VaultId, mark: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.store.contains_entry(&self.entry)? {
            return Ok(());
        }
        mark().map_err(|error| self.named(error))?;
        let empty = Payload::new(id).to_line();
        self.store.write_entry(&self.entry, &empty, WriteMode::Overwrite)
    }

    pub(super) fn check_size(&self, line: &SecretBytes) -> Result<()> {
        let len = line.expose_secret().len();
        let Some(max) = self.store.capabilities().max_secret_len.filter(|max| len > *max) else {
            return Ok(());
        };
        let message = format!("the vault would have {len} bytes; this store takes at most {max}");
        let error = Error::new(ErrorKind::TooLarge, Operation::Set)
            .with_message(message)
            .with_hint("An encrypted file has no such limit.")
            .with_command(self.command("move --to file"), "moves the vault into one");
        Err(self.named(error))
    }
}
