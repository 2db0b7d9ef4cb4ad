//! A vault stays where it is: another store is never used in its place.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::ffi::OsString;
use std::fs;

use strongroom::keys::{KeySource, SealingKey};
use strongroom::moves::Moved;
use strongroom::store::secret_service;
use strongroom::store::{ChoiceReason, choose_unbound};
use strongroom::{
    Backend, Config, Error, ErrorKind, ExposeSecret, KeyringStore, Layout, Secret, SecretKey,
    SecretString, blocking,
};
use strongroom_testkit::{Sandbox, unused_name};
use support::gnome_keyring;

/// A user's machine, without a bus unless it is named.
struct Machine {
    sandbox: Sandbox,
    service: String,
    key: SealingKey,
}

impl Machine {
    fn new() -> Self {
        let (sandbox, service) = (Sandbox::new(), unused_name("binding"));
        Self { sandbox, service, key: SealingKey::generate().unwrap() }
    }

    fn config(&self) -> Config {
        let home = self.sandbox.home();
        let config = Config::new("").environment(|_| None).key(KeySource::key(self.key.clone()));
        let config = config.state_dir(home.join("state")).data_dir(home.join("data"));
        config.store_settings(
            secret_service::Config::default()
                .with_bus_address(format!("unix:path={}", home.join("no-bus").display())),
        )
    }

    fn open(&self, config: Config) -> Result<blocking::SecretManager, Error> {
        config.service(&self.service).open_blocking()
    }

    fn is_in_keyutils(&self) -> bool {
        let store = choose_unbound(&self.config().backend(Backend::Keyutils)).unwrap();
        store.store().exists(&self.service, "vault").unwrap()
    }

    fn forget_binding(&self) {
        let state = self.sandbox.home().join("state");
        fs::remove_file(state.join(format!("vault-{}.binding", self.service))).unwrap();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let store = choose_unbound(&self.config().backend(Backend::Keyutils)).unwrap();
        drop(store.store().delete_password(&self.service, "vault"));
    }
}

#[test]
fn a_vault_whose_keyring_is_away_is_neither_empty_nor_made_anew() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let machine = Machine::new();
    let on_bus = || {
        machine
            .config()
            .store_settings(secret_service::Config::default().with_bus_address(bus.address()))
    };
    machine.open(on_bus()).unwrap().set_api_key("A", "1", None).unwrap();
    let again = machine.open(on_bus()).unwrap();
    assert!(matches!(again.reason(), ChoiceReason::Bound));
    assert_eq!(again.get_value("A").unwrap().unwrap().expose_secret(), "1");

    let away = machine.open(machine.config()).unwrap_err();
    assert_eq!(away.kind(), ErrorKind::NoBackend);
    assert!(away.hint().contains("are kept in secret-service"), "{}", away.hint());
    assert!(!machine.is_in_keyutils(), "nothing new was made");
}

#[test]
fn a_vault_in_a_plaintext_file_stays_there_and_only_who_names_the_file_opens_it() {
    let machine = Machine::new();
    let file = machine.sandbox.home().join("app/secrets");
    let dangerous = || machine.config().dangerous().plaintext_file(&file);
    let large = "x".repeat(100_000);
    let secrets = machine.open(dangerous()).unwrap();
    secrets.set_api_key("A", large.as_str(), None).unwrap();
    assert_eq!((secrets.backend(), secrets.layout()), (Backend::PlaintextFile, Layout::Inline));
    assert!(file.exists() && !machine.is_in_keyutils());

    for forget in [false, true] {
        if forget {
            machine.forget_binding();
        }
        let again = machine.open(dangerous()).unwrap();
        assert!(matches!(again.reason(), ChoiceReason::Bound));
        assert_eq!(again.get_value("A").unwrap().unwrap().expose_secret(), large);
    }
    let blind = machine.open(machine.config()).unwrap_err();
    assert_eq!(blind.kind(), ErrorKind::NoBackend, "{blind:?}");
    let other = machine.open(machine.config().backend(Backend::Keyutils)).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::BoundElsewhere);

    let vault = dangerous().service(&machine.service);
    assert_eq!(
        vault.move_to(Backend::File, Layout::Sealed, |_| ()).unwrap().from,
        Backend::PlaintextFile
    );
    assert!(!file.exists());
    let moved = machine.open(machine.config()).unwrap();
    assert_eq!(moved.get_value("A").unwrap().unwrap().expose_secret(), large);
}

#[test]
fn another_backend_is_refused_while_the_vault_is_elsewhere() {
    let machine = Machine::new();
    let keyutils = machine.open(machine.config()).unwrap();
    keyutils.set_api_key("A", "1", None).unwrap();
    assert_eq!(keyutils.backend(), Backend::Keyutils);
    let by_name = machine.config().backend(Backend::File);
    let by_environment = machine.config().environment(|_| Some(OsString::from("file")));
    for config in [by_name, by_environment] {
        let refused = machine.open(config).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BoundElsewhere);
        assert!(refused.to_string().contains("kept in keyutils, not in file"), "{refused}");
        assert!(refused.commands()[0].arguments().starts_with("move --to file"), "{refused:?}");
        assert!(!refused.hint().contains("strongroom"), "{}", refused.hint());
    }
    keyutils.purge().unwrap();
    assert!(machine.open(machine.config().backend(Backend::File)).is_ok(), "it is free again");
}

#[test]
fn reading_alone_binds_nothing() {
    let machine = Machine::new();
    assert!(machine.open(machine.config()).unwrap().list().unwrap().is_empty());
    assert!(machine.open(machine.config().backend(Backend::File)).is_ok());
}

#[test]
fn a_binding_to_a_store_that_forgets_ends_with_its_entry() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let machine = Machine::new();
    machine.open(machine.config()).unwrap().set_api_key("A", "1", None).unwrap();
    let on_bus = || {
        machine
            .config()
            .store_settings(secret_service::Config::default().with_bus_address(bus.address()))
    };
    let still = machine.open(on_bus()).unwrap();
    assert_eq!(still.backend(), Backend::Keyutils, "while it is there");

    // What a restart of the machine does.
    let store = choose_unbound(&machine.config().backend(Backend::Keyutils)).unwrap();
    store.store().delete_password(&machine.service, "vault").unwrap();
    assert_eq!(machine.open(on_bus()).unwrap().backend(), Backend::SecretService);
}

#[test]
fn a_binding_that_was_lost_is_found_again_by_looking() {
    for backend in [Backend::File, Backend::Keyutils] {
        let machine = Machine::new();
        let first = machine.open(machine.config().backend(backend)).unwrap();
        first.set_api_key("A", "1", None).unwrap();
        machine.forget_binding();
        let again = machine.open(machine.config()).unwrap();
        assert_eq!(again.backend(), backend);
        assert!(again.get_value("A").unwrap().is_some());
        let other = if backend == Backend::File { Backend::Keyutils } else { Backend::File };
        machine.forget_binding();
        let refused = machine.open(machine.config().backend(other)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BoundElsewhere);
    }
}

#[test]
fn a_binding_that_makes_no_sense_is_no_binding() {
    let machine = Machine::new();
    let path = machine.sandbox.home().join(format!("state/vault-{}.binding", machine.service));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for text in ["", "{}", r#"{"version":9,"backend":"file"}"#] {
        fs::write(&path, text).unwrap();
        assert_eq!(machine.open(machine.config()).unwrap().backend(), Backend::Keyutils);
    }
    // A store of another program is one, all the same.
    fs::write(&path, r#"{"version":1,"backend":"x"}"#).unwrap();
    let error = machine.open(machine.config()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    assert!(error.to_string().contains("kept in \"x\""), "{error}");
}

fn on(machine: &Machine, backend: Backend) -> Config {
    machine.config().backend(backend)
}

fn moved(machine: &Machine, to: Backend) -> Result<Moved, Error> {
    let builder = machine.config().service(&machine.service);
    builder.move_to(to, Layout::Inline, |_| ())
}

#[test]
fn a_move_takes_everything_along_and_leaves_nothing() {
    let machine = Machine::new();
    let secrets = machine.open(machine.config()).unwrap();
    let key = SecretKey::with_target("A", "production");
    secrets.set(&key, &Secret::with_provider("1", "p")).unwrap();
    secrets.set_api_key("B", "2", None).unwrap();
    let before = secrets.get(&key).unwrap().unwrap();

    let there = moved(&machine, Backend::File).unwrap();
    assert_eq!((there.from, there.to, there.secrets), (Backend::Keyutils, Backend::File, 2));
    assert!(!machine.is_in_keyutils());
    let after = machine.open(machine.config()).unwrap();
    assert_eq!((after.backend(), after.layout()), (Backend::File, Layout::Sealed));
    let found = after.get(&key).unwrap().unwrap();
    assert_eq!(found.value.expose_secret(), before.value.expose_secret());
    assert_eq!(found.metadata, before.metadata);

    for error in [secrets.list().unwrap_err(), secrets.set_api_key("C", "3", None).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::BoundElsewhere, "one that had it open: {error}");
    }
    assert!(!machine.is_in_keyutils(), "no second vault is started");

    moved(&machine, Backend::Keyutils).unwrap();
    assert_eq!(machine.open(machine.config()).unwrap().list().unwrap().len(), 2);
    let files = fs::read_dir(machine.sandbox.home().join("data/file")).unwrap().flatten();
    assert_eq!(
        files.filter(|file| file.path().extension().is_some_and(|it| it == "sealed")).count(),
        0
    );
}

#[test]
fn a_move_that_makes_no_sense_is_refused() {
    let machine = Machine::new();
    let refused = moved(&machine, Backend::File).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    let secrets = machine.open(machine.config()).unwrap();
    secrets.set_api_key("A", "1", None).unwrap();
    for to in [Backend::Keyutils, Backend::Memory] {
        assert_eq!(moved(&machine, to).unwrap_err().kind(), ErrorKind::Invalid);
    }
    let away = moved(&machine, Backend::SecretService).unwrap_err();
    assert_eq!(away.kind(), ErrorKind::NoBackend);
    assert!(secrets.get_value("A").unwrap().is_some(), "it stays where it was");
    assert_eq!(machine.open(machine.config()).unwrap().backend(), Backend::Keyutils);
}

#[test]
fn a_move_that_was_stopped_is_finished_by_another() {
    let machine = Machine::new();
    machine.open(machine.config()).unwrap().set_api_key("A", "1", None).unwrap();
    let state = machine.sandbox.home().join("state");
    let binding = state.join(format!("vault-{}.binding", machine.service));

    // Before the switch: the copy is there, and the vault is still where it was.
    let payload = payload(&machine);
    moved(&machine, Backend::File).unwrap();
    store(&machine, &payload);
    fs::write(&binding, r#"{"version":1,"backend":"keyutils"}"#).unwrap();
    let here = machine.open(machine.config()).unwrap();
    assert_eq!(here.backend(), Backend::Keyutils);
    here.set_api_key("B", "2", None).unwrap();
    let again = moved(&machine, Backend::File).unwrap();
    assert!(again.put_aside.is_some_and(|aside| aside.exists()), "nothing is written over");
    assert_eq!(machine.open(machine.config()).unwrap().list().unwrap().len(), 2);

    // After the switch: the old one is not deleted yet.
    store(&machine, &payload);
    let switched = r#"{"version":1,"backend":"file","moved_from":"keyutils"}"#;
    fs::write(&binding, switched).unwrap();
    assert_eq!(machine.open(machine.config()).unwrap().list().unwrap().len(), 2);
    moved(&machine, Backend::File).unwrap();
    assert!(!machine.is_in_keyutils());
    assert_eq!(moved(&machine, Backend::File).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn another_vault_that_is_there_already_is_not_written_over() {
    let machine = Machine::new();
    machine.open(machine.config()).unwrap().set_api_key("A", "1", None).unwrap();
    let payload = payload(&machine);
    moved(&machine, Backend::File).unwrap();
    // Another vault: another id.
    let id = payload.find("\"id\":\"").unwrap() + 6;
    store(&machine, &format!("{}{}{}", &payload[..id], "0".repeat(31) + "1", &payload[id + 32..]));
    let refused = moved(&machine, Backend::Keyutils).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert_eq!(machine.open(machine.config()).unwrap().backend(), Backend::File);
}

fn payload(machine: &Machine) -> String {
    let store = choose_unbound(&on(machine, Backend::Keyutils)).unwrap();
    let payload = store.store().get_password(&machine.service, "vault").unwrap().unwrap();
    payload.expose_secret().to_owned()
}

fn store(machine: &Machine, payload: &str) {
    let store = choose_unbound(&on(machine, Backend::Keyutils)).unwrap();
    let payload = SecretString::from(payload);
    store.store().set_password(&machine.service, "vault", &payload).unwrap();
}
