//! What we write, others read, and the other way round.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use strongroom_core::{EntryName, ErrorKind, ExposeSecret, KeyringStore, Store, armor};
use strongroom_secret_service::SecretServiceStore;
use strongroom_testkit::{Bus, provider_or_skip, secret_tool};
use support::{get, gnome_keyring, keeping_store, secret, set, store};

/// A client of the Secret Service that is not ours.
struct Peer {
    name: &'static str,
    set: fn(&Bus, &str, &str, &str),
    get: fn(&Bus, &str, &str) -> Option<String>,
    /// Whether it writes a second item where we wrote one: it replaces only items that have an
    /// attribute of its own.
    adds_beside_ours: bool,
}

const SECRET_TOOL: Peer = Peer {
    name: "secret-tool",
    set: secret_tool::store,
    get: secret_tool::lookup,
    adds_beside_ours: false,
};

const KEYRING_CRATE: Peer = Peer {
    name: "the keyring crate",
    set: |bus, service, user, value| {
        run(bus, &keyring_crate(), &["set", service, user], value).expect("it stores");
    },
    get: |bus, service, user| run(bus, &keyring_crate(), &["get", service, user], ""),
    adds_beside_ours: false,
};

const PYTHON_KEYRING: Peer = Peer {
    name: "Python's keyring",
    set: |bus, service, user, value| {
        let program = "import sys, keyring; keyring.set_password(*sys.argv[1:], sys.stdin.read())";
        run(bus, PYTHON.as_ref(), &["-c", program, service, user], value).expect("it stores");
    },
    get: |bus, service, user| {
        let program = "import sys, keyring; print(keyring.get_password(*sys.argv[1:]))";
        run(bus, PYTHON.as_ref(), &["-c", program, service, user], "")
    },
    adds_beside_ours: true,
};

/// The system's own, which its package python3-keyring belongs to.
const PYTHON: &str = "/usr/bin/python3";
/// What that package installs.
const PYTHON_KEYRING_PROGRAM: &str = "/usr/bin/keyring";

const VALUE: &str = "sk-123 grüße";
/// Text of several lines, whose last one has no line break: programs that print it add one.
const LINES: &str = "-----BEGIN KEY-----\n\tMII=\r\n-----END KEY-----";

fn exchange(peer: &Peer) {
    let (bus, _keyring) = gnome_keyring();
    let store = store(&bus);
    store.set_password("app", "ours", &secret(VALUE)).unwrap();
    assert_eq!((peer.get)(&bus, "app", "ours").as_deref(), Some(VALUE), "{} reads", peer.name);

    (peer.set)(&bus, "app", "theirs", VALUE);
    let theirs = store.get_password("app", "theirs").unwrap().expect("we read");
    assert_eq!(theirs.expose_secret(), VALUE, "{} wrote", peer.name);

    store.set_password("app", "theirs", &secret("new")).unwrap();
    assert_eq!((peer.get)(&bus, "app", "theirs").as_deref(), Some("new"), "{}", peer.name);
    assert_eq!(store.list("app").unwrap().len(), 2);

    (peer.set)(&bus, "app", "ours", "new");
    if peer.adds_beside_ours {
        let error = store.get_password("app", "ours").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        let entry = EntryName::new("app", "ours").unwrap();
        let theirs = store.candidates(&entry).unwrap().into_iter().find(|item| {
            item.label.contains("Password for") // what Python's keyring calls its items
        });
        assert_eq!(store.keep_candidate(&entry, &theirs.expect("it is listed").id).unwrap(), 1);
    }
    assert_eq!(store.get_password("app", "ours").unwrap().unwrap().expose_secret(), "new");
}

#[test]
fn secret_tool_and_we_read_each_other() {
    if provider_or_skip("gnome-keyring-daemon") && provider_or_skip("secret-tool") {
        exchange(&SECRET_TOOL);
    }
}

#[test]
fn the_keyring_crate_and_we_read_each_other() {
    if provider_or_skip("gnome-keyring-daemon") {
        exchange(&KEYRING_CRATE);
    }
}

#[test]
fn pythons_keyring_and_we_read_each_other() {
    if provider_or_skip("gnome-keyring-daemon") && provider_or_skip(PYTHON_KEYRING_PROGRAM) {
        exchange(&PYTHON_KEYRING);
    }
}

/// An item as the `keyring` crate writes it with a target.
fn targeted(target: &'static str) -> [&'static str; 6] {
    ["service", "app", "username", "token", "target", target]
}

#[test]
fn items_of_one_user_with_different_targets_are_different_secrets() {
    if !provider_or_skip("gnome-keyring-daemon") || !provider_or_skip("secret-tool") {
        return;
    }
    let (bus, _keyring) = gnome_keyring();
    let store = store(&bus);
    secret_tool::store_by(&bus, &targeted("staging"), "of staging");
    assert_eq!(get(&store, "token").as_deref(), Some("of staging"), "there is no other");
    assert!(store.exists("app", "token").unwrap());
    assert_eq!(names(&store), ["token::staging"]);
    assert!(!store.delete_password("app", "token").unwrap(), "it is not this one");

    set(&store, "token", "ours");
    let read = secret_tool::lookup_by(&bus, &targeted("staging"));
    assert_eq!(read.as_deref(), Some("of staging"), "it is not this one");
    secret_tool::store_by(&bus, &targeted("production"), "of production");
    assert_eq!(names(&store), ["token", "token::production", "token::staging"]);
    assert_eq!(get(&store, "token").as_deref(), Some("ours"));
    assert_eq!(get(&store, "token::staging").as_deref(), Some("of staging"));
    assert!(store.exists("app", "token::production").unwrap());

    set(&store, "token::staging", "new");
    let read = secret_tool::lookup_by(&bus, &targeted("staging"));
    assert_eq!(read.as_deref(), Some("new"), "it is the same item");
    assert_eq!(store.candidates(&EntryName::new("app", "token").unwrap()).unwrap().len(), 1);
    assert!(store.delete_password("app", "token::production").unwrap());
    assert_eq!(names(&store), ["token", "token::staging"]);
    assert_eq!(get(&store, "token").as_deref(), Some("ours"));
}

#[test]
fn the_keyring_crates_default_target_is_the_plain_entry() {
    if !provider_or_skip("gnome-keyring-daemon") || !provider_or_skip("secret-tool") {
        return;
    }
    let (bus, _keyring) = gnome_keyring();
    let store = store(&bus);
    secret_tool::store_by(&bus, &targeted("default"), "theirs");
    assert_eq!(get(&store, "token").as_deref(), Some("theirs"));
    set(&store, "token", "ours");
    assert_eq!(secret_tool::lookup_by(&bus, &targeted("default")).as_deref(), Some("ours"));
    assert_eq!(names(&store), ["token"]);
}

#[test]
fn text_of_several_lines_is_kept_for_other_programs_where_that_is_asked_for() {
    if !provider_or_skip("gnome-keyring-daemon") {
        return;
    }
    let (bus, _keyring) = gnome_keyring();
    let (encoding, keeping) = (store(&bus), keeping_store(&bus));
    let theirs = |user| (KEYRING_CRATE.get)(&bus, "app", user);
    set(&encoding, "encoded", LINES);
    assert!(theirs("encoded").unwrap().starts_with(armor::MARKER));
    set(&keeping, "kept", LINES);
    assert_eq!(theirs("kept").as_deref(), Some(LINES));
    for store in [&encoding, &keeping] {
        assert_eq!(get(store, "encoded").as_deref(), Some(LINES));
        assert_eq!(get(store, "kept").as_deref(), Some(LINES));
    }
}

/// The names of the service's entries.
fn names(store: &SecretServiceStore) -> Vec<String> {
    let names = store.list("app").unwrap().into_iter().map(|name| name.as_str().to_owned());
    names.collect()
}

/// The small program on the `keyring` crate that is built with the tests.
fn keyring_crate() -> PathBuf {
    let test = std::env::current_exe().expect("a test program has a path");
    let profile =
        test.parent().and_then(|deps| deps.parent()).expect("it lies in target/debug/deps");
    profile.join("examples/keyring_peer")
}

/// What a program printed, or `None` where it failed.
fn run(bus: &Bus, program: &Path, args: &[&str], input: &str) -> Option<String> {
    let mut command = bus.command(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child =
        command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("it prints text");
    output.status.success().then(|| text.trim_end_matches('\n').to_owned())
}
