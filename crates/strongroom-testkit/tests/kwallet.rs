//! A real KWallet reaches each state that it's asked for.

#![cfg(target_os = "linux")]

use std::fs;

use strongroom_testkit::{
    Bus, KWallet, PATIENCE, Sandbox, provider_or_skip, secret_tool, wait_until,
};

fn bus() -> Option<Bus> {
    let programs = ["dbus-daemon", "kwalletd5", "secret-tool"];
    let installed = programs.iter().all(|program| provider_or_skip(program));
    installed.then(|| Bus::start(&Sandbox::new()))
}

/// KWallet fails or garbles about one in a hundred of the encrypted sessions that `secret-tool`
/// opens, so this tries until it worked.
fn store(bus: &Bus) {
    wait_until("the secret is stored", PATIENCE, || {
        secret_tool::try_store(bus, "service", "ada", "lovelace") && finds(bus)
    });
}

fn finds(bus: &Bus) -> bool {
    secret_tool::lookup(bus, "service", "ada").as_deref() == Some("lovelace")
}

#[test]
fn starts_open_and_says_that_it_is_locked() {
    let Some(bus) = bus() else { return };
    let kwallet = KWallet::start(&bus, "hunter2");
    let owner = bus.name_owner_pid("org.freedesktop.secrets");
    assert_eq!(owner, Some(kwallet.pid()));
    assert!(kwallet.is_open());
    assert_eq!(kwallet.is_locked(), Some(true));
    kwallet.unlock();
    assert_eq!(kwallet.is_locked(), Some(false));

    store(&bus);
}

#[test]
fn starts_locked() {
    let Some(bus) = bus() else { return };
    let kwallet = KWallet::start_locked(&bus, "hunter2");
    assert!(fs::metadata(kwallet.wallet_file()).is_ok_and(|file| file.len() > 0));
    assert!(!kwallet.is_open());
    assert_eq!(kwallet.is_locked(), Some(true));
}

#[test]
fn locks_used_or_not() {
    let Some(bus) = bus() else { return };
    let mut kwallet = KWallet::start(&bus, "hunter2");
    kwallet.lock();
    assert_eq!(kwallet.is_locked(), Some(true));
    kwallet.restart(Some("hunter2"));
    kwallet.unlock();
    kwallet.lock();
    assert_eq!(kwallet.is_locked(), Some(true));
}

#[test]
fn comes_back_with_what_it_kept() {
    let Some(bus) = bus() else { return };
    let mut kwallet = KWallet::start(&bus, "hunter2");
    kwallet.unlock();
    store(&bus);
    // Closing the wallet writes it; a kill alone would lose what was just stored.
    kwallet.lock();
    kwallet.kill();
    assert_eq!(bus.name_owner_pid("org.freedesktop.secrets"), None);

    kwallet.restart(Some("hunter2"));
    kwallet.unlock();
    wait_until("the secret is found", PATIENCE, || finds(&bus));
}

#[test]
fn hangs_and_goes_on() {
    let Some(bus) = bus() else { return };
    let kwallet = KWallet::start(&bus, "hunter2");
    kwallet.unlock();
    store(&bus);
    kwallet.stop();
    std::thread::scope(|scope| {
        scope.spawn(|| finds(&bus));
        kwallet.cont();
    });
    wait_until("the secret is found", PATIENCE, || finds(&bus));
}
