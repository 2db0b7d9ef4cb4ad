//! The cases, and the session that each of them runs in.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, iter};

use criterion::{BenchmarkId, Criterion, SamplingMode};
use strongroom::{Backend, Config, ExposeSecret, SecretString, SecureStore, blocking};
use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip};

use crate::vault;

/// Names the case that a run of this program is to measure, in the session around it.
const CASE: &str = "STRONGROOM_BENCH_CASE";

/// What is measured in a session of its own, and its name.
type Case = (&'static str, fn(&mut Criterion));

const CASES: [Case; 8] = [
    ("open", open),
    ("set in a vault of 10", |criterion| set_in_vault(criterion, 10)),
    ("set in a vault of 100", |criterion| set_in_vault(criterion, 100)),
    ("set in a vault of 1000", |criterion| set_in_vault(criterion, 1000)),
    ("set among 1 entry", |criterion| set_among_entries(criterion, 1)),
    ("set among 10 entries", |criterion| set_among_entries(criterion, 10)),
    ("set among 100 entries", |criterion| set_among_entries(criterion, 100)),
    ("set among 1000 entries", |criterion| set_among_entries(criterion, 1000)),
];

pub(crate) fn main() {
    if let Ok(name) = env::var(CASE) {
        let (_, case) = CASES.iter().find(|(known, _)| *known == name).unwrap();
        let criterion = Criterion::default()
            .sample_size(20)
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(Duration::from_secs(5));
        case(&mut criterion.configure_from_args());
    } else if provider_or_skip("dbus-daemon") && provider_or_skip("gnome-keyring-daemon") {
        CASES.iter().for_each(|(name, _)| run_in_session(name));
    }
}

/// Runs this program again, with a bus, a home and a gnome-keyring that are only its own.
fn run_in_session(case: &str) {
    let bus = Bus::start(&Sandbox::new());
    let _keyring = GnomeKeyring::start(&bus, Some("password"));
    let results = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("criterion");
    let mut command = bus.command(env::current_exe().unwrap());
    command.args(env::args_os().skip(1)).env(CASE, case).env("CRITERION_HOME", results);
    assert!(command.status().unwrap().success(), "{case}");
}

/// Reads 1,000 secrets in a process that has not read them before, but talked to the bus.
fn open(criterion: &mut Criterion) {
    const SIZE: usize = 1000;
    let store = entries(SIZE);
    filled_vault(SIZE);
    let mut group = criterion.benchmark_group("open and read 1000");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.bench_function("vault", |bencher| {
        bencher.iter(|| {
            let manager = vault_builder().open_blocking().unwrap();
            for number in 0..SIZE {
                assert!(manager.get_value(vault::name(number)).unwrap().is_some());
            }
        });
    });
    group.bench_function("SecureStore", |bencher| {
        bencher.iter(|| {
            for number in 0..SIZE {
                assert!(store.get_secret(&vault::name(number)).unwrap().is_some());
            }
        });
    });
    group.bench_function("keyring 4", |bencher| {
        bencher.iter(|| {
            for number in 0..SIZE {
                keyring_entry(number).get_password().unwrap();
            }
        });
    });
    group.finish();
}

fn set_in_vault(criterion: &mut Criterion, size: usize) {
    let manager = filled_vault(size);
    let name = vault::name(size / 2);
    let mut turns = values(size / 2);
    criterion.benchmark_group("set").bench_function(BenchmarkId::new("vault", size), |bencher| {
        bencher.iter(|| manager.update_value(&name, turns.next().unwrap()).unwrap());
    });
    let stored = vault_builder().open_blocking().unwrap().get_value(&name).unwrap().unwrap();
    assert_ne!(stored.expose_secret(), vault::value(size / 2, 0), "it was set");
}

fn set_among_entries(criterion: &mut Criterion, size: usize) {
    let store = entries(size);
    let name = vault::name(size / 2);
    let mut turns = values(size / 2);
    let mut group = criterion.benchmark_group("set");
    group.bench_function(BenchmarkId::new("SecureStore", size), |bencher| {
        bencher.iter(|| store.set_secret(&name, &turns.next().unwrap().into()).unwrap());
    });
    let entry = keyring_entry(size / 2);
    group.bench_function(BenchmarkId::new("keyring 4", size), |bencher| {
        bencher.iter(|| entry.set_password(&turns.next().unwrap()).unwrap());
    });
    let stored = store.get_secret(&name).unwrap().unwrap();
    assert_eq!(stored.expose_secret(), entry.get_password().unwrap(), "it is the same entry");
}

/// Values for one secret, each another one.
fn values(number: usize) -> impl Iterator<Item = String> {
    iter::successors(Some(1), |turn| Some(turn + 1)).map(move |turn| vault::value(number, turn))
}

fn vault_builder() -> Config {
    let home = PathBuf::from(env::var_os("HOME").unwrap());
    vault::builder(Backend::SecretService, &home)
}

fn filled_vault(size: usize) -> blocking::SecretManager {
    let manager = vault_builder().open_blocking().unwrap();
    manager.batch(|batch| vault::fill(batch, size)).unwrap();
    manager
}

/// The service of single entries. A service is a vault or entries, and not both.
const ENTRIES: &str = "strongroom-bench-entries";

/// As many entries of the keyring as a vault would have secrets.
fn entries(size: usize) -> SecureStore {
    let config = Config::new(ENTRIES).backend(Backend::SecretService);
    let store = config.open_store().unwrap();
    for number in 0..size {
        let value = SecretString::from(vault::value(number, 0));
        store.set_secret(&vault::name(number), &value).unwrap();
    }
    store
}

/// One of them as the `keyring` crate sees it.
fn keyring_entry(number: usize) -> keyring::Entry {
    keyring::Entry::new(ENTRIES, &vault::name(number)).unwrap()
}
