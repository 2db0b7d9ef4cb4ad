//! The vault between real processes: nothing acknowledged is lost, and nobody sees what is over.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::env;
use std::process::Command;

use strongroom::{Backend, Config, ExposeSecret, Layout, Secret, blocking};
use strongroom_testkit::child::{self, Child, say, told};
use strongroom_testkit::scripted::{Script, ScriptedService};
use strongroom_testkit::{Bus, PATIENCE, Sandbox, children, provider_or_skip, unused_name};
use support::site::Site;
use support::{Purged, builder, gnome_keyring, manager, on, race};

/// What the test tells its other processes: which vault it is.
const BACKEND: &str = "STRONGROOM_TEST_BACKEND";
const SERVICE: &str = "STRONGROOM_TEST_SERVICE";

#[test]
fn eight_processes_lose_nothing_although_one_is_killed_every_200_ms() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    race::nothing_is_lost(&Site::on_bus(&bus, Layout::Inline), 250);
}

#[test]
fn eight_processes_lose_no_entry_although_one_is_killed_every_200_ms() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    race::nothing_is_lost(&Site::on_bus(&bus, Layout::Entries), 250);
}

children!(peer, writer);

fn writer() {
    race::write();
}

#[test]
fn a_long_lived_reader_on_gnome_keyring_sees_a_set_at_its_next_get() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    sees_at_its_next_get("app", on(&bus), bus.sandbox(), bus.command(child::program()));
}

#[test]
fn a_long_lived_reader_on_keyutils_sees_a_set_at_its_next_get() {
    let (service, sandbox) = (unused_name("reader"), Sandbox::new());
    let config = Config::new("").backend(Backend::Keyutils);
    sees_at_its_next_get(&service, config, &sandbox, sandbox.command(child::program()));
}

#[cfg(feature = "sealed")]
#[test]
fn a_long_lived_reader_of_a_sealed_vault_sees_a_set_at_its_next_get() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let config = on(&bus).layout(Layout::Sealed);
    sees_at_its_next_get("app", config, bus.sandbox(), bus.command(child::program()));
}

#[cfg(feature = "sealed")]
#[test]
fn a_long_lived_reader_of_an_encrypted_file_sees_a_set_at_its_next_get() {
    let sandbox = Sandbox::new();
    let site = Site::in_file(&sandbox);
    let key = strongroom::keys::KeySource::key_file(support::site::key_file(&sandbox));
    let config = Config::new("").backend(Backend::File).key(key);
    sees_at_its_next_get("app", config, &sandbox, site.command());
}

/// How often the reader is asked about each change.
const ROUNDS: usize = 10;

fn sees_at_its_next_get(service: &str, config: Config, sandbox: &Sandbox, reader: Command) {
    let secrets = builder(service, config, sandbox).open_blocking().unwrap();
    let _purged = Purged(&secrets);
    let mut reader = Peer::start(reader, service, secrets.backend());
    assert_eq!(reader.get(), "nothing");
    for round in 0..ROUNDS {
        secrets.set(KEY, &Secret::new(format!("set {round}"))).unwrap();
        assert_eq!(reader.get(), format!("set {round}"));
        secrets.update_value(KEY, format!("updated {round}")).unwrap();
        assert_eq!(reader.get(), format!("updated {round}"));
        assert_eq!(reader.get(), format!("updated {round}"), "it is still so");
        assert!(secrets.delete(KEY).unwrap());
        assert_eq!(reader.get(), "nothing");
    }
}

#[test]
fn what_a_killed_writer_left_in_the_store_is_read_and_kept() {
    let Some((bus, service)) = scripted() else { return };
    let (reader, writer) = (manager(&bus), manager(&bus));
    for round in 0..4 {
        writer.set(KEY, &Secret::new("before")).unwrap();
        assert_eq!(get(&reader), "before");
        let mut killed = Peer::start(bus.command(child::program()), "app", Backend::SecretService);
        assert_eq!(killed.get(), "before");
        // What comes after the write, and before the writer tells the others that it is done.
        service.set(|script| script.hang.extend([CHECK.to_owned()]));
        service.clear_calls();
        killed.0.tell(&format!("killed {round}"));
        assert!(service.wait_for_call(CHECK, 1, PATIENCE), "the value is written");
        killed.0.kill();
        drop(killed);
        service.set(|script| script.hang.clear());

        if round % 2 == 0 {
            assert_eq!(get(&reader), format!("killed {round}"));
        }
        writer.set("OTHER", &Secret::new("value")).unwrap();
        assert_eq!(get(&writer), format!("killed {round}"));
        assert_eq!(get(&reader), format!("killed {round}"));
    }
}

/// The call by which the store makes sure of a write.
const CHECK: &str = "Get:Collection.Locked";

/// The secret that peers get and set.
const KEY: &str = "KEY";

fn scripted() -> Option<(Bus, ScriptedService)> {
    provider_or_skip("dbus-daemon").then(|| {
        let bus = Bus::start(&Sandbox::new());
        let service = ScriptedService::start(bus.address(), Script::default()).unwrap();
        (bus, service)
    })
}

fn get(secrets: &blocking::SecretManager) -> String {
    let value = secrets.get_value(KEY).unwrap();
    value.map_or("nothing".to_owned(), |value| value.expose_secret().to_owned())
}

/// A process that keeps a manager open, and does what it is told.
struct Peer(Child);

impl Peer {
    fn start(mut command: Command, service: &str, backend: Backend) -> Self {
        command.env(SERVICE, service).env(BACKEND, backend.to_string());
        child::enter(&mut command, "peer");
        Self(Child::start(command))
    }

    fn get(&mut self) -> String {
        self.0.tell("get");
        self.0.next()
    }
}

/// Sets each value that it is told, and says the present one for `get`.
fn peer() {
    let backend: Backend = env::var(BACKEND).unwrap().parse().unwrap();
    let secrets = Config::new(env::var(SERVICE).unwrap()).backend(backend);
    let secrets = secrets.open_blocking().unwrap();
    while let Some(line) = told() {
        match line.as_str() {
            "get" => say(&get(&secrets)),
            value => secrets.set(KEY, &Secret::new(value)).unwrap(),
        }
    }
}
