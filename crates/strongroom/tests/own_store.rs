//! A store that the application brings: under the vault, behind the guard, and remembered by its name.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::time::Duration;

use strongroom::error::Operation;
use strongroom::store::{
    Candidate, Capabilities, ChoiceReason, EntryName, MemoryStore, Persistence, Probe, ServiceName,
    WriteMode,
};
use strongroom::{
    Backend, Config, Deadlines, ErrorKind, ExposeSecret, Layout, MockKeyringStore, Result,
    SecretBytes, SecretString, Store,
};
use strongroom_testkit::Sandbox;

/// A company's store, which lasts as long as the test.
#[derive(Clone, Debug, Default)]
struct Company(MemoryStore);

impl Store for Company {
    fn name(&self) -> &'static str {
        "company"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Persistence::Permanent).with_binary_safe().with_list()
    }

    fn probe(&self) -> Result<Probe> {
        Ok(Probe::new("the company's server"))
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        self.0.read_entry(entry)
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        self.0.write_entry(entry, value, mode)
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        self.0.remove_entry(entry)
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        self.0.contains_entry(entry)
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        self.0.list_entries(service)
    }

    fn candidates(&self, _: &EntryName) -> Result<Vec<Candidate>> {
        Ok(Vec::new())
    }
}

fn without_store(sandbox: &Sandbox) -> Config {
    let config = Config::new("app").environment(|_| None);
    config.state_dir(sandbox.state_dir()).data_dir(sandbox.data_dir())
}

fn with(store: &Company, sandbox: &Sandbox) -> Config {
    without_store(sandbox).store(Arc::new(store.clone()))
}

#[test]
fn a_vault_lies_in_it_and_a_program_without_it_finds_no_empty_one() {
    let (sandbox, store) = (Sandbox::new(), Company::default());
    let secrets = with(&store, &sandbox).open_blocking().unwrap();
    assert_eq!(secrets.backend(), Backend::custom("company"));
    assert!(matches!(secrets.reason(), ChoiceReason::Explicit));
    secrets.set_api_key("KEY", "1", None).unwrap();

    let again = with(&store, &sandbox).open_blocking().unwrap();
    assert_eq!(again.get_value("KEY").unwrap().unwrap().expose_secret(), "1");

    for stranger in [without_store(&sandbox), without_store(&sandbox).backend(Backend::File)] {
        let error = stranger.open_blocking().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoBackend);
        assert!(error.to_string().contains("kept in \"company\""), "{error}");
    }
    assert_eq!(without_store(&sandbox).open_store().unwrap_err().kind(), ErrorKind::NoBackend);
}

#[test]
fn another_store_is_refused_while_the_secrets_are_in_it_and_a_move_takes_them_there() {
    let (sandbox, store) = (Sandbox::new(), Company::default());
    with(&store, &sandbox).open_store().unwrap().set_secret("a", &SecretString::from("1")).unwrap();
    let elsewhere = with(&store, &sandbox).backend(Backend::File);
    assert_eq!(elsewhere.open_blocking().unwrap_err().kind(), ErrorKind::BoundElsewhere);

    let key = strongroom::keys::KeySource::key(strongroom::keys::SealingKey::generate().unwrap());
    let config = || with(&store, &sandbox).key(key.clone());
    let moved = config().move_to(Backend::File, Layout::Sealed, |_| ()).unwrap();
    assert_eq!((moved.from, moved.to), (Backend::custom("company"), Backend::File));
    assert!(config().entries_elsewhere().unwrap().list().unwrap().is_empty());
    let back = config().backend(Backend::File);
    back.move_to(Backend::custom("company"), Layout::Inline, |_| ()).unwrap();
    let secrets = config().open_blocking().unwrap();
    assert_eq!(secrets.get_value("a").unwrap().unwrap().expose_secret(), "1");
}

#[test]
fn its_calls_end_by_their_deadline_and_its_faults_are_its_own() {
    let (mock, other) = (MockKeyringStore::new(), MockKeyringStore::new());
    let open = |mock: &MockKeyringStore| {
        let config = Config::new("app").deadlines(Deadlines::both(Duration::from_millis(10)));
        config.store(Arc::new(mock.clone())).open_store().unwrap()
    };
    let (secrets, others) = (open(&mock), open(&other));
    assert_eq!(secrets.backend(), Backend::custom("mock"));
    mock.hang(Operation::Set);
    let value = SecretString::from("v");
    assert_eq!(secrets.set_secret("a", &value).unwrap_err().kind(), ErrorKind::TimedOut);
    others.set_secret("a", &value).unwrap();
    mock.heal(Operation::Set);
    mock.fail(Operation::List, ErrorKind::Locked);
    let locked = secrets.list().unwrap_err();
    assert!(locked.to_string().contains("locked"), "{locked}");
}

#[test]
fn a_memory_of_its_own_is_nobody_elses() {
    let open = || Config::new("app").store(Arc::new(MemoryStore::new())).open_store().unwrap();
    let secrets = open();
    secrets.set_secret("a", &SecretString::from("v")).unwrap();
    assert_eq!(secrets.backend(), Backend::Memory);
    assert!(!open().exists("a").unwrap());
}
