//! The deletion of a vault, and of all else of its service.

use strongroom_core::{EntryName, ErrorKind, Result};

use crate::binding::Binding;
use crate::vault::Engine;

/// Deletes every entry of the service, the vault's included, and returns the number of deleted entries.
pub(crate) fn purge(engine: &Engine) -> Result<usize> {
    engine.rewrite(|| {
        engine.binding().into_iter().for_each(Binding::begin_to_delete);
        let entries = match engine.storage.store.capabilities().can_list {
            // A file without an entry is the whole vault. It is not opened, so that a damaged file can be
            // deleted, too.
            _ if engine.storage.is_whole_file() => Vec::new(),
            true => engine.storage.store.list_entries(engine.storage.entry.service())?,
            false => vec![engine.storage.entry.clone()],
        };
        // The entry with the key goes last. If it went first, a kill in between would leave a file that
        // nothing opens, and a vault that answers `KeyMissing`.
        let had_file = engine.storage.remove_file()?;
        let mut purged = usize::from(had_file && engine.storage.is_whole_file());
        for entry in entries {
            purged += remove_all(engine, &entry)?;
        }
        engine.forget_binding();
        Ok((purged, engine.storage.nothing()))
    })
}

/// Deletes all items of an entry, and returns their number.
fn remove_all(engine: &Engine, entry: &EntryName) -> Result<usize> {
    match engine.storage.store.remove_entry(entry) {
        // A store does not choose between several items of an entry, so all but one go first.
        Err(error) if error.kind() == ErrorKind::Ambiguous => {
            let candidates = engine.storage.store.candidates(entry)?;
            let Some(last) = candidates.first() else { return Err(error) };
            let others = engine.storage.store.keep_candidate(entry, &last.id)?;
            Ok(others + usize::from(engine.storage.store.remove_entry(entry)?))
        }
        removed => removed.map(usize::from),
    }
}
