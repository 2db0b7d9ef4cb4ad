//! The storage of a vault: its entry in a store, and the file or the entries beside it.
//!
//! It knows nothing of locks, of copies in memory and of the binding.

mod entries;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use strongroom_core::advice::Command;
use strongroom_core::{
    EntryName, Error, ErrorKind, Persistence, Result, ServiceName, Store, Timestamp, UserName,
};

use super::content::Content;
use super::entries::{Entries, EntriesPlace};
use super::file::{Prepared, VaultFile, no_file};
use super::payload::Stored;
use crate::layout::{Layout, VAULT_ENTRY};

/// The storage of a vault.
pub(crate) struct Storage {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) entry: EntryName,
    file: Option<Box<dyn VaultFile>>,
    /// Set if the vault is to be stored in its file, however small it is.
    prefers_file: bool,
    entries: Option<EntriesPlace>,
    /// The layout that was last seen. A leaf lock: no other lock is taken while it is held.
    layout: Mutex<Layout>,
}

impl Storage {
    /// Returns the storage of a service's vault in its entry alone. Nothing is read yet.
    pub(crate) fn new(store: Arc<dyn Store>, service: &ServiceName) -> Result<Self> {
        Ok(Self {
            store,
            entry: EntryName::from_parts(service.clone(), UserName::new(VAULT_ENTRY)?),
            file: None,
            prefers_file: false,
            entries: None,
            layout: Mutex::default(),
        })
    }

    /// Allows a file beside the entry, or in its place.
    pub(crate) fn with_file(self, file: Option<Box<dyn VaultFile>>) -> Self {
        Self { file, ..self }
    }

    /// Sets whether the vault is stored in its file, however small it is.
    pub(crate) fn preferring_file(self, prefers_file: bool) -> Self {
        Self { prefers_file, ..self }
    }

    /// Stores each secret in an entry of its own, unless there is a vault already.
    pub(crate) fn with_entries(self, entries: Option<EntriesPlace>) -> Self {
        Self { entries, ..self }
    }

    /// Prefers a vault over entries beside it, unless the binding remembers the layout `entries`.
    pub(crate) fn preferring_vault(self) -> Self {
        Self { entries: self.entries.map(EntriesPlace::yielding_to_vault), ..self }
    }

    /// Returns the service's name.
    pub(crate) fn service(&self) -> &ServiceName {
        self.entry.service()
    }

    /// Returns the layout, as this process saw it last.
    pub(crate) fn layout(&self) -> Layout {
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the layout of the content that was last seen.
    pub(super) fn note_layout(&self, layout: Layout) {
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner) = layout;
    }

    /// Returns whether the secrets are entries, or are to become entries.
    pub(crate) fn is_for_entries(&self) -> bool {
        self.entries.is_some()
    }

    /// Returns the file beside the vault's entry, or in its place.
    pub(crate) fn file(&self) -> Option<&dyn VaultFile> {
        self.file.as_deref()
    }

    /// Returns the file if it is the whole vault, without an entry.
    pub(crate) fn whole_file(&self) -> Option<&dyn VaultFile> {
        self.file().filter(|file| file.is_whole_vault())
    }

    /// Returns whether a file is the whole vault, without an entry.
    pub(crate) fn is_whole_file(&self) -> bool {
        self.whole_file().is_some()
    }

    /// Returns whether there may be a file whose key is stored in the vault's entry.
    pub(crate) fn has_key_in_entry(&self) -> bool {
        self.file().is_some_and(|file| !file.is_whole_vault())
    }

    /// Returns whether the store keeps its entries across restarts of the machine.
    pub(crate) fn is_permanent(&self) -> bool {
        self.store.capabilities().persistence == Persistence::Permanent
    }

    /// Returns whether the vault can't be opened without asking for a passphrase.
    pub(super) fn must_ask(&self) -> bool {
        self.file().is_some_and(VaultFile::must_ask)
    }

    /// Asks for the passphrase of a file if that is needed, so that no lock is held during the question. With
    /// `creates` it also asks for the passphrase of a file that does not exist yet.
    pub(crate) fn prepare(&self, creates: bool) -> Result<Prepared> {
        self.file().map_or_else(|| Ok(Prepared::default()), |file| file.prepare(creates))
    }

    /// Reads the vault from the store.
    ///
    /// # Errors
    ///
    /// `Ambiguous` if the store has several items of the vault; `Corrupt` if it can't be read; `Conflict` if
    /// there are entries beside it; `KeyMissing` and `WrongKey` if nothing opens its file; the errors of a
    /// store.
    pub(crate) fn read(&self, prepared: &mut Prepared) -> Result<Content> {
        if self.is_whole_file() {
            return self.recover(prepared).map_err(|error| self.advised(self.named(error)));
        }
        if let Some(entries) = self.find_entries().map_err(|error| self.named(error))? {
            return Ok(entries.into());
        }
        let line = self.store.read_entry(&self.entry).map_err(|error| self.advised(error))?;
        let content = match line {
            None => self.recover(prepared),
            Some(line) => Stored::parse(&line).map_err(Error::from).and_then(|it| self.open(it)),
        };
        content.map_err(|error| self.advised(self.named(error)))
    }

    /// Opens the vault that an entry holds or holds the key of.
    pub(crate) fn open(&self, stored: Stored) -> Result<Content> {
        match (stored, self.file()) {
            (Stored::Inline(vault), _) => Ok(Content::Inline(vault)),
            (Stored::Key(entry), Some(file)) => file.open(&entry),
            (Stored::Key(_), None) => Err(no_file()),
        }
    }

    /// Returns the content of a service whose entry does not exist: none, or the file that another key opens.
    ///
    /// # Errors
    ///
    /// As [`VaultFile::recover`].
    pub(crate) fn recover(&self, prepared: &mut Prepared) -> Result<Content> {
        let content = self.file().map_or(Ok(None), |file| file.recover(prepared))?;
        Ok(content.unwrap_or_else(Content::none))
    }

    /// Returns the content of a service that has neither a vault nor entries.
    pub(crate) fn nothing(&self) -> Content {
        self.entries_with(true).map_or_else(Content::none, Content::from)
    }

    /// Returns the entries of the service without a look at the store, or `None` in another layout.
    pub(crate) fn entries(&self) -> Option<Entries> {
        self.entries_with(false)
    }

    fn entries_with(&self, is_empty: bool) -> Option<Entries> {
        let place = self.entries.as_ref()?;
        Some(place.entries(&self.store, self.service(), is_empty))
    }

    /// Moves the file of the vault aside, and returns its new path.
    pub(crate) fn put_file_aside(&self, now: Timestamp) -> Result<Option<PathBuf>> {
        self.file().map_or(Ok(None), |file| file.put_aside(now))
    }

    /// Deletes the file of the vault, and returns whether it existed.
    pub(crate) fn remove_file(&self) -> Result<bool> {
        self.file().map_or(Ok(false), VaultFile::remove)
    }

    /// Checks that the vault can be deleted.
    ///
    /// # Errors
    ///
    /// `Busy` if a program has its file open, on Windows.
    pub(crate) fn check_free(&self) -> Result<()> {
        self.file().map_or(Ok(()), VaultFile::check_free)
    }

    /// Deletes the vault, and no other entry of the service.
    pub(crate) fn remove(&self) -> Result<()> {
        self.remove_file()?;
        if !self.is_whole_file() {
            self.store.remove_entry(&self.entry)?;
        }
        Ok(())
    }

    /// Returns the path of the file that is the whole vault.
    pub(super) fn whole_path(&self) -> Option<&Path> {
        self.whole_file().map(VaultFile::path)
    }

    /// Adds the store and, unless the error names another place, the vault's entry.
    pub(crate) fn named(&self, error: Error) -> Error {
        let error = error.with_store(self.store.name());
        // The errors of a file without an entry name the file, and those of the layout `entries` name the
        // entry.
        if self.is_whole_file() || self.layout() == Layout::Entries {
            return error;
        }
        error.with_entry(&self.entry)
    }

    /// Adds advice to the error of a vault that is in the store but does not open.
    fn advised(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Ambiguous => error
                .with_hint("Look at them, and make one vault of them.")
                .with_command(self.command("repair"), "shows them")
                .with_command(self.command("repair --merge"), "makes one of them"),
            ErrorKind::Corrupt => {
                error.with_command(self.command("repair"), "shows what is left of it")
            }
            ErrorKind::KeyMissing if self.has_key_in_entry() => error.with_command(
                self.command("repair --reset"),
                "puts the file aside and begins with an empty vault",
            ),
            ErrorKind::WrongKey if self.is_whole_file() => {
                error.with_command(self.command("key list"), "shows what opens it")
            }
            _ => error,
        }
    }

    /// Returns a command on this vault, as advice.
    pub(crate) fn command(&self, words: &'static str) -> Command {
        Command::new(words).on(self.service().as_str())
    }
}
