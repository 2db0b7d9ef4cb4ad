//! A call works the same with no async runtime, inside one, and inside `block_on`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use strongroom::error::Operation;
use strongroom::store::{
    Capabilities, EntryName, Guard, MemoryStore, Probe, ServiceName, WriteMode, secret_bytes,
};
use strongroom::{
    Deadlines, ErrorKind, KeyringStore, MockKeyringStore, Result, SecretBytes, Store,
};
use tokio::runtime::{Builder, Runtime};

/// Writes, reads and times out, with a store that blocks on a runtime of its own, as those on top of
/// an async client do. Called inside a runtime without a guard, it panics.
fn exercise() {
    let guard = Guard::new(Arc::new(Blocking::new()));
    let value = secret_bytes(b"value".to_vec());
    guard.create_bytes("app", "token", &value).unwrap();
    assert!(guard.get_bytes("app", "token").unwrap().is_some());
    drop(guard);

    let mock = MockKeyringStore::new();
    let guard = Guard::new(Arc::new(mock.clone()))
        .with_deadlines(Deadlines::both(Duration::from_millis(500)));
    mock.hang(Operation::Get);
    let error = guard.get_bytes("app", "token").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    mock.heal(Operation::Get);
    assert!(guard.get_bytes("app", "token").unwrap().is_none());
}

#[test]
fn without_a_runtime() {
    exercise();
}

#[test]
fn inside_block_on() {
    for runtime in [current_thread(), Runtime::new().unwrap()] {
        runtime.block_on(async { exercise() });
    }
}

#[tokio::test(flavor = "current_thread")]
async fn inside_a_task_of_a_current_thread_runtime() {
    tokio::spawn(async { exercise() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_a_task_of_a_multi_thread_runtime() {
    tokio::spawn(async { exercise() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn on_a_thread_for_blocking_calls() {
    tokio::task::spawn_blocking(exercise).await.unwrap();
}

#[test]
fn the_same_store_without_a_guard_panics_inside_a_runtime() {
    let store = Blocking::new();
    let task = async move { tokio::spawn(async move { store.probe() }).await };
    assert!(current_thread().block_on(task).unwrap_err().is_panic());
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[derive(Debug)]
struct Blocking {
    memory: MemoryStore,
    runtime: Runtime,
}

impl Blocking {
    fn new() -> Self {
        Self { memory: MemoryStore::new(), runtime: current_thread() }
    }
}

impl Store for Blocking {
    fn name(&self) -> &'static str {
        "blocking"
    }

    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    fn probe(&self) -> Result<Probe> {
        self.runtime.block_on(async { self.memory.probe() })
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        self.runtime.block_on(async { self.memory.read_entry(entry) })
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        let write = async { self.memory.write_entry(entry, value, mode) };
        self.runtime.block_on(write)
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        self.runtime.block_on(async { self.memory.remove_entry(entry) })
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        self.runtime.block_on(async { self.memory.contains_entry(entry) })
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        self.runtime.block_on(async { self.memory.list_entries(service) })
    }
}
