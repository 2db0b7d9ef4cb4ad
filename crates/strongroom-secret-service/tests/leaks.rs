//! What crosses the bus, seen by somebody who records all of it.
#![cfg(target_os = "linux")]

mod support;

use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use strongroom_core::{KeyringStore, WriteMode};
use strongroom_testkit::Bus;
use strongroom_testkit::scripted::{DhBehaviour, Script};
use support::{PATIENT, gnome_keyring, scripted, secret, store};

const MARKER: &str = "marker-of-a-secret";
/// The user of the last operation: once it is on record, so is all that came before.
const LAST: &str = "the-last-one";

/// All bytes on the bus while a value is written, read, replaced and deleted.
fn recorded(bus: &Bus) -> Vec<u8> {
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

    let store = store(bus);
    for value in [MARKER, "marker-of-a-secret, replaced"] {
        store.set_password("app", "u", &secret(value), WriteMode::Overwrite).unwrap();
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
    let seen = recorded(&bus);
    assert!(contains(&seen, "username"), "the record holds the calls");
    assert!(!contains(&seen, MARKER));
}

#[test]
fn the_record_would_show_a_value_that_is_not_encrypted() {
    let (bus, _service) = scripted(Script { dh: DhBehaviour::Refused, ..Script::default() });
    assert!(contains(&recorded(&bus), MARKER));
}
