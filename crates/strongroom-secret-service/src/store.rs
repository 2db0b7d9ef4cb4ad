//! The store: the contract's methods, run on the shared connection of a process to a bus.

use std::fmt;
use std::sync::Arc;

use strongroom_core::{
    Candidate, CandidateId, Capabilities, EntryName, ExposeSecret, Operation, Persistence, Probe,
    Result, SecretBytes, ServiceName, Store, WriteMode,
};

use crate::Config;
use crate::budget::Budget;
use crate::error::{Failure, Retry};
use crate::facts::Facts;
use crate::operation::Work;
use crate::shared::{Connected, Shared, forget};

/// The largest value, in bytes. The protocol sets no limit, but providers rewrite their whole file at each
/// change. This size was tested with gnome-keyring and KWallet.
pub const MAX_SECRET_BYTES: usize = 1 << 20;

/// The Secret Service of the user's session.
///
/// All stores of a process on the same bus share a connection and a session, which the first call opens. A
/// call that meets a broken connection or a restarted daemon connects again and continues. Calls of several
/// threads take turns. A forked process has to open stores of its own: calls on inherited stores fail with
/// `NoBackend`.
pub struct SecretServiceStore {
    config: Config,
    shared: Arc<Shared>,
    facts: Facts,
}

impl SecretServiceStore {
    /// The store's name.
    pub const NAME: &str = "secret-service";

    /// Creates a store with these settings. It connects at the first call.
    pub fn new(config: Config) -> Self {
        let shared = Shared::of_bus(config.bus_address.as_deref());
        Self { config, shared, facts: Facts::default() }
    }

    /// Runs an operation. Repeats it from its start, once, if the session or the connection was lost.
    fn run<T>(
        &self,
        operation: Operation,
        entry: Option<&EntryName>,
        work: impl AsyncFn(&mut Work<'_>) -> Result<T, Failure>,
    ) -> Result<T> {
        let result = self.shared.run(|runtime, connected| {
            runtime.block_on(async {
                // Both attempts share a budget, so that a repetition does not extend the deadline.
                let mut budget = Budget::start(self.config.deadlines, runtime);
                let first = self.attempt(connected, &mut budget, &work).await;
                match first {
                    Err(failure) if failure.retry > Retry::No => {
                        tracing::debug!(?failure, "trying again on a new session");
                        forget(connected, failure.retry);
                        self.attempt(connected, &mut budget, &work).await
                    }
                    result => result,
                }
            })
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
                let list = self.config.bus_address.as_deref();
                connected.insert(Connected::to(list, budget).await?)
            }
        };
        let Connected { bus, session, pair, left_behind } = connected;
        let (config, facts) = (&self.config, &self.facts);
        let (at, writing) = (budget.clone(), false);
        let mut operation =
            Work { bus, session, pair, left_behind, budget: at, config, facts, writing };
        let result = work(&mut operation).await;
        // A prompt may have restarted the budget, which then holds for another attempt, too.
        *budget = operation.budget.clone();
        match result {
            Err(failure) if failure.silence => Err(operation.explain_silence(failure).await),
            result => result,
        }
    }
}

impl Store for SecretServiceStore {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        let capabilities = Capabilities::new(Persistence::Permanent)
            .with_max_secret_len(MAX_SECRET_BYTES)
            .with_binary_safe()
            .with_list()
            .with_prompts()
            .with_user_programs();
        self.facts.add_to(capabilities)
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

    fn count_unnamed(&self, service: &ServiceName) -> Result<usize> {
        self.run(Operation::List, None, async |work| work.count_unnamed(service).await)
    }

    fn candidates(&self, entry: &EntryName) -> Result<Vec<Candidate>> {
        self.run(Operation::Repair, Some(entry), async |work| work.candidates(entry).await)
    }

    fn keep_candidate(&self, entry: &EntryName, id: &CandidateId) -> Result<usize> {
        self.run(Operation::Repair, Some(entry), async |work| work.keep(entry, id.as_str()).await)
    }

    fn read_candidate(&self, entry: &EntryName, id: &CandidateId) -> Result<SecretBytes> {
        self.run(Operation::Repair, Some(entry), async |work| {
            work.read_candidate(entry, id.as_str()).await
        })
    }

    fn write_candidate(
        &self,
        entry: &EntryName,
        id: &CandidateId,
        value: &SecretBytes,
    ) -> Result<()> {
        self.run(Operation::Repair, Some(entry), async |work| {
            work.write_candidate(entry, id.as_str(), value.expose_secret()).await
        })
    }
}

impl fmt::Debug for SecretServiceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretServiceStore").field("config", &self.config).finish_non_exhaustive()
    }
}
