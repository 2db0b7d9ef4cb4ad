//! Moving a vault to another store, or to another layout within a store.

use std::path::PathBuf;

use strongroom_core::{Capabilities, Error, ErrorKind, ExposeSecret as _, Operation, Result};

use super::content::Content;
use super::engine::Vault;
use super::payload::{Payload, VaultId};
use super::place::Prepared;
use crate::binding::{BindingFile, Home, Moving};
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

impl Vault {
    /// Moves this vault: copy, read back and compare, switch the binding, delete. If the move is stopped in
    /// between, a whole vault exists on at least one side, and another move completes it.
    ///
    /// Both vaults are of the same service and share a lock, which this vault holds.
    pub(crate) fn move_to(
        &self,
        (target, to): (&Self, Home),
        from: Backend,
        binding: &BindingFile,
        mut progress: impl FnMut(MoveStep),
    ) -> Result<Moved> {
        let (mut here, mut there) = (self.place.prepare_to_read()?, target.place.prepare()?);
        let remember = |home, moving| {
            binding.write(home, moving).map_err(|error| {
                let message = "where the vault lives can't be remembered";
                self.failed(ErrorKind::Io, message).with_source(error)
            })
        };
        self.rewrite(|| {
            let source = self.read_place(&mut here)?;
            self.check_is_there(&source)?;
            let from = Home { backend: from, in_entries: source.layout() == Layout::Entries };
            let vault = source.look().snapshot()?;
            progress(MoveStep::Copy(vault.secrets().len()));
            let began_before = binding.moving_to()? == Some(to);
            let put_aside = match target.entries().filter(|_| to.backend == from.backend) {
                // In the same store, the vault in the way is the vault that is moved.
                Some(entries) => entries.make_way(&vault).map(|()| None),
                None => target.make_way(&vault, began_before, &mut there),
            }?;
            remember(from, Moving::To(to))?;
            let content = target.write_first(&vault, &mut there)?;
            progress(MoveStep::Verify);
            if !content.gives_back(&vault)? {
                return Err(target.failed(ErrorKind::Corrupt, "it gave back something else"));
            }
            drop(source);
            // Windows could not delete a file that another process has open, and that process would go on
            // with the old vault.
            self.place.check_free()?;
            remember(to, Moving::From(from))?;
            progress(MoveStep::Delete);
            self.delete_moved(&vault, from.in_entries)?;
            remember(to, Moving::No)?;
            let secrets = vault.secrets().len();
            let can = target.store.capabilities();
            let moved = Moved::new((from.backend, to.backend), secrets, can);
            Ok((Moved { put_aside, ..moved }, content))
        })
    }

    /// Prepares this place for a vault that is moved here, and returns the path of a file that was put aside.
    /// The remains of an earlier move of the same vault are removed or overwritten.
    fn make_way(
        &self,
        coming: &Payload,
        began_before: bool,
        prepared: &mut Prepared,
    ) -> Result<Option<PathBuf>> {
        if began_before && self.place.is_direct() {
            self.place.remove()?;
        }
        let found = self.read_place(prepared)?;
        if let Content::Entries(entries) = &found {
            return entries.make_way(coming).map(|()| None);
        }
        if found.is_none() {
            return Ok(None);
        }
        if self.place.is_direct() {
            drop(found);
            return self.place.put_aside(self.now());
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
        Err(self
            .failed(ErrorKind::Conflict, "there is another vault of this service already")
            .with_hint(
                "Nothing was changed. Restore a backup of one into the other, and purge it.",
            ))
    }

    fn write_first(&self, vault: &Payload, prepared: &mut Prepared) -> Result<Content> {
        if let Some(entries) = self.entries() {
            entries.write_all(vault)?;
            return Ok(Content::Entries(entries));
        }
        let mut vault = vault.duplicate()?;
        if vault.id == VaultId::NONE {
            vault.advance()?;
        }
        let (content, line) = self.laid_out(vault, prepared, || Ok(()))?;
        drop(self.write_entry_of(content, line)?);
        self.read_place(prepared)
    }

    /// Returns a copy of all secrets.
    pub(crate) fn snapshot(&self) -> Result<Payload> {
        self.read(|vault| vault.snapshot())
    }

    /// Deletes the secrets at the old place after they were copied to the new place.
    pub(crate) fn delete_moved(&self, vault: &Payload, in_entries: bool) -> Result<()> {
        match self.entries().filter(|_| in_entries) {
            Some(entries) => entries.remove_all(vault),
            None => self.delete_vault(),
        }
    }

    fn delete_vault(&self) -> Result<()> {
        self.place.remove()?;
        if !self.place.is_direct() {
            self.store.remove_entry(&self.entry)?;
        }
        Ok(())
    }

    /// Returns the layout of the vault that is to be moved.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no vault.
    pub(crate) fn must_be_there(&self) -> Result<Layout> {
        self.read_content(|content| self.check_is_there(content).map(|()| content.layout()))
    }

    fn check_is_there(&self, content: &Content) -> Result<()> {
        if content.is_none() {
            return Err(self.failed(ErrorKind::NotFound, "there is no vault to move"));
        }
        Ok(())
    }

    fn failed(&self, kind: ErrorKind, message: &str) -> Error {
        self.named(Error::new(kind, Operation::Move).with_message(message))
    }
}

impl Content {
    /// Returns whether these secrets are stored.
    fn gives_back(&self, vault: &Payload) -> Result<bool> {
        match self {
            // Other entries may be there, and entries have no times to compare.
            Self::Entries(entries) => entries.hold(vault),
            content => Ok(content.look().snapshot()?.holds_the_same(vault)),
        }
    }
}

impl Payload {
    fn holds_the_same(&self, other: &Self) -> bool {
        let secrets = self.secrets().iter().zip(other.secrets());
        self.secrets().len() == other.secrets().len()
            && secrets.into_iter().all(|((key, secret), (other_key, other))| {
                key == other_key
                    && secret.metadata == other.metadata
                    && secret.value.expose_secret() == other.value.expose_secret()
            })
    }
}
