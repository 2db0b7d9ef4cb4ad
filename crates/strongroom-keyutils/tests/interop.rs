//! The store and `keyctl` read each other's keys, from sessions that don't link the user keyring too.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use strongroom_testkit::children;
use support::{Foreign, Program, Session, Store, have_tools, keyctl, left_in_thread_keyring};

#[test]
fn keyctl_reads_what_the_store_wrote() {
    let store = Store::new();
    if !have_tools() {
        return;
    }
    for value in ["one line", "two\nlines", "größe"] {
        store.set("u", value).unwrap();
        let key = keyctl(&["search", "@u", "user", &store.description("u")]);
        assert_eq!(keyctl(&["pipe", &key]), value);
        assert!(keyctl(&["session", "-", "keyctl", "pipe", &key]).ends_with(value));
    }
}

#[test]
fn the_store_reads_what_keyctl_wrote() {
    let store = Store::new();
    if !have_tools() {
        return;
    }
    let program = Program::of_this_user();
    for session in [Session::Same, Session::Fresh, Session::Revoked] {
        let _key = Foreign::new(&store.description("usr"), "value");
        program.runs("uses_a_foreign_key", session, &store);
        assert!(!store.has("usr"), "the role deletes it");
    }
}

#[test]
fn names_that_keyctl_spelt_otherwise_are_left_alone() {
    let store = Store::new();
    if !have_tools() {
        return;
    }
    let _key = Foreign::new(&store.description("%61"), "value");
    assert!(store.users().is_empty());
    assert!(store.get("a").is_none());
    assert!(!store.delete("%61"));
}

#[test]
fn a_foreign_key_with_a_long_description_disturbs_no_list() {
    let store = Store::new();
    if !have_tools() {
        return;
    }
    store.set("u", "v").unwrap();
    // The longest that the kernel takes.
    let rest = "x".repeat(4_094 - store.namespace.len());
    let _key = Foreign::new(&format!("{};{rest}", store.namespace), "value");
    assert_eq!(store.users(), ["u"]);
}

children!(uses_a_foreign_key);

fn uses_a_foreign_key() {
    let store = Store::inherited();
    assert!(store.has("usr"));
    assert_eq!(store.users(), ["usr"]);
    assert_eq!(store.get("usr").as_deref(), Some(&b"value"[..]));
    store.create("usr", "another").expect_err("it exists");
    for value in ["short".to_owned(), "long".repeat(3_000)] {
        store.set("usr", &value).unwrap();
        assert_eq!(store.get("usr"), Some(value.into_bytes()));
    }
    assert_eq!(left_in_thread_keyring(), 0);
    assert!(store.delete("usr"));
}
