//! What others see of a value: on the bus, recorded in full, and in errors.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use strongroom_core::{Error, KeyringStore};
use strongroom_secret_service::SecretServiceStore;
use strongroom_testkit::Bus;
use strongroom_testkit::scripted::{DhBehaviour, Script};
use support::{PATIENT, gnome_keyring, lenient_store, scripted, secret, store};

const MARKER: &str = "marker-of-a-secret";
/// The user of the last operation: once it is on record, so is all that came before.
const LAST: &str = "the-last-one";

/// All bytes on the bus while a value is written, read, replaced and deleted.
fn recorded(bus: &Bus, store: &SecretServiceStore) -> Vec<u8> {
    let mut monitor = bus.command("dbus-monitor");
    let mut monitor =
        monitor.arg("--binary").stdout(Stdio::piped()).spawn().expect("dbus-monitor starts");
    let mut output = monitor.stdout.take().expect("it is piped");
    let (sender, chunks) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut seen = chunks.recv_timeout(PATIENT).expect("the monitor sees its own arrival");

    for value in [MARKER, "marker-of-a-secret, replaced"] {
        store.set_password("app", "u", &secret(value)).unwrap();
        assert!(store.get_password("app", "u").unwrap().is_some());
    }
    store.delete_password("app", "u").unwrap();
    store.get_password("app", LAST).unwrap();
    while !contains(&seen, LAST) {
        seen.extend(chunks.recv_timeout(PATIENT).expect("the monitor sees the last operation"));
    }
    monitor.kill().unwrap();
    monitor.wait().unwrap();
    reader.join().unwrap();
    seen
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_recorded_bus_shows_names_and_no_value() {
    let (bus, _keyring) = gnome_keyring();
    let seen = recorded(&bus, &store(&bus));
    assert!(contains(&seen, "username"), "the record holds the calls");
    assert!(!contains(&seen, MARKER));
}

#[test]
fn the_record_would_show_a_value_that_is_not_encrypted() {
    let (bus, _service) = scripted(Script { dh: DhBehaviour::Refused, ..Script::default() });
    assert!(contains(&recorded(&bus, &lenient_store(&bus)), MARKER));
}

/// All that an error can show, to its last cause.
fn shown(error: &Error) -> String {
    let mut shown = format!("{error} {error:?} {error:#?} {}", error.hint());
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        shown += &format!(" {inner} {inner:?}");
        cause = inner.source();
    }
    shown
}

#[test]
fn no_error_shows_a_value_whatever_call_fails() {
    let calls = [
        "Service.OpenSession",
        "Service.SearchItems",
        "Service.ReadAlias",
        "Get:Collection.Locked",
        "Collection.CreateItem",
        "Item.GetSecret",
        "Item.SetSecret",
        "Item.Delete",
    ];
    let mut failed = 0;
    for call in calls {
        for dh in [DhBehaviour::Proper, DhBehaviour::Refused, DhBehaviour::GarbageSession(9)] {
            let (bus, service) = scripted(Script { dh, ..Script::default() });
            service.add_item("login", "l", &[("service", "app"), ("username", "old")], MARKER);
            let text = "org.freedesktop.DBus.Error.Failed".to_owned();
            service.set(|script| drop(script.fail.insert(call.into(), (text, "no".into()))));
            let store = lenient_store(&bus);
            let value = secret(MARKER);
            let errors = [
                store.get_password("app", "old").err(),
                store.set_password("app", "old", &value).err(),
                store.create_password("app", "new", &value).err(),
                store.delete_password("app", "old").err(),
            ];
            for error in errors.into_iter().flatten() {
                failed += 1;
                let shown = shown(&error);
                assert!(!shown.contains(MARKER), "{call}: {}", shown.len());
            }
            assert!(!format!("{store:?}").contains(MARKER));
        }
    }
    assert!(failed >= calls.len(), "only {failed} calls failed");
}
