//! Changes to a vault, made under the lock between processes.

use strongroom_core::{Error, ErrorKind, Operation, Result};

use super::coherence::{Commit, Revision};
use super::content::{Content, EditVault, ReadVault};
use super::copies::{Copy, Write};
use super::engine::Engine;
use super::file::Prepared;
use super::payload::Payload;
use crate::Layout;

impl Engine {
    /// Changes the secrets. The change is made as a whole or, if it fails, not at all, except in the layout
    /// `entries`.
    ///
    /// `decide` is code of the application. It runs under the lock between processes alone, so that no reader
    /// waits for it and it may read the vault itself. `change` gets the decision.
    pub(crate) fn commit<D, T>(
        &self,
        decide: impl FnOnce(&dyn ReadVault) -> Result<D>,
        change: impl FnOnce(&mut dyn EditVault, D) -> Result<T>,
    ) -> Result<T> {
        let prepared = self.prepared(true).map_err(|error| self.storage.named(error));
        let (mut prepared, _asking) = prepared?;
        let commit = self.lock()?;
        let known = self.known(&commit, &mut prepared)?;
        let decision = decide(known.content.reader())?;
        let change = match known.content.change(|vault: &mut dyn EditVault| change(vault, decision))
        {
            Ok(changed) => return self.changed_in_place(commit, known, changed),
            Err(change) => change,
        };
        let mut next = self.duplicate(&known.content)?;
        let result = change(&mut next)?;
        next.advance()?;
        self.store_whole(commit, known, next, &prepared).map(|()| result)
    }

    /// Writes an inline vault back unchanged, to check that the store accepts writes. Does nothing in another
    /// layout.
    pub(crate) fn write_unchanged(&self) -> Result<()> {
        let commit = self.lock()?;
        let mut prepared = Prepared::default();
        let known = self.known(&commit, &mut prepared)?;
        if known.content.as_inline().is_none() {
            return Ok(());
        }
        let same = self.duplicate(&known.content)?;
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
        self.wakeup.wake();
        changed.map_err(|error| self.storage.named(error))
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
        let now = self.now();
        let (content, line) =
            self.storage.lay_out(vault, prepared, now, || mark(&commit, &write))?;
        // Marked as late as possible: until then readers of other processes need not ask the store.
        if let Err(error) = mark(&commit, &write) {
            self.storage.abandon(content, line.as_ref());
            return Err(self.storage.named(error));
        }
        let content = self.storage.write_entry(content, line)?;
        let revision = content.revision();
        let finished = commit.finish(revision);
        if finished.lost_lock {
            write.finish(None);
            return self.check_written(revision);
        }
        write.finish(Some(self.copy_of(self.shared(content), finished.seen)));
        self.wakeup.wake();
        Ok(())
    }

    /// Writes the store outside of a normal commit, with the same exclusion. `write` returns the content that
    /// the store then holds. Readers wait meanwhile.
    pub(crate) fn rewrite<T>(&self, write: impl FnOnce() -> Result<(T, Content)>) -> Result<T> {
        let commit = self.lock()?;
        let writing = self.copies.take_turn(self.deadlines.call)?.write(None);
        commit.begin().map_err(|error| self.storage.named(error))?;
        let (result, content) = write()?;
        let finished = commit.finish(content.revision());
        let seen = finished.seen.filter(|_| !finished.lost_lock);
        writing.finish(Some(self.copy_of(self.shared(content), seen)));
        self.wakeup.wake();
        Ok(result)
    }

    /// Checks that the store holds the written revision, after the lock file was deleted during the write.
    fn check_written(&self, written: Revision) -> Result<()> {
        if self.read_store(&mut Prepared::default())?.revision() == written {
            return Ok(());
        }
        Err(self.storage.named(Error::new(ErrorKind::Conflict, Operation::Set).with_message(
            "another process wrote the vault at the same time, because the lock file was deleted",
        )))
    }

    fn lock(&self) -> Result<Commit<'_>> {
        self.coherence.lock(self.deadlines.call).map_err(|error| self.storage.named(error))
    }

    /// Returns a copy of the inline vault, to be changed.
    fn duplicate(&self, content: &Content) -> Result<Payload> {
        content.reader().snapshot().map_err(|error| self.storage.named(error))
    }
}

/// Tells other processes, and readers of this process, that the store may be changed from now on.
fn mark(commit: &Commit<'_>, write: &Write<'_>) -> Result<()> {
    commit.begin().map(|mark| write.begun(mark))
}
