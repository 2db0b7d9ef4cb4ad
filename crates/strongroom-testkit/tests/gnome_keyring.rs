//! A real gnome-keyring reaches each state that it's asked for.

#![cfg(target_os = "linux")]

use std::fs;

use strongroom_testkit::{
    Bus, GnomeKeyring, PATIENCE, Sandbox, provider_or_skip, secret_tool, unused_name, wait_until,
};

fn bus() -> Option<Bus> {
    let programs = ["dbus-daemon", "gnome-keyring-daemon", "secret-tool"];
    let installed = programs.iter().all(|program| provider_or_skip(program));
    installed.then(|| Bus::start(&Sandbox::new()))
}

#[test]
fn starts_unlocked() {
    let Some(bus) = bus() else { return };
    let keyring = GnomeKeyring::start(&bus, Some("hunter2"));
    let owner = bus.name_owner_pid("org.freedesktop.secrets");
    assert_eq!(owner, Some(keyring.pid()));
    assert_eq!(keyring.is_locked(), Some(false));

    let service = unused_name("testkit");
    assert_eq!(secret_tool::lookup(&bus, &service, "ada"), None);
    secret_tool::store(&bus, &service, "ada", "lovelace");
    let found = secret_tool::lookup(&bus, &service, "ada");
    assert_eq!(found.as_deref(), Some("lovelace"));
    assert!(secret_tool::clear(&bus, &service, "ada"));
    assert_eq!(secret_tool::lookup(&bus, &service, "ada"), None);
}

#[test]
fn starts_without_a_collection() {
    let Some(bus) = bus() else { return };
    let keyring = GnomeKeyring::start(&bus, None);
    assert_eq!(keyring.is_locked(), None);
}

#[test]
fn locks_and_unlocks() {
    let Some(bus) = bus() else { return };
    let keyring = GnomeKeyring::start(&bus, Some("hunter2"));
    secret_tool::store(&bus, "service", "ada", "lovelace");
    keyring.lock();
    keyring.unlock("hunter2");
    let found = secret_tool::lookup(&bus, "service", "ada");
    assert_eq!(found.as_deref(), Some("lovelace"));
}

#[test]
#[should_panic(expected = "the password opens the default collection")]
fn a_wrong_password_is_told() {
    let Some(bus) = bus() else {
        panic!("skipped: the password opens the default collection");
    };
    let keyring = GnomeKeyring::start(&bus, Some("hunter2"));
    keyring.lock();
    keyring.unlock("wrong");
}

#[test]
fn comes_back_with_what_it_kept() {
    let Some(bus) = bus() else { return };
    let mut keyring = GnomeKeyring::start(&bus, Some("hunter2"));
    secret_tool::store(&bus, "service", "ada", "lovelace");
    let first = keyring.pid();
    keyring.kill();
    assert_eq!(bus.name_owner_pid("org.freedesktop.secrets"), None);
    assert!(fs::metadata(format!("/proc/{first}")).is_err());

    keyring.restart(None);
    assert_eq!(keyring.is_locked(), Some(true));
    keyring.restart(Some("hunter2"));
    assert_ne!(keyring.pid(), first);
    let found = secret_tool::lookup(&bus, "service", "ada");
    assert_eq!(found.as_deref(), Some("lovelace"));
}

#[test]
fn hangs_and_goes_on() {
    let Some(bus) = bus() else { return };
    let keyring = GnomeKeyring::start(&bus, Some("hunter2"));
    secret_tool::store(&bus, "service", "ada", "lovelace");
    keyring.stop();
    assert_eq!(state(keyring.pid()), Some('T'));
    std::thread::scope(|scope| {
        let lookup = scope.spawn(|| secret_tool::lookup(&bus, "service", "ada"));
        keyring.cont();
        let found = lookup.join().expect("it doesn't panic");
        assert_eq!(found.as_deref(), Some("lovelace"));
    });
}

#[test]
fn is_killed_on_drop_even_when_it_hangs() {
    let Some(bus) = bus() else { return };
    let keyring = GnomeKeyring::start(&bus, Some("hunter2"));
    let pid = keyring.pid();
    keyring.stop();
    drop(keyring);
    assert_eq!(state(pid), None);
    wait_until("the bus notices", PATIENCE, || {
        bus.name_owner_pid("org.freedesktop.secrets").is_none()
    });
}

/// The letter that stands for a process's state; `None` when there's no such process.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.chars().next()
}
