//! Recovery of the readable secrets of a damaged sealed file.

use std::path::PathBuf;

use strongroom_core::{Error, ErrorKind, Operation, Result, SecretBytes, SecretKey, WriteMode};
use strongroom_sealed::{KeySource, SealingKey};

use super::content::{Content, Look as _};
use super::engine::Vault;
use super::payload::Stored;
use super::sealed::Sealed;

/// The result of a salvage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvaged {
    /// The recovered secrets, which are in the new vault.
    pub saved: Vec<SecretKey>,
    /// The number of records that can't be read. Further records may be missing without a trace.
    pub lost: u64,
    /// The path of a copy of the vault's entry, if the vault has an entry, and the new path of the damaged
    /// file.
    pub aside: Vec<PathBuf>,
}

impl Vault {
    /// Copies the readable secrets of a damaged sealed file into a new file that takes its place.
    pub(crate) fn salvage(&self) -> Result<Salvaged> {
        let mut prepared =
            self.place.prepare_to_read().map_err(|error| self.not_salvaged(error))?;
        self.rewrite(|| {
            let mut found = self.find_all(&mut prepared)?;
            let (1, Some(found)) = (found.len(), found.pop()) else {
                return Err(self.not_one(found.len()));
            };
            if found.is_whole() {
                return Err(self.refusal("the vault can be read: there is nothing to salvage"));
            }
            let Content::Sealed(damaged) =
                found.opened.map_err(|error| self.not_salvaged(error))?
            else {
                return Err(self.refusal("the vault does not lie in a file of records"));
            };
            let (salvaged, sealed) = self.salvage_from(*damaged, found.bytes.as_ref())?;
            Ok((salvaged, Content::Sealed(Box::new(sealed))))
        })
    }

    fn salvage_from(
        &self,
        damaged: Sealed,
        entry: Option<&SecretBytes>,
    ) -> Result<(Salvaged, Sealed)> {
        let (records, lost) = damaged.salvage();
        if records.is_empty() {
            return Err(self.refusal("no secret can be read"));
        }
        let mut saved: Vec<_> = records.iter().map(|(key, ..)| key.clone()).collect();
        saved.sort();
        let generation = damaged.generation().unwrap_or_default() + 1;
        let mut sources = damaged.opened().1.to_vec();
        // Windows does not move a file that is open.
        drop(damaged);
        let key = self.key_of_entry(entry)?;
        if entry.is_none() {
            // A key from the entry is already among the sources that opened the file.
            sources.extend(key.clone().map(KeySource::key));
        }
        let copies = entry.map(|bytes| self.copy_aside(bytes)).transpose()?;
        let rebuilt = self.place.rebuild(sources, &records, self.now());
        let (mut sealed, file) = rebuilt.map_err(|error| self.named(error))?;
        if let Some(key) = key {
            let line = sealed.count_from(generation, key.to_text())?;
            self.store.write_entry(&self.entry, &line, WriteMode::Overwrite)?;
        }
        let aside = copies.into_iter().chain(file).collect();
        Ok((Salvaged { saved, lost, aside }, sealed))
    }

    /// Returns the key from the vault's entry, or a new key if the entry is gone. Returns `None` for a vault
    /// that needs no entry.
    fn key_of_entry(&self, entry: Option<&SecretBytes>) -> Result<Option<SealingKey>> {
        match entry.map(Stored::parse).transpose()? {
            Some(Stored::Key(entry)) => SealingKey::from_text(&entry.key).map(Some),
            None if self.place.needs_entry() => SealingKey::generate().map(Some),
            _ => Ok(None),
        }
    }

    fn not_salvaged(&self, error: Error) -> Error {
        let hint = match error.kind() {
            ErrorKind::KeyMissing | ErrorKind::WrongKey => {
                "Nothing was changed. Without what opens the file nothing can be read."
            }
            _ => "Nothing was changed.",
        };
        self.named(error.during(Operation::Repair).with_hint(hint))
    }
}
