//! One vault as one process has it: a copy in memory, kept coherent, and commits.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strongroom_core::{
    Deadlines, EntryName, Error, ErrorKind, Operation, Persistence, Result, SecretKey, ServiceName,
    Store, Timestamp, UserName,
};

use super::coherence::{Coherence, Commit, Held, Observation, Seen, StateDir};
use super::content::{Content, Look};
use super::copies::{Copies, Copy};
use super::payload::Stored;
use super::place::{KEYED, Place, Prepared};
use super::refreshed::Unstored;
use super::watch::Watch;
use crate::Layout;
use crate::binding::Binding;
use crate::shell::of_service;

/// The user name of the entry that holds a vault, beside its service.
pub const VAULT_ENTRY: &str = "vault";

/// The moment it is, as the application sees it.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One vault as one process has it.
///
/// Lock order: the lock between processes, then the turn at the store (`copies.rs`). A read takes the first only to mend
/// what the last writer left, without waiting for it, or before it takes the turn.
pub(crate) struct Vault {
    pub(super) store: Arc<dyn Store>,
    pub(super) entry: EntryName,
    pub(super) coherence: Coherence,
    pub(super) place: Place,
    pub(super) binding: Option<Binding>,
    /// Whether a new vault begins where one is gone.
    starts_anew: bool,
    /// Whether what opened a sealed file is kept while it is open.
    keeps_sources: bool,
    /// Held while a passphrase is asked for, until the file is open: one thread asks for all of this handle.
    asking: Mutex<()>,
    /// How it was found to lie. A leaf: nothing is locked while it is.
    layout: Mutex<Layout>,
    pub(super) deadlines: Deadlines,
    clock: Clock,
    latest: AtomicI64,
    pub(super) copies: Copies,
    pub(super) unstored: Unstored,
    is_forgotten: AtomicBool,
    pub(super) watch: Arc<Watch>,
}

impl Vault {
    /// The vault of a service. Nothing is read yet.
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

    /// The same, remembered as living in this backend as soon as there is a vault.
    pub(crate) fn bound_by(self, binding: Binding) -> Self {
        Self { binding: Some(binding), ..self }
    }

    /// Begins a new vault where one is gone.
    pub(crate) fn starting_anew(self, starts_anew: bool) -> Self {
        Self { starts_anew, ..self }
    }

    /// The same, for work on the key slots, which needs what opened the file.
    #[cfg(feature = "sealed")]
    pub(crate) fn for_keys(self) -> Self {
        Self { keeps_sources: true, ..self }
    }

    /// Returns the service's name.
    pub(crate) fn service(&self) -> &ServiceName {
        self.entry.service()
    }

    /// Looks at an inline vault in memory, if that is what a reader is to see. Waits for nothing.
    pub(super) fn read_memory<T>(&self, look: impl FnOnce(&dyn Look) -> T) -> Option<T> {
        match &*self.copies.for_reader(&self.coherence.glance())? {
            Content::Inline(payload) => Some(look(payload)),
            _ => None,
        }
    }

    /// Looks at the copy in memory, current or not. Waits for nothing.
    pub(super) fn read_copy<T>(&self, look: impl FnOnce(&Content) -> T) -> Option<T> {
        self.copies.current().map(|copy| look(&copy.content))
    }

    /// Looks at the secrets where no user could answer a prompt.
    pub(super) fn read_unattended<T>(&self, look: impl FnOnce(&Content) -> Result<T>) -> Result<T> {
        self.store.probe()?;
        self.read_content(look)
    }

    /// What the generation file says.
    pub(super) fn observe(&self) -> Observation {
        self.coherence.observe()
    }

    /// Whether the secrets in memory were forgotten on purpose, and not read since.
    pub(super) fn is_forgotten(&self) -> bool {
        self.is_forgotten.load(Ordering::Relaxed)
    }

    /// Looks at the secrets. Reads the store only if they may have changed.
    pub(super) fn read<T>(&self, look: impl FnOnce(&dyn Look) -> Result<T>) -> Result<T> {
        self.read_content(|content| look(content.look()))
    }

    pub(super) fn read_content<T>(&self, look: impl FnOnce(&Content) -> Result<T>) -> Result<T> {
        let content = match self.copies.for_reader(&self.coherence.glance()) {
            Some(content) => content,
            None => self.read_anew().map_err(|error| self.named(error))?,
        };
        look(&content)
    }

    /// Returns the content after a look at the store, unless a write of this handle is under way or stuck.
    fn read_anew(&self) -> Result<Arc<Content>> {
        let (mut prepared, _asking) = self.prepared(Place::prepare_to_read)?;
        let turn = match self.copies.take_turn_to_read(self.deadlines.call)? {
            Ok(turn) => turn,
            Err(committed) => return Ok(committed),
        };
        let observation = self.coherence.observe();
        if let Some(content) = self.copies.for_reader(&observation) {
            return Ok(content);
        }
        let before = self.before_failed_write();
        if let Some(content) = before.as_ref().filter(|_| self.store.is_stuck()) {
            return Ok(Arc::clone(content));
        }
        // Mending what was left costs a lock, which another process may have for good reason.
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
        // It may be half of what another process is doing: what is there when that is done counts.
        let commit = self.coherence.lock(self.deadlines.call)?;
        self.known(&commit, &mut prepared).map(|known| known.content)
    }

    /// Asks for a passphrase where that must be done, before a lock is taken: while one is held, others would wait for the
    /// person who types. The guard is held until the file is open.
    pub(super) fn prepared(
        &self,
        prepare: impl FnOnce(&Place) -> Result<Prepared>,
    ) -> Result<(Prepared, Option<MutexGuard<'_, ()>>)> {
        if !self.place.must_ask() || self.is_open() {
            return Ok((Prepared::default(), None));
        }
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_open() {
            return Ok((Prepared::default(), None));
        }
        Ok((prepare(&self.place)?, Some(asking)))
    }

    fn is_open(&self) -> bool {
        self.read_copy(Content::is_in_place).unwrap_or(false)
    }

    /// Returns the open file, where it needs no entry: it is the vault as long as it is in its place, and opening it anew would
    /// cost a passphrase's work.
    fn still_open(&self) -> Option<Arc<Content>> {
        let copy = self.copies.current().filter(|_| self.place.is_direct())?;
        copy.content.is_in_place().then_some(copy.content)
    }

    /// Returns the last committed copy, if the write after it failed and no process has written since.
    fn before_failed_write(&self) -> Option<Arc<Content>> {
        let (content, mark) = self.copies.before_failed_write()?;
        self.coherence.is_unchanged_since(mark).then_some(content)
    }

    /// Whether an error may come from the midst of what another process does: between two steps of a purge or a move, an
    /// entry and its file don't fit. A key that doesn't open a file without an entry is wrong for good.
    fn may_pass(&self, kind: ErrorKind) -> bool {
        use ErrorKind::{Conflict, Corrupt, Gone, KeyMissing, WrongKey};
        match kind {
            Conflict | Corrupt | Gone => true,
            KeyMissing | WrongKey => !self.place.is_direct(),
            _ => false,
        }
    }

    /// Returns the copy under the lock between processes, read anew if it is not current.
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

    /// How the vault lies, as far as this process has seen.
    pub(crate) fn layout(&self) -> Layout {
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shares a content with readers.
    pub(super) fn shared(&self, mut content: Content) -> Arc<Content> {
        if !self.keeps_sources {
            content.forget_sources();
        }
        Arc::new(content)
    }

    pub(super) fn copy_of(&self, content: Arc<Content>, seen: Option<Seen>) -> Copy {
        if let Some(binding) = self.binding.as_ref().filter(|_| !content.is_none()) {
            binding.note(content.layout() == Layout::Entries);
        }
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner) = content.layout();
        Copy { content, seen }
    }

    /// Remembers what was read from the store.
    fn remember(&self, content: Arc<Content>, seen: Option<Seen>) -> Copy {
        let old = self.copies.current();
        let new = self.copy_of(content, seen);
        warn_of_deletion(&self.entry, old.as_ref(), &new);
        self.copies.remember(new.clone());
        self.watch.wake();
        new
    }

    /// Waits for the right to refresh a secret, which excludes others that refresh it, and nobody else.
    pub(crate) fn lock_refresh(&self, key: &SecretKey) -> Result<Held> {
        let held = self.coherence.lock_refresh(key, self.deadlines.refresh);
        held.map_err(|error| self.named(error))
    }

    /// Deletes every entry of the service, the vault's and others, and returns how many there were.
    pub(crate) fn purge(&self) -> Result<usize> {
        self.rewrite(|| {
            self.binding.iter().for_each(Binding::begin_to_delete);
            let entries = match self.store.capabilities().can_list {
                // The file is all there is, and need not be readable to be deleted.
                _ if self.place.is_direct() => Vec::new(),
                true => self.store.list_entries(self.entry.service())?,
                false => vec![self.entry.clone()],
            };
            // The key goes last: a file without it could not be opened any more, nor given up quietly.
            let had_file = self.place.remove()?;
            let mut purged = usize::from(had_file && self.place.is_direct());
            for entry in entries {
                purged += self.remove_all(&entry)?;
            }
            self.forget_binding();
            Ok((purged, self.nothing()))
        })
    }

    /// Deletes an entry, all items of it if there are several, and returns how many there were.
    fn remove_all(&self, entry: &EntryName) -> Result<usize> {
        match self.store.remove_entry(entry) {
            Err(error) if error.kind() == ErrorKind::Ambiguous => {
                let candidates = self.store.candidates(entry)?;
                let Some(last) = candidates.first() else { return Err(error) };
                let others = self.store.keep_candidate(entry, &last.id)?;
                Ok(others + usize::from(self.store.remove_entry(entry)?))
            }
            removed => removed.map(usize::from),
        }
    }

    /// Forgets the copy in memory. The next look reads the store again.
    pub(crate) fn forget(&self) {
        self.is_forgotten.store(true, Ordering::Relaxed);
        self.copies.forget();
    }

    /// The moment it is. It never goes back in one process, so that a wrong clock can't revive what
    /// has expired.
    pub(crate) fn now(&self) -> Timestamp {
        let now = (self.clock)();
        let seconds = now.as_second();
        let latest = self.latest.fetch_max(seconds, Ordering::Relaxed);
        if latest <= seconds { now } else { Timestamp::from_second(latest).unwrap_or(now) }
    }

    /// Reads the store, remembers what it holds, and tells the other processes if the lock is ours.
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

    /// Whether a vault is remembered here, in a store that forgets nothing. To be asked where none is found.
    pub(super) fn is_gone(&self) -> Result<bool> {
        let Some(binding) = &self.binding else { return Ok(false) };
        let lasts = self.store.capabilities().persistence == Persistence::Permanent;
        Ok(lasts && binding.remembers_vault()?)
    }

    /// Forgets that a vault was here.
    pub(super) fn forget_binding(&self) {
        self.binding.iter().for_each(Binding::end);
    }

    fn gone(&self) -> Error {
        let service = self.entry.service();
        let seen = match self.coherence.observe() {
            Observation::Clean(seen) => seen.revision().generation,
            Observation::MustRead => 0,
        };
        // That of a sealed vault does not count its changes.
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

    /// The same error with the way out of it, for a vault that stands in the store but does not open.
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

    /// Returns the arguments of a command on this vault, as advice.
    pub(super) fn command(&self, arguments: &str) -> String {
        of_service(arguments, self.entry.service().as_str())
    }

    pub(super) fn named(&self, error: Error) -> Error {
        let error = error.with_store(self.store.name());
        // A file without an entry names itself, and what concerns a single entry names that.
        if self.place.is_direct() || self.layout() == Layout::Entries {
            return error;
        }
        error.with_entry(&self.entry)
    }
}

/// Somebody deleted the entry in the system's own tool. That is an empty vault, and worth a word.
fn warn_of_deletion(entry: &EntryName, old: Option<&Copy>, new: &Copy) {
    let lost = old.map_or(0, |old| old.content.in_memory());
    if lost > 0 && new.content.is_none() {
        tracing::warn!(%entry, "the vault's entry was deleted; it held {lost} secrets");
    }
}

/// Whether an error says that the store can't be asked just now.
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
