//! The work that a file may ask for: bounded for all of its key slots together.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use strongroom_core::ErrorKind;
use strongroom_sealed::{Cost, FileConfig, KeySource, MAX_SLOTS, SealedFile, SealingKey};
use support::{Sandbox, now, passphrase, plant_slots, refused, value};

const GIB: u32 = 1024 * 1024;

/// How much later than its deadline an operation may end on a busy machine.
const GRACE: Duration = Duration::from_secs(2);

fn config(sandbox: &Sandbox, source: KeySource, deadline: Duration) -> FileConfig {
    FileConfig::new(sandbox.path(), source).with_deadline(deadline)
}

/// A vault with the secret `a` that its own key and this passphrase open.
fn vault_with(source: &KeySource) -> Sandbox {
    let sandbox = Sandbox::filled(&["a"]);
    sandbox.open().add_slot(source, now()).unwrap();
    sandbox
}

#[test]
fn expensive_slots_do_not_shut_out_a_cheap_one_or_a_key() {
    let honest = passphrase("honest");
    let sandbox = vault_with(&honest);
    plant_slots(&sandbox, MAX_SLOTS - 2, GIB, 4);
    let deadline = Duration::from_secs(2);
    let start = Instant::now();
    let file = SealedFile::open(&config(&sandbox, honest, deadline)).unwrap();
    assert_eq!(value(&file, "a").as_deref(), Some("a"));
    let own = KeySource::key(sandbox.key.clone());
    SealedFile::open(&config(&sandbox, own, Duration::ZERO)).unwrap();
    assert!(start.elapsed() < deadline, "{:?}", start.elapsed());
}

#[test]
fn what_asks_for_more_work_than_the_deadline_allows_is_named_in_time() {
    // Of each size some fit into the deadline, and all together do not.
    for (memory_kib, passes) in [(GIB, 4), (GIB / 4, 2), (64 * 1024, 4)] {
        let sandbox = vault_with(&passphrase("honest"));
        plant_slots(&sandbox, MAX_SLOTS - 2, memory_kib, passes);
        let deadline = Duration::from_secs(1);
        let start = Instant::now();
        let opened = SealedFile::open(&config(&sandbox, passphrase("wrong"), deadline));
        let error = refused(opened, ErrorKind::TimedOut);
        assert!(start.elapsed() < deadline + GRACE, "{:?}", start.elapsed());
        let problem = error.problem();
        assert!(problem.contains("more work than fits into 1s"), "{problem}");
        assert!(problem.contains("(passphrase)"), "{problem}");
        let advice = error.advice();
        let options = advice.options();
        assert!(options[0].starts_with("--timeout "), "{options:?}");
    }
}

#[test]
fn a_rotation_is_bounded_as_an_opening_is() {
    let sandbox = vault_with(&passphrase("honest"));
    plant_slots(&sandbox, MAX_SLOTS - 2, GIB, 4);
    let own = KeySource::key(sandbox.key.clone());
    let file = SealedFile::open(&config(&sandbox, own.clone(), Duration::from_secs(1))).unwrap();
    let start = Instant::now();
    let error = refused(file.rotate(&[own, passphrase("honest")], |_| ()), ErrorKind::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(1) + GRACE, "{:?}", start.elapsed());
    assert!(error.problem().contains("00000000"), "{error}");
    assert!(!file.is_rotating().unwrap());
}

#[test]
fn a_new_slot_that_could_not_be_opened_in_time_is_not_made() {
    let sandbox = Sandbox::filled(&["a"]);
    let own = KeySource::key(sandbox.key.clone());
    let file = SealedFile::open(&config(&sandbox, own, Duration::from_millis(100))).unwrap();
    let cost = Cost::new(GIB, 4).unwrap();
    let source = KeySource::passphrase_with_cost("long".into(), cost);
    let error = refused(file.add_slot(&source, now()), ErrorKind::TimedOut);
    assert!(error.problem().contains("more work than fits into 100ms"), "{error}");
    assert_eq!(file.slots().unwrap().len(), 1);
}

#[test]
fn eight_calibrated_passphrases_open_within_the_default_deadline() {
    let sandbox = Sandbox::filled(&["a"]);
    let file = sandbox.open();
    let passphrases: Vec<_> = (1..=8)
        .map(|number| KeySource::passphrase(format!("passphrase {number}").into()))
        .collect();
    passphrases.iter().for_each(|source| drop(file.add_slot(source, now()).unwrap()));
    for source in [&passphrases[0], &passphrases[7]] {
        SealedFile::open(&FileConfig::new(sandbox.path(), source.clone())).unwrap();
    }
}

#[test]
fn a_key_opens_whatever_the_deadline_is() {
    let (sandbox, other) = (Sandbox::filled(&["a"]), SealingKey::generate().unwrap());
    for (key, fits) in [(sandbox.key.clone(), true), (other, false)] {
        let opened = SealedFile::open(&config(&sandbox, KeySource::key(key), Duration::ZERO));
        assert_eq!(opened.is_ok(), fits, "{opened:?}");
    }
}
