//! The real gnome-keyring, through every state that it gets into.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use strongroom_core::{Deadlines, ErrorKind, KeyringStore, PromptPolicy, Store, armor};
use strongroom_secret_service::SecretServiceStore;
use strongroom_testkit::{Bus, GnomeKeyring, provider_or_skip, secret_tool};
use support::{BRIEF, PASSWORD, bus, config, get, gnome_keyring, secret, set, store};

fn started() -> Option<(Bus, GnomeKeyring)> {
    provider_or_skip("gnome-keyring-daemon").then(gnome_keyring)
}

#[test]
fn the_probe_names_the_provider_and_its_collection() {
    let Some((bus, keyring)) = started() else {
        return;
    };
    let probe = store(&bus).probe().unwrap();
    let pid = keyring.pid().to_string();
    assert!(probe.provider.contains("gnome-keyring-daemon"), "{probe:?}");
    assert!(probe.provider.contains(&pid) && probe.provider.contains("collection"), "{probe:?}");
}

#[test]
fn locked_is_locked_for_every_operation_and_the_probe() {
    let Some((bus, keyring)) = started() else {
        return;
    };
    let store = store(&bus);
    set(&store, "u", "v");
    keyring.lock();
    let locked = [
        store.get_password("app", "u").unwrap_err(),
        store.get_password("app", "never stored").unwrap_err(),
        store.set_password("app", "u", &secret("w")).unwrap_err(),
        store.set_password("app", "new", &secret("w")).unwrap_err(),
        store.delete_password("app", "u").unwrap_err(),
        store.exists("app", "never stored").unwrap_err(),
        store.list("app").unwrap_err(),
        store.probe().unwrap_err(),
    ];
    for error in locked {
        assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    }
    keyring.unlock(PASSWORD);
    assert_eq!(get(&store, "u").as_deref(), Some("v"), "the old value is still there");
}

#[test]
fn a_locked_keyring_after_a_restart_is_not_an_empty_one() {
    let Some((bus, mut keyring)) = started() else {
        return;
    };
    set(&store(&bus), "u", "v");
    keyring.kill();
    keyring.restart(None);
    let error = store(&bus).get_password("app", "u").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Locked | ErrorKind::NoDefaultCollection), "{error}");
}

#[test]
fn acknowledged_writes_survive_a_kill() {
    let Some((bus, mut keyring)) = started() else {
        return;
    };
    let store = store(&bus);
    for round in 0..10 {
        let value = format!("value {round}");
        set(&store, "u", &value);
        keyring.kill();
        keyring.restart(Some(PASSWORD));
        assert_eq!(get(&store, "u"), Some(value));
    }
}

#[test]
fn a_held_store_works_on_at_once_after_a_restart() {
    let Some((bus, mut keyring)) = started() else {
        return;
    };
    let store = store(&bus);
    set(&store, "u", "v");
    keyring.kill();
    let error = store.get_password("app", "u").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend, "{error}");
    keyring.restart(Some(PASSWORD));
    assert_eq!(get(&store, "u").as_deref(), Some("v"));
    keyring.kill();
    keyring.restart(Some(PASSWORD));
    set(&store, "u", "w");
    assert_eq!(secret_tool::lookup(&bus, "app", "u").as_deref(), Some("w"));
}

#[test]
fn a_stopped_daemon_is_named_and_does_not_hold_the_caller() {
    let Some((bus, keyring)) = started() else {
        return;
    };
    let store = SecretServiceStore::new(config(&bus).with_deadlines(Deadlines::both(BRIEF)));
    keyring.stop();
    let error = store.get_password("app", "u").unwrap_err();
    keyring.cont();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    let text = error.to_string();
    assert!(text.contains("gnome-keyring-daemon") && text.contains("stopped"), "{text}");
    assert!(error.hint().contains(&format!("kill -CONT {}", keyring.pid())), "{}", error.hint());
}

#[test]
fn without_a_collection_it_says_so() {
    if !provider_or_skip("gnome-keyring-daemon") {
        return;
    }
    let bus = bus();
    let _keyring = GnomeKeyring::start(&bus, None);
    let store = store(&bus);
    let errors = [
        store.get_password("app", "u").unwrap_err(),
        store.set_password("app", "u", &secret("v")).unwrap_err(),
        store.probe().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NoDefaultCollection, "{error}");
    }
}

#[test]
fn where_no_prompt_can_be_shown_a_prompt_is_an_error_and_not_a_hang() {
    let Some((bus, keyring)) = started() else {
        return;
    };
    set(&store(&bus), "u", "v");
    keyring.lock();
    let config = config(&bus).with_prompt(PromptPolicy::Always);
    let error = SecretServiceStore::new(config).get_password("app", "u").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InteractionNotAllowed, "{error}");
}

#[test]
fn what_is_one_line_of_text_is_stored_as_it_is_and_the_rest_as_armor() {
    let Some((bus, _keyring)) = started() else {
        return;
    };
    let store = store(&bus);
    set(&store, "plain", "sk-123 grüße");
    set(&store, "lines", "a\nb");
    assert_eq!(secret_tool::lookup(&bus, "app", "plain").as_deref(), Some("sk-123 grüße"));
    let lines = secret_tool::lookup(&bus, "app", "lines").unwrap();
    assert!(lines.starts_with(armor::MARKER) && !lines.contains('\n'), "{lines}");
}

#[test]
fn a_large_value_is_not_cut() {
    let Some((bus, _keyring)) = started() else {
        return;
    };
    let store = store(&bus);
    let value = "0123456789abcdef".repeat(4096);
    set(&store, "large", &value);
    assert_eq!(get(&store, "large"), Some(value));
}
