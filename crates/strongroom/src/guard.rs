//! A store whose calls end by their deadline, even if the store behind it hangs.

mod worker;

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use strongroom_core::{
    Candidate, CandidateId, Capabilities, Deadlines, EntryName, Error, ErrorKind, ExposeSecret,
    MemoryStore, Operation, Probe, PromptPolicy, Reason, Result, SecretBytes, ServiceName, Store,
    WriteMode, secret_copy,
};

use worker::{Missed, Worker};

/// The extra time for a store that keeps the same deadlines itself: it knows better than the guard which step
/// hangs, so it may report first.
const GRACE: Duration = Duration::from_millis(500);

/// A store whose calls end by their deadline, even if the store behind it hangs.
///
/// - Calls run in sequence on a thread of the guard's own, which starts with the first call and ends after
///   the guard is dropped. So a call works the same without an async runtime, inside a runtime, and inside
///   `block_on`. It blocks the calling thread until the answer or the deadline.
/// - The deadline is [`Deadlines::call`]. If the store may prompt and the policy is not
///   [`PromptPolicy::Never`], it is the sum of that for the calls before a prompt, [`Deadlines::prompt`] for
///   the prompt, and the first again for the calls after it, except for `probe`, which never prompts. Half a
///   second is added, so that a store that keeps the same deadlines can report which step hangs.
/// - A call that passes its deadline fails with `TimedOut`. If it has not started, because an earlier call is
///   stuck, it never will, and nothing was changed. If it is running, it may still take effect. The message
///   tells the two cases apart.
/// - A stuck call occupies the guard's thread and starts no other. When it returns, the guard continues.
/// - A store that panics fails that call with `Other`.
/// - The events that a store logs through `tracing` go to the subscriber of the calling thread.
/// - In a process that was forked from the guard's, each call fails with `NoBackend` at once.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use strongroom::{Deadlines, ErrorKind, KeyringStore, Store, MockKeyringStore};
/// use strongroom::error::Operation;
/// use strongroom::store::Guard;
///
/// let mock = MockKeyringStore::new();
/// let guard = Guard::new(Arc::new(mock.clone()))
///     .with_deadlines(Deadlines::both(Duration::from_millis(10)));
/// mock.hang(Operation::Get);
/// let error = guard.get_password("example", "token").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::TimedOut);
///
/// mock.heal(Operation::Get);
/// assert!(guard.get_password("example", "token")?.is_none());
/// # Ok::<(), strongroom::Error>(())
/// ```
pub struct Guard {
    store: Arc<dyn Store>,
    deadlines: Deadlines,
    prompt: PromptPolicy,
    worker: Worker,
}

/// A pending store operation, for the timeout message.
struct Call<'a> {
    operation: Operation,
    entry: Option<&'a EntryName>,
    changes: bool,
}

impl Guard {
    /// Guards a store with the default deadlines and prompt policy.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let worker = Worker::new(format!("strongroom-{}", store.name()));
        Self { store, deadlines: Deadlines::default(), prompt: PromptPolicy::default(), worker }
    }

    /// Sets the deadlines.
    #[must_use]
    pub fn with_deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// Sets the prompt policy, which must be the policy of the store.
    #[must_use]
    pub fn with_prompt(mut self, prompt: PromptPolicy) -> Self {
        self.prompt = prompt;
        self
    }

    fn run<T: Send + 'static>(
        &self,
        call: &Call<'_>,
        work: impl FnOnce(&dyn Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let limit = self.limit(call.operation);
        let store = Arc::clone(&self.store);
        self.worker
            .run(limit, move || work(&*store))
            .unwrap_or_else(|missed| Err(self.explain(missed, call, limit)))
    }

    fn limit(&self, operation: Operation) -> Duration {
        let Deadlines { call, prompt, .. } = self.deadlines;
        let may_prompt = operation != Operation::Probe
            && self.prompt != PromptPolicy::Never
            && self.store.capabilities().may_prompt;
        // A prompt has calls before it and after it, each with a deadline of its own.
        let prompting = if may_prompt { prompt.saturating_add(call) } else { Duration::ZERO };
        call.saturating_add(prompting).saturating_add(GRACE)
    }

    fn explain(&self, missed: Missed, call: &Call<'_>, limit: Duration) -> Error {
        let error = match missed {
            Missed::Forked => Error::new(ErrorKind::NoBackend, call.operation)
                .with_reason(Reason::Forked)
                .with_message(
                    "this process was forked after the store was opened; nothing was changed",
                )
                .with_hint("Open the store again in the new process."),
            Missed::NoThread(cause) => Error::new(ErrorKind::Io, call.operation)
                .with_message("no thread could be started for the call; nothing was changed")
                .with_source(cause),
            Missed::NotStarted => Error::new(ErrorKind::TimedOut, call.operation)
                .with_message(format!(
                    "waited {limit:?} behind an earlier call that has not returned; \
                     this one did not start and never will: nothing was changed"
                ))
                .with_hint("See what the earlier call waits for, a prompt perhaps, and try again."),
            Missed::Panicked => Error::new(ErrorKind::Other, call.operation)
                .with_message("the store panicked")
                .with_hint("Report it to the store's authors."),
            Missed::StillRunning => still_running(call, limit),
        };
        let error = error.with_store(self.name());
        match call.entry {
            Some(entry) => error.with_entry(entry),
            None => error,
        }
    }
}

// The lint reports a method of the trait that is not forwarded, and so not kept to its deadline.
#[deny(clippy::missing_trait_methods)]
impl Store for Guard {
    // The name and the capabilities are plain data: they contact nothing, and need no deadline.
    fn name(&self) -> &'static str {
        self.store.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn probe(&self) -> Result<Probe> {
        let call = Call::reading(Operation::Probe, None);
        self.run(&call, |store| store.probe())
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        let call = Call::reading(Operation::Get, Some(entry));
        let entry = entry.clone();
        self.run(&call, move |store| store.read_entry(&entry))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        let call = Call::changing(Operation::Set, entry);
        let entry = entry.clone();
        // The call may outlive the caller's value, so the thread gets a copy, which wipes itself.
        let value = secret_copy(value.expose_secret());
        self.run(&call, move |store| store.write_entry(&entry, &value, mode))
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        let call = Call::changing(Operation::Delete, entry);
        let entry = entry.clone();
        self.run(&call, move |store| store.remove_entry(&entry))
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        let call = Call::reading(Operation::Exists, Some(entry));
        let entry = entry.clone();
        self.run(&call, move |store| store.contains_entry(&entry))
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        let call = Call::reading(Operation::List, None);
        let service = service.clone();
        self.run(&call, move |store| store.list_entries(&service))
    }

    fn is_stuck(&self) -> bool {
        self.worker.is_stuck()
    }

    fn count_unnamed(&self, service: &ServiceName) -> Result<usize> {
        let call = Call::reading(Operation::List, None);
        let service = service.clone();
        self.run(&call, move |store| store.count_unnamed(&service))
    }

    fn candidates(&self, entry: &EntryName) -> Result<Vec<Candidate>> {
        let call = Call::reading(Operation::Repair, Some(entry));
        let entry = entry.clone();
        self.run(&call, move |store| store.candidates(&entry))
    }

    fn keep_candidate(&self, entry: &EntryName, id: &CandidateId) -> Result<usize> {
        let call = Call::changing(Operation::Repair, entry);
        let (entry, id) = (entry.clone(), id.clone());
        self.run(&call, move |store| store.keep_candidate(&entry, &id))
    }

    fn read_candidate(&self, entry: &EntryName, id: &CandidateId) -> Result<SecretBytes> {
        let call = Call::reading(Operation::Repair, Some(entry));
        let (entry, id) = (entry.clone(), id.clone());
        self.run(&call, move |store| store.read_candidate(&entry, &id))
    }

    fn write_candidate(
        &self,
        entry: &EntryName,
        id: &CandidateId,
        value: &SecretBytes,
    ) -> Result<()> {
        let call = Call::changing(Operation::Repair, entry);
        let (entry, id) = (entry.clone(), id.clone());
        let value = secret_copy(value.expose_secret());
        self.run(&call, move |store| store.write_candidate(&entry, &id, &value))
    }
}

impl Drop for Guard {
    /// Drops the store on the worker's thread, because closing a session contacts the provider, too.
    fn drop(&mut self) {
        // The field needs a store until the guard is gone. An empty memory is dropped without any work.
        let store = mem::replace(&mut self.store, Arc::new(MemoryStore::new()));
        self.worker.finish_with(move || drop(store));
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("store", &self.store.name())
            .field("deadlines", &self.deadlines)
            .field("prompt", &self.prompt)
            .finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    fn reading(operation: Operation, entry: Option<&'a EntryName>) -> Self {
        Self { operation, entry, changes: false }
    }

    fn changing(operation: Operation, entry: &'a EntryName) -> Self {
        Self { operation, entry: Some(entry), changes: true }
    }
}

fn still_running(call: &Call<'_>, limit: Duration) -> Error {
    let error = Error::new(ErrorKind::TimedOut, call.operation);
    if !call.changes {
        return error.with_message(format!(
            "no answer within {limit:?}; the call is still running and its answer will be dropped"
        ));
    }
    error
        .with_message(format!(
            "no answer within {limit:?}; the call is still running and may still take effect"
        ))
        .with_hint("See whether the store hangs or waits for you; look before you try again.")
}
