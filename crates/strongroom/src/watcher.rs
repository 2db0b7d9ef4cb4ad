//! The thread that detects the changes of a vault.

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use strongroom_core::{Error, ErrorKind, Operation, Result, SecretKey};

use crate::subscribers::{Change, ChangeKind, Subscribers};
use crate::vault::{Content, Engine, Fingerprint, Observation, Revision, Wakeup};

/// The period at which the generation file is checked. A check takes two system calls, on any file system.
/// Changes by this process are reported at once.
const PERIOD: Duration = Duration::from_millis(250);

/// The time before the next attempt to read a store that can't be read without asking the user.
const RETRY: Duration = Duration::from_secs(5);

/// The state of the thread.
pub(super) struct Watcher {
    /// Weak, so that a subscription does not keep the vault open.
    engine: Weak<Engine>,
    wakeup: Arc<Wakeup>,
    subscribers: Arc<Subscribers>,
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
    /// Returns the state of a thread that reports the changes from now on.
    pub(crate) fn new(engine: &Arc<Engine>, subscribers: &Arc<Subscribers>) -> Self {
        let hasher = RandomState::new();
        let known = engine.read_copy(|content| Snapshot::of(content, &hasher).ok()).flatten();
        Self {
            engine: Arc::downgrade(engine),
            wakeup: Arc::clone(engine.wakeup()),
            subscribers: Arc::clone(subscribers),
            hasher,
            known,
            seen: None,
            tried: None,
        }
    }

    /// Starts the thread, which ends when no subscriber is left.
    ///
    /// # Errors
    ///
    /// `Io` if the system can't start a thread.
    pub(crate) fn start(self) -> Result<()> {
        let started = thread::Builder::new().name("strongroom-watch".into());
        started.spawn(move || self.run()).map(drop).map_err(|error| {
            Error::new(ErrorKind::Io, Operation::List)
                .with_message("the system gives no thread to watch the vault with")
                .with_source(error)
        })
    }

    fn run(mut self) {
        loop {
            self.wakeup.wait(PERIOD);
            if !self.subscribers.retain_open() {
                return;
            }
            let Some(engine) = self.engine.upgrade() else { return self.subscribers.close() };
            let Some(now) = self.look(&engine) else { continue };
            // The first snapshot has nothing to be compared with.
            if let Some(before) = &self.known {
                self.subscribers.report(before.changes_to(&now));
            }
            self.known = Some(now);
        }
    }

    /// Returns the vault's state, if it may have changed and can be read without asking the user.
    pub(crate) fn look(&mut self, engine: &Engine) -> Option<Snapshot> {
        let known = self.known.as_ref().map(|known| (known.entry, known.generation));
        // Changes of this handle show in its copy in memory, without a read of the store.
        let in_memory = engine.read_copy(|content| {
            let now = (content.revision(), content.reader().generation().ok()?);
            if known == Some(now) { None } else { Snapshot::of(content, &self.hasher).ok() }
        });
        if let Some(Some(new)) = in_memory {
            return Some(new);
        }
        if !self.must_read(engine.observe(), known.map(|(entry, _)| entry)) || engine.is_forgotten()
        {
            return None;
        }
        engine.read_unattended(|content| Snapshot::of(content, &self.hasher)).ok()
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
        let (entry, vault) = (content.revision(), content.reader());
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
