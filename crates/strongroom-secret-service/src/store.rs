//! The store: the contract's methods, run on one connection per process and bus.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use strongroom_core::{
    Candidate, Capabilities, EntryName, ExposeSecret, KeyringStore, Operation, Persistence, Probe,
    Result, SecretBytes, ServiceName, WriteMode,
};

use crate::Config;
use crate::budget::Budget;
use crate::bus::Bus;
use crate::error::{Failure, Retry};
use crate::operation::Work;
use crate::prompt::Shown;
use crate::session::Session;

/// The largest value, in bytes. The protocol sets no limit; providers rewrite their whole file at
/// each change, and this much was tried with gnome-keyring and KWallet.
pub const MAX_SECRET_BYTES: usize = 1 << 20;

/// The Secret Service of the user's session.
///
/// All stores of one process on one bus share a connection and a session, made at the first call.
/// A connection that broke and a daemon that was restarted are found out and made good within a
/// call. Calls of several threads take turns.
pub struct SecretServiceStore {
    config: Config,
    shared: Arc<Shared>,
}

/// The connection of this process to one bus.
#[derive(Default)]
struct Shared(Mutex<Option<Connected>>);

struct Connected {
    bus: Bus,
    session: Option<Session>,
    left_behind: Option<Shown>,
}

impl SecretServiceStore {
    /// The store's name.
    pub const NAME: &str = "secret-service";

    /// A store with these settings. Contacts nobody yet.
    pub fn new(config: Config) -> Self {
        let shared = Shared::of_bus(config.bus_address.as_deref());
        Self { config, shared }
    }

    /// Does one operation, once more from its start if the provider turned out to be a new one.
    fn run<T>(
        &self,
        operation: Operation,
        entry: Option<&EntryName>,
        work: impl AsyncFn(&mut Work<'_>) -> Result<T, Failure>,
    ) -> Result<T> {
        let mut connected = self.shared.lock();
        let result = zruntime::block_on(async {
            let mut budget = Budget::start(self.config.deadlines);
            let first = self.attempt(&mut connected, &mut budget, &work).await;
            match first {
                Err(failure) if failure.retry > Retry::No => {
                    tracing::debug!(?failure, "trying again on a new session");
                    forget(&mut connected, failure.retry);
                    self.attempt(&mut connected, &mut budget, &work).await
                }
                result => result,
            }
        });
        result.map_err(|failure| failure.into_error(operation, entry))
    }

    async fn attempt<T>(
        &self,
        connected: &mut Option<Connected>,
        budget: &mut Budget,
        work: &impl AsyncFn(&mut Work<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let connected = match connected {
            Some(connected) => connected,
            None => {
                let bus = Bus::connect(self.config.bus_address.as_deref(), budget).await?;
                connected.insert(Connected { bus, session: None, left_behind: None })
            }
        };
        let Connected { bus, session, left_behind } = connected;
        let config = &self.config;
        let (at, writing) = (*budget, false);
        let mut operation = Work { bus, session, left_behind, budget: at, config, writing };
        let result = work(&mut operation).await;
        *budget = operation.budget;
        match result {
            Err(failure) if failure.silence => Err(operation.explain_silence(failure).await),
            result => result,
        }
    }
}

impl KeyringStore for SecretServiceStore {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Persistence::Permanent)
            .with_max_secret_len(MAX_SECRET_BYTES)
            .with_binary_safe()
            .with_list()
            .with_prompts()
    }

    fn probe(&self) -> Result<Probe> {
        self.run(Operation::Probe, None, async |work| work.probe().await)
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        self.run(Operation::Get, Some(entry), async |work| work.read(entry).await)
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        self.run(Operation::Set, Some(entry), async |work| {
            work.write(entry, value.expose_secret(), mode).await
        })
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        self.run(Operation::Delete, Some(entry), async |work| work.remove(entry).await)
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        self.run(Operation::Exists, Some(entry), async |work| work.contains(entry).await)
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        self.run(Operation::List, None, async |work| work.list(service).await)
    }

    fn candidates(&self, entry: &EntryName) -> Result<Vec<Candidate>> {
        self.run(Operation::Repair, Some(entry), async |work| work.candidates(entry).await)
    }

    fn keep_candidate(&self, entry: &EntryName, id: &str) -> Result<usize> {
        self.run(Operation::Repair, Some(entry), async |work| work.keep(entry, id).await)
    }

    fn read_candidate(&self, entry: &EntryName, id: &str) -> Result<SecretBytes> {
        self.run(Operation::Repair, Some(entry), async |work| work.read_candidate(entry, id).await)
    }

    fn write_candidate(&self, entry: &EntryName, id: &str, value: &SecretBytes) -> Result<()> {
        self.run(Operation::Repair, Some(entry), async |work| {
            work.write_candidate(entry, id, value.expose_secret()).await
        })
    }
}

impl fmt::Debug for SecretServiceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretServiceStore").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Shared {
    /// The connection that all stores on this bus share; the last store to go closes it.
    fn of_bus(address: Option<&str>) -> Arc<Self> {
        static BUSES: Mutex<BTreeMap<Option<String>, Weak<Shared>>> = Mutex::new(BTreeMap::new());
        let mut buses = BUSES.lock().unwrap_or_else(PoisonError::into_inner);
        buses.retain(|_, shared| shared.strong_count() > 0);
        let known = buses.entry(address.map(str::to_owned)).or_default();
        known.upgrade().unwrap_or_else(|| {
            let shared = Arc::<Self>::default();
            *known = Arc::downgrade(&shared);
            shared
        })
    }

    /// Held for one whole operation, which ends by its deadlines.
    fn lock(&self) -> MutexGuard<'_, Option<Connected>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget(connected: &mut Option<Connected>, what: Retry) {
    if what == Retry::Connection {
        *connected = None;
    }
    if let Some(connected) = connected {
        connected.session = None;
        connected.left_behind = None;
        connected.bus.forget_owner();
    }
}
