//! The store: the contract's methods, run on the shared connection of a process to a bus.

use std::fmt;
use std::sync::Arc;

use strongroom_core::{
    Candidate, CandidateId, Capabilities, EntryName, ExposeSecret, Fault, Operation, Persistence,
    Probe, Result, SecretBytes, ServiceName, Store, WriteMode,
};

use crate::Config;
use crate::budget::Budget;
use crate::error::{Failure, Retry};
use crate::facts::Facts;
use crate::operation::OperationContext;
use crate::shared::{OpenConnection, SharedConnection, forget};

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
    shared: Arc<SharedConnection>,
    facts: Facts,
}

impl SecretServiceStore {
    /// The store's name.
    pub const NAME: &str = "secret-service";

    /// Creates a store with these settings. It connects at the first call.
    pub fn new(config: Config) -> Self {
        let shared = SharedConnection::of_bus(config.bus_address.as_deref());
        Self { config, shared, facts: Facts::default() }
    }

    /// Runs an operation, and adds its context to a failure.
    fn run<T>(
        &self,
        operation: Operation,
        entry: Option<&EntryName>,
        work: impl AsyncFn(&mut OperationContext<'_>) -> Result<T, Failure>,
    ) -> Result<T> {
        self.run_with_retry(work).map_err(|failure| {
            let error = Fault::from(failure).during(operation).with_store(Self::NAME);
            match entry {
                Some(entry) => error.with_entry(entry),
                None => error,
            }
        })
    }

    /// Runs an operation. Repeats it from its start, once, if the session or the connection was lost.
    fn run_with_retry<T>(
        &self,
        work: impl AsyncFn(&mut OperationContext<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.shared.run(|runtime, connection| {
            runtime.block_on(async {
                // Both attempts share a budget, so that a repetition does not extend the deadline.
                let mut budget = Budget::start(self.config.deadlines, runtime);
                match self.attempt(connection, &mut budget, &work).await {
                    Err(failure) if failure.retry > Retry::No => {
                        let cause = failure.cause().map(tracing::field::display);
                        tracing::debug!(?failure, cause, "trying again on a new session");
                        forget(connection, failure.retry);
                        self.attempt(connection, &mut budget, &work).await
                    }
                    result => result,
                }
            })
        })
    }

    async fn attempt<T>(
        &self,
        connection: &mut Option<OpenConnection>,
        budget: &mut Budget,
        work: &impl AsyncFn(&mut OperationContext<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let connection = match connection {
            Some(connection) => connection,
            None => {
                let list = self.config.bus_address.as_deref();
                connection.insert(OpenConnection::open(list, budget).await?)
            }
        };
        let mut context = OperationContext {
            bus: &mut connection.bus,
            session: &mut connection.session,
            pair: &mut connection.pair,
            abandoned_prompt: &mut connection.abandoned_prompt,
            budget: budget.clone(),
            config: &self.config,
            facts: &self.facts,
            has_requested_change: false,
        };
        let result = work(&mut context).await;
        // A prompt may have restarted the budget, which then holds for another attempt, too.
        *budget = context.budget.clone();
        match result {
            Err(failure) if failure.is_silence => Err(context.explain_silence(failure).await),
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
        self.run(Operation::Probe, None, async |context| context.probe().await)
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        self.run(Operation::Get, Some(entry), async |context| context.read(entry).await)
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        self.run(Operation::Set, Some(entry), async |context| {
            context.write(entry, value.expose_secret(), mode).await
        })
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        self.run(Operation::Delete, Some(entry), async |context| context.remove(entry).await)
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        self.run(Operation::Exists, Some(entry), async |context| context.contains(entry).await)
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        self.run(Operation::List, None, async |context| context.list(service).await)
    }

    fn count_unnamed(&self, service: &ServiceName) -> Result<usize> {
        self.run(Operation::List, None, async |context| context.count_unnamed(service).await)
    }

    fn candidates(&self, entry: &EntryName) -> Result<Vec<Candidate>> {
        self.run(Operation::Repair, Some(entry), async |context| context.candidates(entry).await)
    }

    fn keep_candidate(&self, entry: &EntryName, id: &CandidateId) -> Result<usize> {
        self.run(Operation::Repair, Some(entry), async |context| {
            context.keep_candidate(entry, id.as_str()).await
        })
    }

    fn read_candidate(&self, entry: &EntryName, id: &CandidateId) -> Result<SecretBytes> {
        self.run(Operation::Repair, Some(entry), async |context| {
            context.read_candidate(entry, id.as_str()).await
        })
    }

    fn write_candidate(
        &self,
        entry: &EntryName,
        id: &CandidateId,
        value: &SecretBytes,
    ) -> Result<()> {
        self.run(Operation::Repair, Some(entry), async |context| {
            context.write_candidate(entry, id.as_str(), value.expose_secret()).await
        })
    }
}

impl fmt::Debug for SecretServiceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretServiceStore").field("config", &self.config).finish_non_exhaustive()
    }
}
