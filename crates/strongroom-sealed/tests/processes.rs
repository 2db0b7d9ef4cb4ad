//! Several processes and threads on one file, killed ones included.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Barrier;
use std::thread;

use strongroom_core::{ExposeSecret, Secret, SecretKey};
use strongroom_sealed::{Change, SealedFile};
use strongroom_testkit::child::{Child, say};
use strongroom_testkit::children;
use support::{Sandbox, child, now, value, vault_of_child};

/// How many processes write at once, and how often each.
const WRITERS: usize = 8;
const WRITES: usize = 40;

children!(writes);

#[test]
fn threads_that_create_a_vault_at_once_meet_in_the_same() {
    let sandbox = Sandbox::new();
    let (start, config) = (Barrier::new(8), sandbox.config());
    let ids: Vec<_> = thread::scope(|scope| {
        let create = |number: usize| {
            let (start, config) = (&start, &config);
            scope.spawn(move || {
                start.wait();
                let file = SealedFile::open_or_create(config, now()).unwrap();
                support::put(&file, &format!("name-{number}"), "value");
                file.id()
            })
        };
        let threads: Vec<_> = (0..8).map(create).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
    let file = sandbox.open();
    assert_eq!((file.len().unwrap(), file.generation().unwrap()), (8, 8));
    drop(file);
    let left: Vec<_> = std::fs::read_dir(sandbox.dir()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn processes_that_create_and_write_at_once_lose_nothing() {
    let sandbox = Sandbox::new();
    let writers: Vec<_> = (0..WRITERS).map(|number| writer(&sandbox, number)).collect();
    let acknowledged: Vec<_> = writers.into_iter().flat_map(Child::finish).collect();
    assert_eq!(acknowledged.len(), WRITERS * WRITES);
    let file = sandbox.open();
    acknowledged.iter().for_each(|name| assert!(value(&file, name).is_some(), "{name}"));
    // Every writer has counted up the same record with each of its writes.
    let count = (WRITERS * WRITES).to_string();
    assert_eq!(value(&file, "count"), Some(count));
    assert_eq!(file.generation().unwrap(), (WRITERS * WRITES) as u64);
}

#[test]
fn what_was_acknowledged_is_there_although_the_writer_was_killed() {
    let sandbox = Sandbox::new();
    let mut acknowledged = Vec::new();
    for round in 0..8 {
        let victim = writer(&sandbox, round);
        acknowledged.extend(killed_after(victim, 1 + round * 2));
        let file = sandbox.open();
        let listed = file.list().unwrap().len() as u64;
        assert_eq!(listed, file.len().unwrap());
        for name in &acknowledged {
            assert!(value(&file, name).is_some(), "{name} was acknowledged");
        }
    }
    let file = sandbox.open();
    let generation = usize::try_from(file.generation().unwrap()).unwrap();
    // A killed one may have done one more than it could tell.
    assert!((acknowledged.len()..=acknowledged.len() + 8).contains(&generation), "{generation}");
    assert_eq!(value(&file, "count"), Some(generation.to_string()));
}

fn writes() {
    let config = vault_of_child();
    let writer = std::env::var("SEALED_TEST_WRITER").unwrap();
    let file = SealedFile::open_or_create(&config, now()).unwrap();
    for write in 0..WRITES {
        let name = format!("{writer}-{write}");
        file.change(|change| count_up(change, &name)).unwrap();
        say(&name);
    }
}

fn count_up(change: &mut Change<'_>, name: &str) -> strongroom_core::Result<()> {
    let key = SecretKey::new("count");
    let old = change.get(&key)?.map_or(0, |old| old.value.expose_secret().parse::<u64>().unwrap());
    change.put(&key, &Secret::new((old + 1).to_string()))?;
    change.put(&SecretKey::new(name), &Secret::new("value"))
}

fn writer(sandbox: &Sandbox, number: usize) -> Child {
    let mut command = child("writes", sandbox);
    command.env("SEALED_TEST_WRITER", number.to_string());
    Child::start(command)
}

/// Kills the child once it has acknowledged so many writes, and returns all of them.
fn killed_after(mut child: Child, count: usize) -> Vec<String> {
    let mut names: Vec<_> = (0..count).map(|_| child.next()).collect();
    child.kill();
    names.extend(child.rest());
    names
}
