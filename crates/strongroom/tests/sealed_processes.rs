//! Sealed vaults between real processes, some of which are killed: nothing acknowledged is lost, and
//! whatever is left opens.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use strongroom::{ErrorKind, ExposeSecret, Layout, Secret, SecretKey};
use strongroom_testkit::child::{say, told};
use strongroom_testkit::{Sandbox, children};
#[cfg(target_os = "linux")]
use support::gnome_keyring;
use support::race;
use support::site::Site;
use support::worker::{Moments, Worker, deed, kills, report};

#[cfg(target_os = "linux")]
#[test]
fn eight_processes_lose_nothing_of_a_sealed_vault_on_gnome_keyring() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let site = Site::on_bus(&bus, Layout::Sealed);
    race::nothing_is_lost(&site, 500);
    assert_eq!(site.open().layout(), Layout::Sealed);
}

#[test]
fn eight_processes_lose_nothing_of_an_encrypted_file() {
    race::nothing_is_lost(&Site::in_file(&Sandbox::new()), 500);
}

children!(worker, writer);

fn writer() {
    race::write();
}

/// How often a process is killed in each of the tests below.
const KILLS: usize = 60;

/// Secrets of which so many fit into an inline vault, and one more does not.
const LARGE: usize = 3_100;
#[cfg(target_os = "linux")]
const FIT: usize = 15;

#[cfg(target_os = "linux")]
#[test]
fn a_process_killed_while_an_inline_vault_becomes_sealed_loses_nothing() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let site = Site::on_bus(&bus, Layout::Inline);
    let prepared = || {
        let secrets = site.open();
        secrets.purge().unwrap();
        secrets.batch(|batch| (0..FIT).for_each(|number| put(batch, number))).unwrap();
        assert_eq!(secrets.layout(), Layout::Inline);
        FIT
    };
    grows_whole(&site, prepared, 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_killed_while_a_vault_begins_as_a_sealed_one_loses_nothing() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let site = Site::on_bus(&bus, Layout::Sealed);
    let prepared = || {
        site.open().purge().unwrap();
        0
    };
    grows_whole(&site, prepared, 0);
}

#[test]
fn a_process_killed_while_an_encrypted_file_begins_loses_nothing() {
    let sandbox = Sandbox::new();
    let site = Site::in_file(&sandbox);
    let prepared = || {
        site.open().purge().unwrap();
        0
    };
    grows_whole(&site, prepared, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_purge_leaves_is_the_vault_nothing_or_an_error_that_the_next_purge_ends() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    purges_whole(&Site::on_bus(&bus, Layout::Sealed));
}

#[test]
fn what_a_killed_purge_leaves_of_an_encrypted_file_is_ended_by_the_next_purge() {
    purges_whole(&Site::in_file(&Sandbox::new()));
}

#[test]
fn the_log_that_a_killed_purge_left_of_an_encrypted_file_is_no_empty_vault() {
    let sandbox = Sandbox::new();
    let site = Site::in_file(&sandbox);
    let log = site.file().with_extension("sealed-wal");
    for by_reset in [true, false] {
        site.open().set("A", &Secret::new("1")).unwrap();
        fs::rename(site.file(), &log).unwrap();
        assert_eq!(site.builder().open_blocking().unwrap_err().kind(), ErrorKind::Corrupt);
        let repair = site.builder().repair().unwrap();
        let ended = if by_reset { repair.reset().map(|aside| aside.len()) } else { repair.purge() };
        assert_eq!(ended.unwrap(), 1);
        assert!(!log.exists() && site.open().list().unwrap().is_empty());
    }
}

/// Kills processes that set one secret after the other, and looks at the vault after each.
fn grows_whole(site: &Site<'_>, prepared: impl Fn() -> usize, base: u64) {
    let mut seen = Seen::default();
    let mut moments = Moments::of(|| {
        prepared();
        Worker::start(site.command(), "grow").times(3)
    });
    for _ in 0..kills(KILLS) {
        let before = prepared();
        let acknowledged =
            before + Worker::start(site.command(), "grow").killed_after(moments.next());
        let has_file = site.file().exists();
        let secrets = site.open();
        let generation = secrets.generation().unwrap();
        let commits = base + (acknowledged - before) as u64;
        assert!((commits..=commits + 1).contains(&generation), "{generation}, {commits} were told");
        let there = acknowledged + usize::try_from(generation - commits).unwrap();
        assert_eq!(secrets.list().unwrap().len(), there);
        for number in 0..there {
            let value = secrets.get_value(name(number)).unwrap();
            assert!(value.is_some_and(|value| value.expose_secret() == large(number)), "{number}");
        }
        seen.count(has_file, secrets.layout());
        secrets.set("AFTER", &Secret::new("value")).unwrap();
        assert_eq!(site.open().list().unwrap().len(), there + 1);
    }
    seen.report();
}

/// Kills processes that purge, and looks at what they leave.
fn purges_whole(site: &Site<'_>) {
    let fill = || {
        let secrets = site.open();
        secrets.batch(|batch| (0..3).for_each(|number| put(batch, number))).unwrap();
        assert_eq!(secrets.layout(), Layout::Sealed);
    };
    let mut moments = Moments::of(|| {
        fill();
        Worker::start(site.command(), "purge").times(1)
    });
    let (mut whole, mut nothing, mut errors) = (0, 0, 0);
    for _ in 0..kills(KILLS) {
        fill();
        let purged = Worker::start(site.command(), "purge").killed_after(moments.next());
        match site.builder().open_blocking().and_then(|secrets| Ok(secrets.list()?.len())) {
            Ok(3) if purged == 0 => whole += 1,
            Ok(0) => nothing += 1,
            Err(error) if error.kind() == ErrorKind::Corrupt && purged == 0 => errors += 1,
            other => panic!("{purged} purges were told, and now: {other:?}"),
        }
        site.builder().repair().unwrap().purge().unwrap();
        assert!(site.open().list().unwrap().is_empty());
    }
    report(&format!("{whole} whole, {nothing} purged, {errors} errors"));
}

/// What was found of the vault after the kills.
#[derive(Default)]
struct Seen {
    inline: usize,
    in_between: usize,
    sealed: usize,
}

impl Seen {
    fn count(&mut self, has_file: bool, layout: Layout) {
        match (has_file, layout) {
            (_, Layout::Sealed) => self.sealed += 1,
            (true, _) => self.in_between += 1,
            (false, _) => self.inline += 1,
        }
    }

    fn report(&self) {
        let Self { inline, in_between, sealed } = self;
        report(&format!("{inline} before, {in_between} with a file and no key, {sealed} sealed"));
    }
}

fn worker() {
    let secrets = Site::of_environment().open_blocking().unwrap();
    let first = secrets.list().unwrap().len();
    say("ready");
    told();
    match deed().as_str() {
        "purge" => {
            secrets.purge().unwrap();
            say("done");
        }
        _ => (first..first + 1_000).for_each(|number| {
            secrets.set(SecretKey::new(name(number)), &Secret::new(large(number))).unwrap();
            say("done");
        }),
    }
    told();
}

fn name(number: usize) -> String {
    format!("LARGE_{number}")
}

fn large(number: usize) -> String {
    format!("{number:0LARGE$}")
}

fn put(batch: &mut strongroom::Batch, number: usize) {
    batch.set(SecretKey::new(name(number)), Secret::new(large(number)));
}
