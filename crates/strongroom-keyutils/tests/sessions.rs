//! The entries of a user are there in each of the user's sessions, and as any user.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

use strongroom_testkit::children;
use support::{Program, Session, Store, have_tools};

/// The same suite as in `conformance.rs`, in the program that is run again elsewhere.
mod suite {
    strongroom_conformance::conformance_tests!({
        let turn = super::turn();
        move || {
            let _held = &turn;
            strongroom_keyutils::KeyutilsStore::new()
        }
    });
}

/// Users that nobody is, each with a quota of its own.
const CONFORMANCE_USER: u32 = 64_999;
const CROSSING_USER: u32 = 64_997;

const SUITE: &str = "suite::";

#[test]
fn it_conforms_for_another_user_in_every_session() {
    let _turn = turn();
    let Some(program) = Program::of_user(CONFORMANCE_USER) else {
        return;
    };
    let store = Store::new();
    program.passes(Session::Same, &store, SUITE);
    if have_tools() {
        program.passes(Session::Fresh, &store, SUITE);
        program.passes(Session::Revoked, &store, SUITE);
    }
}

#[test]
fn it_conforms_for_this_user_in_every_session() {
    let _turn = turn();
    let store = Store::new();
    if have_tools() {
        let program = Program::of_this_user();
        program.passes(Session::Fresh, &store, SUITE);
        program.passes(Session::Revoked, &store, SUITE);
    }
}

#[test]
fn what_one_session_writes_every_other_reads() {
    let _turn = turn();
    let store = Store::new();
    if have_tools() {
        cross(&store, &Program::of_this_user());
        assert!(!store.has("u"), "the last reader deletes it");
        if let Some(other) = Program::of_user(CROSSING_USER) {
            cross(&store, &other);
        }
    }
}

#[test]
fn another_user_sees_nothing() {
    let _turn = turn();
    let store = Store::new();
    store.set("u", "written elsewhere").unwrap();
    if let Some(other) = Program::of_user(CROSSING_USER) {
        other.runs("finds_nothing", Session::Same, &store);
    }
}

/// One test after the other: an ordinary user's quota is small.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cross(store: &Store, program: &Program) {
    for writer in [Session::Same, Session::Fresh, Session::Revoked] {
        program.runs("writes", writer, store);
        for reader in [Session::Fresh, Session::Revoked, Session::Same] {
            program.runs("reads", reader, store);
        }
        program.runs("deletes", Session::Fresh, store);
    }
}

children!(writes, reads, deletes, finds_nothing);

fn writes() {
    Store::inherited().create("u", "written elsewhere").unwrap();
}

fn reads() {
    let store = Store::inherited();
    assert_eq!(store.get("u").as_deref(), Some(&b"written elsewhere"[..]));
    assert_eq!(store.users(), ["u"]);
}

fn deletes() {
    assert!(Store::inherited().delete("u"));
}

fn finds_nothing() {
    let store = Store::inherited();
    assert!(store.get("u").is_none() && store.users().is_empty() && !store.delete("u"));
}
