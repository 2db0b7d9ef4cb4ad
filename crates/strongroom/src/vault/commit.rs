//! Changes to a vault, made under the lock between processes.

use strongroom_core::{Error, ErrorKind, Operation, Result};

use super::coherence::{Commit, Revision};
use super::content::{Content, Edit, Look};
use super::copies::Copy;
use super::engine::Vault;
use super::payload::{Payload, VaultId};
use super::place::{Place, Prepared};
use crate::Layout;

impl Vault {
    /// Changes the secrets. The change is made as a whole or, if it fails, not at all, except in the layout
    /// `entries`.
    pub(super) fn commit<T>(&self, change: impl FnOnce(&mut dyn Edit) -> Result<T>) -> Result<T> {
        self.commit_decided(|_| Ok(()), |vault, ()| change(vault))
    }

    /// Changes the secrets after `decide`, which is code of the application. It runs under the lock between
    /// processes alone, so that no reader waits for it and it may read the vault itself.
    pub(super) fn commit_decided<D, T>(
        &self,
        decide: impl FnOnce(&dyn Look) -> Result<D>,
        change: impl FnOnce(&mut dyn Edit, D) -> Result<T>,
    ) -> Result<T> {
        let result = self.commit_once(decide, change)?;
        // The store has just taken a write, so it probably takes these, too.
        self.store_what_was_fetched();
        Ok(result)
    }

    fn commit_once<D, T>(
        &self,
        decide: impl FnOnce(&dyn Look) -> Result<D>,
        change: impl FnOnce(&mut dyn Edit, D) -> Result<T>,
    ) -> Result<T> {
        let prepared = self.prepared(Place::prepare).map_err(|error| self.named(error));
        let (mut prepared, _asking) = prepared?;
        let commit = self.coherence.lock(self.deadlines.call).map_err(|error| self.named(error))?;
        let known = self.known(&commit, &mut prepared)?;
        let decision = decide(known.content.look())?;
        let mut next = match &*known.content {
            Content::Inline(payload) => {
                payload.duplicate().map_err(|error| self.named(error.into()))?
            }
            #[cfg(feature = "sealed")]
            Content::Sealed(sealed) => {
                let changed = sealed.change(|vault| change(vault, decision));
                return self.changed_in_place(commit, known, changed);
            }
            Content::Entries(entries) => {
                let changed = entries.change(|vault| change(vault, decision));
                return self.changed_in_place(commit, known, changed);
            }
        };
        let result = change(&mut next, decision)?;
        next.advance()?;
        self.store_whole(commit, known, next, &prepared).map(|()| result)
    }

    /// Writes an inline vault back unchanged, to check that the store accepts writes.
    pub(super) fn write_again(&self) -> Result<()> {
        let commit = self.coherence.lock(self.deadlines.call).map_err(|error| self.named(error))?;
        let mut prepared = Prepared::default();
        let known = self.known(&commit, &mut prepared)?;
        let same = match &*known.content {
            Content::Inline(payload) => payload.duplicate(),
            _ => return Ok(()),
        };
        let same = same.map_err(|error| self.named(error.into()))?;
        self.store_whole(commit, known, same, &prepared)
    }

    /// Ends a commit that changed the secrets in place and did not touch the vault's entry.
    fn changed_in_place<T>(
        &self,
        commit: Commit<'_>,
        known: Copy,
        changed: Result<T>,
    ) -> Result<T> {
        if let Some(binding) = self.binding.as_ref().filter(|_| changed.is_ok()) {
            binding.note(known.content.layout() == Layout::Entries);
        }
        if known.seen.is_none() {
            // Without a clean record, every process would look for the vault again at each change, until a
            // reader repairs the generation file.
            let finished = commit.finish(known.content.revision());
            let seen = finished.seen.filter(|_| !finished.lost_lock);
            self.copies.remember(Copy { seen, ..known });
        }
        self.watch.wake();
        changed.map_err(|error| self.named(error))
    }

    /// Stores a whole vault in place of the known content, in the layout that its size and the configuration
    /// demand.
    fn store_whole(
        &self,
        commit: Commit<'_>,
        known: Copy,
        vault: Payload,
        prepared: &Prepared,
    ) -> Result<()> {
        let turn = self.copies.take_turn(self.deadlines.call)?;
        // Without the lock between processes readers wait: the committed copy may be older than the store.
        let write = turn.write(commit.is_exclusive().then_some(known));
        let mark = || commit.begin().map(|mark| write.begun(mark));
        let (content, line) = self.laid_out(vault, prepared, mark)?;
        // Marked as late as possible: until then readers of other processes need not ask the store.
        if let Err(error) = mark() {
            self.abandon(content, line.as_ref());
            return Err(self.named(error));
        }
        let content = self.write_entry_of(content, line)?;
        let revision = content.revision();
        let finished = commit.finish(revision);
        if finished.lost_lock {
            write.finish(None);
            return self.make_sure(revision);
        }
        write.finish(Some(self.copy_of(self.shared(content), finished.seen)));
        self.watch.wake();
        Ok(())
    }

    /// Writes the store outside of a normal commit, with the same exclusion. `write` returns the content that
    /// the store then holds. Readers wait meanwhile.
    pub(super) fn rewrite<T>(&self, write: impl FnOnce() -> Result<(T, Content)>) -> Result<T> {
        let commit = self.coherence.lock(self.deadlines.call).map_err(|error| self.named(error))?;
        let writing = self.copies.take_turn(self.deadlines.call)?.write(None);
        commit.begin().map_err(|error| self.named(error))?;
        let (result, content) = write()?;
        let finished = commit.finish(content.revision());
        let seen = finished.seen.filter(|_| !finished.lost_lock);
        writing.finish(Some(self.copy_of(self.shared(content), seen)));
        self.watch.wake();
        Ok(result)
    }

    /// Checks that the store holds the written revision, after the lock file was deleted during the write.
    fn make_sure(&self, written: Revision) -> Result<()> {
        if self.read_store(&mut Prepared::default())?.revision() == written {
            return Ok(());
        }
        Err(self.named(Error::new(ErrorKind::Conflict, Operation::Set).with_message(
            "another process wrote the vault at the same time, because the lock file was deleted",
        )))
    }
}

impl Payload {
    pub(super) fn revision(&self) -> Revision {
        Revision { vault: self.id.to_bytes(), generation: self.generation }
    }

    /// Advances to the next generation. The first generation draws the vault's id.
    pub(super) fn advance(&mut self) -> Result<()> {
        if self.id == VaultId::NONE {
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(|error| {
                Error::new(ErrorKind::Io, Operation::Set)
                    .with_message("the system gave no random numbers")
                    .with_source(error)
            })?;
            self.id = VaultId::new(random);
        }
        self.generation += 1;
        Ok(())
    }
}
