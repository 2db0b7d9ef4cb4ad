//! Repair of a vault that can't be read, or that its store holds several times.

use std::cmp::Reverse;
use std::path::PathBuf;

use strongroom_core::advice::Command;
use strongroom_core::{Candidate, Error, ErrorKind, Operation, Result, SecretBytes, SecretKey};

use super::items::{StoredItem, VaultItem, find_all};
use crate::clock::file_stamp;
use crate::layout::VAULT_ENTRY;
use crate::vault::{Content, Engine, Payload, Prepared};

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

/// Lists the items in the place of the vault, without any value.
pub(crate) fn examine(engine: &Engine) -> Result<Vec<VaultItem>> {
    Ok(find_all(&engine.storage, &mut Prepared::default())?
        .iter()
        .map(StoredItem::describe)
        .collect())
}

/// Makes one item of several: the newest, with the secrets that only older items have.
pub(crate) fn merge(engine: &Engine) -> Result<Merged> {
    engine.rewrite(|| {
        let mut vaults = readable_items(engine)?;
        // The newest vault comes first. It is kept, and takes only missing secrets from the older vaults.
        vaults.sort_by_key(|(candidate, vault)| {
            Reverse((vault.generation, candidate.modified, candidate.id.clone()))
        });
        let mut vaults = vaults.into_iter();
        let Some((kept, mut merged)) = vaults.next() else { return Err(not_several(engine)) };
        let added: Vec<_> = vaults.flat_map(|(_, older)| merged.absorb(older)).collect();
        merged.advance()?;
        let line = merged.to_line();
        engine.storage.check_size(&line)?;
        // The merged vault is complete before the other items are deleted, so that a merge that was
        // killed in between can be repeated.
        engine.storage.store.write_candidate(&engine.storage.entry, &kept.id, &line)?;
        let deleted = engine.storage.store.keep_candidate(&engine.storage.entry, &kept.id)?;
        let generation = merged.generation;
        Ok((Merged { generation, added, deleted }, Content::Inline(merged)))
    })
}

/// Copies a vault that can't be read aside, and deletes it. Returns the paths of the copies.
pub(crate) fn reset(engine: &Engine) -> Result<Vec<PathBuf>> {
    engine.rewrite(|| {
        let mut found = find_all(&engine.storage, &mut Prepared::default())?;
        if found.is_empty() && engine.is_gone()? {
            engine.forget_binding();
            return Ok((Vec::new(), engine.storage.nothing()));
        }
        let (1, Some(found)) = (found.len(), found.pop()) else {
            return Err(not_one(engine, found.len()));
        };
        if found.is_whole() {
            return Err(refusal(engine, "the vault can be read: there is nothing to repair"));
        }
        // The entry is copied first, because a sealed file that is moved aside can only be opened with
        // the key in it.
        let entry = found.bytes.iter().map(|bytes| copy_aside(engine, bytes));
        let mut copies = entry.collect::<Result<Vec<_>>>()?;
        copies.extend(engine.storage.put_file_aside(engine.now())?);
        engine.storage.store.remove_entry(&engine.storage.entry)?;
        engine.forget_binding();
        Ok((copies, engine.storage.nothing()))
    })
}

/// Returns all items with their vaults.
fn readable_items(engine: &Engine) -> Result<Vec<(Candidate, Payload)>> {
    let mut vaults = Vec::new();
    for found in find_all(&engine.storage, &mut Prepared::default())? {
        let Some(candidate) = found.candidate else { return Err(not_several(engine)) };
        match found.opened.and_then(Content::into_inline) {
            Ok(vault) => vaults.push((candidate, vault)),
            Err(error) => return Err(not_merged(engine, error)),
        }
    }
    Ok(vaults)
}

fn not_merged(engine: &Engine, error: Error) -> Error {
    let service = engine.storage.entry.service().as_str();
    let command = Command::new("entry repair").value(service, "SERVICE").words(VAULT_ENTRY);
    let error = error
        .during(Operation::Repair)
        .with_hint("Nothing was changed. Keep the other item.")
        .with_command(command.clone(), "shows the items, and keeps one")
        .with_command(command.words("--keep ID"), "keeps one and deletes the others");
    engine.storage.named(error)
}

/// Copies the bytes of an item into a file in the state directory, and returns its path.
pub(super) fn copy_aside(engine: &Engine, bytes: &SecretBytes) -> Result<PathBuf> {
    let stamp = file_stamp(engine.now());
    engine.put_copy_aside(&stamp, bytes).map_err(|error| {
        engine.storage.named(
            Error::new(ErrorKind::Io, Operation::Repair)
                .with_message("no copy could be put aside; nothing was changed")
                .with_source(error),
        )
    })
}

fn not_several(engine: &Engine) -> Error {
    refusal(engine, "there are not several items of this vault: there is nothing to merge")
}

/// Returns the error for a repair of a single item, if there is none or if there are several.
pub(super) fn not_one(engine: &Engine, others: usize) -> Error {
    if others == 0 {
        return refusal(engine, "there is no vault: there is nothing to repair");
    }
    engine.storage.named(
        Error::new(ErrorKind::Ambiguous, Operation::Repair)
            .with_message("there are several items of this vault; nothing was changed")
            .with_hint("Merge them, or keep one of them, first.")
            .with_command(engine.storage.command("repair --merge"), "makes one of them"),
    )
}

/// Returns the error for a repair that is not possible, and changed nothing.
pub(super) fn refusal(engine: &Engine, message: &str) -> Error {
    engine.storage.named(
        Error::new(ErrorKind::Invalid, Operation::Repair)
            .with_message(message)
            .with_hint("Nothing was changed."),
    )
}
