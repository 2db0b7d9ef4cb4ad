//! Reads of several threads at once, of one handle: throughput beside that of one thread, and the longest read.
//!
//! Prints a table. The baseline of each row is arithmetic that shares nothing: as much as this number of threads can gain here.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use strongroom::blocking::SecretManager;
use strongroom::keys::{KeySource, SealingKey};
use strongroom::{Backend, Layout};

#[path = "support/vault.rs"]
mod vault;

/// The secrets of a vault.
const SIZE: usize = 100;
/// The time that each number of threads reads for.
const TIME: Duration = Duration::from_millis(500);
/// The rounds of each; the median counts.
const ROUNDS: usize = 7;
const THREADS: [usize; 4] = [1, 2, 4, 8];

/// The reads of one round.
#[derive(Clone, Copy)]
struct Round {
    per_second: f64,
    longest: Duration,
}

fn main() {
    let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let inline = vault::builder(Backend::Memory, homes[0].path()).open_blocking().unwrap();
    inline.batch(|batch| vault::fill(batch, SIZE)).unwrap();
    let sealed = vault::builder(Backend::File, homes[1].path())
        .data_dir(homes[1].path().join("data"))
        .key(KeySource::key(SealingKey::generate().unwrap()))
        .open_blocking()
        .unwrap();
    sealed.batch(|batch| vault::fill(batch, SIZE)).unwrap();
    println!("threads  vault   reads/s  x one thread  x without a handle  longest read, µs");
    for threads in THREADS {
        for manager in [&inline, &sealed] {
            show(threads, manager);
        }
    }
}

fn show(threads: usize, manager: &SecretManager) {
    let rounds = |threads, work: &(dyn Fn(usize) + Sync)| {
        let mut rounds: Vec<_> = (0..ROUNDS).map(|_| round(threads, work)).collect();
        rounds.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        rounds[ROUNDS / 2]
    };
    let keys: Vec<_> = (0..SIZE).map(vault::key).collect();
    let read = |number: usize| drop(manager.get(&keys[number % SIZE]).unwrap().unwrap());
    let alone = |number: usize| {
        std::hint::black_box((0..500).fold(number, |sum, it| sum.rotate_left(3) ^ it));
    };
    let (one, all) = (rounds(1, &read), rounds(threads, &read));
    let (one_alone, all_alone) = (rounds(1, &alone), rounds(threads, &alone));
    let layout = if manager.layout() == Layout::Sealed { "sealed" } else { "inline" };
    println!(
        "{threads:7}  {layout}  {:8.0}  {:12.2}  {:18.2}  {:16.0}",
        all.per_second,
        all.per_second / one.per_second,
        all_alone.per_second / one_alone.per_second,
        all.longest.as_secs_f64() * 1e6,
    );
}

/// Runs the work on this many threads for [`TIME`].
fn round(threads: usize, work: &(dyn Fn(usize) + Sync)) -> Round {
    let start = Barrier::new(threads);
    let rounds: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| one_thread(&start, work))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    Round {
        per_second: rounds.iter().map(|round| round.per_second).sum(),
        longest: rounds.iter().map(|round| round.longest).max().unwrap(),
    }
}

fn one_thread(start: &Barrier, work: &(dyn Fn(usize) + Sync)) -> Round {
    start.wait();
    let begin = Instant::now();
    let (mut reads, mut longest, mut last) = (0, Duration::ZERO, begin);
    while last - begin < TIME {
        work(reads);
        let now = Instant::now();
        (reads, longest, last) = (reads + 1, longest.max(now - last), now);
    }
    Round { per_second: reads as f64 / (last - begin).as_secs_f64(), longest }
}
