//! Subscriptions to the changes of a vault, and the thread that detects them.

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use strongroom_core::{Error, ErrorKind, Operation, Result, SecretKey};

use super::coherence::{Observation, Revision};
use super::content::{Content, Fingerprint};
use super::engine::Vault;

/// The period at which the generation file is checked. A check takes two system calls, on any file system.
/// Changes by this process are reported at once.
const PERIOD: Duration = Duration::from_millis(250);

/// The time before the next attempt to read a store that can't be read without asking the user.
const RETRY: Duration = Duration::from_secs(5);

/// A secret that was added, updated or removed, by this process or another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Change {
    /// The secret's name and target.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub key: SecretKey,
    /// The kind of the change.
    pub kind: ChangeKind,
}

/// The kind of a change to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ChangeKind {
    /// The secret was added.
    Added,
    /// The secret has another value or other metadata.
    Updated,
    /// The secret was removed.
    Removed,
}

/// The subscribers of a vault. Its mutex is a leaf: no other lock is taken while it is held.
#[derive(Debug, Default)]
pub(super) struct Watch {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct State {
    subscribers: Vec<Sender<Change>>,
    has_thread: bool,
    is_woken: bool,
}

impl Vault {
    /// Reports changes from now on. A thread detects them, and ends when no subscriber is left.
    ///
    /// # Errors
    ///
    /// `Io` if the system can't start a thread.
    pub(crate) fn subscribe(self: &Arc<Self>) -> Result<Receiver<Change>> {
        let (sender, receiver) = async_channel::unbounded();
        let watcher = Watcher::new(self);
        let mut state = self.watch.state();
        if !state.has_thread {
            start(watcher)?;
            state.has_thread = true;
        }
        state.subscribers.push(sender);
        Ok(receiver)
    }
}

impl Watch {
    /// Wakes the thread, because there may be a change to report.
    pub(super) fn wake(&self) {
        let mut state = self.state();
        state.is_woken = true;
        self.woken.notify_one();
    }

    /// Waits for the next check. Returns false if no subscriber is left.
    fn wait(&self) -> bool {
        let state = self.state();
        let waited = self.woken.wait_timeout_while(state, PERIOD, |state| !state.is_woken);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_woken = false;
        state.subscribers.retain(|subscriber| !subscriber.is_closed());
        state.has_thread = !state.subscribers.is_empty();
        state.has_thread
    }

    fn tell(&self, changes: impl Iterator<Item = Change>) {
        let state = self.state();
        for change in changes {
            for subscriber in &state.subscribers {
                // The channel is unbounded, so this fails only for a subscriber that is gone. The next check
                // removes it.
                drop(subscriber.try_send(change.clone()));
            }
        }
    }

    fn close(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start(watcher: Watcher) -> Result<()> {
    let started = thread::Builder::new().name("strongroom-watch".into());
    started.spawn(move || watcher.run()).map(drop).map_err(|error| {
        Error::new(ErrorKind::Io, Operation::List)
            .with_message("the system gives no thread to watch the vault with")
            .with_source(error)
    })
}

/// The state of the thread.
pub(super) struct Watcher {
    /// Weak, so that a subscription does not keep the vault open.
    vault: Weak<Vault>,
    watch: Arc<Watch>,
    hasher: RandomState,
    known: Option<Snapshot>,
    /// The state of the generation file at the last check.
    seen: Option<Observation>,
    /// The state of the generation file when the store was last read or could not be read, and the time of
    /// that.
    tried: Option<(Observation, Instant)>,
}

/// A vault without its values: only a fingerprint of each secret, keyed by random numbers of this thread.
pub(super) struct Snapshot {
    /// The revision of the vault's entry.
    entry: Revision,
    generation: u64,
    secrets: BTreeMap<SecretKey, Fingerprint>,
}

impl Watcher {
    pub(super) fn new(vault: &Arc<Vault>) -> Self {
        let hasher = RandomState::new();
        let known = vault.read_copy(|content| Snapshot::of(content, &hasher).ok()).flatten();
        let (vault, watch) = (Arc::downgrade(vault), Arc::clone(&vault.watch));
        Self { vault, watch, hasher, known, seen: None, tried: None }
    }

    fn run(mut self) {
        while self.watch.wait() {
            let Some(vault) = self.vault.upgrade() else { return self.watch.close() };
            let Some(now) = self.look(&vault) else { continue };
            // The first snapshot has nothing to be compared with.
            if let Some(before) = &self.known {
                self.watch.tell(before.changes_to(&now));
            }
            self.known = Some(now);
        }
    }

    /// Returns the vault's state, if it may have changed and can be read without asking the user.
    pub(super) fn look(&mut self, vault: &Vault) -> Option<Snapshot> {
        let known = self.known.as_ref().map(|known| (known.entry, known.generation));
        // Changes of this handle show in its copy in memory, without a read of the store.
        let in_memory = vault.read_copy(|content| {
            let now = (content.revision(), content.look().generation().ok()?);
            if known == Some(now) { None } else { Snapshot::of(content, &self.hasher).ok() }
        });
        if let Some(Some(new)) = in_memory {
            return Some(new);
        }
        if !self.must_read(vault.observe(), known.map(|(entry, _)| entry)) || vault.is_forgotten() {
            return None;
        }
        vault.read_unattended(|content| Snapshot::of(content, &self.hasher)).ok()
    }

    /// Returns whether the store has to be read: once for each state of the generation file, and again after
    /// a while if that failed.
    fn must_read(&mut self, observation: Observation, known: Option<Revision>) -> bool {
        let is_second_look = self.seen.replace(observation) == Some(observation);
        match observation {
            Observation::Clean(seen) if Some(seen.revision()) == known => {
                self.tried = None;
                return false;
            }
            // A commit is probably under way, and the file will soon be clean.
            Observation::MustRead if !is_second_look => return false,
            _ => {}
        }
        let is_due = match self.tried {
            Some((tried, _)) if tried != observation => true,
            Some((Observation::MustRead, _)) => false,
            Some((_, when)) => when.elapsed() >= RETRY,
            None => true,
        };
        if is_due {
            self.tried = Some((observation, Instant::now()));
        }
        is_due
    }
}

impl Snapshot {
    fn of(content: &Content, hasher: &RandomState) -> Result<Self> {
        let (entry, vault) = (content.revision(), content.look());
        Ok(Self { entry, generation: vault.generation()?, secrets: vault.fingerprints(hasher)? })
    }

    fn changes_to<'a>(&'a self, now: &'a Self) -> impl Iterator<Item = Change> + 'a {
        let removed = self.secrets.keys().filter(|key| !now.secrets.contains_key(key));
        let removed = removed.map(|key| (key, ChangeKind::Removed));
        let others = now.secrets.iter().filter_map(|(key, print)| match self.secrets.get(key) {
            None => Some((key, ChangeKind::Added)),
            Some(before) if before.differs_from(*print) => Some((key, ChangeKind::Updated)),
            Some(_) => None,
        });
        removed.chain(others).map(|(key, kind)| Change { key: key.clone(), kind })
    }
}
