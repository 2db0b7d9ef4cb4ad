//! Recovery of the readable secrets of a damaged sealed file.

use std::path::PathBuf;

use strongroom_core::{Error, ErrorKind, Operation, Result, SecretBytes, SecretKey, WriteMode};
use strongroom_sealed::{KeySource, SealingKey};

use super::items::find_all;
use super::repair::{copy_aside, not_one, refusal};
use crate::vault::sealed::{Sealed, SealedPlace};
use crate::vault::{Engine, ReadVault as _, Stored};

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

/// Copies the readable secrets of a damaged sealed file into a new file that takes its place.
pub(crate) fn salvage(engine: &Engine) -> Result<Salvaged> {
    let mut prepared =
        engine.storage.prepare(false).map_err(|error| not_salvaged(engine, error))?;
    engine.rewrite(|| {
        let mut found = find_all(&engine.storage, &mut prepared)?;
        let (1, Some(found)) = (found.len(), found.pop()) else {
            return Err(not_one(engine, found.len()));
        };
        if found.is_whole() {
            return Err(refusal(engine, "the vault can be read: there is nothing to salvage"));
        }
        let opened = found.opened.map_err(|error| not_salvaged(engine, error))?;
        let Some(damaged) = Sealed::take(opened) else {
            return Err(refusal(engine, "the vault does not lie in a file of records"));
        };
        let (salvaged, sealed) = salvage_from(engine, *damaged, found.bytes.as_ref())?;
        Ok((salvaged, sealed.into()))
    })
}

fn salvage_from(
    engine: &Engine,
    damaged: Sealed,
    entry: Option<&SecretBytes>,
) -> Result<(Salvaged, Sealed)> {
    let (records, lost) = damaged.salvage();
    if records.is_empty() {
        return Err(refusal(engine, "no secret can be read"));
    }
    let mut saved: Vec<_> = records.iter().map(|(key, ..)| key.clone()).collect();
    saved.sort();
    let generation = damaged.generation().unwrap_or_default() + 1;
    let mut sources = damaged.opened().1.to_vec();
    // Windows does not move a file that is open.
    drop(damaged);
    let key = key_of_entry(engine, entry)?;
    if entry.is_none() {
        // A key from the entry is already among the sources that opened the file.
        sources.extend(key.clone().map(KeySource::key));
    }
    let copies = entry.map(|bytes| copy_aside(engine, bytes)).transpose()?;
    let place = SealedPlace::of(&engine.storage);
    let place = place.ok_or_else(|| refusal(engine, "the vault does not lie in a file"))?;
    let rebuilt = place.rebuild(sources, &records, engine.now());
    let (mut sealed, file) = rebuilt.map_err(|error| engine.storage.named(error))?;
    if let Some(key) = key {
        let line = sealed.count_from(generation, key.to_text())?;
        engine.storage.store.write_entry(&engine.storage.entry, &line, WriteMode::Overwrite)?;
    }
    let aside = copies.into_iter().chain(file).collect();
    Ok((Salvaged { saved, lost, aside }, sealed))
}

/// Returns the key from the vault's entry, or a new key if the entry is gone. Returns `None` for a vault
/// that needs no entry.
fn key_of_entry(engine: &Engine, entry: Option<&SecretBytes>) -> Result<Option<SealingKey>> {
    match entry.map(Stored::parse).transpose()? {
        Some(Stored::Key(entry)) => SealingKey::from_text(&entry.key).map(Some),
        None if engine.storage.has_key_in_entry() => SealingKey::generate().map(Some),
        _ => Ok(None),
    }
}

fn not_salvaged(engine: &Engine, error: Error) -> Error {
    let hint = match error.kind() {
        ErrorKind::KeyMissing | ErrorKind::WrongKey => {
            "Nothing was changed. Without what opens the file nothing can be read."
        }
        _ => "Nothing was changed.",
    };
    engine.storage.named(error.during(Operation::Repair).with_hint(hint))
}
