//! Moves, rotations, restores and salvages that are killed at any moment: every vault opens, nothing that
//! was acknowledged is lost, and doing it again ends it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use strongroom::backup::{Backup, Protection, RestoreMode, Unlock};
use strongroom::keys::KeySource;
use strongroom::repair::VaultContent;
use strongroom::store::secret_service;
use strongroom::{
    Backend, Config, ErrorKind, ExposeSecret, KeyringStore, Layout, Secret, SecretKey,
    SecretString, blocking,
};
use strongroom_testkit::child::{self, say, told};
use strongroom_testkit::{Bus, Sandbox, children};
use support::gnome_keyring;
use support::site::{Site, key_file};
use support::worker::{Moments, Worker, deed, kills, report};

/// How often a process is killed in each of the tests.
const KILLS: usize = 50;

/// What the library itself looks at.
const KEY_FILE: &str = "STRONGROOM_KEY_FILE";

/// Values of which so many don't fit into an inline vault.
const LARGE: usize = 3_100;
const MANY: usize = 30;

const RECIPIENT: &str = "age1wlh70c8kejj5zsquxyxwxdwj2ekahj8h86zldx3wcsjq3n3ezenspwr0vc";
/// Made for these tests and used nowhere else.
const IDENTITY: &str = "AGE-SECRET-KEY-1YRC9TDQXYRF8GH5C0M3P9EY7YM6FQMLAHJLY78JLEDJ55T3S9K6SES5CLA";

#[test]
fn a_killed_move_leaves_the_vault_on_one_side_and_the_next_one_ends_it() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let key = strongroom::keys::SealingKey::generate().unwrap();
    key.create_file(key_file(bus.sandbox())).unwrap();
    let vault = || anywhere(&bus);
    fill(&vault().open_blocking().unwrap(), 0..MANY);
    let whole = content(&vault().open_blocking().unwrap());
    let worker = |to: Backend| {
        let mut command = bus.command(child::program());
        command.env(KEY_FILE, key_file(bus.sandbox()));
        Worker::start(command, &format!("move {to}"))
    };
    let other = |backend| match backend {
        Backend::File => Backend::SecretService,
        _ => Backend::File,
    };
    let place = || vault().open_blocking().unwrap().backend();
    let mut moments = Moments::of(|| worker(other(place())).times(1));
    let (mut before, mut after) = (0, 0);
    for _ in 0..kills(KILLS) {
        let (from, to) = (place(), other(place()));
        let moved = worker(to).killed_after(moments.next());
        let found = vault().open_blocking().unwrap();
        assert!(content(&found) == whole, "{from} to {to}: something is lost");
        match found.backend() {
            backend if backend == to => after += 1,
            _ => before += 1,
        }
        assert!(moved == 0 || found.backend() == to, "a move was told, and not done");
        drop(found);
        let ended = vault().move_to(to, Layout::Inline, |_| ());
        // It may have been all done, and then there is nothing to do.
        assert!(ended.map_or_else(|error| error.kind() == ErrorKind::Invalid, |_| true));
        assert_eq!(place(), to);
        assert_eq!(left_in(from, &bus), [""; 0], "{from} still has something");
    }
    report(&format!("{before} before, {after} after the switch"));
}

#[test]
fn a_killed_rotation_leaves_every_secret_readable_and_the_next_one_goes_on() {
    let sandbox = Sandbox::new();
    let site = Site::in_file(&sandbox);
    let records = 6_000;
    let small = |number: usize| Secret::new(number.to_string());
    site.open()
        .batch(|batch| {
            (0..records).for_each(|number| {
                batch.set(SecretKey::new(name(number)), small(number));
            });
        })
        .unwrap();
    let mut moments = Moments::of(|| Worker::start(site.command(), "rotate").times(1));
    for round in 0..kills(KILLS) {
        Worker::start(site.command(), "rotate").killed_after(moments.next());
        let secrets = site.open();
        assert_eq!(secrets.list().unwrap().len(), records);
        for number in (round..records).step_by(97) {
            let value = secrets.get_value(name(number)).unwrap().unwrap();
            assert!(value.expose_secret() == number.to_string());
        }
        secrets.set(SecretKey::new(name(round)), &small(round)).unwrap();
    }
    site.builder().keys().unwrap().rotate(&[], |_| ()).unwrap();
    assert_eq!(content(&site.open()).len(), records);
}

#[test]
fn a_killed_restore_leaves_what_was_or_what_is_restored() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    restores_whole(&Site::on_bus(&bus, Layout::Inline));
}

#[test]
fn a_killed_restore_into_an_encrypted_file_leaves_what_was_or_what_is_restored() {
    restores_whole(&Site::in_file(&Sandbox::new()));
}

#[test]
fn a_killed_salvage_leaves_the_damaged_vault_or_the_salvaged_one() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    salvages_whole(&Site::on_bus(&bus, Layout::Sealed));
}

#[test]
fn a_killed_salvage_of_an_encrypted_file_leaves_the_damaged_vault_or_the_salvaged_one() {
    salvages_whole(&Site::in_file(&Sandbox::new()));
}

/// Kills processes that replace a small vault by a large one, which becomes sealed by that.
fn restores_whole(site: &Site<'_>) {
    let protection = Protection::recipients([RECIPIENT]).unwrap();
    fill(&site.open(), 0..MANY);
    let restored = content(&site.open());
    let backup = site.open().backup(&protection).unwrap();
    let path = site.file().with_extension("age");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, backup.text).unwrap();
    let prepared = || {
        let secrets = site.open();
        secrets.purge().unwrap();
        fill(&secrets, MANY..MANY + 2);
        content(&secrets)
    };
    let was = prepared();
    let worker = || Worker::start(site.command(), &format!("restore {}", path.display()));
    let mut moments = Moments::of(|| {
        prepared();
        worker().times(1)
    });
    let (mut before, mut after) = (0, 0);
    for _ in 0..kills(KILLS / 2) {
        prepared();
        let told = worker().killed_after(moments.next());
        let found = content(&site.open());
        before += usize::from(found == was);
        after += usize::from(found == restored);
        assert!(found == restored || found == was && told == 0, "half of a restore");
    }
    report(&format!("{before} before, {after} restored"));
}

/// Kills processes that salvage a vault of which one record is damaged.
fn salvages_whole(site: &Site<'_>) {
    let prepared = || {
        site.builder().repair().unwrap().purge().unwrap();
        fill(&site.open(), 0..MANY);
        damage(&site.file());
        assert_eq!(readable(site), Some(MANY as u64 - 1));
    };
    let worker = || Worker::start(site.command(), "salvage");
    let mut moments = Moments::of(|| {
        prepared();
        worker().times(1)
    });
    let (mut before, mut after) = (0, 0);
    for _ in 0..kills(KILLS / 2) {
        prepared();
        let told = worker().killed_after(moments.next());
        if readable(site).is_some() {
            assert_eq!(told, 0, "a salvage was told, and not done");
            before += 1;
            let saved = site.builder().repair().unwrap().salvage().unwrap().saved;
            assert_eq!(saved.len(), MANY - 1);
        } else {
            after += 1;
        }
        assert_eq!(content(&site.open()).len(), MANY - 1);
    }
    report(&format!("{before} before, {after} salvaged"));
}

/// How many secrets of a damaged vault can be read; `None` if it is whole.
fn readable(site: &Site<'_>) -> Option<u64> {
    let items = site.builder().repair().unwrap().examine().unwrap();
    match &items[..] {
        [item] => match &item.content {
            VaultContent::Unreadable { readable, .. } => Some(readable.expect("it opens")),
            _ => None,
        },
        _ => panic!("{} vaults", items.len()),
    }
}

/// Damages one record: its page holds nothing but its value.
fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let page = bytes.len() / 2 / 4_096;
    let middle = page * 4_096 + 2_048;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

/// The vault of `app` wherever it is.
fn anywhere(bus: &Bus) -> Config {
    let config = Config::new("")
        .environment(|_| None)
        .store_settings(secret_service::Config::default().with_bus_address(bus.address()))
        .key(KeySource::key_file(key_file(bus.sandbox())));
    support::builder("app", config, bus.sandbox())
}

/// What there is of vaults in this backend.
fn left_in(backend: Backend, bus: &Bus) -> Vec<String> {
    if backend == Backend::File {
        let files = bus.sandbox().home().join(".local/share/strongroom/file");
        let files = fs::read_dir(files).unwrap().map(|file| file.unwrap().file_name());
        // What is built is removed in time, and holds nothing that was told.
        let files = files.map(|name| name.into_string().unwrap());
        return files.filter(|name| !name.starts_with(".sealed-")).collect();
    }
    let store = strongroom::store::choose_unbound(&support::on(bus)).unwrap();
    let users = store.store().list("app").unwrap();
    users.iter().map(|user| user.as_str().to_owned()).collect()
}

fn fill(secrets: &blocking::SecretManager, numbers: std::ops::Range<usize>) {
    let large = |number| Secret::new(format!("{number:0LARGE$}"));
    let filled = secrets.batch(|batch| {
        numbers.for_each(|number| {
            batch.set(SecretKey::new(name(number)), large(number));
        });
    });
    filled.unwrap();
}

fn content(secrets: &blocking::SecretManager) -> BTreeMap<String, String> {
    let value = |key: &SecretKey| secrets.get(key).unwrap().unwrap().value;
    let keys = secrets.list().unwrap().into_iter().map(|info| info.key);
    keys.map(|key| (key.name().to_owned(), value(&key).expose_secret().to_owned())).collect()
}

fn name(number: usize) -> String {
    format!("SECRET_{number}")
}

children!(worker);

fn worker() {
    let deed = deed();
    match deed.split_once(' ') {
        Some(("move", to)) => {
            let to: Backend = to.parse().unwrap();
            let vault = Config::new("app");
            when_told(|| drop(vault.move_to(to, Layout::Inline, |_| ()).unwrap()));
        }
        Some(("restore", path)) => {
            let identity = SecretString::from(IDENTITY);
            let unlock = Unlock::new().with_identities(&identity).unwrap();
            let backup = Backup::open_blocking(fs::read(PathBuf::from(path)).unwrap(), &unlock);
            let (backup, secrets) =
                (backup.unwrap(), Site::of_environment().open_blocking().unwrap());
            let plan = secrets.plan_restore(&backup, RestoreMode::Replace).unwrap();
            when_told(|| secrets.restore(&backup, &plan).unwrap());
        }
        _ if deed == "rotate" => {
            let keys = Site::of_environment().keys().unwrap();
            when_told(|| keys.rotate(&[], |_| ()).unwrap());
        }
        _ => {
            let repair = Site::of_environment().repair().unwrap();
            when_told(|| drop(repair.salvage().unwrap()));
        }
    }
}

fn when_told(work: impl FnOnce()) {
    say("ready");
    told();
    work();
    say("done");
    told();
}
