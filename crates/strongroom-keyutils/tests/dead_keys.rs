//! A key that was revoked, was invalidated or has expired is missing, and gives its name free.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::thread;
use std::time::{Duration, Instant};

use linux_keyutils::{Key, KeyRing, KeyRingIdentifier};
use strongroom_core::WriteMode;
use support::Store;

#[test]
fn a_revoked_key_is_missing() {
    is_missing_after(|key| key.revoke().unwrap());
}

#[test]
fn an_invalidated_key_is_missing() {
    is_missing_after(|key| key.invalidate().unwrap());
}

#[test]
fn an_expired_key_is_missing() {
    is_missing_after(|key| {
        key.set_timeout(1).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while key.read(&mut [0u8; 64]).is_ok() {
            assert!(Instant::now() < deadline, "the key does not expire");
            thread::park_timeout(Duration::from_millis(20));
        }
    });
}

fn is_missing_after(kill: impl Fn(Key)) {
    let store = Store::new();
    store.set("sibling", "kept").unwrap();
    for mode in [WriteMode::CreateNew, WriteMode::Overwrite] {
        store.set("u", "dead").unwrap();
        kill(key(&store, "u"));
        assert!(store.get("u").is_none());
        assert!(!store.has("u"));
        assert!(!store.delete("u"));
        assert_eq!(store.users(), ["sibling"]);
        store.write("u", "new", mode).unwrap();
        assert_eq!(store.get("u").as_deref(), Some(&b"new"[..]));
        assert_eq!(store.users(), ["sibling", "u"]);
        assert!(store.delete("u"));
    }
    assert_eq!(store.get("sibling").as_deref(), Some(&b"kept"[..]));
}

fn key(store: &Store, user: &str) -> Key {
    let keyring = KeyRing::from_special_id(KeyRingIdentifier::User, false).unwrap();
    keyring.search(&store.description(user)).unwrap()
}
