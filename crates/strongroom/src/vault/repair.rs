//! Repair of a vault that can't be read, or that its store holds several times.

use std::cmp::Reverse;
use std::path::PathBuf;

use strongroom_core::advice::Command;
use strongroom_core::{
    Candidate, Error, ErrorKind, ExposeSecret as _, Operation, Result, SecretBytes, SecretKey,
    Timestamp,
};

use super::content::Content;
use super::engine::Vault;
use super::payload::{Payload, Stored, readable_names};
use super::place::{Place, Prepared};
use crate::layout::VAULT_ENTRY;

/// An item of a store in the place of a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaultItem {
    /// The store's name for the item, if there are several items.
    pub candidate: Option<Candidate>,
    /// The length of the item in bytes, or 0 if the store can't read it.
    pub len: usize,
    /// The content of the item.
    pub content: VaultContent,
}

/// The content of an item, without any value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultContent {
    /// A vault.
    Readable {
        /// The vault's revision number.
        generation: u64,
        /// The vault's secrets.
        keys: Vec<SecretKey>,
    },
    /// Data that can't be read as a vault.
    Unreadable {
        /// The reason why it can't be read, as a clause.
        problem: String,
        /// The names of secrets that are still readable.
        names: Vec<String>,
        /// The number of secrets that can be read whole, if the vault is in a sealed file. A salvage recovers
        /// them.
        readable: Option<u64>,
    },
}

/// The result of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// The revision number of the merged vault.
    pub generation: u64,
    /// The secrets that only an older item had.
    pub added: Vec<SecretKey>,
    /// The number of deleted items.
    pub deleted: usize,
}

/// An item of the store with its bytes.
pub(super) struct Found {
    candidate: Option<Candidate>,
    pub(super) bytes: Option<SecretBytes>,
    pub(super) opened: Result<Content>,
}

impl Vault {
    pub(crate) fn examine(&self) -> Result<Vec<VaultItem>> {
        Ok(self.find_all(&mut Prepared::default())?.iter().map(Found::describe).collect())
    }

    pub(crate) fn merge(&self) -> Result<Merged> {
        self.rewrite(|| {
            let mut vaults = self.readable_ones()?;
            // The newest vault comes first. It is kept, and takes only missing secrets from the older vaults.
            vaults.sort_by_key(|(candidate, vault)| {
                Reverse((vault.generation, candidate.modified, candidate.id.clone()))
            });
            let mut vaults = vaults.into_iter();
            let Some((kept, mut merged)) = vaults.next() else { return Err(self.not_several()) };
            let added: Vec<_> = vaults.flat_map(|(_, older)| merged.absorb(older)).collect();
            merged.advance()?;
            let line = merged.to_line();
            self.check_size(&line)?;
            // The merged vault is complete before the other items are deleted, so that a merge that was
            // killed in between can be repeated.
            self.store.write_candidate(&self.entry, &kept.id, &line)?;
            let deleted = self.store.keep_candidate(&self.entry, &kept.id)?;
            let generation = merged.generation;
            Ok((Merged { generation, added, deleted }, Content::Inline(merged)))
        })
    }

    pub(crate) fn reset(&self) -> Result<Vec<PathBuf>> {
        self.rewrite(|| {
            let mut found = self.find_all(&mut Prepared::default())?;
            if found.is_empty() && self.is_gone()? {
                self.forget_binding();
                return Ok((Vec::new(), self.nothing()));
            }
            let (1, Some(found)) = (found.len(), found.pop()) else {
                return Err(self.not_one(found.len()));
            };
            if found.is_whole() {
                return Err(self.refusal("the vault can be read: there is nothing to repair"));
            }
            // The entry is copied first, because a sealed file that is moved aside can only be opened with
            // the key in it.
            let entry = found.bytes.iter().map(|bytes| self.copy_aside(bytes));
            let mut copies = entry.collect::<Result<Vec<_>>>()?;
            copies.extend(self.place.put_aside(self.now())?);
            self.store.remove_entry(&self.entry)?;
            self.forget_binding();
            Ok((copies, self.nothing()))
        })
    }

    pub(super) fn find_all(&self, prepared: &mut Prepared) -> Result<Vec<Found>> {
        if let Some(opened) = self.place.open_direct(prepared) {
            return Found::in_place(opened).map_err(|error| self.named(error));
        }
        let candidates = self.store.candidates(&self.entry)?;
        if candidates.len() > 1 {
            let found = candidates.into_iter().map(|candidate| {
                let bytes = self.store.read_candidate(&self.entry, &candidate.id);
                Found::new(Some(candidate), bytes, &self.place)
            });
            return found.collect();
        }
        match self.store.read_entry(&self.entry) {
            Ok(None) => {
                Found::in_place(self.place.nothing(prepared)).map_err(|error| self.named(error))
            }
            Ok(Some(bytes)) => Ok(vec![Found::new(None, Ok(bytes), &self.place)?]),
            Err(error) => Ok(vec![Found::new(None, Err(error), &self.place)?]),
        }
    }

    /// Returns all items with their vaults.
    fn readable_ones(&self) -> Result<Vec<(Candidate, Payload)>> {
        let mut vaults = Vec::new();
        for found in self.find_all(&mut Prepared::default())? {
            let Some(candidate) = found.candidate else { return Err(self.not_several()) };
            match found.opened.and_then(Content::into_inline) {
                Ok(vault) => vaults.push((candidate, vault)),
                Err(error) => return Err(self.not_merged(error)),
            }
        }
        Ok(vaults)
    }

    fn not_merged(&self, error: Error) -> Error {
        let service = self.entry.service().as_str();
        let command = Command::new("entry repair").value(service, "SERVICE").words(VAULT_ENTRY);
        let error = error
            .during(Operation::Repair)
            .with_hint("Nothing was changed. Keep the other item.")
            .with_command(command.clone(), "shows the items, and keeps one")
            .with_command(command.words("--keep ID"), "keeps one and deletes the others");
        self.named(error)
    }

    pub(super) fn copy_aside(&self, bytes: &SecretBytes) -> Result<PathBuf> {
        let stamp = file_stamp(self.now());
        self.coherence.put_aside(&stamp, bytes.expose_secret()).map_err(|error| {
            self.named(
                Error::new(ErrorKind::Io, Operation::Repair)
                    .with_message("no copy could be put aside; nothing was changed")
                    .with_source(error),
            )
        })
    }

    fn not_several(&self) -> Error {
        self.refusal("there are not several items of this vault: there is nothing to merge")
    }

    pub(super) fn not_one(&self, others: usize) -> Error {
        if others == 0 {
            return self.refusal("there is no vault: there is nothing to repair");
        }
        self.named(
            Error::new(ErrorKind::Ambiguous, Operation::Repair)
                .with_message("there are several items of this vault; nothing was changed")
                .with_hint("Merge them, or keep one of them, first.")
                .with_command(self.command("repair --merge"), "makes one of them"),
        )
    }

    pub(super) fn refusal(&self, message: &str) -> Error {
        self.named(
            Error::new(ErrorKind::Invalid, Operation::Repair)
                .with_message(message)
                .with_hint("Nothing was changed."),
        )
    }
}

impl Found {
    /// Returns the item with its content, or with the reason in the item itself why it can't be read.
    ///
    /// # Errors
    ///
    /// Errors that tell nothing about the item, such as `Locked` or `TimedOut`.
    fn new(
        candidate: Option<Candidate>,
        bytes: Result<SecretBytes>,
        place: &Place,
    ) -> Result<Self> {
        let (bytes, opened) = match bytes {
            Ok(bytes) => {
                let stored = Stored::parse(&bytes).map_err(Error::from);
                let opened = told(stored.and_then(|stored| place.open(stored)))?;
                (Some(bytes), opened)
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => (None, Err(error)),
            Err(error) => return Err(error),
        };
        Ok(Self { candidate, bytes, opened })
    }

    /// Returns the item of a vault that has no entry, if there is any.
    fn in_place(opened: Result<Content>) -> Result<Vec<Self>> {
        Ok(match told(opened)? {
            Ok(content) if content.is_none() => Vec::new(),
            opened => vec![Self { candidate: None, bytes: None, opened }],
        })
    }

    /// Returns whether the item can be read completely.
    pub(super) fn is_whole(&self) -> bool {
        self.seen().is_ok()
    }

    /// Returns the names of the readable secrets in a damaged sealed file.
    fn readable(&self) -> Option<Vec<String>> {
        match self.opened.as_ref().ok()? {
            #[cfg(feature = "sealed")]
            Content::Sealed(sealed) => {
                let (records, _) = sealed.salvage();
                Some(records.iter().map(|(key, ..)| key.name().to_owned()).collect())
            }
            _ => None,
        }
    }

    /// Reads the whole item. Returns its generation and secrets, or the problem.
    fn seen(&self) -> Result<(u64, Vec<SecretKey>), String> {
        let problem = |error: &Error| error.problem().to_owned();
        let content = self.opened.as_ref().map_err(problem)?;
        let vault = content.look();
        let seen = vault.generation().and_then(|generation| Ok((generation, vault.list()?)));
        let (generation, secrets) = seen.map_err(|error| problem(&error))?;
        // A list decrypts no values. Only reading them all shows whether they are intact.
        #[cfg(feature = "sealed")]
        if let Content::Sealed(sealed) = content
            && let (_, lost @ 1..) = sealed.salvage()
        {
            return Err(format!("{lost} of {} records are damaged", secrets.len()));
        }
        Ok((generation, secrets.into_iter().map(|secret| secret.key).collect()))
    }

    fn describe(&self) -> VaultItem {
        let bytes = self.bytes.as_ref().map(|bytes| bytes.expose_secret()).unwrap_or_default();
        let content = match self.seen() {
            Ok((generation, keys)) => VaultContent::Readable { generation, keys },
            Err(problem) => {
                let readable = self.readable();
                let count = readable.as_ref().map(|names| names.len() as u64);
                let names = readable.unwrap_or_else(|| readable_names(bytes));
                VaultContent::Unreadable { problem, names, readable: count }
            }
        };
        VaultItem { candidate: self.candidate.clone(), len: bytes.len(), content }
    }
}

/// Splits the result of opening a vault. The outer error tells nothing about the vault, which may be intact.
/// The inner result is the vault's state.
fn told(opened: Result<Content>) -> Result<Result<Content>> {
    use ErrorKind::{AccessDenied, Busy, Conflict, Io, TimedOut};
    match opened {
        Err(error) if matches!(error.kind(), AccessDenied | Busy | Conflict | Io | TimedOut) => {
            Err(error)
        }
        opened => Ok(opened),
    }
}

/// Returns a time as a part of a file's name: `20261231T180000Z`.
pub(super) fn file_stamp(time: Timestamp) -> String {
    let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
    whole.to_string().replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_a_file_name_has_neither_a_colon_nor_a_fraction() {
        let time: Timestamp = "2026-12-31T18:00:09.5Z".parse().unwrap();
        assert_eq!(file_stamp(time), "20261231T180009Z");
    }
}
