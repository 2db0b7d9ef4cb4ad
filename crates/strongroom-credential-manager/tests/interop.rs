//! The store reads what the `keyring` crate stored, and keeps apart from what is not its own.

#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use strongroom_core::ErrorKind;
use support::Service;

const TEXTS: [&str; 6] = ["s3cret", "", "grüße", "пароль", "密码", "🔐 two\nlines"];

#[test]
fn the_store_reads_what_keyring_stored() {
    let service = Service::new();
    let keyring = service.keyring("me@example.org");
    assert!(!service.has("me@example.org"));
    for text in TEXTS {
        keyring.set_password(text).unwrap();
        assert_eq!(service.get("me@example.org").as_deref(), Some(text.as_bytes()));
        assert!(service.has("me@example.org"));
    }
    for bytes in [&b"text"[..], b"\xff\xfe\0\x01", b"odd"] {
        keyring.set_secret(bytes).unwrap();
        assert_eq!(service.get("me@example.org").as_deref(), Some(bytes));
    }
}

#[test]
fn an_entry_of_its_own_counts_from_then_on_and_both_are_deleted() {
    let service = Service::new();
    let keyring = service.keyring("u");
    keyring.set_password("old").unwrap();
    let error = service.create("u", "new").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(service.users().is_empty(), "only what the store wrote is listed");

    service.set("u", "new");
    assert_eq!(service.get("u").as_deref(), Some(&b"new"[..]));
    assert_eq!(keyring.get_password().unwrap(), "old");
    assert_eq!(service.users(), ["u"]);

    assert!(service.delete("u"));
    assert!(!service.has("u") && service.get("u").is_none());
    assert!(matches!(keyring.get_password(), Err(keyring::Error::NoEntry)));
    keyring.set_password("old").unwrap();
    assert!(service.delete("u"), "it is an entry without one of the store's, too");
    assert!(!service.delete("u"));
}

#[test]
fn a_target_that_is_another_pairs_is_left_alone() {
    let service = Service::new();
    // Stored for the user `a` of `b.SERVICE`; the user `a.b` of SERVICE has the same target.
    let keyring = service.keyring_of("b.", "a");
    keyring.set_password("not for a.b").unwrap();
    assert!(!service.has("a.b") && service.get("a.b").is_none());
    service.create("a.b", "its own").unwrap();
    assert!(service.delete("a.b") && !service.delete("a.b"));
    assert_eq!(keyring.get_password().unwrap(), "not for a.b");
}

#[test]
fn names_that_differ_in_case_are_others() {
    let service = Service::new();
    let keyring = service.keyring("Token");
    keyring.set_password("v").unwrap();
    assert!(service.has("Token"));
    assert!(!service.has("token") && !service.delete("token"));
    assert_eq!(keyring.get_password().unwrap(), "v");
}

#[test]
fn what_another_program_wrote_over_an_entry_is_read_as_text() {
    let service = Service::new();
    let other = service.in_others_hands("a.b");
    for text in TEXTS {
        // Its comment stays, as in a window where somebody edits the password alone.
        service.set("a.b", "a value of the store's own, in UTF-8");
        other.set_password(text).unwrap();
        assert_eq!(service.get("a.b").as_deref(), Some(text.as_bytes()));
        // Its comment goes, as with a program that makes the credential anew.
        other.delete_credential().unwrap();
        other.set_password(text).unwrap();
        assert_eq!(service.get("a.b").as_deref(), Some(text.as_bytes()));
    }
}

#[test]
fn the_stores_own_bytes_are_never_taken_for_text() {
    let service = Service::new();
    for value in ["a\0b\0", "\0", "\u{1}\u{4}"] {
        service.set("u", value);
        assert_eq!(service.get("u").as_deref(), Some(value.as_bytes()));
    }
}
