//! Cases for threads that use a store at the same time, each with a handle of its own.

use std::sync::Barrier;
use std::thread;

use strongroom_core::{ErrorKind, KeyringStore, Store, secret_bytes};

use crate::fixture::{Fixture, read};

const THREADS: usize = 8;
/// The number of calls of each thread.
const CALLS: usize = 25;
const ROUNDS: usize = 8;

pub(crate) fn one_of_eight_creators_wins(fixture: &Fixture<'_>) {
    let service = fixture.service();
    for round in 0..ROUNDS {
        let user = format!("round {round}");
        fixture.will_write(service, &user);
        let results = at_once(fixture, |store, thread| {
            let value = secret_bytes(thread.to_string().into_bytes());
            store.create_bytes(service, &user, &value)
        });
        let mut winners = Vec::new();
        for (thread, result) in results.into_iter().enumerate() {
            match result {
                Ok(()) => winners.push(thread.to_string().into_bytes()),
                Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error:?}"),
            }
        }
        assert_eq!(winners.len(), 1, "how many of {THREADS} creators succeeded");
        assert_eq!(fixture.read(&user), winners.pop(), "the winner's value is kept");
    }
}

fn user_of(thread: usize, slot: usize) -> String {
    format!("thread {thread} slot {slot}")
}

pub(crate) fn threads_keep_to_their_own_entries(fixture: &Fixture<'_>) {
    let service = fixture.service();
    for thread in 0..THREADS {
        (0..3).for_each(|slot| fixture.will_write(service, &user_of(thread, slot)));
    }
    at_once(fixture, |store, thread| {
        for call in 0..CALLS {
            let user = user_of(thread, call % 3);
            let value = format!("{thread}/{call}").into_bytes();
            set(store, service, &user, &value);
            assert_eq!(read(store, service, &user), Some(value));
            if call % 5 == 0 {
                let deleted = store.delete_password(service, &user);
                assert!(matches!(deleted, Ok(true)), "{user:?}: {deleted:?}");
                assert!(read(store, service, &user).is_none(), "{user:?}");
            }
        }
    });
    for thread in 0..THREADS {
        for slot in 0..3 {
            let last = (0..CALLS).rev().find(|call| call % 3 == slot);
            let kept = last.filter(|call| call % 5 != 0);
            let value = kept.map(|call| format!("{thread}/{call}").into_bytes());
            assert_eq!(fixture.read(&user_of(thread, slot)), value, "{}", user_of(thread, slot));
        }
    }
}

pub(crate) fn writers_of_one_entry_leave_a_whole_value(fixture: &Fixture<'_>) {
    let service = fixture.service();
    fixture.write("u", value_of(0));
    at_once(fixture, |store, thread| {
        for _ in 0..CALLS {
            set(store, service, "u", &value_of(thread));
            assert_whole(read(store, service, "u"));
        }
    });
    assert_whole(fixture.read("u"));
    assert!(fixture.is_there("u"));
    assert!(fixture.delete("u"));
    assert!(!fixture.is_there("u"), "there was one entry, not several");
}

/// Returns the value of a thread. The lengths differ, so that a mixture of two values is recognised.
fn value_of(thread: usize) -> Vec<u8> {
    vec![b'a' + u8::try_from(thread).expect("few threads"); 1 + 40 * thread]
}

fn assert_whole(found: Option<Vec<u8>>) {
    let found = found.expect("an entry that is only overwritten never goes away");
    let known = (0..THREADS).any(|thread| found == value_of(thread));
    assert!(known, "nobody wrote this: {}", String::from_utf8_lossy(&found));
}

/// Runs the work in all threads at once, each with a handle of its own. Returns the results.
fn at_once<T: Send>(fixture: &Fixture<'_>, work: impl Fn(&dyn Store, usize) -> T + Sync) -> Vec<T> {
    let handles: Vec<_> = (0..THREADS).map(|_| fixture.open()).collect();
    let start = Barrier::new(THREADS);
    let (work, start) = (&work, &start);
    thread::scope(|scope| {
        let running: Vec<_> = handles
            .iter()
            .enumerate()
            .map(|(thread, store)| {
                scope.spawn(move || {
                    // Starting a thread takes longer than a call: without this the calls would hardly overlap.
                    start.wait();
                    work(&**store, thread)
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn set(store: &dyn Store, service: &str, user: &str, value: &[u8]) {
    store
        .set_bytes(service, user, &secret_bytes(value.to_vec()))
        .unwrap_or_else(|error| panic!("writing {user:?} failed: {error:?}"));
}
