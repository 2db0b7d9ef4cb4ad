//! A vault moves from one store to another.

use std::path::PathBuf;

use strongroom_core::{Error, ErrorKind, ExposeSecret as _, Operation, Result};

use super::engine::Vault;
use super::payload::Payload;
use crate::Backend;
use crate::binding::BindingFile;

/// What a move did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// Where the vault was.
    pub from: Backend,
    /// Where it is now.
    pub to: Backend,
    /// How many secrets it has.
    pub secrets: usize,
    /// A file that was in the way, where it is now.
    pub put_aside: Option<PathBuf>,
}

impl Moved {
    pub(crate) const fn new(from: Backend, to: Backend, secrets: usize) -> Self {
        Self { from, to, secrets, put_aside: None }
    }
}

impl Vault {
    /// Moves this vault: copy, read back and compare, switch the binding, delete. Whoever is stopped in
    /// between has a whole vault on one side, and moves again.
    ///
    /// Both vaults are of one service, and meet at the same lock: this one holds it.
    pub(crate) fn move_to(
        &self,
        (target, to): (&Self, Backend),
        from: Backend,
        binding: &BindingFile,
    ) -> Result<Moved> {
        self.rewrite(|| {
            let source = self.read_place()?;
            if source.is_none() {
                return Err(self.failed(ErrorKind::NotFound, "there is no vault to move"));
            }
            let vault = source.look().snapshot()?;
            let put_aside = target.make_way(&vault)?;
            let content = target.write_first(&vault)?;
            if !content.look().snapshot()?.holds_the_same(&vault) {
                return Err(target.failed(ErrorKind::Corrupt, "it gave back something else"));
            }
            let remember = |moved_from| {
                binding.write(to, moved_from).map_err(|error| {
                    let message = "where the vault lives can't be remembered";
                    self.failed(ErrorKind::Io, message).with_source(error)
                })
            };
            remember(Some(from))?;
            drop(source);
            self.delete_all()?;
            remember(None)?;
            let secrets = vault.secrets().len();
            Ok((Moved { put_aside, ..Moved::new(from, to, secrets) }, content))
        })
    }

    /// Makes way for a vault that comes from elsewhere, and returns what was put aside for that.
    fn make_way(&self, coming: &Payload) -> Result<Option<PathBuf>> {
        let found = self.read_place()?;
        if found.is_none() {
            return Ok(None);
        }
        if self.place.is_direct() {
            drop(found);
            return self.place.put_aside(self.now());
        }
        // The same vault is what a move that was stopped has left.
        if found.revision().vault == coming.id.to_bytes() {
            return Ok(None);
        }
        Err(self
            .failed(ErrorKind::Conflict, "there is another vault of this service already")
            .with_hint(
                "Nothing was changed. Restore a backup of one into the other, and purge it.",
            ))
    }

    fn write_first(&self, vault: &Payload) -> Result<super::content::Content> {
        let (content, line) = self.laid_out(vault.duplicate()?, || Ok(()))?;
        drop(self.write_entry_of(content, line)?);
        self.read_place()
    }

    /// Deletes the vault that is here, which has been copied elsewhere.
    pub(crate) fn delete_all(&self) -> Result<()> {
        self.place.remove()?;
        if !self.place.is_direct() {
            self.store.remove_entry(&self.entry)?;
        }
        Ok(())
    }

    fn failed(&self, kind: ErrorKind, message: &str) -> Error {
        self.named(Error::new(kind, Operation::Set).with_message(message))
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
