//! What a vault costs within one process: reads from memory, and what grows with the vault.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use futures_lite::future::block_on;
use strongroom::{Backend, SecretManager};

#[path = "support/vault.rs"]
mod vault;

fn main() {
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    let mut criterion = criterion.configure_from_args();
    let home = tempfile::tempdir().unwrap();
    cached(&mut criterion, home.path());
    for (backend, sizes) in [
        (Backend::Memory, &[10, 100, 1000][..]),
        // The kernel gives a user 20,000 bytes of keys; root 25,000,000, but 32,767 for each.
        (Backend::Keyutils, &[10, 50]),
    ] {
        if backend.is_supported_here() {
            whole(&mut criterion, backend, sizes, home.path());
        }
    }
    criterion.final_summary();
}

/// Reads that memory answers, each of which looks at the generation file first.
fn cached(criterion: &mut Criterion, home: &Path) {
    let mut group = criterion.benchmark_group("cached");
    for size in [10, 1000] {
        let manager = filled(Backend::Memory, size, home);
        #[cfg(unix)]
        group.bench_function(BenchmarkId::new("the two system calls alone", size), |bencher| {
            let path =
                home.join(format!("{}/vault-{}.generation", vault::STATE_DIR, vault::SERVICE));
            let file = fs::File::open(&path).unwrap();
            let mut record = [0; 40];
            bencher.iter(|| (file.read_at(&mut record, 0).unwrap(), fs::metadata(&path).unwrap()));
        });
        let blocking = manager.blocking();
        let (name, key) = (vault::name(size / 2), vault::key(size / 2));
        group.bench_function(BenchmarkId::new("get", size), |bencher| {
            bencher.iter(|| blocking.get(&key).unwrap().unwrap());
        });
        group.bench_function(BenchmarkId::new("get_value", size), |bencher| {
            bencher.iter(|| blocking.get_value(&name).unwrap().unwrap());
        });
        group.bench_function(BenchmarkId::new("exists", size), |bencher| {
            bencher.iter(|| blocking.exists(&key).unwrap());
        });
        group.bench_function(BenchmarkId::new("async get", size), |bencher| {
            bencher.iter(|| block_on(manager.get(&key)).unwrap().unwrap());
        });
        group.bench_function(BenchmarkId::new("async get_value", size), |bencher| {
            bencher.iter(|| block_on(manager.get_value(&name)).unwrap().unwrap());
        });
        group.bench_function(BenchmarkId::new("async exists", size), |bencher| {
            bencher.iter(|| block_on(manager.exists(&key)).unwrap());
        });
    }
    group.finish();
}

/// What reads or writes the whole payload, on a store that costs next to nothing itself.
fn whole(criterion: &mut Criterion, backend: Backend, sizes: &[usize], home: &Path) {
    let mut group = criterion.benchmark_group(backend.name());
    for &size in sizes {
        let manager = filled(backend, size, home);
        let blocking = manager.blocking();
        let key = vault::key(size / 2);
        group.bench_function(BenchmarkId::new("read", size), |bencher| {
            bencher.iter(|| {
                blocking.forget();
                blocking.exists(&key).unwrap()
            });
        });
        let mut turn = 0;
        group.bench_function(BenchmarkId::new("set", size), |bencher| {
            bencher.iter(|| {
                turn += 1;
                blocking.update_value(key.name(), vault::value(0, turn)).unwrap();
            });
        });
        blocking.purge().unwrap();
    }
    group.finish();
}

fn filled(backend: Backend, size: usize, home: &Path) -> SecretManager {
    let manager = block_on(vault::builder(backend, home).open()).unwrap();
    block_on(manager.batch(|batch| vault::fill(batch, size))).unwrap();
    manager
}
