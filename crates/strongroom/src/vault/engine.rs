//! The engine of a vault within a process: a coherent copy in memory, reads, and commits.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strongroom_core::advice::Command;
use strongroom_core::{
    Deadlines, EntryName, Error, ErrorKind, Operation, Persistence, Result, SecretKey, ServiceName,
    Store, Timestamp, UserName,
};

use super::coherence::{Coherence, Commit, Held, Observation, Seen};
use super::content::{Content, Look};
use super::copies::{Copies, Copy};
use super::payload::Stored;
use super::place::{KEYED, Place, Prepared};
use super::refreshed::Unstored;
use super::watch::Watch;
use crate::binding::Binding;
use crate::clock::Clock;
use crate::layout::{Layout, VAULT_ENTRY};
use crate::state_dir::StateDir;

/// A handle on the vault of a service.
///
/// Lock order: the lock between processes, then the turn at the store (`copies.rs`). A read takes the first
/// only before it takes the turn, or without waiting, to repair the generation file that a killed writer left
/// dirty.
pub(crate) struct Vault {
    pub(super) store: Arc<dyn Store>,
    pub(super) entry: EntryName,
    pub(super) coherence: Coherence,
    pub(super) place: Place,
    pub(super) binding: Option<Binding>,
    /// Set if a missing vault is replaced by a new, empty vault, in place of the error `Gone`.
    starts_anew: bool,
    /// Set if the sources that opened a sealed file are kept while it is open.
    keeps_sources: bool,
    /// Held from the question for a passphrase until the file is open, so that the user is asked once for all
    /// threads of this handle.
    asking: Mutex<()>,
    /// The layout that was last seen. A leaf lock: no other lock is taken while it is held.
    layout: Mutex<Layout>,
    pub(super) deadlines: Deadlines,
    clock: Clock,
    /// The latest time that [`now`](Self::now) has returned, in seconds since the epoch.
    latest: AtomicI64,
    pub(super) copies: Copies,
    pub(super) unstored: Unstored,
    is_forgotten: AtomicBool,
    pub(super) watch: Arc<Watch>,
}

impl Vault {
    /// Returns a handle on the vault of a service. Nothing is read yet.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        service: &ServiceName,
        state_dir: &StateDir,
        place: Place,
        deadlines: Deadlines,
        clock: Clock,
    ) -> Result<Self> {
        Ok(Self {
            store,
            entry: EntryName::from_parts(service.clone(), UserName::new(VAULT_ENTRY)?),
            coherence: Coherence::open(state_dir, service)?,
            place,
            binding: None,
            starts_anew: false,
            keeps_sources: false,
            asking: Mutex::default(),
            layout: Mutex::default(),
            deadlines,
            clock,
            latest: AtomicI64::new(i64::MIN),
            copies: Copies::default(),
            unstored: Unstored::default(),
            is_forgotten: AtomicBool::new(false),
            watch: Arc::default(),
        })
    }

    /// Remembers the vault as bound to a backend, as soon as there is a vault.
    pub(crate) fn bound_by(self, binding: Binding) -> Self {
        Self { binding: Some(binding), ..self }
    }

    /// Sets whether a missing vault is replaced by a new, empty vault, in place of the error `Gone`.
    pub(crate) fn starting_anew(self, starts_anew: bool) -> Self {
        Self { starts_anew, ..self }
    }

    /// Keeps the sources that open the file, which work on the key slots needs.
    #[cfg(feature = "sealed")]
    pub(crate) fn for_keys(self) -> Self {
        Self { keeps_sources: true, ..self }
    }

    /// Returns the service's name.
    pub(crate) fn service(&self) -> &ServiceName {
        self.entry.service()
    }

    /// Reads the inline vault in memory, if a reader may see it without asking the store. Never waits.
    pub(super) fn read_memory<T>(&self, look: impl FnOnce(&dyn Look) -> T) -> Option<T> {
        let look = |content: &Content| match content {
            Content::Inline(payload) => Some(look(payload)),
            _ => None,
        };
        self.try_in_memory(look).ok()?
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
    pub(super) fn read_copy<T>(&self, look: impl FnOnce(&Content) -> T) -> Option<T> {
        self.copies.current().map(|copy| look(&copy.content))
    }

    /// Reads the secrets if the store can be used without a prompt.
    pub(super) fn read_unattended<T>(&self, look: impl FnOnce(&Content) -> Result<T>) -> Result<T> {
        self.store.probe()?;
        self.read_content(look)
    }

    /// Returns the state of the generation file.
    pub(super) fn observe(&self) -> Observation {
        self.coherence.observe()
    }

    /// Returns whether the copy in memory was dropped on purpose, and the store was not read since.
    pub(super) fn is_forgotten(&self) -> bool {
        self.is_forgotten.load(Ordering::Relaxed)
    }

    /// Reads the secrets. The store is asked only if they may have changed.
    pub(super) fn read<T>(&self, look: impl FnOnce(&dyn Look) -> Result<T>) -> Result<T> {
        self.read_content(|content| look(content.look()))
    }

    pub(super) fn read_content<T>(&self, look: impl FnOnce(&Content) -> Result<T>) -> Result<T> {
        match self.try_in_memory(look) {
            Ok(answer) => answer,
            Err(look) => look(&*self.read_anew().map_err(|error| self.named(error))?),
        }
    }

    /// Returns the content after reading the store, or the last committed content while a write of this
    /// handle is under way or stuck.
    fn read_anew(&self) -> Result<Arc<Content>> {
        let (mut prepared, _asking) = self.prepared(Place::prepare_to_read)?;
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
        if let Some(content) = before.as_ref().filter(|_| self.store.is_stuck()) {
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
            (Err(error), _) if had_lock || !self.may_pass(error.kind()) => return Err(error),
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
    pub(super) fn prepared(
        &self,
        prepare: impl FnOnce(&Place) -> Result<Prepared>,
    ) -> Result<(Prepared, Option<MutexGuard<'_, ()>>)> {
        if !self.place.must_ask() || self.is_open() {
            return Ok((Prepared::default(), None));
        }
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have asked and opened the file meanwhile.
        if self.is_open() {
            return Ok((Prepared::default(), None));
        }
        Ok((prepare(&self.place)?, Some(asking)))
    }

    fn is_open(&self) -> bool {
        self.read_copy(Content::is_in_place).unwrap_or(false)
    }

    /// Returns the open file of a vault that needs no entry. It is the vault as long as it is in its place,
    /// and opening it again would cost the derivation of a key from the passphrase.
    fn still_open(&self) -> Option<Arc<Content>> {
        let copy = self.copies.current().filter(|_| self.place.is_direct())?;
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
    fn may_pass(&self, kind: ErrorKind) -> bool {
        use ErrorKind::{Conflict, Corrupt, Gone, KeyMissing, WrongKey};
        match kind {
            Conflict | Corrupt | Gone => true,
            KeyMissing | WrongKey => !self.place.is_direct(),
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

    /// Returns the vault's layout, as this process saw it last.
    pub(crate) fn layout(&self) -> Layout {
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner)
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
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner) = content.layout();
        Copy { content, seen }
    }

    /// Stores a content that was read from the store as the current copy.
    fn remember(&self, content: Arc<Content>, seen: Option<Seen>) -> Copy {
        let old = self.copies.current();
        let new = self.copy_of(content, seen);
        warn_of_deletion(&self.entry, old.as_ref(), &new);
        self.copies.remember(new.clone());
        self.watch.wake();
        new
    }

    /// Waits for the exclusive right to refresh a secret. It excludes other refreshes of this secret, and
    /// nothing else.
    pub(crate) fn lock_refresh(&self, key: &SecretKey) -> Result<Held> {
        let held = self.coherence.lock_refresh(key, self.deadlines.refresh);
        held.map_err(|error| self.named(error))
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
            None => self.shared(self.read_place(prepared)?),
        };
        if let Some(binding) = &self.binding {
            let checked = binding.check(!content.is_none(), self.place.entries.is_some());
            checked.map_err(|error| self.named(error))?;
        }
        if content.is_none() && !self.starts_anew && self.is_gone()? {
            return Err(self.named(self.gone()));
        }
        Ok(content)
    }

    /// Returns whether the binding remembers a vault in this store, and the store keeps its entries for good.
    /// Call it only if no vault was found.
    pub(super) fn is_gone(&self) -> Result<bool> {
        let Some(binding) = &self.binding else { return Ok(false) };
        let lasts = self.store.capabilities().persistence == Persistence::Permanent;
        Ok(lasts && binding.remembers_vault()?)
    }

    /// Deletes the binding of the vault.
    pub(super) fn forget_binding(&self) {
        self.binding.iter().for_each(Binding::end);
    }

    fn gone(&self) -> Error {
        let service = self.entry.service();
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
        let what = match self.place.direct_path() {
            Some(path) => format!("{what}: there is no {}", strongroom_files::quoted(path)),
            None => what,
        };
        Error::new(ErrorKind::Gone, Operation::Get)
            .with_message(what)
            .with_hint(
                "Was a keyring replaced, a disk not mounted, a home restored without it? Bring it back, or begin \
                 anew and restore a backup.",
            )
            .with_command(self.command("repair --reset"), "begins anew")
            .with_command(self.command("restore FILE"), "then brings a backup's secrets back")
    }

    pub(super) fn read_place(&self, prepared: &mut Prepared) -> Result<Content> {
        if let Some(opened) = self.place.open_direct(prepared) {
            return opened.map_err(|error| self.explained(self.named(error)));
        }
        if let Some(entries) = self.find_entries().map_err(|error| self.named(error))? {
            return Ok(Content::Entries(entries));
        }
        match self.store.read_entry(&self.entry).map_err(|error| self.explained(error))? {
            None => self.place.nothing(prepared).map_err(|error| self.explained(self.named(error))),
            Some(line) => Stored::parse(&line)
                .map_err(Error::from)
                .and_then(|stored| self.place.open(stored))
                .map_err(|unreadable| self.explained(self.named(unreadable))),
        }
    }

    /// Adds advice to the error of a vault that is in the store but does not open.
    fn explained(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Ambiguous => error
                .with_hint("Look at them, and make one vault of them.")
                .with_command(self.command("repair"), "shows them")
                .with_command(self.command("repair --merge"), "makes one of them"),
            ErrorKind::Corrupt => {
                error.with_command(self.command("repair"), "shows what is left of it")
            }
            ErrorKind::KeyMissing if self.place.needs_entry() => error.with_command(
                self.command("repair --reset"),
                "puts the file aside and begins with an empty vault",
            ),
            ErrorKind::WrongKey if self.place.is_direct() => {
                error.with_command(self.command("key list"), "shows what opens it")
            }
            _ => error,
        }
    }

    /// Returns a command on this vault, as advice.
    pub(super) fn command(&self, words: &'static str) -> Command {
        Command::new(words).on(self.entry.service().as_str())
    }

    pub(super) fn named(&self, error: Error) -> Error {
        let error = error.with_store(self.store.name());
        // The errors of a file without an entry name the file, and those of the layout `entries` name the
        // entry.
        if self.place.is_direct() || self.layout() == Layout::Entries {
            return error;
        }
        error.with_entry(&self.entry)
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
