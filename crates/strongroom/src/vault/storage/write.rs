//! Writing a whole vault: the choice of its layout, its file if it has one, and its entry.

use strongroom_core::{
    Error, ErrorKind, ExposeSecret as _, Operation, Result, SecretBytes, Timestamp, WriteMode,
};

use super::Storage;
use crate::layout::Layout;
use crate::vault::content::Content;
use crate::vault::file::{Prepared, no_file};
use crate::vault::payload::{Payload, VaultId};

/// The longest inline vault, in bytes. An inline vault is rewritten as a whole at each change.
const INLINE_MAX: usize = 64 * 1024;

impl Storage {
    /// Chooses the layout of a vault, and writes its file if the layout is `sealed`. Returns the content, and
    /// the line of its entry unless the file is the whole vault.
    ///
    /// If this has to write the store, it calls `mark` before, which tells other processes.
    pub(crate) fn lay_out(
        &self,
        vault: Payload,
        prepared: &Prepared,
        now: Timestamp,
        mark: impl FnOnce() -> Result<()>,
    ) -> Result<(Content, Option<SecretBytes>)> {
        let line = vault.to_line();
        let takes_all = self.prefers_file || self.is_whole_file();
        let too_large = match self.check_size(&line) {
            Err(too_large) => Some(too_large),
            Ok(()) if takes_all || line.expose_secret().len() > INLINE_MAX => None,
            Ok(()) => return Ok((Content::Inline(vault), Some(line))),
        };
        // In a store that is not permanent no file is created, so nothing has to be prepared for it.
        if self.is_permanent() && self.has_key_in_entry() {
            self.write_stand_in(vault.id, mark)?;
        }
        let created = self.create_file(&vault, prepared, now).map_err(|error| self.named(error))?;
        match (created, too_large) {
            (Some((content, entry)), _) => Ok((content, entry)),
            (None, Some(too_large)) => Err(too_large),
            (None, None) => Ok((Content::Inline(vault), Some(line))),
        }
    }

    /// Writes a whole vault into a new file. Returns `None` if the vault may have no file.
    fn create_file(
        &self,
        vault: &Payload,
        prepared: &Prepared,
        now: Timestamp,
    ) -> Result<Option<(Content, Option<SecretBytes>)>> {
        let Some(file) = self.file() else {
            return if self.prefers_file { Err(no_file()) } else { Ok(None) };
        };
        // The entry holds the file's key, and the file would outlive it.
        if !file.is_whole_vault() && !self.is_permanent() {
            return if self.prefers_file { Err(not_permanent()) } else { Ok(None) };
        }
        file.create(vault, prepared, now).map(Some)
    }

    /// Writes the entry of a vault. Does nothing without a line.
    pub(crate) fn write_entry(
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
    pub(crate) fn abandon(&self, content: Content, line: Option<&SecretBytes>) {
        if content.layout() != Layout::Sealed {
            return;
        }
        drop(content);
        let is_unknown = match (line, self.store.read_entry(&self.entry)) {
            (None, _) | (Some(_), Ok(None)) => true,
            (Some(line), Ok(Some(stored))) => line.expose_secret() != stored.expose_secret(),
            (Some(_), Err(_)) => false,
        };
        if is_unknown {
            drop(self.remove_file());
        }
    }

    /// Writes an empty vault as the entry, if there is none, before the sealed file is created. Without it, a
    /// kill in between would leave a file without an entry, which counts as a vault whose key is lost.
    fn write_stand_in(&self, id: VaultId, mark: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.store.contains_entry(&self.entry)? {
            return Ok(());
        }
        mark().map_err(|error| self.named(error))?;
        let empty = Payload::new(id).to_line();
        self.store.write_entry(&self.entry, &empty, WriteMode::Overwrite)
    }

    pub(crate) fn check_size(&self, line: &SecretBytes) -> Result<()> {
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

fn not_permanent() -> Error {
    Error::new(ErrorKind::Unsupported, Operation::Set)
        .with_message("this store forgets, and the sealed file would be lost with its key")
        .with_hint("Use a store that lasts, or the backend `file`.")
}
