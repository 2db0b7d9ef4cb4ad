//! A secret of a `SecureStore` stays where it is, and what other programs have stored is found.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use strongroom::store::ChoiceReason;
use strongroom::store::secret_service;
use strongroom::{
    Backend, Config, Error, ErrorKind, ExposeSecret, KeyringStore, Layout, Secret, SecretKey,
    SecretString, SecureStore,
};
use strongroom_testkit::child::{self, Child, say, told};
use strongroom_testkit::{Bus, Sandbox, children};
use support::gnome_keyring;
use support::worker::{Moments, Worker, deed, kills};

fn config(sandbox: &Sandbox) -> Config {
    let config = Config::new("app").environment(|_| None);
    config.state_dir(sandbox.state_dir()).data_dir(sandbox.data_dir())
}

fn on(bus: &Bus) -> Config {
    config(bus.sandbox())
        .store_settings(secret_service::Config::default().with_bus_address(bus.address()))
}

fn without_bus(sandbox: &Sandbox) -> Config {
    let nowhere = sandbox.home().join("no-bus");
    config(sandbox).store_settings(
        secret_service::Config::default()
            .with_bus_address(format!("unix:path={}", nowhere.display())),
    )
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn value(secrets: &SecureStore, name: &str) -> Option<String> {
    secrets.get_secret(name).unwrap().map(|value| value.expose_secret().to_owned())
}

/// Writes an entry as another program would, with nothing beside it.
fn write(bus: &Bus, user: &str, text: &str) {
    let entries = on(bus).backend(Backend::SecretService).entries_elsewhere().unwrap();
    entries.store().set_password("app", user, &secret(text)).unwrap();
}

#[test]
fn a_secret_whose_keyring_is_away_is_neither_absent_nor_stored_again() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    on(&bus).open_store().unwrap().set_secret("token", &secret("1")).unwrap();

    for fallback in [strongroom::Fallback::Error, strongroom::Fallback::Session] {
        let away = without_bus(bus.sandbox()).fallback(fallback).open_store().unwrap();
        let refusals: [Error; 6] = [
            away.get_secret("token").unwrap_err(),
            away.set_secret("token", &secret("2")).unwrap_err(),
            away.create_secret("other", &secret("2")).unwrap_err(),
            away.delete_secret("token").unwrap_err(),
            away.exists("token").unwrap_err(),
            away.list().unwrap_err(),
        ];
        for refused in refusals {
            assert_eq!(refused.kind(), ErrorKind::NoBackend, "{refused}");
            assert!(refused.hint().contains("are kept in secret-service"), "{}", refused.hint());
        }
    }
    let kernel = without_bus(bus.sandbox()).backend(Backend::Keyutils);
    assert_eq!(kernel.clone().open_store().unwrap_err().kind(), ErrorKind::BoundElsewhere);
    assert!(kernel.entries_elsewhere().unwrap().list().unwrap().is_empty());

    let back = on(&bus).open_store().unwrap();
    assert!(matches!(back.reason(), ChoiceReason::Bound));
    assert_eq!(value(&back, "token").as_deref(), Some("1"));
}

#[test]
fn without_a_store_that_lasts_it_says_what_to_install() {
    let sandbox = Sandbox::new();
    let error = without_bus(&sandbox).open_store().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    let bus = Bus::start(&sandbox);
    let error = on(&bus).open_store().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    assert!(error.hint().contains("gnome-keyring"), "{}", error.hint());
}

#[test]
fn entries_of_the_keyring_crate_are_found_bound_read_and_overwritten() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let mut command = bus.command(child::program());
    child::enter(&mut command, "keyring_crate");
    let mut peer = Child::start(command);
    assert_eq!(peer.next(), "written");

    let secrets = on(&bus).open_store().unwrap();
    assert_eq!(secrets.list().unwrap(), ["token", "with::sign"]);
    assert_eq!(value(&secrets, "token").as_deref(), Some("theirs"));
    assert_eq!(value(&secrets, "with::sign").as_deref(), Some("theirs, too"));
    let away = without_bus(bus.sandbox()).open_store().unwrap().get_secret("token").unwrap_err();
    assert_eq!(away.kind(), ErrorKind::NoBackend, "the first look has bound them");
    secrets.set_secret("token", &secret("ours")).unwrap();
    peer.tell("read");
    assert_eq!(peer.next(), "ours");
}

children!(keyring_crate, worker);

fn keyring_crate() {
    let entry = keyring::Entry::new("app", "token").unwrap();
    entry.set_password("theirs").unwrap();
    keyring::Entry::new("app", "with::sign").unwrap().set_password("theirs, too").unwrap();
    say("written");
    told();
    say(&entry.get_password().unwrap());
}

#[test]
fn a_first_look_that_is_killed_loses_nothing() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    write(&bus, "token", "theirs");
    let state = || on(&bus).state_file("binding").unwrap().unwrap();
    let start = || {
        std::fs::remove_file(state()).ok();
        Worker::start(bus.command(child::program()), "look")
    };
    let mut moments = Moments::of(|| start().times(1));
    for _ in 0..kills(25) {
        start().killed_after(moments.next());
        let secrets = on(&bus).open_store().unwrap();
        assert_eq!(value(&secrets, "token").as_deref(), Some("theirs"));
        assert_eq!(secrets.list().unwrap(), ["token"]);
    }
}

fn worker() {
    assert_eq!(deed(), "look");
    say("ready");
    told();
    let secrets = SecureStore::open("app").unwrap();
    assert_eq!(value(&secrets, "token").as_deref(), Some("theirs"));
    say("done");
    told();
}

#[test]
fn in_a_service_with_a_vault_the_vault_comes_first_and_entries_stay_readable() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    write(&bus, "both", "entry");
    write(&bus, "entry", "1");
    let vault = on(&bus).open_blocking().unwrap();
    let with_provider = Secret::with_provider("1", "issuer");
    vault.set("API_KEY", &with_provider).unwrap();
    vault.set_api_key("both", "vault", None).unwrap();

    let secrets = on(&bus).open_store().unwrap();
    assert_eq!(secrets.list().unwrap(), ["API_KEY", "both", "entry"]);
    assert_eq!(value(&secrets, "API_KEY").as_deref(), Some("1"), "as `setup` has stored it");
    assert_eq!(value(&secrets, "both").as_deref(), Some("vault"));
    assert_eq!(value(&secrets, "entry").as_deref(), Some("1"));
    assert!(secrets.exists("entry").unwrap());

    for name in ["API_KEY", "both", "entry", "new"] {
        secrets.set_secret(name, &secret("2")).unwrap();
        assert_eq!(value(&secrets, name).as_deref(), Some("2"));
        let again = secrets.create_secret(name, &secret("3")).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    }
    let names: Vec<_> = vault.list().unwrap().into_iter().map(|it| it.key).collect();
    let expected = ["API_KEY", "both", "new"].map(SecretKey::new);
    assert_eq!(names, expected, "an entry stays an entry");
    let kept = vault.get("API_KEY").unwrap().unwrap();
    assert_eq!(kept.metadata.provider.as_deref(), Some("issuer"));

    for name in ["both", "entry", "new"] {
        secrets.delete_secret(name).unwrap();
        assert_eq!(value(&secrets, name), None);
    }
    assert_eq!(secrets.list().unwrap(), ["API_KEY"]);
}

#[test]
fn a_vault_that_is_gone_is_no_service_of_entries() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    on(&bus).open_blocking().unwrap().set_api_key("A", "1", None).unwrap();
    write(&bus, "other", "1");
    let entries = on(&bus).backend(Backend::SecretService).entries_elsewhere().unwrap();
    assert!(entries.delete("vault").unwrap());
    let secrets = on(&bus).open_store().unwrap();
    assert_eq!(secrets.get_secret("A").unwrap_err().kind(), ErrorKind::Gone);
    assert_eq!(secrets.set_secret("other", &secret("2")).unwrap_err().kind(), ErrorKind::Gone);
}

#[test]
fn another_programs_entry_of_the_vaults_name_is_in_nobodys_way() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    write(&bus, "vault", "hvs.token");
    write(&bus, "token", "1");
    let secrets = on(&bus).open_store().unwrap();
    assert_eq!(value(&secrets, "token").as_deref(), Some("1"));
    secrets.set_secret("new", &secret("2")).unwrap();
    assert_eq!(secrets.list().unwrap(), ["new", "token"]);
    assert_eq!(secrets.get_secret("vault").unwrap_err().kind(), ErrorKind::Invalid);
    let stored = on(&bus).backend(Backend::SecretService).entries_elsewhere().unwrap();
    assert!(stored.read("vault").unwrap().unwrap().expose_secret() == b"hvs.token");
}

#[test]
fn what_a_store_of_entries_has_stored_the_manager_finds() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    on(&bus).open_store().unwrap().set_secret("token", &secret("1")).unwrap();
    let manager = on(&bus).open_blocking().unwrap();
    assert_eq!(manager.layout(), Layout::Entries);
    assert!(manager.exists("token").unwrap());
}
