//! Processes that use the same entries at once: one creates, all see it, and none waits for good.

#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs::File;
use std::process;
use std::time::{Duration, Instant};

use strongroom_core::ErrorKind;
use strongroom_credential_manager::Config;
use strongroom_testkit::child::{Child, say, told};
use strongroom_testkit::children;
use support::{Service, start};

const PROCESSES: usize = 5;
const ROUNDS: usize = 20;

#[test]
fn one_of_many_processes_creates_an_entry_and_all_are_listed() {
    let service = Service::new();
    race("creates", &service);
    let users = service.users();
    for round in 0..ROUNDS {
        let value = service.get(&format!("entry {round}")).unwrap();
        let pid = String::from_utf8(value).unwrap();
        let won = |user: &&String| user.starts_with(&format!("won {round} "));
        let winners: Vec<_> = users.iter().filter(won).collect();
        assert_eq!(winners, [&format!("won {round} {pid}")]);
    }
    assert_eq!(users.len(), 2 * ROUNDS);
}

#[test]
fn processes_that_overwrite_one_entry_leave_a_whole_value() {
    let service = Service::new();
    service.set("u", value_of(process::id()));
    race("overwrites", &service);
    assert_whole(&service.get("u").unwrap());
    assert_eq!(service.users(), ["u"]);
}

#[test]
fn while_another_holds_the_lock_reads_go_on_and_writes_are_busy() {
    let dir = tempfile::tempdir().unwrap();
    let limit = Duration::from_millis(200);
    let config = Config::default().with_state_dir(dir.path()).with_deadline(limit);
    let service = Service::with_config(config);
    service.set("u", "v");

    let held = File::open(dir.path().join("credential-manager.lock")).unwrap();
    held.lock().unwrap();
    let before = Instant::now();
    assert_eq!(service.get("u").as_deref(), Some(&b"v"[..]));
    let error = service.create("new", "v").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
    assert!(!service.has("new"));
    assert!(before.elapsed() < 20 * limit, "{:?}", before.elapsed());

    drop(held);
    service.create("new", "v").unwrap();
}

#[test]
fn a_process_that_dies_frees_the_lock() {
    let service = Service::new();
    let mut writer = start("overwrites_until_it_is_killed", &service);
    assert_eq!(writer.next(), "writing");
    writer.kill();
    assert_whole(&service.get("u").unwrap());
    service.create("new", "v").unwrap();
}

#[test]
fn where_no_lock_can_be_had_it_does_without() {
    let dir = tempfile::tempdir().unwrap();
    let blocked = dir.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let service = Service::with_config(Config::default().with_state_dir(blocked.join("sub")));
    service.create("u", "v").unwrap();
    assert_eq!(service.get("u").as_deref(), Some(&b"v"[..]));
    assert!(service.delete("u"));
}

fn race(function: &str, service: &Service) {
    let mut racers: Vec<_> = (0..PROCESSES).map(|_| start(function, service)).collect();
    racers.iter_mut().for_each(Child::end_input);
    // All of them are waited for, since one that still runs would write after the clean-up.
    let ended: Vec<_> = racers.into_iter().map(Child::wait).collect();
    assert!(ended.iter().all(|(_, succeeded)| *succeeded), "a racer failed in `{function}`");
}

children!(creates, overwrites, overwrites_until_it_is_killed);

fn creates() {
    let service = ready();
    let pid = process::id();
    for round in 0..ROUNDS {
        match service.create(&format!("entry {round}"), pid.to_string()) {
            Ok(()) => service.create(&format!("won {round} {pid}"), "").unwrap(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error:?}"),
        }
    }
}

fn overwrites() {
    let service = ready();
    for _ in 0..ROUNDS {
        service.set("u", value_of(process::id()));
        assert_whole(&service.get("u").unwrap());
        assert!(service.create("u", "new").is_err());
    }
}

fn overwrites_until_it_is_killed() {
    let service = Service::inherited();
    service.set("u", value_of(process::id()));
    say("writing");
    loop {
        service.set("u", value_of(process::id()));
    }
}

/// Waits for the start.
fn ready() -> Service {
    assert_eq!(told(), None);
    Service::inherited()
}

/// A text whose length and every part depend on the writer.
fn value_of(pid: u32) -> String {
    format!("{pid} ").repeat(1 + usize::try_from(pid % 7).unwrap() * 40)
}

fn assert_whole(value: &[u8]) {
    let value = std::str::from_utf8(value).unwrap();
    let pid = value.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(value, value_of(pid));
}
