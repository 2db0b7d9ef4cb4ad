//! Moving a vault to another store, or to another layout within a store.

use std::path::PathBuf;

use strongroom_core::{Capabilities, Error, ErrorKind, ExposeSecret as _, Operation, Result};

use crate::binding::{BindingFile, Home, Moving};
use crate::vault::{Content, Engine, Payload, Prepared, Storage, VaultId};
use crate::{Backend, Layout};

/// The result of a move.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// The old backend of the vault.
    pub from: Backend,
    /// The new backend of the vault.
    pub to: Backend,
    /// The number of secrets in the vault.
    pub secrets: usize,
    /// The new path of a file that was in the way, if there was such a file.
    pub put_aside: Option<PathBuf>,
    /// The capabilities of the new store, which tell how it protects the vault.
    pub capabilities: Capabilities,
}

/// The next step of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MoveStep {
    /// Copying this number of secrets to the new store.
    Copy(usize),
    /// Reading the copies back and comparing them.
    Verify,
    /// Deleting the old vault. From here on the new vault is the valid vault.
    Delete,
}

impl Moved {
    pub(crate) const fn new(
        (from, to): (Backend, Backend),
        secrets: usize,
        capabilities: Capabilities,
    ) -> Self {
        Self { from, to, secrets, put_aside: None, capabilities }
    }
}

/// Moves a vault: copy, read back and compare, switch the binding, delete. If the move is stopped in between, a
/// whole vault exists on at least one side, and another move completes it.
///
/// Both vaults are of the same service and share a lock, which `source` holds.
pub(crate) fn move_vault(
    (source, from): (&Engine, Backend),
    (target, to): (&Engine, Home),
    binding: &BindingFile,
    mut progress: impl FnMut(MoveStep),
) -> Result<Moved> {
    let (mut here, mut there) = (source.storage.prepare(false)?, target.storage.prepare(true)?);
    source.rewrite(|| {
        let content = source.storage.read(&mut here)?;
        check_is_there(&source.storage, &content)?;
        let from = Home { backend: from, in_entries: content.layout() == Layout::Entries };
        let vault = content.reader().snapshot()?;
        progress(MoveStep::Copy(vault.secrets().len()));
        let began_before = binding.moving_to()? == Some(to);
        let put_aside = match target.storage.entries().filter(|_| to.backend == from.backend) {
            // In the same store, the vault in the way is the vault that is moved.
            Some(entries) => entries.make_way(&vault).map(|()| None),
            None => make_way(target, &vault, began_before, &mut there),
        }?;
        write_binding(source, binding, from, Moving::To(to))?;
        let copy = write_first(target, &vault, &mut there)?;
        progress(MoveStep::Verify);
        if !holds(&target.storage, &copy, &vault)? {
            let message = "it gave back something else";
            return Err(move_error(&target.storage, ErrorKind::Corrupt, message));
        }
        drop(content);
        // Windows could not delete a file that another process has open, and that process would go on with the
        // old vault.
        source.storage.check_free()?;
        write_binding(source, binding, to, Moving::From(from))?;
        progress(MoveStep::Delete);
        delete_moved(&source.storage, &vault, from.in_entries)?;
        write_binding(source, binding, to, Moving::No)?;
        let secrets = vault.secrets().len();
        let can = target.storage.store.capabilities();
        let moved = Moved::new((from.backend, to.backend), secrets, can);
        Ok((Moved { put_aside, ..moved }, copy))
    })
}

/// Deletes the secrets at the old place after they were copied to the new place.
pub(crate) fn delete_moved(storage: &Storage, vault: &Payload, in_entries: bool) -> Result<()> {
    match storage.entries().filter(|_| in_entries) {
        Some(entries) => entries.remove_all(vault),
        None => storage.remove(),
    }
}

/// Returns the layout of the vault that is to be moved.
///
/// # Errors
///
/// `NotFound` if there is no vault.
pub(crate) fn layout_to_move(engine: &Engine) -> Result<Layout> {
    engine.read_content(|content| {
        check_is_there(&engine.storage, content)?;
        Ok(content.layout())
    })
}

/// Prepares a place for a vault that is moved there, and returns the path of a file that was put aside. The
/// remains of an earlier move of the same vault are removed or overwritten.
fn make_way(
    target: &Engine,
    coming: &Payload,
    began_before: bool,
    prepared: &mut Prepared,
) -> Result<Option<PathBuf>> {
    let storage = &target.storage;
    if began_before && storage.is_whole_file() {
        storage.remove_file()?;
    }
    let found = storage.read(prepared)?;
    if let Some(entries) = storage.entries().filter(|_| found.layout() == Layout::Entries) {
        return entries.make_way(coming).map(|()| None);
    }
    if found.is_none() {
        return Ok(None);
    }
    if storage.is_whole_file() {
        drop(found);
        return storage.put_file_aside(target.now());
    }
    // The same vault was left by a move that was stopped. A vault in entries has no id to compare, so the
    // binding tells.
    let is_left = match coming.id {
        VaultId::NONE => began_before,
        id => found.revision().vault == id.to_bytes(),
    };
    if is_left {
        return Ok(None);
    }
    let message = "there is another vault of this service already";
    Err(move_error(storage, ErrorKind::Conflict, message)
        .with_hint("Nothing was changed. Restore a backup of one into the other, and purge it."))
}

fn write_first(target: &Engine, vault: &Payload, prepared: &mut Prepared) -> Result<Content> {
    let storage = &target.storage;
    if let Some(entries) = storage.entries() {
        entries.write_all(vault)?;
        return Ok(entries.into());
    }
    let mut vault = vault.duplicate()?;
    if vault.id == VaultId::NONE {
        vault.advance()?;
    }
    let (content, line) = storage.lay_out(vault, prepared, target.now(), || Ok(()))?;
    drop(storage.write_entry(content, line)?);
    storage.read(prepared)
}

/// Returns whether these secrets are stored.
fn holds(storage: &Storage, content: &Content, vault: &Payload) -> Result<bool> {
    match storage.entries() {
        // Other entries may be there, and entries have no times to compare.
        Some(entries) if content.layout() == Layout::Entries => entries.hold(vault),
        _ => Ok(is_same(&content.reader().snapshot()?, vault)),
    }
}

fn write_binding(source: &Engine, binding: &BindingFile, home: Home, moving: Moving) -> Result<()> {
    binding.write(home, moving).map_err(|error| {
        let message = "where the vault lives can't be remembered";
        move_error(&source.storage, ErrorKind::Io, message).with_source(error)
    })
}

fn check_is_there(storage: &Storage, content: &Content) -> Result<()> {
    if content.is_none() {
        return Err(move_error(storage, ErrorKind::NotFound, "there is no vault to move"));
    }
    Ok(())
}

fn move_error(storage: &Storage, kind: ErrorKind, message: &str) -> Error {
    storage.named(Error::new(kind, Operation::Move).with_message(message))
}

fn is_same(one: &Payload, other: &Payload) -> bool {
    let mut secrets = one.secrets().iter().zip(other.secrets());
    one.secrets().len() == other.secrets().len()
        && secrets.all(|((key, secret), (other_key, other))| {
            key == other_key
                && secret.metadata == other.metadata
                && secret.value.expose_secret() == other.value.expose_secret()
        })
}
