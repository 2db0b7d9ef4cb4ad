//! The engine of a vault within a process: a coherent copy in memory, reads, and commits.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strongroom_core::{
    Deadlines, EntryName, Error, ErrorKind, ExposeSecret as _, Operation, Result, SecretBytes,
    SecretKey, Timestamp,
};

use super::coherence::{Coherence, Commit, Held, Observation, Seen};
use super::content::{Content, ReadVault};
use super::copies::{Copies, Copy};
use super::file::{KEYED, Prepared};
use super::storage::Storage;
use super::wakeup::Wakeup;
use crate::binding::Binding;
use crate::clock::Clock;
use crate::layout::Layout;
use crate::state_dir::StateDir;

/// A process's access to the vault of a service: reads from memory, and commits that no process loses.
///
/// Lock order: the lock between processes, then the turn at the store (`copies.rs`). A read takes the first
/// only before it takes the turn, or without waiting, to repair the generation file that a killed writer left
/// dirty.
pub(crate) struct Engine {
    pub(crate) storage: Storage,
    pub(crate) coherence: Coherence,
    pub(super) binding: Option<Binding>,
    /// Set if a missing vault is replaced by a new, empty vault, in place of the error `Gone`.
    replaces_gone: bool,
    /// Set if the sources that opened a sealed file are kept while it is open.
    keeps_sources: bool,
    /// Held from the question for a passphrase until the file is open, so that the user is asked once for all
    /// threads of this handle.
    asking: Mutex<()>,
    pub(super) deadlines: Deadlines,
    clock: Clock,
    /// The latest time that [`now`](Self::now) has returned, in seconds since the epoch.
    latest: AtomicI64,
    pub(super) copies: Copies,
    is_forgotten: AtomicBool,
    pub(super) wakeup: Arc<Wakeup>,
}

impl Engine {
    /// Returns the engine of a vault. Nothing is read yet.
    pub(crate) fn new(
        storage: Storage,
        state_dir: &StateDir,
        deadlines: Deadlines,
        clock: Clock,
    ) -> Result<Self> {
        Ok(Self {
            coherence: Coherence::open(state_dir, storage.service())?,
            storage,
            binding: None,
            replaces_gone: false,
            keeps_sources: false,
            asking: Mutex::default(),
            deadlines,
            clock,
            latest: AtomicI64::new(i64::MIN),
            copies: Copies::default(),
            is_forgotten: AtomicBool::new(false),
            wakeup: Arc::default(),
        })
    }

    /// Remembers the vault as bound to a backend, as soon as there is a vault.
    pub(crate) fn bound_by(self, binding: Option<Binding>) -> Self {
        Self { binding, ..self }
    }

    /// Sets whether a missing vault is replaced by a new, empty vault, in place of the error `Gone`.
    pub(crate) fn replacing_gone(self, replaces_gone: bool) -> Self {
        Self { replaces_gone, ..self }
    }

    /// Prefers a vault over entries beside it, unless the binding remembers the layout `entries`.
    pub(crate) fn preferring_vault(self) -> Self {
        Self { storage: self.storage.preferring_vault(), ..self }
    }

    /// Keeps the sources that open the file, which work on the key slots needs.
    #[cfg(feature = "sealed")]
    pub(crate) fn keeping_sources(self) -> Self {
        Self { keeps_sources: true, ..self }
    }

    /// Returns the binding of the vault to its backend.
    pub(crate) fn binding(&self) -> Option<&Binding> {
        self.binding.as_ref()
    }

    /// Deletes the binding of the vault to its backend.
    pub(crate) fn forget_binding(&self) {
        self.binding.iter().for_each(Binding::end);
    }

    /// Returns the signal that the vault may have changed.
    pub(crate) fn wakeup(&self) -> &Arc<Wakeup> {
        &self.wakeup
    }

    /// Writes bytes of the vault into a new file that only the user may read, in the state directory.
    pub(crate) fn put_copy_aside(&self, stamp: &str, bytes: &SecretBytes) -> io::Result<PathBuf> {
        self.coherence.put_aside(stamp, bytes.expose_secret())
    }

    /// Reads the inline vault in memory, if a reader may see it without asking the store. Never waits.
    pub(crate) fn read_memory<T>(&self, look: impl FnOnce(&dyn ReadVault) -> T) -> Option<T> {
        self.try_in_memory(|content| content.as_inline().map(|payload| look(payload))).ok()?
    }

    /// Reads the content in memory, if a reader may see it without asking the store; else gives `look` back. Never waits.
    fn try_in_memory<T, F: FnOnce(&Content) -> T>(&self, look: F) -> std::result::Result<T, F> {
        let observation = self.coherence.glance();
        let current = self.copies.load();
        if let Some(copy) = current.as_ref().filter(|copy| copy.is_current(&observation)) {
            return Ok(look(&copy.content));
        }
        match self.copies.for_reader(&observation) {
            Some(content) => Ok(look(&content)),
            None => Err(look),
        }
    }

    /// Reads the copy in memory, current or not. Never waits.
    pub(crate) fn read_copy<T>(&self, look: impl FnOnce(&Content) -> T) -> Option<T> {
        self.copies.current().map(|copy| look(&copy.content))
    }

    /// Reads the secrets if the store can be used without a prompt.
    pub(crate) fn read_unattended<T>(&self, look: impl FnOnce(&Content) -> Result<T>) -> Result<T> {
        self.storage.store.probe()?;
        self.read_content(look)
    }

    /// Returns the state of the generation file.
    pub(crate) fn observe(&self) -> Observation {
        self.coherence.observe()
    }

    /// Returns whether the copy in memory was dropped on purpose, and the store was not read since.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.is_forgotten.load(Ordering::Relaxed)
    }

    /// Reads the secrets. The store is asked only if they may have changed.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&dyn ReadVault) -> Result<T>) -> Result<T> {
        self.read_content(|content| look(content.reader()))
    }

    /// Reads the content. The store is asked only if the secrets may have changed.
    pub(crate) fn read_content<T>(&self, look: impl FnOnce(&Content) -> Result<T>) -> Result<T> {
        match self.try_in_memory(look) {
            Ok(answer) => answer,
            Err(look) => look(&*self.read_anew().map_err(|error| self.storage.named(error))?),
        }
    }

    /// Returns the content after reading the store, or the last committed content while a write of this
    /// handle is under way or stuck.
    fn read_anew(&self) -> Result<Arc<Content>> {
        let (mut prepared, _asking) = self.prepared(false)?;
        let turn = match self.copies.take_turn_to_read(self.deadlines.call)? {
            Ok(turn) => turn,
            Err(committed) => return Ok(committed),
        };
        let observation = self.coherence.observe();
        // Another thread may have read the store while this thread waited for its turn.
        if let Some(content) = self.copies.for_reader(&observation) {
            return Ok(content);
        }
        let before = self.before_failed_write();
        if let Some(content) = before.as_ref().filter(|_| self.storage.store.is_stuck()) {
            return Ok(Arc::clone(content));
        }
        // To repair a dirty generation file takes the lock. If another process holds it, a commit is under
        // way and there is nothing to repair, so this does not wait.
        let commit = match observation {
            Observation::MustRead => self.coherence.lock(Duration::ZERO).ok(),
            Observation::Clean(_) => None,
        };
        let had_lock = commit.is_some();
        match (self.load(observation, commit, &mut prepared), before) {
            (Ok(copy), _) => return Ok(copy.content),
            (Err(error), Some(content)) if is_away(error.kind()) => {
                tracing::warn!(%error, "the last write of the vault failed; what was there before is served");
                return Ok(content);
            }
            (Err(error), _) if had_lock || !self.may_be_transient(error.kind()) => {
                return Err(error);
            }
            (Err(_), _) => drop(turn),
        }
        // The error may show a half-finished purge or move of another process. Under the lock that is over,
        // so the second read counts.
        let commit = self.coherence.lock(self.deadlines.call)?;
        self.known(&commit, &mut prepared).map(|known| known.content)
    }

    /// Asks for a passphrase, if the vault can't be opened without it and is not open yet. This happens
    /// before a lock is taken, because other processes would wait for the user's answer otherwise. The
    /// returned guard is held until the file is open.
    pub(super) fn prepared(&self, creates: bool) -> Result<(Prepared, Option<MutexGuard<'_, ()>>)> {
        if !self.storage.must_ask() || self.is_open() {
            return Ok((Prepared::default(), None));
        }
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have asked and opened the file meanwhile.
        if self.is_open() {
            return Ok((Prepared::default(), None));
        }
        Ok((self.storage.prepare(creates)?, Some(asking)))
    }

    fn is_open(&self) -> bool {
        self.read_copy(Content::is_in_place).unwrap_or(false)
    }

    /// Returns the open file of a vault that needs no entry. It is the vault as long as it is in its place,
    /// and opening it again would cost the derivation of a key from the passphrase.
    fn still_open(&self) -> Option<Arc<Content>> {
        let copy = self.copies.current().filter(|_| self.storage.is_whole_file())?;
        copy.content.is_in_place().then_some(copy.content)
    }

    /// Returns the last committed content if the write after it failed and no process has written since.
    fn before_failed_write(&self) -> Option<Arc<Content>> {
        let (content, mark) = self.copies.before_failed_write()?;
        self.coherence.is_unchanged_since(mark).then_some(content)
    }

    /// Returns whether an error may be caused by an operation of another process that is half done: between
    /// two steps of a purge or a move, an entry and its file don't fit. A key that doesn't open a file that
    /// needs no entry stays wrong.
    fn may_be_transient(&self, kind: ErrorKind) -> bool {
        use ErrorKind::{Conflict, Corrupt, Gone, KeyMissing, WrongKey};
        match kind {
            Conflict | Corrupt | Gone => true,
            KeyMissing | WrongKey => !self.storage.is_whole_file(),
            _ => false,
        }
    }

    /// Returns the current copy, under the lock between processes. Reads the store if the copy in memory is
    /// outdated.
    pub(super) fn known(&self, commit: &Commit<'_>, prepared: &mut Prepared) -> Result<Copy> {
        let base = commit.base();
        if let Some(known) = self.copies.current().filter(|copy| copy.is_current(&base)) {
            return Ok(known);
        }
        let _turn = self.copies.take_turn(self.deadlines.call)?;
        let content = self.read_store(prepared)?;
        let seen = base.remember(content.revision());
        Ok(self.remember(content, seen))
    }

    /// Wraps a content for readers, without the keys that opened it unless this handle needs them.
    pub(super) fn shared(&self, mut content: Content) -> Arc<Content> {
        if !self.keeps_sources {
            content.forget_sources();
        }
        Arc::new(content)
    }

    pub(super) fn copy_of(&self, content: Arc<Content>, seen: Option<Seen>) -> Copy {
        // Without a vault the service stays unbound, so that a program may still choose another store.
        if let Some(binding) = self.binding.as_ref().filter(|_| !content.is_none()) {
            binding.note(content.layout() == Layout::Entries);
        }
        self.storage.note_layout(content.layout());
        Copy { content, seen }
    }

    /// Stores a content that was read from the store as the current copy.
    fn remember(&self, content: Arc<Content>, seen: Option<Seen>) -> Copy {
        let old = self.copies.current();
        let new = self.copy_of(content, seen);
        warn_of_deletion(&self.storage.entry, old.as_ref(), &new);
        self.copies.remember(new.clone());
        self.wakeup.wake();
        new
    }

    /// Waits for the exclusive right to refresh a secret. It excludes other refreshes of this secret, and
    /// nothing else.
    pub(crate) fn lock_refresh(&self, key: &SecretKey) -> Result<Held> {
        let held = self.coherence.lock_refresh(key, self.deadlines.refresh);
        held.map_err(|error| self.storage.named(error))
    }

    /// Drops the copy in memory. The next access reads the store again.
    pub(crate) fn forget(&self) {
        self.is_forgotten.store(true, Ordering::Relaxed);
        self.copies.forget();
    }

    /// Returns the current time. It never goes back within a process, so that a wrong clock can't revive an
    /// expired secret.
    pub(crate) fn now(&self) -> Timestamp {
        let now = (self.clock)();
        let seconds = now.as_second();
        // Written once a second: a write by each read would take the cache line from the other cores.
        let mut latest = self.latest.load(Ordering::Relaxed);
        if latest < seconds {
            latest = self.latest.fetch_max(seconds, Ordering::Relaxed);
        }
        if latest <= seconds { now } else { Timestamp::from_second(latest).unwrap_or(now) }
    }

    /// Reads the store, remembers its content, and marks the generation file clean if `commit` holds the
    /// lock.
    fn load(
        &self,
        observation: Observation,
        commit: Option<Commit<'_>>,
        prepared: &mut Prepared,
    ) -> Result<Copy> {
        let content = self.read_store(prepared)?;
        let revision = content.revision();
        let seen = match (observation.remember(revision), commit) {
            (None, Some(commit)) => commit.finish(revision).seen,
            (seen, _) => seen,
        };
        Ok(self.remember(content, seen))
    }

    pub(super) fn read_store(&self, prepared: &mut Prepared) -> Result<Arc<Content>> {
        self.is_forgotten.store(false, Ordering::Relaxed);
        let content = match self.still_open() {
            Some(content) => content,
            None => self.shared(self.storage.read(prepared)?),
        };
        if let Some(binding) = &self.binding {
            let checked = binding.check(!content.is_none(), self.storage.is_for_entries());
            checked.map_err(|error| self.storage.named(error))?;
        }
        if content.is_none() && !self.replaces_gone && self.is_gone()? {
            return Err(self.storage.named(self.gone()));
        }
        Ok(content)
    }

    /// Returns whether the binding remembers a vault in this store, and the store keeps its entries for good.
    /// Call it only if no vault was found.
    pub(crate) fn is_gone(&self) -> Result<bool> {
        let Some(binding) = &self.binding else { return Ok(false) };
        Ok(self.storage.is_permanent() && binding.remembers_vault()?)
    }

    fn gone(&self) -> Error {
        let service = self.storage.service();
        let seen = match self.coherence.observe() {
            Observation::Clean(seen) => seen.revision().generation,
            Observation::MustRead => 0,
        };
        // The entry of a sealed vault is not rewritten when secrets change, so its generation would mislead.
        let what = match seen {
            1..KEYED => {
                format!("the vault of \"{service}\", last seen at generation {seen}, is gone")
            }
            _ => format!("the vault of \"{service}\" is gone"),
        };
        let what = match self.storage.whole_path() {
            Some(path) => format!("{what}: there is no {}", strongroom_files::quoted(path)),
            None => what,
        };
        Error::new(ErrorKind::Gone, Operation::Get)
            .with_message(what)
            .with_hint(
                "Was a keyring replaced, a disk not mounted, a home restored without it? Bring it back, or begin \
                 anew and restore a backup.",
            )
            .with_command(self.storage.command("repair --reset"), "begins anew")
            .with_command(self.storage.command("restore FILE"), "then brings a backup's secrets back")
    }
}

/// Warns if the vault's entry was deleted by another program. The result is an empty vault, which is no
/// error.
fn warn_of_deletion(entry: &EntryName, old: Option<&Copy>, new: &Copy) {
    let lost = old.map_or(0, |old| old.content.in_memory());
    if lost > 0 && new.content.is_none() {
        tracing::warn!(%entry, "the vault's entry was deleted; it held {lost} secrets");
    }
}

/// Returns whether an error means that the store can't be used at the moment.
const fn is_away(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Busy
            | ErrorKind::Dismissed
            | ErrorKind::InteractionNotAllowed
            | ErrorKind::Locked
            | ErrorKind::NoBackend
            | ErrorKind::TimedOut
    )
}
