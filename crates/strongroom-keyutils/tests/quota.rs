//! At the limit of the quota nothing is lost, and the error says what the limit is.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs;

use strongroom_core::{Error, ErrorKind};
use strongroom_testkit::{children, root_or_skip};
use support::{Program, Session, Store, left_in_thread_keyring};

/// Users that nobody is, each with a quota of its own.
const USER_OUT_OF_BYTES: u32 = 64_998;
const USER_OUT_OF_KEYS: u32 = 64_996;

#[test]
fn bytes_run_out() {
    if let Some(program) = Program::of_user(USER_OUT_OF_BYTES) {
        program.runs("runs_out_of_bytes", Session::Same, &Store::new());
    }
}

#[test]
fn keys_run_out() {
    if let Some(program) = Program::of_user(USER_OUT_OF_KEYS) {
        program.runs("runs_out_of_keys", Session::Same, &Store::new());
    }
}

#[test]
fn more_entries_than_one_read_returns_are_listed() {
    // An ordinary user has too few keys.
    if !root_or_skip() {
        return;
    }
    let store = Store::new();
    for user in 0..1_500 {
        store.set(&format!("{user:04}"), "v").unwrap();
    }
    assert_eq!(store.users().len(), 1_500);
}

children!(runs_out_of_bytes, runs_out_of_keys);

fn runs_out_of_bytes() {
    let store = Emptied(Store::inherited());
    let store = &store.0;
    for value in ["old", &"o".repeat(5_000)] {
        store.set("kept", value).unwrap();
        let refused = fill(store, &"x".repeat(900));
        let limit = fs::read_to_string("/proc/sys/kernel/keys/maxbytes").unwrap();
        assert!(
            refused.hint().contains(&format!("of {} bytes", limit.trim())),
            "{}",
            refused.hint()
        );
        assert!(refused.hint().contains("kernel.keys.maxbytes"), "{}", refused.hint());
        for larger in [value.len() + 2_000, value.len() + 5_000] {
            let error = store.set("kept", "y".repeat(larger)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error:?}");
            assert_eq!(store.get("kept"), Some(value.into()));
        }
        empty(store);
    }
    assert_eq!(left_in_thread_keyring(), 0);
}

fn runs_out_of_keys() {
    let store = Emptied(Store::inherited());
    let store = &store.0;
    let refused = fill(store, "v");
    let limit = fs::read_to_string("/proc/sys/kernel/keys/maxkeys").unwrap();
    assert!(refused.hint().contains(&format!("of {} keys", limit.trim())), "{}", refused.hint());
    // The kernel takes its time to forget deleted keys; who deletes one may create one all the same.
    for user in store.users().iter().take(20) {
        assert!(store.delete(user));
        store.create(&format!("new {user}"), "v").unwrap();
    }
    assert_eq!(left_in_thread_keyring(), 0);
}

/// Writes entries until one is refused, which leaves no trace.
fn fill(store: &Store, value: &str) -> Error {
    for number in 0.. {
        let user = format!("filler {number}");
        if let Err(error) = store.set(&user, value) {
            assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error:?}");
            assert!(number > 3 && !store.has(&user), "{number}");
            return error;
        }
    }
    unreachable!("the numbers don't end")
}

fn empty(store: &Store) {
    for user in store.users() {
        assert!(store.delete(&user));
    }
}

/// Empties the store when dropped.
struct Emptied(Store);

impl Drop for Emptied {
    fn drop(&mut self) {
        empty(&self.0);
    }
}
