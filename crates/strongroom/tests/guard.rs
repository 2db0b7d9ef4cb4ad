//! Every call on a guarded store ends, and says honestly how.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use strongroom::error::Operation;
use strongroom::store::{
    Candidate, CandidateId, Capabilities, EntryName, Guard, Persistence, Probe, ServiceName,
    WriteMode, secret_bytes,
};
use strongroom::{
    Deadlines, Error, ErrorKind, ExposeSecret, KeyringStore, MockKeyringStore, PromptPolicy,
    Result, SecretBytes, SecretString, Store,
};

/// A generous upper bound for what must end.
const LONG: Duration = Duration::from_secs(20);

/// A deadline that no test reaches.
const NEVER: Duration = Duration::from_secs(60);

/// Half of the time that a call gets: the guard adds as much.
const SHORT: Duration = Duration::from_millis(500);

fn guarded(mock: &MockKeyringStore) -> Guard {
    Guard::new(Arc::new(mock.clone())).with_deadlines(Deadlines::both(SHORT))
}

/// A read that has started and hangs. On a busy machine a thread may take longer to start than the
/// deadline allows; then the read was withdrawn, and the next one tries.
fn stick(guard: &Guard, mock: &MockKeyringStore) -> Error {
    mock.hang(Operation::Get);
    loop {
        let error = guard.get_password("app", "token").unwrap_err();
        if mock.wait_for_calls(Operation::Get, 1, Duration::ZERO) {
            return error;
        }
    }
}

fn set(store: &dyn Store, value: &str) -> Result<()> {
    store.set_password("app", "token", &SecretString::from(value))
}

fn get(store: &dyn Store) -> Option<String> {
    let value = store.get_password("app", "token").unwrap();
    value.map(|value| value.expose_secret().to_owned())
}

/// Calls every method that contacts the outside, all at once, and tells how each failed.
fn failures(store: &dyn Store) -> Vec<Error> {
    let entry = &EntryName::new("app", "token").unwrap();
    let calls: [&(dyn Fn() -> Error + Sync); 10] = [
        &|| store.probe().unwrap_err(),
        &|| store.get_password("app", "token").unwrap_err(),
        &|| set(store, "v").unwrap_err(),
        &|| store.delete_password("app", "token").unwrap_err(),
        &|| store.exists("app", "token").unwrap_err(),
        &|| store.list_entries(entry.service()).unwrap_err(),
        &|| store.candidates(entry).unwrap_err(),
        &|| store.keep_candidate(entry, &"1".into()).unwrap_err(),
        &|| store.read_candidate(entry, &"1".into()).unwrap_err(),
        &|| store.write_candidate(entry, &"1".into(), &secret_bytes(Vec::new())).unwrap_err(),
    ];
    thread::scope(|scope| {
        let running = calls.map(|call| scope.spawn(call));
        running.map(|call| call.join().unwrap()).into()
    })
}

#[test]
fn a_hung_read_ends_at_its_deadline_and_says_so() {
    let mock = MockKeyringStore::new();
    let guard = guarded(&mock);
    let began = Instant::now();
    let error = stick(&guard, &mock);
    assert!(began.elapsed() < LONG);
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(error.operation(), Operation::Get);
    assert_eq!(error.store(), Some("mock"));
    assert_eq!(error.entry().unwrap().user().as_str(), "token");
    let shown = error.to_string();
    assert!(shown.contains("within 1s"), "{shown}");
    assert!(shown.contains("still running"), "{shown}");
    assert!(!shown.contains("may still take effect"), "{shown}");
    mock.heal(Operation::Get);
}

#[test]
fn a_running_write_may_take_effect_and_says_so() {
    let mock = MockKeyringStore::new();
    let guard = guarded(&mock);
    mock.hang(Operation::Set);
    let error = set(&guard, "marker-value").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let shown = format!("{error} {error:?} {}", error.hint());
    assert!(shown.contains("may still take effect"), "{shown}");
    assert!(!shown.contains("marker-value"), "{shown}");
    mock.heal(Operation::Set);
    assert_eq!(get(&guard).as_deref(), Some("marker-value"));
}

#[test]
fn what_did_not_start_never_runs() {
    let mock = MockKeyringStore::new();
    let guard = guarded(&mock);
    stick(&guard, &mock);
    let error = set(&guard, "marker-value").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(error.operation(), Operation::Set);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("waited 1s"), "{shown}");
    assert!(shown.contains("nothing was changed"), "{shown}");
    assert!(!shown.contains("marker-value"), "{shown}");

    mock.heal(Operation::Get);
    // Behind whatever is still in the queue.
    assert!(!guard.exists("app", "token").unwrap());
    let operations: Vec<_> = mock.calls().iter().map(|call| call.operation).collect();
    assert_eq!(operations, [Operation::Get, Operation::Exists]);
}

#[test]
fn every_call_behind_a_stuck_one_times_out_by_its_own_name() {
    let mock = MockKeyringStore::new();
    let guard = guarded(&mock);
    stick(&guard, &mock);
    let errors = failures(&guard);
    let operations: Vec<_> = errors.iter().map(Error::operation).collect();
    let expected = [
        Operation::Probe,
        Operation::Get,
        Operation::Set,
        Operation::Delete,
        Operation::Exists,
        Operation::List,
        Operation::Repair,
        Operation::Repair,
        Operation::Repair,
        Operation::Repair,
    ];
    assert_eq!(operations, expected);
    assert!(errors.iter().all(|e| e.kind() == ErrorKind::TimedOut));
    mock.heal(Operation::Get);
    guard.probe().unwrap();
    assert_eq!(mock.calls().len(), 2, "{:?}", mock.calls());
}

#[test]
fn name_and_capabilities_do_not_wait() {
    let mock = MockKeyringStore::new();
    let guard = guarded(&mock);
    mock.hang(Operation::Probe);
    guard.probe().unwrap_err();
    assert_eq!(guard.name(), "mock");
    assert_eq!(guard.capabilities(), mock.capabilities());
    mock.heal(Operation::Probe);
}

#[test]
fn a_store_that_may_prompt_gets_the_prompts_time_but_not_for_a_probe() {
    let deadlines = Deadlines::new().call(SHORT).prompt(NEVER);
    let mock = MockKeyringStore::new();
    mock.set_capabilities(Capabilities::new(Persistence::Permanent).with_prompts());
    let patient = Guard::new(Arc::new(mock.clone())).with_deadlines(deadlines);

    let began = Instant::now();
    mock.hang(Operation::Probe);
    assert_eq!(patient.probe().unwrap_err().kind(), ErrorKind::TimedOut);
    mock.heal(Operation::Probe);
    assert!(began.elapsed() < LONG);

    // Longer than a call may take, shorter than a prompt may.
    mock.delay(Operation::Get, Duration::from_millis(1200));
    assert!(patient.get_password("app", "token").unwrap().is_none());

    let began = Instant::now();
    mock.hang(Operation::Get);
    let never = Guard::new(Arc::new(mock.clone()))
        .with_deadlines(deadlines)
        .with_prompt(PromptPolicy::Never);
    let error = never.get_password("app", "token").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    mock.heal(Operation::Get);
    assert!(began.elapsed() < LONG);
}

#[test]
fn the_longest_deadline_does_not_overflow() {
    let mock = MockKeyringStore::new();
    let guard = Guard::new(Arc::new(mock)).with_deadlines(Deadlines::both(Duration::MAX));
    guard.probe().unwrap();
}

#[test]
fn a_panic_is_an_error_of_that_call_alone() {
    let store = Scripted::new(|operation| match operation {
        Operation::Probe => {}
        _ => panic!("marker-value"),
    });
    let guard = Guard::new(Arc::new(store));
    for error in failures_but_probe(&guard) {
        assert_eq!(error.kind(), ErrorKind::Other);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("the store panicked"), "{shown}");
        assert!(!shown.contains("marker-value"), "{shown}");
    }
    guard.probe().unwrap();
}

fn failures_but_probe(store: &dyn Store) -> [Error; 3] {
    [
        store.get_password("app", "token").unwrap_err(),
        set(store, "v").unwrap_err(),
        store.exists("app", "token").unwrap_err(),
    ]
}

#[test]
fn one_thread_serves_all_and_stuck_calls_do_not_add_any() {
    let (threads, ran_on) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(released);
    let mut store = Scripted::new(move |operation| {
        threads.send(thread::current().id()).unwrap();
        if operation == Operation::Get {
            gate.lock().unwrap().recv_timeout(LONG).unwrap();
        }
    });
    // No other test of this process has threads of this name.
    store.name = "x7q";
    let guard = Guard::new(Arc::new(store)).with_deadlines(Deadlines::both(SHORT));
    assert_eq!(threads_named("strongroom-x7q"), 0, "started lazily");
    for _ in 0..3 {
        guard.get_password("app", "token").unwrap_err();
    }
    if cfg!(target_os = "linux") {
        assert_eq!(threads_named("strongroom-x7q"), 1);
    }
    release.send(()).unwrap();
    guard.probe().unwrap();
    let ids: Vec<_> = ran_on.try_iter().collect();
    assert_eq!(ids.len(), 2, "one read that started, one probe");
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], thread::current().id());
}

#[test]
fn callers_at_the_same_time_all_get_their_own_answer() {
    let mock = MockKeyringStore::new();
    let guard = Guard::new(Arc::new(mock)).with_deadlines(Deadlines::both(NEVER));
    thread::scope(|scope| {
        for thread in 0..8 {
            let guard = &guard;
            scope.spawn(move || {
                let user = format!("user-{thread}");
                for round in 0..50 {
                    let value = SecretString::from(format!("{thread}/{round}"));
                    guard.set_password("app", &user, &value).unwrap();
                    let read = guard.get_password("app", &user).unwrap().unwrap();
                    assert_eq!(read.expose_secret(), value.expose_secret());
                }
            });
        }
    });
    assert_eq!(guard.list("app").unwrap().len(), 8);
}

#[test]
fn a_guard_dropped_while_stuck_lets_go_of_the_store_when_the_call_returns() {
    let (release, released) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(released);
    let (store, dropped) = Scripted::watched(move |_| {
        gate.lock().unwrap().recv_timeout(LONG).unwrap();
    });
    let guard = Guard::new(Arc::new(store)).with_deadlines(Deadlines::both(SHORT));
    guard.probe().unwrap_err();
    let began = Instant::now();
    drop(guard);
    assert!(began.elapsed() < LONG, "a drop does not wait");
    assert!(dropped.try_recv().is_err(), "the stuck call still uses it");
    release.send(()).unwrap();
    assert_ne!(dropped.recv_timeout(LONG).unwrap(), thread::current().id());
}

#[test]
fn an_idle_guard_drops_its_store_away_from_the_caller() {
    let (store, dropped) = Scripted::watched(|_| {});
    let guard = Guard::new(Arc::new(store));
    guard.probe().unwrap();
    drop(guard);
    assert_ne!(dropped.recv_timeout(LONG).unwrap(), thread::current().id());

    let (store, dropped) = Scripted::watched(|_| {});
    drop(Guard::new(Arc::new(store)));
    assert_eq!(dropped.try_recv().unwrap(), thread::current().id());
}

#[test]
fn repairing_reaches_the_store() {
    let guard = Guard::new(Arc::new(Scripted::new(|_| {})));
    let entry = EntryName::new("app", "token").unwrap();
    assert_eq!(guard.candidates(&entry).unwrap()[0].id.as_str(), "1");
    assert_eq!(guard.keep_candidate(&entry, &"1".into()).unwrap(), 41);
    assert_eq!(guard.read_candidate(&entry, &"1".into()).unwrap().expose_secret(), b"1");
    guard.write_candidate(&entry, &"1".into(), &secret_bytes(Vec::new())).unwrap();
}

#[test]
fn debug_shows_no_value() {
    let mock = MockKeyringStore::new();
    let guard = guarded(&mock);
    set(&guard, "marker-value").unwrap();
    let shown = format!("{guard:?}");
    assert!(shown.contains("mock") && !shown.contains("marker-value"), "{shown}");
}

fn threads_named(name: &str) -> usize {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return 0;
    };
    let comms = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    comms.filter(|comm| comm.trim_end() == name).count()
}

#[test]
fn what_the_store_logs_reaches_the_subscriber_of_the_caller() {
    let (told, lines) = mpsc::channel();
    let store = Scripted::new(|_| tracing::warn!("the store warns"));
    let guard = Guard::new(Arc::new(store));
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || Lines(told.clone()))
        .finish();
    tracing::subscriber::with_default(subscriber, || drop(guard.probe()));
    let line = String::from_utf8(lines.try_recv().unwrap()).unwrap();
    assert!(line.contains("WARN") && line.contains("the store warns"), "{line}");

    drop(guard.probe());
    assert!(lines.try_recv().is_err(), "the next caller has no subscriber");
}

/// Sends on what is written.
struct Lines(Sender<Vec<u8>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // The test may have ended.
        let _ = self.0.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A store whose every call goes through a script, and which tells on which thread it was dropped.
struct Scripted {
    name: &'static str,
    script: Box<dyn Fn(Operation) + Send + Sync>,
    dropped: Option<Sender<thread::ThreadId>>,
}

impl Scripted {
    fn new(script: impl Fn(Operation) + Send + Sync + 'static) -> Self {
        Self { name: "scripted", script: Box::new(script), dropped: None }
    }

    fn watched(
        script: impl Fn(Operation) + Send + Sync + 'static,
    ) -> (Self, Receiver<thread::ThreadId>) {
        let (dropped, watch) = mpsc::channel();
        let mut store = Self::new(script);
        store.dropped = Some(dropped);
        (store, watch)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(dropped) = &self.dropped {
            // The test may have ended.
            let _ = dropped.send(thread::current().id());
        }
    }
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl Store for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Persistence::Session)
    }

    fn probe(&self) -> Result<Probe> {
        (self.script)(Operation::Probe);
        Ok(Probe::new("a script"))
    }

    fn read_entry(&self, _: &EntryName) -> Result<Option<SecretBytes>> {
        (self.script)(Operation::Get);
        Ok(None)
    }

    fn write_entry(&self, _: &EntryName, _: &SecretBytes, _: WriteMode) -> Result<()> {
        (self.script)(Operation::Set);
        Ok(())
    }

    fn remove_entry(&self, _: &EntryName) -> Result<bool> {
        (self.script)(Operation::Delete);
        Ok(false)
    }

    fn contains_entry(&self, _: &EntryName) -> Result<bool> {
        (self.script)(Operation::Exists);
        Ok(false)
    }

    fn list_entries(&self, _: &ServiceName) -> Result<Vec<EntryName>> {
        (self.script)(Operation::List);
        Ok(Vec::new())
    }

    fn candidates(&self, _: &EntryName) -> Result<Vec<Candidate>> {
        (self.script)(Operation::Repair);
        Ok(vec![Candidate::new("1", "first")])
    }

    fn keep_candidate(&self, _: &EntryName, _: &CandidateId) -> Result<usize> {
        (self.script)(Operation::Repair);
        Ok(41)
    }

    fn read_candidate(&self, _: &EntryName, id: &CandidateId) -> Result<SecretBytes> {
        (self.script)(Operation::Repair);
        Ok(secret_bytes(id.as_str().as_bytes().to_vec()))
    }

    fn write_candidate(&self, _: &EntryName, _: &CandidateId, _: &SecretBytes) -> Result<()> {
        (self.script)(Operation::Repair);
        Ok(())
    }
}
