//! What a sealed vault costs, small and large, and written by several processes at once.
//!
//! It lies on the disk that the build's output lies on: every `set` waits for it.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, io};

use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode};
use strongroom::backup::{Backup, Protection, RestoreMode, Unlock};
use strongroom::keys::{KeySource, SealingKey};
use strongroom::{Backend, Config, SecretString, blocking};
use tempfile::TempDir;

#[path = "support/vault.rs"]
mod vault;

/// The vaults that are compared, by how many secrets they have.
const SIZES: [usize; 2] = [10, 10_000];
/// More than anybody has.
const HUGE: usize = 100_000;
/// How many secrets go into a vault in one change.
const BATCH: usize = 1_000;

/// Tells a writer its home, and how often to write.
const HOME: &str = "STRONGROOM_BENCH_HOME";
const WRITES: &str = "STRONGROOM_BENCH_WRITES";

fn main() {
    if let Ok(home) = env::var(HOME) {
        return write(Path::new(&home));
    }
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5));
    let mut criterion = criterion.configure_from_args();
    for size in SIZES {
        let home = filled(size);
        one_process(&mut criterion, home.path(), size);
    }
    huge(&mut criterion);
    writers(&mut criterion);
    criterion.final_summary();
}

fn one_process(criterion: &mut Criterion, home: &Path, size: usize) {
    let mut group = criterion.benchmark_group("sealed");
    let manager = open(home);
    let mut turn = 0;
    group.bench_function(BenchmarkId::new("set", size), |bencher| {
        bencher.iter(|| {
            turn += 1;
            manager.update_value(vault::name(turn % size), vault::value(0, turn)).unwrap();
        });
    });
    group.bench_function(BenchmarkId::new("get", size), |bencher| {
        bencher.iter(|| {
            turn += 1;
            manager.get(vault::key(turn % size)).unwrap().unwrap()
        });
    });
    drop(manager);
    group.bench_function(BenchmarkId::new("open and get", size), |bencher| {
        bencher.iter(|| open(home).get(vault::key(size / 2)).unwrap().unwrap());
    });
    group.finish();
}

/// A vault of a hundred thousand: taken in from a backup, listed, and opened for one secret.
fn huge(criterion: &mut Criterion) {
    let home = filled(HUGE);
    let (backup, manager) = (backup_of(home.path()), open(home.path()));
    let mut group = criterion.benchmark_group("sealed, 100,000");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.bench_function("restore", |bencher| {
        bencher.iter_batched_ref(
            || filled(0),
            |empty| {
                let manager = open(empty.path());
                let plan = manager.plan_restore(&backup, RestoreMode::Merge).unwrap();
                manager.restore(&backup, &plan).unwrap();
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("list", |bencher| bencher.iter(|| manager.list().unwrap().len()));
    group.bench_function("get", |bencher| {
        bencher.iter(|| manager.get(vault::key(HUGE / 2)).unwrap().unwrap());
    });
    group.bench_function("open and get", |bencher| {
        bencher.iter(|| open(home.path()).get(vault::key(HUGE / 2)).unwrap().unwrap());
    });
    group.finish();
}

fn backup_of(home: &Path) -> Backup {
    let recipient = "age1wlh70c8kejj5zsquxyxwxdwj2ekahj8h86zldx3wcsjq3n3ezenspwr0vc";
    // Made for tests and used nowhere else.
    let identity = "AGE-SECRET-KEY-1YRC9TDQXYRF8GH5C0M3P9EY7YM6FQMLAHJLY78JLEDJ55T3S9K6SES5CLA";
    let file = open(home).backup(&Protection::recipients([recipient]).unwrap()).unwrap();
    let unlock = Unlock::new().with_identities(&SecretString::from(identity)).unwrap();
    Backup::open_blocking(&file.text, &unlock).unwrap()
}

/// As many writes by one process, and by eight together.
fn writers(criterion: &mut Criterion) {
    let home = filled(100);
    let mut group = criterion.benchmark_group("sealed, writers");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for processes in [1, 8] {
        group.bench_function(BenchmarkId::new("set", processes), |bencher| {
            bencher.iter_custom(|writes| race(home.path(), processes, writes));
        });
    }
    group.finish();
}

/// How long it takes processes to write so often in all, once they have opened the vault.
fn race(home: &Path, processes: u64, writes: u64) -> Duration {
    // At least so many each that their ends hardly differ.
    let each = writes.div_ceil(processes).max(20);
    let mut writers: Vec<_> = (0..processes).map(|_| Writer::start(home, each)).collect();
    writers.iter_mut().for_each(|writer| writer.hear("ready"));
    let started = Instant::now();
    writers.iter_mut().for_each(Writer::go);
    writers.iter_mut().for_each(|writer| writer.hear("done"));
    let took = started.elapsed();
    for mut writer in writers {
        assert!(writer.child.wait().unwrap().success());
    }
    took.mul_f64(writes as f64 / (each * processes) as f64)
}

/// This program again, as one that writes.
struct Writer {
    child: Child,
    said: io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Writer {
    fn start(home: &Path, writes: u64) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env(HOME, home).env(WRITES, writes.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    fn go(&mut self) {
        writeln!(self.child.stdin.as_mut().unwrap(), "go").unwrap();
    }

    fn hear(&mut self, word: &str) {
        assert_eq!(self.said.next().unwrap().unwrap(), word);
    }
}

fn write(home: &Path) {
    let manager = open(home);
    let writes: usize = env::var(WRITES).unwrap().parse().unwrap();
    say("ready");
    io::stdin().lines().next().unwrap().unwrap();
    for turn in 0..writes {
        manager.update_value(vault::name(turn % 100), vault::value(0, turn)).unwrap();
    }
    say("done");
}

#[expect(clippy::print_stdout, reason = "it tells the process that started this one")]
fn say(word: &str) {
    println!("{word}");
}

fn filled(size: usize) -> TempDir {
    let home = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    SealingKey::generate().unwrap().create_file(key_file(home.path())).unwrap();
    let manager = open(home.path());
    for first in (0..size).step_by(BATCH) {
        let numbers = first..size.min(first + BATCH);
        manager.batch(|batch| vault::fill_some(batch, numbers)).unwrap();
    }
    home
}

fn open(home: &Path) -> blocking::SecretManager {
    builder(home).open_blocking().unwrap()
}

fn builder(home: &Path) -> Config {
    let key = KeySource::key_file(key_file(home));
    let config = strongroom::Config::new("").key(key).backend(Backend::File);
    let config = config.state_dir(home.join(vault::STATE_DIR)).data_dir(home);
    config.service(vault::SERVICE)
}

fn key_file(home: &Path) -> PathBuf {
    home.join("key")
}
