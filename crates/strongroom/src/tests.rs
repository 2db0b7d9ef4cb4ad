//! The vault on a store that counts, fails and is changed by others.

mod copies;
mod entries;
mod gone;
mod handle;
mod refreshed;
#[cfg(feature = "sealed")]
mod sealed;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use strongroom_core::{
    Capabilities, Deadlines, Error, ErrorKind, ExposeSecret, KeyringStore, MockKeyringStore,
    Operation, Persistence, Secret, SecretKey, SecretString, ServiceName, Store, Timestamp,
};
use tempfile::TempDir;

pub(crate) use self::handle::Vault;
use crate::batch::Batch;
use crate::binding::{Binding, BindingFile};
use crate::clock::Clock;
use crate::state_dir::StateDir;
#[cfg(feature = "sealed")]
use crate::vault::sealed::SealedPlace;
use crate::vault::{Engine, EntriesPlace, Storage};
use crate::watcher::Watcher;
use crate::{Backend, Layout};

/// One user's machine: a store, and the directory where processes meet.
pub(crate) struct Machine {
    pub(crate) store: MockKeyringStore,
    dir: TempDir,
    pub(crate) seconds: Arc<AtomicI64>,
    layout: Layout,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self::with(Layout::Inline)
    }

    /// One for each layout that this build has: what holds for the vault holds in all of them.
    pub(crate) fn of_each_layout() -> Vec<Self> {
        let sealed = cfg!(feature = "sealed").then_some(Layout::Sealed);
        [Layout::Inline].into_iter().chain(sealed).map(Self::with).collect()
    }

    fn with(layout: Layout) -> Self {
        let (store, dir) = (MockKeyringStore::new(), tempfile::tempdir().unwrap());
        store.set_capabilities(Capabilities::new(Persistence::Permanent).with_list());
        Self { store, dir, seconds: Arc::new(AtomicI64::new(1_000)), layout }
    }

    fn entries(&self) -> Option<EntriesPlace> {
        let service = ServiceName::new("app").unwrap();
        let binding = BindingFile::new(&StateDir::at(self.dir.path()).unwrap(), &service);
        (self.layout == Layout::Entries).then(|| EntriesPlace::new(Backend::Memory, binding))
    }

    fn storage(&self, store: Arc<dyn Store>) -> Storage {
        let storage = Storage::new(store, &service())
            .unwrap()
            .preferring_file(self.layout == Layout::Sealed)
            .with_entries(self.entries());
        #[cfg(feature = "sealed")]
        let storage = storage.with_file(Some(Box::new(SealedPlace::keyed(
            &self.dir.path().join("data"),
            &service(),
            Duration::from_secs(20),
            Box::new(|path| {
                crate::Config::new("app").environment(|_| None).unlock(path.to_owned())
            }),
        ))));
        storage
    }

    /// A vault as another process would have it.
    pub(crate) fn vault(&self) -> Vault {
        self.vault_on(Arc::new(self.store.clone()))
    }

    fn vault_on(&self, store: Arc<dyn Store>) -> Vault {
        self.vault_with(store, patient())
    }

    /// A vault whose changes don't wait long for each other.
    fn impatient_vault(&self) -> Vault {
        self.vault_with(Arc::new(self.store.clone()), Deadlines::both(Duration::from_millis(50)))
    }

    fn vault_with(&self, store: Arc<dyn Store>, deadlines: Deadlines) -> Vault {
        Vault::new(self.engine(&store, deadlines), &store, None)
    }

    fn engine(&self, store: &Arc<dyn Store>, deadlines: Deadlines) -> Engine {
        let seconds = Arc::clone(&self.seconds);
        let clock: Clock =
            Arc::new(move || Timestamp::from_second(seconds.load(Ordering::Relaxed)).unwrap());
        let state_dir = StateDir::at(self.dir.path()).unwrap();
        Engine::new(self.storage(Arc::clone(store)), &state_dir, deadlines, clock).unwrap()
    }

    /// How often the store was read and written since the last time.
    fn accesses(&self, before: &mut usize) -> (usize, usize) {
        let calls = self.store.calls().split_off(*before);
        *before += calls.len();
        let count = |operation| calls.iter().filter(|call| call.operation == operation).count();
        assert_eq!(count(Operation::Get) + count(Operation::Set), calls.len(), "{calls:?}");
        (count(Operation::Get), count(Operation::Set))
    }
}

fn service() -> ServiceName {
    ServiceName::new("app").unwrap()
}

fn patient() -> Deadlines {
    Deadlines::both(Duration::from_secs(20))
}

pub(crate) fn key(name: &str) -> SecretKey {
    SecretKey::new(name)
}

pub(crate) fn value(vault: &Vault, name: &str) -> Option<String> {
    let secret = vault.get(key(name)).unwrap();
    secret.map(|secret| secret.value.expose_secret().to_owned())
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn an_update_that_gives_up_changes_nothing() {
    for machine in Machine::of_each_layout() {
        let vault = machine.vault();
        vault.set(&key("a"), Secret::new("1")).unwrap();
        let generation = vault.generation().unwrap();
        let give_up = |found: Option<Secret>| {
            assert!(found.is_some());
            Err(Error::new(ErrorKind::Conflict, Operation::Set).with_message("not this one"))
        };
        let refused = vault.try_update(key("a"), give_up).unwrap_err();
        assert_eq!((refused.kind(), refused.problem()), (ErrorKind::Conflict, "not this one"));
        for vault in [&vault, &machine.vault()] {
            assert_eq!(value(vault, "a").as_deref(), Some("1"));
            assert_eq!(vault.generation().unwrap(), generation);
        }
        vault.try_update(key("a"), |_| Ok(None)).unwrap();
        assert!(!vault.exists(key("a")).unwrap());
    }
}

#[test]
fn reads_are_memory_reads_and_a_change_is_one_write() {
    let machine = Machine::new();
    let (vault, mut seen) = (machine.vault(), 0);
    assert_eq!(vault.generation().unwrap(), 0);
    assert_eq!(machine.accesses(&mut seen), (1, 0), "open");
    assert_eq!(value(&vault, "a"), None);
    assert!(vault.list().unwrap().is_empty() && !vault.exists(key("a")).unwrap());
    assert!(!vault.delete(key("a")).unwrap());
    assert_eq!(machine.accesses(&mut seen), (0, 0), "reads");
    vault.set(&key("a"), Secret::new("1")).unwrap();
    assert_eq!(machine.accesses(&mut seen), (0, 1), "set");
    vault.update_value(key("a"), SecretString::from("2")).unwrap();
    assert_eq!(machine.accesses(&mut seen), (0, 1), "update_value");
    vault.update(key("a"), |old| old).unwrap();
    assert_eq!(machine.accesses(&mut seen), (0, 1), "update");
    let mut batch = Batch::default();
    batch.set(key("b"), Secret::new("3")).delete(key("a"));
    vault.batch(batch).unwrap();
    assert_eq!(machine.accesses(&mut seen), (0, 1), "batch");
    assert!(vault.delete(key("b")).unwrap());
    assert_eq!(machine.accesses(&mut seen), (0, 1), "delete");
    assert_eq!(vault.generation().unwrap(), 5);
    assert_eq!(machine.accesses(&mut seen), (0, 0));
}

#[test]
fn another_process_is_seen_at_the_next_read_and_neither_loses_a_write() {
    for machine in Machine::of_each_layout() {
        let (one, two) = (machine.vault(), machine.vault());
        one.set(&key("a"), Secret::new("1")).unwrap();
        assert_eq!(value(&two, "a").as_deref(), Some("1"));
        two.set(&key("b"), Secret::new("2")).unwrap();
        one.set(&key("c"), Secret::new("3")).unwrap();
        for vault in [&one, &two] {
            assert_eq!(vault.list().unwrap().len(), 3);
            assert_eq!(vault.generation().unwrap(), 3);
        }
        let mut seen = machine.store.calls().len();
        assert_eq!(value(&two, "c").as_deref(), Some("3"));
        assert_eq!(machine.accesses(&mut seen), (0, 0), "both know it by now");
    }
}

#[test]
fn a_copy_that_is_current_is_read_without_waiting_and_no_other() {
    let machine = Machine::new();
    let (vault, other) = (machine.vault(), machine.vault());
    let known = |name| {
        let found = vault.get_from_memory(&key(name)).map(|found| found.unwrap().is_some());
        assert_eq!(vault.exists_in_memory(&key(name)), found);
        found
    };
    assert_eq!(known("a"), None, "nothing was read yet");
    vault.set(&key("a"), Secret::new("1")).unwrap();
    assert_eq!((known("a"), known("b")), (Some(true), Some(false)));
    other.set(&key("b"), Secret::new("2")).unwrap();
    assert_eq!(known("b"), None, "it may have changed");
    assert_eq!(value(&vault, "b").as_deref(), Some("2"));
    assert_eq!(known("b"), Some(true));
}

#[test]
fn many_writers_lose_nothing() {
    for machine in Machine::of_each_layout() {
        thread::scope(|scope| {
            for writer in 0..4 {
                let vault = machine.vault();
                scope.spawn(move || {
                    for round in 0..25 {
                        vault.set(&key(&format!("{writer}-{round}")), Secret::new("v")).unwrap();
                    }
                });
            }
        });
        let vault = machine.vault();
        assert_eq!((vault.list().unwrap().len(), vault.generation().unwrap()), (100, 100));
    }
}

#[test]
fn a_write_that_fails_changes_nothing_and_is_not_believed() {
    let machine = Machine::new();
    let vault = machine.vault();
    vault.set(&key("a"), Secret::new("old")).unwrap();
    machine.store.fail_once(Operation::Set, ErrorKind::QuotaExceeded);
    let mut batch = Batch::default();
    batch.set(key("a"), Secret::new("new")).set(key("b"), Secret::new("new"));
    assert_eq!(vault.batch(batch).unwrap_err().kind(), ErrorKind::QuotaExceeded);
    for vault in [&vault, &machine.vault()] {
        assert_eq!(value(vault, "a").as_deref(), Some("old"));
        assert_eq!(value(vault, "b"), None);
    }
    vault.set(&key("b"), Secret::new("later")).unwrap();
    assert_eq!(value(&machine.vault(), "b").as_deref(), Some("later"));
}

#[test]
fn what_can_not_be_read_is_corrupt_and_stays() {
    let machine = Machine::new();
    let broken = SecretString::from("{\"strongroom\":\"vault\",\"version\":1,");
    machine.store.set_password("app", "vault", &broken).unwrap();
    let vault = machine.vault();
    let errors = [
        vault.generation().unwrap_err(),
        vault.get(key("a")).unwrap_err(),
        vault.set(&key("a"), Secret::new("1")).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert_eq!(error.entry().map(|entry| entry.user().as_str()), Some("vault"));
    }
    let stored = machine.store.get_password("app", "vault").unwrap().unwrap();
    assert_eq!(stored.expose_secret(), broken.expose_secret());
}

#[test]
fn a_vault_of_the_oldest_format_is_read_and_upgraded_at_the_next_write() {
    let machine = Machine::new();
    let old = SecretString::from("{\"A\":\"1\"}");
    machine.store.set_password("app", "vault", &old).unwrap();
    let vault = machine.vault();
    assert_eq!(value(&vault, "A").as_deref(), Some("1"));
    vault.set(&key("B"), Secret::new("2")).unwrap();
    let stored = machine.store.get_password("app", "vault").unwrap().unwrap();
    assert!(stored.expose_secret().starts_with("{\"strongroom\":\"vault\",\"version\":1,"));
    assert_eq!(value(&machine.vault(), "A").as_deref(), Some("1"));
}

#[test]
fn an_expired_secret_is_an_error_at_get_and_seen_in_lists() {
    for machine in Machine::of_each_layout() {
        let vault = machine.vault();
        vault.set(&key("token"), Secret::new("v").expires_at(at(2_000))).unwrap();
        assert_eq!(value(&vault, "token").as_deref(), Some("v"));
        assert!(vault.expiring(Duration::from_secs(999)).unwrap().is_empty());
        assert_eq!(vault.expiring(Duration::from_secs(1_000)).unwrap().len(), 1);

        machine.seconds.store(2_000, Ordering::Relaxed);
        assert_eq!(vault.get(key("token")).unwrap_err().kind(), ErrorKind::Expired);
        assert!(vault.exists(key("token")).unwrap());
        assert_eq!(vault.list().unwrap().len(), 1);

        machine.seconds.store(1_000, Ordering::Relaxed);
        let again = vault.get(key("token")).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Expired, "a clock set back revives nothing");
    }
}

#[test]
fn the_vault_keeps_the_times_and_an_update_the_rest() {
    for machine in Machine::of_each_layout() {
        let vault = machine.vault();
        vault.set(&key("a"), Secret::with_provider("1", "openai").scope("s")).unwrap();
        machine.seconds.store(1_500, Ordering::Relaxed);
        vault.update_value(key("a"), SecretString::from("2")).unwrap();
        let secret = vault.get(key("a")).unwrap().unwrap();
        assert_eq!(secret.value.expose_secret(), "2");
        assert_eq!(secret.metadata.provider.as_deref(), Some("openai"));
        assert_eq!(secret.metadata.scope.as_deref(), Some("s"));
        let times = (secret.metadata.created_at, secret.metadata.updated_at);
        assert_eq!(times, (Some(at(1_000)), Some(at(1_500))));
        let missing = vault.update_value(key("none"), SecretString::from("2")).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }
}

#[test]
fn a_secret_that_must_be_new_replaces_none() {
    for machine in Machine::of_each_layout() {
        let vault = machine.vault();
        vault.create(&key("a"), Secret::new("1")).unwrap();
        let refused = vault.create(&key("a"), Secret::new("2")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(value(&vault, "a").as_deref(), Some("1"));
        assert_eq!(vault.generation().unwrap(), 1, "nothing was written");
    }
}

#[test]
fn a_rename_keeps_everything_but_the_name() {
    let machine = Machine::new();
    let line = r#"{"strongroom":"vault","version":1,"id":"00000000000000000000000000000001",
        "generation":1,"secrets":[{"name":"a","value":"MQ==","provider":"p","later":7}]}"#;
    machine.store.set_password("app", "vault", &line.into()).unwrap();
    let vault = machine.vault();
    vault.set(&key("taken"), Secret::new("2")).unwrap();
    let old = vault.get(key("a")).unwrap().unwrap();
    let new = SecretKey::with_target("b", "production");
    vault.rename(key("a"), &new).unwrap();
    let renamed = vault.get(&new).unwrap().unwrap();
    assert_eq!(renamed.value.expose_secret(), "1");
    assert_eq!(renamed.metadata, old.metadata);
    let stored = machine.store.get_password("app", "vault").unwrap().unwrap();
    assert!(stored.expose_secret().contains(r#""later":7"#), "unknown fields move along");

    let errors = [(&key("a"), &key("c")), (&new, &key("taken")), (&new, &new)]
        .map(|(old, new)| vault.rename(old, new).unwrap_err().kind());
    assert_eq!(errors, [ErrorKind::NotFound, ErrorKind::AlreadyExists, ErrorKind::AlreadyExists]);
    assert_eq!((value(&vault, "a"), vault.list().unwrap().len()), (None, 2));
}

#[test]
fn a_batch_that_creates_what_is_there_changes_nothing() {
    for machine in Machine::of_each_layout() {
        let vault = machine.vault();
        vault.set(&key("taken"), Secret::new("old")).unwrap();
        let mut batch = Batch::default();
        batch.create(key("free"), Secret::new("1")).create(key("taken"), Secret::new("2"));
        assert_eq!(vault.batch(batch).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!((value(&vault, "free"), value(&vault, "taken").as_deref()), (None, Some("old")));
        let mut batch = Batch::default();
        batch.create(key("free"), Secret::new("1"));
        vault.batch(batch).unwrap();
        assert_eq!(value(&vault, "free").as_deref(), Some("1"));
    }
}

#[test]
fn a_name_has_one_secret_per_target() {
    for machine in Machine::of_each_layout() {
        let vault = machine.vault();
        let production = SecretKey::with_target("API_KEY", "production");
        vault.set(&key("API_KEY"), Secret::new("dev")).unwrap();
        vault.set(&production, Secret::new("prod")).unwrap();
        assert_eq!(value(&vault, "API_KEY").as_deref(), Some("dev"));
        assert!(vault.delete(&production).unwrap());
        assert_eq!(vault.list().unwrap().len(), 1);
    }
}

#[test]
fn a_key_that_can_not_be_used_is_refused_before_the_store_is_asked() {
    for machine in Machine::of_each_layout() {
        let vault = machine.vault();
        let mut batch = Batch::default();
        batch.set(key(""), Secret::new("1"));
        let errors = [
            vault.set(&key(""), Secret::new("1")).unwrap_err(),
            vault.update(key("a\0b"), |old| old).unwrap_err(),
            vault.batch(batch).unwrap_err(),
        ];
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::Invalid));
        assert!(machine.store.calls().is_empty());
    }
}

#[test]
fn forgetting_costs_one_read() {
    for machine in Machine::of_each_layout() {
        let vault = machine.vault();
        vault.set(&key("a"), Secret::new("1")).unwrap();
        vault.forget();
        let mut seen = machine.store.calls().len();
        assert_eq!(value(&vault, "a").as_deref(), Some("1"));
        assert_eq!(value(&vault, "a").as_deref(), Some("1"));
        assert_eq!(machine.accesses(&mut seen), (1, 0));
    }
}

#[test]
fn looking_for_changes_reads_the_store_once_for_each() {
    let machine = Machine::new();
    let (vault, other) = (Arc::new(machine.vault()), machine.vault());
    vault.set(&key("a"), Secret::new("1")).unwrap();
    let mut watcher = vault.watcher();
    assert!(watcher.look(vault.engine()).is_none(), "nothing changed");
    other.set(&key("b"), Secret::new("2")).unwrap();
    let mut seen = machine.store.calls().len();
    let mut reads = || {
        let calls = machine.store.calls().split_off(seen);
        seen += calls.len();
        calls.iter().filter(|call| call.operation == Operation::Get).count()
    };
    assert!(watcher.look(vault.engine()).is_some());
    assert_eq!(reads(), 1);
    assert!(watcher.look(vault.engine()).is_some(), "until it is told what it found, it is news");
    assert_eq!(reads(), 0);
}

#[test]
fn what_is_locked_is_not_opened_to_look_for_changes() {
    for machine in Machine::of_each_layout() {
        let (vault, other) = (Arc::new(machine.vault()), machine.vault());
        vault.set(&key("a"), Secret::new("1")).unwrap();
        let mut watcher = vault.watcher();
        let looks_and_reads_nothing = |watcher: &mut Watcher| {
            let before = machine.store.calls().len();
            for _ in 0..3 {
                assert!(watcher.look(vault.engine()).is_none());
            }
            let calls = machine.store.calls().split_off(before);
            assert!(calls.iter().all(|call| call.operation == Operation::Probe), "{calls:?}");
        };
        vault.forget();
        other.set(&key("b"), Secret::new("2")).unwrap();
        looks_and_reads_nothing(&mut watcher);
        vault.list().unwrap();
        assert!(watcher.look(vault.engine()).is_some(), "the next read tells");
        if vault.layout() == Layout::Sealed {
            continue; // Its file is open, and needs no store.
        }

        let mut watcher = vault.watcher();
        other.set(&key("c"), Secret::new("3")).unwrap();
        machine.store.fail(Operation::Probe, ErrorKind::Locked);
        looks_and_reads_nothing(&mut watcher);
    }
}

#[test]
fn an_entry_that_was_deleted_by_hand_is_an_empty_vault() {
    let machine = Machine::new();
    let vault = machine.vault();
    vault.set(&key("a"), Secret::new("1")).unwrap();
    machine.store.delete_password("app", "vault").unwrap();
    vault.forget();
    assert!(vault.list().unwrap().is_empty());
    vault.set(&key("b"), Secret::new("2")).unwrap();
    assert_eq!(machine.vault().list().unwrap().len(), 1);
}

#[test]
fn a_purge_leaves_no_entry_of_the_service_and_the_others_see_it() {
    for machine in Machine::of_each_layout() {
        let (one, two) = (machine.vault(), machine.vault());
        one.set(&key("a"), Secret::new("1")).unwrap();
        assert_eq!(value(&two, "a").as_deref(), Some("1"));
        for service in ["app", "other"] {
            let value = SecretString::from("v");
            machine.store.set_password(service, "beside", &value).unwrap();
        }
        let_go(&one, &[&two]);
        assert_eq!(one.purge().unwrap(), 2);
        assert_eq!((value(&one, "a"), value(&two, "a")), (None, None));
        assert!(machine.store.list("app").unwrap().is_empty());
        assert_eq!(machine.store.list("other").unwrap().len(), 1);
        assert_eq!(one.purge().unwrap(), 0);
        two.set(&key("b"), Secret::new("2")).unwrap();
        assert_eq!(value(&one, "b").as_deref(), Some("2"));
    }
}

/// Windows deletes no file that is open: a purge is refused while others have a sealed vault, and nothing
/// of it is gone.
fn let_go(purger: &Vault, others: &[&Vault]) {
    if cfg!(windows) && purger.layout() == Layout::Sealed {
        let before = purger.list().unwrap();
        assert_eq!(purger.purge().unwrap_err().kind(), ErrorKind::Busy);
        others.iter().for_each(|other| assert_eq!(other.list().unwrap(), before));
        others.iter().for_each(|other| other.forget());
    }
}

#[test]
fn a_vault_that_outgrows_its_store_says_by_how_much() {
    let machine = Machine::new();
    let forgets = Capabilities::new(Persistence::UntilReboot).with_max_secret_len(400);
    machine.store.set_capabilities(forgets);
    let vault = machine.vault();
    vault.set(&key("a"), Secret::new("1")).unwrap();
    let error = vault.set(&key("b"), Secret::new("x".repeat(400))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("at most 400"), "{error}");
    assert!(error.commands()[0].arguments().starts_with("move --to file"), "{error:?}");
    assert_eq!(vault.list().unwrap().len(), 1);
}

#[test]
fn without_a_state_directory_it_works_slower() {
    let machine = Machine::new();
    let file = machine.dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let blocked = StateDir::at(file.join("sub")).unwrap();
    let clock: Clock = Arc::new(Timestamp::now);
    let store: Arc<dyn Store> = Arc::new(machine.store.clone());
    let storage = machine.storage(Arc::clone(&store));
    let engine = Engine::new(storage, &blocked, patient(), clock).unwrap();
    let vault = Vault::new(engine, &store, None);
    vault.set(&key("a"), Secret::new("1")).unwrap();
    machine.vault().set(&key("b"), Secret::new("2")).unwrap();
    assert_eq!(value(&vault, "b").as_deref(), Some("2"));
}
