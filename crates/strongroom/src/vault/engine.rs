//! One vault as one process has it: a copy in memory, kept coherent, and commits.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strongroom_core::{
    Deadlines, EntryName, Error, ErrorKind, KeyringStore, Operation, Result, SecretKey,
    ServiceName, Timestamp, UserName,
};

use super::coherence::{
    Coherence, Commit, Decision, Held, Observation, Revision, Seen, StateDir, decide,
};
use super::content::{Content, Edit, Look};
use super::payload::{Payload, Stored, VaultId};
use super::place::{Place, Prepared};
use super::watch::Watch;
use crate::Layout;
use crate::binding::Binding;

/// The user name of the entry that holds a vault, beside its service.
pub const VAULT_ENTRY: &str = "vault";

/// The moment it is, as the application sees it.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One vault as one process has it.
///
/// Lock order: the lock between processes, then the copy. A read takes the first only to mend what
/// the last writer left, and does without where somebody else has it.
pub(crate) struct Vault {
    pub(super) store: Arc<dyn KeyringStore>,
    pub(super) entry: EntryName,
    pub(super) coherence: Coherence,
    pub(super) place: Place,
    binding: Option<Binding>,
    /// Whether what opened a sealed file is kept while it is open.
    keeps_sources: bool,
    /// How it was found to lie. A leaf: nothing is locked while it is.
    layout: Mutex<Layout>,
    deadlines: Deadlines,
    clock: Clock,
    latest: AtomicI64,
    copy: Mutex<Option<Copy>>,
    is_forgotten: AtomicBool,
    pub(super) watch: Arc<Watch>,
}

/// What this process remembers of the vault, and of when that was so.
pub(super) struct Copy {
    content: Content,
    seen: Option<Seen>,
}

impl Vault {
    /// The vault of a service. Nothing is read yet.
    pub(crate) fn new(
        store: Arc<dyn KeyringStore>,
        service: &ServiceName,
        state_dir: &StateDir,
        place: Place,
        deadlines: Deadlines,
        clock: Clock,
    ) -> Result<Self> {
        Ok(Self {
            store,
            entry: EntryName::from_parts(service.clone(), UserName::new(VAULT_ENTRY)?),
            coherence: Coherence::open(state_dir, service),
            place,
            binding: None,
            keeps_sources: false,
            layout: Mutex::default(),
            deadlines,
            clock,
            latest: AtomicI64::new(i64::MIN),
            copy: Mutex::new(None),
            is_forgotten: AtomicBool::new(false),
            watch: Arc::default(),
        })
    }

    /// The same, remembered as living in this backend as soon as there is a vault.
    pub(crate) fn bound_by(self, binding: Binding) -> Self {
        Self { binding: Some(binding), ..self }
    }

    /// The same, for work on the key slots, which needs what opened the file.
    #[cfg(feature = "sealed")]
    pub(crate) fn for_keys(self) -> Self {
        Self { keeps_sources: true, ..self }
    }

    /// Looks at the copy in memory, if it is current and nobody is changing it. Waits for nothing.
    pub(super) fn read_memory<T>(&self, look: impl FnOnce(&dyn Look) -> T) -> Option<T> {
        let observation = self.coherence.glance();
        let copy = self.copy.try_lock().ok()?;
        match copy.as_ref().filter(|copy| copy.is_current(&observation))?.content {
            Content::Inline(ref payload) => Some(look(payload)),
            _ => None,
        }
    }

    /// Looks at the copy in memory, current or not, unless somebody is changing it. Waits for nothing.
    pub(super) fn read_copy<T>(&self, look: impl FnOnce(&Content) -> T) -> Option<T> {
        self.copy.try_lock().ok()?.as_ref().map(|copy| look(&copy.content))
    }

    /// Looks at the secrets for nobody who could answer a prompt.
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
        let observation = self.coherence.glance();
        {
            let copy = self.copy();
            if let Some(known) = copy.as_ref().filter(|copy| copy.is_current(&observation)) {
                return look(&known.content);
            }
        }
        let mut prepared = self.prepared(Place::prepare_to_read)?;
        // Mending what was left costs a lock, which somebody else may have for good reason.
        let commit = match observation {
            Observation::MustRead => self.coherence.lock(Duration::ZERO).ok(),
            Observation::Clean(_) => None,
        };
        let had_lock = commit.is_some();
        let mut copy = self.copy();
        match self.current(&mut copy, commit, &mut prepared) {
            Ok(known) => return look(&known.content),
            Err(error) if had_lock || !self.may_pass(error.kind()) => return Err(error),
            Err(_) => drop(copy),
        }
        // It may be half of what somebody else is doing: what is there when they are done counts.
        let commit = self.coherence.lock(self.deadlines.call).map_err(|error| self.named(error))?;
        let mut copy = self.copy();
        look(&self.current(&mut copy, Some(commit), &mut prepared)?.content)
    }

    /// What opens the vault, asked for now if it must be: not while a lock is held, nor for each read while it
    /// is open.
    fn prepared(&self, prepare: impl FnOnce(&Place) -> Result<Prepared>) -> Result<Prepared> {
        let is_open = self.read_copy(Content::is_none).is_some_and(|is_none| !is_none);
        if is_open {
            return Ok(Prepared::default());
        }
        prepare(&self.place).map_err(|error| self.named(error))
    }

    /// Whether an error may be what others are seen doing: between two steps of a purge or a move, an entry
    /// and its file don't fit. A key that doesn't open a file without an entry is wrong for good.
    fn may_pass(&self, kind: ErrorKind) -> bool {
        use ErrorKind::{Conflict, Corrupt, KeyMissing, WrongKey};
        match kind {
            Conflict | Corrupt => true,
            KeyMissing | WrongKey => !self.place.is_direct(),
            _ => false,
        }
    }

    /// The copy, read anew if it is not current.
    fn current<'a>(
        &self,
        copy: &'a mut Option<Copy>,
        commit: Option<Commit<'_>>,
        prepared: &mut Prepared,
    ) -> Result<&'a mut Copy> {
        let observation = self.coherence.observe();
        match copy.take() {
            Some(known) if known.is_current(&observation) => Ok(copy.insert(known)),
            old => {
                let old = self.without_file(old, prepared);
                let new = self.load(observation, commit, prepared)?;
                warn_of_deletion(&self.entry, old.as_ref(), &new);
                self.watch.wake();
                Ok(copy.insert(new))
            }
        }
    }

    /// Hands on the open file of an old copy: where no entry is needed, it is the vault as long as it is in its
    /// place, and opening it anew would cost a passphrase's work.
    #[cfg(feature = "sealed")]
    fn without_file(&self, old: Option<Copy>, prepared: &mut Prepared) -> Option<Copy> {
        match old {
            Some(Copy { content: Content::Sealed(sealed), .. }) if self.place.is_direct() => {
                prepared.opened.get_or_insert_with(|| sealed.into_opened());
                None
            }
            old => old,
        }
    }

    #[cfg(not(feature = "sealed"))]
    fn without_file(&self, old: Option<Copy>, _: &mut Prepared) -> Option<Copy> {
        old
    }

    /// Changes the secrets: all of the change, or none of it if it fails.
    pub(super) fn commit<T>(&self, change: impl FnOnce(&mut dyn Edit) -> Result<T>) -> Result<T> {
        let mut prepared = self.prepared(Place::prepare)?;
        let commit = self.coherence.lock(self.deadlines.call).map_err(|error| self.named(error))?;
        let mut copy = self.copy();
        let base = commit.base();
        let known = match copy.take() {
            Some(known) if known.is_current(&base) => copy.insert(known),
            old => {
                drop(self.without_file(old, &mut prepared));
                let content = self.read_store(&mut prepared)?;
                let seen = base.remember(content.revision());
                copy.insert(self.copy_of(content, seen))
            }
        };
        let mut next = match &known.content {
            Content::Inline(payload) => {
                payload.duplicate().map_err(|error| self.named(error.into()))?
            }
            #[cfg(feature = "sealed")]
            Content::Sealed(sealed) => {
                let changed = sealed.change(change).map_err(|error| self.named(error));
                return self.changed_in_place(commit, known, changed);
            }
            Content::Entries(entries) => {
                let changed = entries.change(change).map_err(|error| self.named(error));
                return self.changed_in_place(commit, known, changed);
            }
        };
        let result = change(&mut next)?;
        next.advance()?;
        self.store_whole(commit, &mut copy, next, &prepared).map(|()| result)
    }

    /// What is stored was changed where it lies, and the vault's entry was not.
    fn changed_in_place<T>(
        &self,
        commit: Commit<'_>,
        known: &mut Copy,
        changed: Result<T>,
    ) -> Result<T> {
        if let Some(binding) = self.binding.as_ref().filter(|_| changed.is_ok()) {
            binding.note(known.content.layout() == Layout::Entries);
        }
        if known.seen.is_none() {
            // Else everybody would look for it anew at each change, until somebody reads.
            let finished = commit.finish(known.content.revision());
            known.seen = finished.seen.filter(|_| !finished.lost_lock);
        }
        self.watch.wake();
        changed
    }

    /// Stores a whole vault, in the layout that it must have.
    pub(super) fn store_whole(
        &self,
        commit: Commit<'_>,
        copy: &mut Option<Copy>,
        vault: Payload,
        prepared: &Prepared,
    ) -> Result<()> {
        let (content, line) = self.laid_out(vault, prepared, || commit.begin())?;
        if let Err(error) = commit.begin() {
            self.abandon(content, line.as_ref());
            return Err(self.named(error));
        }
        // From here on nobody knows what the store holds, until it has answered.
        *copy = None;
        let content = self.write_entry_of(content, line)?;
        let revision = content.revision();
        let finished = commit.finish(revision);
        if finished.lost_lock {
            return self.make_sure(revision);
        }
        *copy = Some(self.copy_of(content, finished.seen));
        self.watch.wake();
        Ok(())
    }

    /// How the vault lies, as far as this process has seen.
    pub(crate) fn layout(&self) -> Layout {
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy_of(&self, mut content: Content, seen: Option<Seen>) -> Copy {
        if !self.keeps_sources {
            content.forget_sources();
        }
        if let Some(binding) = self.binding.as_ref().filter(|_| !content.is_none()) {
            binding.note(content.layout() == Layout::Entries);
        }
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner) = content.layout();
        Copy { content, seen }
    }

    /// Waits for the right to refresh a secret, which excludes others that refresh it, and nobody else.
    pub(crate) fn lock_refresh(&self, key: &SecretKey) -> Result<Held> {
        let held = self.coherence.lock_refresh(key, self.deadlines.refresh);
        held.map_err(|error| self.named(error))
    }

    /// Deletes every entry of the service, the vault's and others, and returns how many there were.
    pub(crate) fn purge(&self) -> Result<usize> {
        self.rewrite(|| {
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
                purged += usize::from(self.store.remove_entry(&entry)?);
            }
            self.binding.iter().for_each(Binding::end);
            Ok((purged, self.nothing()))
        })
    }

    /// Writes the store by other means than a commit, as alone as a commit. The caller returns what the
    /// store then holds.
    pub(super) fn rewrite<T>(&self, write: impl FnOnce() -> Result<(T, Content)>) -> Result<T> {
        let commit = self.coherence.lock(self.deadlines.call).map_err(|error| self.named(error))?;
        let mut copy = self.copy();
        commit.begin().map_err(|error| self.named(error))?;
        *copy = None;
        let (result, content) = write()?;
        let finished = commit.finish(content.revision());
        *copy = Some(self.copy_of(content, finished.seen.filter(|_| !finished.lost_lock)));
        self.watch.wake();
        Ok(result)
    }

    /// Forgets the copy in memory. The next look reads the store again.
    pub(crate) fn forget(&self) {
        let mut copy = self.copy();
        self.is_forgotten.store(true, Ordering::Relaxed);
        *copy = None;
    }

    /// The moment it is. It never goes back in one process, so that a wrong clock can't revive what
    /// has expired.
    pub(crate) fn now(&self) -> Timestamp {
        let now = (self.clock)();
        let seconds = now.as_second();
        let latest = self.latest.fetch_max(seconds, Ordering::Relaxed);
        if latest <= seconds { now } else { Timestamp::from_second(latest).unwrap_or(now) }
    }

    /// The copy. A panic elsewhere leaves it whole or absent.
    fn copy(&self) -> MutexGuard<'_, Option<Copy>> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the store, and tells the others what it holds if the lock is ours.
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
        Ok(self.copy_of(content, seen))
    }

    fn read_store(&self, prepared: &mut Prepared) -> Result<Content> {
        self.is_forgotten.store(false, Ordering::Relaxed);
        let content = self.read_place(prepared)?;
        if let Some(binding) = &self.binding {
            let checked = binding.check(!content.is_none(), self.place.entries.is_some());
            checked.map_err(|error| self.named(error))?;
        }
        Ok(content)
    }

    pub(super) fn read_place(&self, prepared: &mut Prepared) -> Result<Content> {
        if let Some(opened) = self.place.open_direct(prepared) {
            return opened.map_err(|error| self.named(error));
        }
        if let Some(entries) = self.find_entries().map_err(|error| self.named(error))? {
            return Ok(Content::Entries(entries));
        }
        match self.store.read_entry(&self.entry).map_err(|error| self.explained(error))? {
            None => self.place.nothing(prepared).map_err(|error| self.named(error)),
            Some(line) => Stored::parse(&line)
                .map_err(Error::from)
                .and_then(|stored| self.place.open(stored))
                .map_err(|unreadable| self.explained(self.named(unreadable))),
        }
    }

    /// The lock file was deleted during the write: somebody else may have written, too.
    fn make_sure(&self, written: Revision) -> Result<()> {
        if self.read_store(&mut Prepared::default())?.revision() == written {
            return Ok(());
        }
        Err(self.named(Error::new(ErrorKind::Conflict, Operation::Set).with_message(
            "another process wrote the vault at the same time, because the lock file was deleted",
        )))
    }

    /// The same error with the way out of it, for a vault that stands in the store but does not open.
    fn explained(&self, error: Error) -> Error {
        let service = self.entry.service().as_str();
        match error.kind() {
            ErrorKind::Ambiguous => error.with_hint(format!(
                "`strongroom repair` for the service \"{service}\" shows them and can merge them."
            )),
            ErrorKind::Corrupt => {
                let hint = format!(
                    "{} `strongroom repair` for the service \"{service}\" shows what is left of it.",
                    error.hint()
                );
                error.with_hint(hint)
            }
            _ => error,
        }
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

impl Copy {
    fn is_current(&self, observation: &Observation) -> bool {
        decide(self.seen.as_ref(), observation) == Decision::UseCache
    }
}

impl Payload {
    pub(super) fn revision(&self) -> Revision {
        Revision { vault: self.id.to_bytes(), generation: self.generation }
    }

    /// Makes this the next generation; the first one draws the vault's id.
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
