//! A store for tests: a memory store with injected faults and a record of calls.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{
    Candidate, CandidateId, Capabilities, EntryName, Error, ErrorKind, MemoryStore, Operation,
    Probe, Reason, Result, SecretBytes, ServiceName, Store, WriteMode,
};

/// A store for tests that fails, waits or hangs on request, and records all calls.
///
/// Clones are handles to the same store, so a test can keep a handle to control and inspect it.
///
/// ```
/// use strongroom_core::{ErrorKind, KeyringStore, Store, MockKeyringStore, Operation};
///
/// let mock = MockKeyringStore::new();
/// mock.fail(Operation::Get, ErrorKind::Locked);
/// let error = mock.get_password("app", "token").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Locked);
/// assert_eq!(mock.calls().len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct MockKeyringStore {
    memory: MemoryStore,
    shared: Arc<Shared>,
}

/// A recorded call: its operation and its entry, but never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The operation.
    pub operation: Operation,
    /// The service, if the operation has a service.
    pub service: Option<String>,
    /// The user, if the operation has a user.
    pub user: Option<String>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    calls: Vec<Call>,
    faults: HashMap<Operation, Fault>,
    capabilities: Capabilities,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Fail(ErrorKind, Option<Reason>),
    FailOnce(ErrorKind),
    Delay(Duration),
    Hang,
}

impl MockKeyringStore {
    /// The store's name.
    pub const NAME: &str = "mock";

    /// Creates an empty store without faults, with the capabilities of [`MemoryStore`].
    pub fn new() -> Self {
        let memory = MemoryStore::new();
        let capabilities = memory.capabilities();
        let state = State { calls: Vec::new(), faults: HashMap::new(), capabilities };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        Self { memory, shared }
    }

    /// Makes every call of this operation fail, until [`heal`](Self::heal).
    pub fn fail(&self, operation: Operation, kind: ErrorKind) {
        self.put(operation, Fault::Fail(kind, None));
    }

    /// Makes every call of this operation fail with this reason, until [`heal`](Self::heal).
    pub fn fail_because(&self, operation: Operation, kind: ErrorKind, reason: Reason) {
        self.put(operation, Fault::Fail(kind, Some(reason)));
    }

    /// Makes the next call of this operation fail.
    pub fn fail_once(&self, operation: Operation, kind: ErrorKind) {
        self.put(operation, Fault::FailOnce(kind));
    }

    /// Makes every call of this operation wait for `delay`, or until [`heal`](Self::heal), before it acts.
    pub fn delay(&self, operation: Operation, delay: Duration) {
        self.put(operation, Fault::Delay(delay));
    }

    /// Makes every call of this operation hang until [`heal`](Self::heal). Then the call acts.
    pub fn hang(&self, operation: Operation) {
        self.put(operation, Fault::Hang);
    }

    /// Removes the fault of this operation and wakes the calls that wait for it.
    pub fn heal(&self, operation: Operation) {
        self.state().faults.remove(&operation);
        self.shared.changed.notify_all();
    }

    /// Sets the capabilities that the store claims, to test code that depends on them.
    pub fn set_capabilities(&self, capabilities: Capabilities) {
        self.state().capabilities = capabilities;
    }

    /// Returns the calls so far, in order of arrival, including calls that hang.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Blocks until this operation has been called `count` times in all, and returns `true`; `false` if the
    /// limit passes first.
    pub fn wait_for_calls(&self, operation: Operation, count: usize, limit: Duration) -> bool {
        let waited = self.shared.changed.wait_timeout_while(self.state(), limit, |state| {
            state.calls.iter().filter(|call| call.operation == operation).count() < count
        });
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn put(&self, operation: Operation, fault: Fault) {
        self.state().faults.insert(operation, fault);
        self.shared.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A failed assertion in another thread of a test must not make this thread fail, too.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the call and applies the fault of its operation.
    fn enter(&self, call: Call) -> Result<()> {
        let operation = call.operation;
        let mut state = self.state();
        // Before the fault, so that `wait_for_calls` counts calls that hang.
        state.calls.push(call);
        self.shared.changed.notify_all();
        match state.faults.get(&operation).copied() {
            None => Ok(()),
            Some(Fault::Fail(kind, None)) => Err(injected(kind, operation)),
            Some(Fault::Fail(kind, Some(reason))) => {
                Err(injected(kind, operation).with_reason(reason))
            }
            Some(Fault::FailOnce(kind)) => {
                state.faults.remove(&operation);
                Err(injected(kind, operation))
            }
            Some(Fault::Delay(delay)) => {
                // The lock is free during the wait, so calls of other operations go on.
                drop(self.shared.changed.wait_timeout_while(state, delay, |state| {
                    state.faults.contains_key(&operation)
                }));
                Ok(())
            }
            Some(Fault::Hang) => {
                drop(
                    self.shared
                        .changed
                        .wait_while(state, |state| state.faults.contains_key(&operation)),
                );
                Ok(())
            }
        }
    }

    fn enter_entry(&self, operation: Operation, entry: &EntryName) -> Result<()> {
        self.enter(Call {
            operation,
            service: Some(entry.service().as_str().to_owned()),
            user: Some(entry.user().as_str().to_owned()),
        })
        .map_err(|error| error.with_entry(entry))
    }
}

impl Default for MockKeyringStore {
    fn default() -> Self {
        Self::new()
    }
}

// The lint reports a method that bypasses recording and faults.
#[deny(clippy::missing_trait_methods)]
impl Store for MockKeyringStore {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        self.state().capabilities
    }

    fn probe(&self) -> Result<Probe> {
        self.enter(Call { operation: Operation::Probe, service: None, user: None })?;
        Ok(Probe::new("a mock"))
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        self.enter_entry(Operation::Get, entry)?;
        self.memory.read_entry(entry).map_err(name_mock)
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        self.enter_entry(Operation::Set, entry)?;
        self.memory.write_entry(entry, value, mode).map_err(name_mock)
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        self.enter_entry(Operation::Delete, entry)?;
        self.memory.remove_entry(entry).map_err(name_mock)
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        self.enter_entry(Operation::Exists, entry)?;
        self.memory.contains_entry(entry).map_err(name_mock)
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        let service_name = Some(service.as_str().to_owned());
        self.enter(Call { operation: Operation::List, service: service_name, user: None })?;
        self.memory.list_entries(service).map_err(name_mock)
    }

    fn is_stuck(&self) -> bool {
        self.memory.is_stuck()
    }

    fn count_unnamed(&self, service: &ServiceName) -> Result<usize> {
        let service_name = Some(service.as_str().to_owned());
        self.enter(Call { operation: Operation::List, service: service_name, user: None })?;
        self.memory.count_unnamed(service).map_err(name_mock)
    }

    fn candidates(&self, entry: &EntryName) -> Result<Vec<Candidate>> {
        self.enter_entry(Operation::Repair, entry)?;
        self.memory.candidates(entry).map_err(name_mock)
    }

    fn keep_candidate(&self, entry: &EntryName, id: &CandidateId) -> Result<usize> {
        self.enter_entry(Operation::Repair, entry)?;
        self.memory.keep_candidate(entry, id).map_err(name_mock)
    }

    fn read_candidate(&self, entry: &EntryName, id: &CandidateId) -> Result<SecretBytes> {
        self.enter_entry(Operation::Repair, entry)?;
        self.memory.read_candidate(entry, id).map_err(name_mock)
    }

    fn write_candidate(
        &self,
        entry: &EntryName,
        id: &CandidateId,
        value: &SecretBytes,
    ) -> Result<()> {
        self.enter_entry(Operation::Repair, entry)?;
        self.memory.write_candidate(entry, id, value).map_err(name_mock)
    }
}

/// Names the mock as the store of an error, in place of the memory that it keeps entries in.
fn name_mock(error: Error) -> Error {
    error.with_store(MockKeyringStore::NAME)
}

fn injected(kind: ErrorKind, operation: Operation) -> Error {
    Error::new(kind, operation).with_store(MockKeyringStore::NAME)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use secrecy::{ExposeSecret, SecretString};

    use super::*;
    use crate::KeyringStore as _;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_fault_of_one_operation_leaves_the_others_alone() {
        let mock = MockKeyringStore::new();
        let value = SecretString::from("v");
        mock.fail_once(Operation::Set, ErrorKind::QuotaExceeded);
        let error = mock.set_password("s", "u", &value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
        assert!(!mock.exists("s", "u").unwrap());
        mock.set_password("s", "u", &value).unwrap();
        assert_eq!(mock.get_password("s", "u").unwrap().unwrap().expose_secret(), "v");
    }

    #[test]
    fn calls_are_recorded_by_name_and_never_by_value() {
        let mock = MockKeyringStore::new();
        mock.set_password("s", "u", &SecretString::from("marker")).unwrap();
        mock.list("s").unwrap();
        let operations: Vec<_> = mock.calls().iter().map(|call| call.operation).collect();
        assert_eq!(operations, [Operation::Set, Operation::List]);
        assert!(!format!("{mock:?}").contains("marker"));
    }

    #[test]
    fn a_hung_call_goes_on_once_healed() {
        let mock = MockKeyringStore::new();
        mock.hang(Operation::Get);
        let hung = thread::spawn({
            let mock = mock.clone();
            move || mock.get_bytes("s", "u")
        });
        assert!(mock.wait_for_calls(Operation::Get, 1, LONG));
        assert!(mock.list("s").unwrap().is_empty(), "others are not held up");
        mock.heal(Operation::Get);
        assert!(hung.join().unwrap().unwrap().is_none());
    }
}
