//! The tracker as its user meets it: on a terminal, with a real keyring or an encrypted file, and a Clockify.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use strongroom::keys::SealingKey;
use strongroom_testkit::secret_tool;
use support::clockify::Clockify;
use support::terminal::Terminal;
use support::{KEY, Machine};

/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:1/api/v1";

fn start(machine: &Machine, url: &str) -> Terminal {
    Terminal::start(machine.command("setsid"), url)
}

/// The same, and it takes keys.
fn open(machine: &Machine, url: &str) -> Terminal {
    let mut terminal = start(machine, url);
    terminal.wait_for("q quit");
    terminal
}

/// From nothing to an entry in Clockify.
fn first_use(machine: &Machine, place: &str) {
    let clockify = Clockify::start();
    let mut terminal = open(machine, &clockify.url);
    terminal.wait_for("Clockify key: missing");
    terminal.wait_for("Type `tracker setup` in another terminal");
    let stored = machine.run(&["setup"], KEY);
    assert!(stored.contains("clockify_api_key") && !stored.contains(KEY), "{stored}");
    // Nobody has pressed a key.
    terminal.wait_for(&format!("Clockify key: {place}"));
    assert_eq!(machine.run(&["get", "clockify_api_key"], ""), KEY);

    terminal.press("swrite tests\r");
    terminal.wait_for("write tests");
    terminal.press("s");
    terminal.wait_for("sent");
    let entry = clockify.next();
    assert_eq!(entry["description"], "write tests");
    let (start, end) = (entry["start"].as_str(), entry["end"].as_str());
    assert!(start.is_some() && start <= end, "{entry}");
    terminal.press("q");
    assert_eq!(terminal.finish().0, 0);
    assert!(machine.assert_key_in_no_file() > 2, "the journal, and what the store keeps");
}

#[test]
fn the_first_use_with_a_keyring() {
    let Some((machine, _keyring)) = Machine::with_keyring() else { return };
    first_use(&machine, "the desktop's keyring");
    let vault = secret_tool::lookup(machine.bus(), "claude-tracker", "vault").unwrap();
    assert!(vault.contains("clockify_api_key"), "other programs find it under the service's name");
}

#[test]
fn the_first_use_with_an_encrypted_file() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("key");
    SealingKey::generate().unwrap().create_file(&key).unwrap();
    first_use(&Machine::with_file("STRONGROOM_KEY_FILE", &key), "an encrypted file");
}

#[test]
fn a_passphrase_is_asked_for_on_the_terminal_and_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let passphrase = directory.path().join("passphrase");
    fs::write(&passphrase, "correct horse").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let machine = Machine::with_file("STRONGROOM_PASSPHRASE_FILE", &passphrase);
    machine.run(&["setup"], KEY);

    let mut terminal = start(&machine.without("STRONGROOM_PASSPHRASE_FILE"), NOWHERE);
    terminal.wait_for("Passphrase of the encrypted file");
    terminal.type_hidden("wrong");
    terminal.wait_for("this is try 2 of 3.\nPassphrase of the encrypted file");
    terminal.type_hidden("correct horse");
    terminal.wait_for("Clockify key: an encrypted file");
    terminal.press("q");
    let (exit, shown) = terminal.finish();
    assert_eq!(exit, 0);
    assert!(!shown.contains("horse"), "{shown}");
}

#[test]
fn a_locked_keyring_is_not_a_missing_key() {
    let Some((machine, keyring)) = Machine::with_keyring() else { return };
    machine.run(&["setup"], KEY);
    keyring.lock();
    let mut terminal = open(&machine, NOWHERE);
    terminal.wait_for("Clockify key: the keyring \"Login\" is locked");
    terminal.wait_for("tracker doctor` shows the commands");
    keyring.unlock("the keyring's password");
    terminal.press("r");
    terminal.wait_for("Clockify key: the desktop's keyring");
    terminal.press("q");
    assert_eq!(terminal.finish().0, 0);
}

#[test]
fn a_keyring_that_hangs_does_not_stop_the_clock() {
    let Some((machine, keyring)) = Machine::with_keyring() else { return };
    machine.run(&["setup"], KEY);
    keyring.stop();
    let mut terminal = open(&machine, NOWHERE);
    terminal.wait_for("Clockify key: looking for it");
    terminal.press("sthink\r");
    terminal.wait_for("0:00:02 think");
    terminal.wait_for("does not answer. Let it go on with");
    keyring.cont();
    terminal.press("r");
    terminal.wait_for("Clockify key: the desktop's keyring");
    terminal.press("q");
    assert_eq!(terminal.finish().0, 0);
}

#[test]
fn what_clockify_did_not_get_is_kept_and_sent_later() {
    let Some((machine, _keyring)) = Machine::with_keyring() else { return };
    machine.run(&["setup"], KEY);
    let mut terminal = open(&machine, NOWHERE);
    terminal.press("soffline\rs");
    terminal.wait_for("Clockify can't be reached");
    terminal.wait_for("not sent");
    terminal.press("q");
    assert_eq!(terminal.finish().0, 0);

    let clockify = Clockify::start();
    let mut terminal = open(&machine, &clockify.url);
    terminal.wait_for("u send 1 unsent");
    machine.run(&["set", "clockify_api_key"], "another key");
    terminal.press("u");
    terminal.wait_for("Clockify refuses the key. `tracker setup` replaces it.");
    machine.run(&["setup"], KEY);
    terminal.press("u");
    assert_eq!(clockify.next()["description"], "offline");
    terminal.press("q");
    assert_eq!(terminal.finish().0, 0);
}

#[test]
fn a_timer_outlives_its_tracker() {
    let Some((machine, _keyring)) = Machine::with_keyring() else { return };
    let mut terminal = open(&machine, NOWHERE);
    terminal.press("slong work\r");
    terminal.wait_for("s stop");
    let second = start(&machine, NOWHERE).finish();
    assert_eq!(second.0, 1);
    assert!(second.1.contains("a tracker runs already"), "{}", second.1);
    terminal.kill();
    let mut terminal = open(&machine, NOWHERE);
    terminal.wait_for("long work");
    terminal.press("q");
    assert_eq!(terminal.finish().0, 0);
}

#[test]
fn the_key_goes_to_no_address_that_is_not_encrypted() {
    let Some((machine, _keyring)) = Machine::with_keyring() else { return };
    let (exit, shown) = start(&machine, "http://api.clockify.me/api/v1").finish();
    assert_eq!(exit, 2);
    assert!(shown.contains("https://"), "{shown}");
}

#[test]
fn the_key_follows_no_redirect() {
    let Some((machine, _keyring)) = Machine::with_keyring() else { return };
    machine.run(&["setup"], KEY);
    let clockify = Clockify::start();
    let mut terminal = open(&machine, &clockify.url.replace("/api/v1", "/moved"));
    terminal.press("smove\rs");
    terminal.wait_for("Clockify answers 308.");
    terminal.press("q");
    assert_eq!(terminal.finish().0, 0);
}
