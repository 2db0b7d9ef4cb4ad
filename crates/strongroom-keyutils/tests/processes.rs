//! Processes that write the same entry at once make one key of it, and lose none.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::process;
use std::thread;
use std::time::{Duration, Instant};

use strongroom_core::ErrorKind;
use strongroom_testkit::child::{self, Child};
use strongroom_testkit::children;
use support::{Program, Store};

const PROCESSES: usize = 6;
/// Two entries each: an ordinary user may have 200.
const ROUNDS: usize = 60;
/// Scales of values: some of the long ones take more than a page. Writers that create and delete at
/// once need quota for all that the kernel has not let go of yet, so theirs are short.
const LONG: usize = 200;
const SHORT: usize = 10;

#[test]
fn one_of_many_processes_creates_an_entry() {
    let store = Store::new();
    race("creates", &store);
    for round in 0..ROUNDS {
        let value = store.get(&format!("entry {round}")).unwrap();
        let pid = String::from_utf8(value).unwrap();
        let winners: Vec<_> = store
            .users()
            .into_iter()
            .filter(|user| user.starts_with(&format!("won {round} ")))
            .collect();
        assert_eq!(winners, [format!("won {round} {pid}")]);
    }
}

#[test]
fn processes_that_write_and_delete_leave_one_key_or_none() {
    let store = Store::new();
    race("writes_and_deletes", &store);
    let users = store.users();
    assert!(users.is_empty() || users == ["u"], "{users:?}");
    assert_eq!(store.has("u"), !users.is_empty());
}

#[test]
fn an_entry_that_is_only_overwritten_is_always_there() {
    let store = Store::new();
    store.set("u", value_of(process::id(), LONG)).unwrap();
    race("overwrites", &store);
    assert_eq!(store.users(), ["u"]);
}

fn race(function: &str, store: &Store) {
    let program = Program::of_this_user();
    let mut racers: Vec<_> = (0..PROCESSES).map(|_| program.starts(function, store)).collect();
    racers.iter_mut().for_each(Child::end_input);
    // All of them are waited for, since one that still runs would write after the clean-up.
    let ended: Vec<_> = racers.into_iter().map(Child::wait).collect();
    assert!(ended.iter().all(|(_, succeeded)| *succeeded), "a racer failed in `{function}`");
}

children!(creates, writes_and_deletes, overwrites);

fn creates() {
    let store = ready();
    let pid = process::id();
    for round in 0..ROUNDS {
        meet(&store, round);
        match store.create(&format!("entry {round}"), pid.to_string()) {
            Ok(()) => store.create(&format!("won {round} {pid}"), "").unwrap(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error:?}"),
        }
    }
}

fn writes_and_deletes() {
    let store = ready();
    for round in 0..ROUNDS {
        store.set("u", value_of(process::id(), SHORT)).unwrap();
        if let Some(value) = store.get("u") {
            assert_whole(&value, SHORT);
        }
        if round % 3 == 0 {
            store.delete("u");
        }
    }
}

fn overwrites() {
    let store = ready();
    for _ in 0..ROUNDS {
        store.set("u", value_of(process::id(), LONG)).unwrap();
        assert_whole(&store.get("u").unwrap(), LONG);
        assert!(store.create("u", "new").is_err());
    }
}

/// Waits for the start.
fn ready() -> Store {
    assert_eq!(child::told(), None);
    Store::inherited()
}

/// Waits until all racers have come to this round.
fn meet(store: &Store, round: usize) {
    let here = |round| format!("here {round} ");
    let me = |round| format!("{}{}", here(round), process::id());
    store.set(&me(round), "").unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while store.users().iter().filter(|user| user.starts_with(&here(round))).count() < PROCESSES {
        assert!(Instant::now() < deadline, "a racer is missing");
        thread::yield_now();
    }
    // Who is here has left the round before.
    if let Some(before) = round.checked_sub(1) {
        assert!(store.delete(&me(before)));
    }
}

/// A text whose length and every part depend on the writer.
fn value_of(pid: u32, scale: usize) -> String {
    format!("{pid} ").repeat(1 + usize::try_from(pid % 7).unwrap() * scale)
}

fn assert_whole(value: &[u8], scale: usize) {
    let value = std::str::from_utf8(value).unwrap();
    let pid = value.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(value, value_of(pid, scale));
}
