//! A forked process lets go of its parent's connection, and makes its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use fork::{Fork, fork};
use strongroom_core::{KeyringStore, Reason};
use strongroom_secret_service::SecretServiceStore;
use strongroom_testkit::children;
use strongroom_testkit::scripted::Script;
use support::{get, scripted, set, store_of_child};

#[test]
fn the_parents_connection_outlives_what_its_child_drops() {
    let (bus, service) = scripted(Script::default());
    support::child(&bus, "forks").finish();
    let calls = service.calls();
    let sessions = calls.iter().filter(|call| *call == "Service.OpenSession").count();
    assert_eq!(sessions, 2, "one for each process: {calls:?}");
}

children!(forks);

fn forks() {
    let store = store_of_child();
    set(&store, "u", "v");
    match fork().unwrap() {
        Fork::Child => in_fork(store),
        Fork::Parent(child) => {
            assert_eq!(fork::waitpid(child).unwrap(), 0);
            assert_eq!(get(&store, "u").as_deref(), Some("v"));
        }
    }
}

/// What the forked process does, to its end.
#[expect(clippy::exit, reason = "the test harness is the parent's")]
fn in_fork(store: SecretServiceStore) -> ! {
    assert_eq!(store.get_password("app", "u").unwrap_err().reason(), Some(Reason::Forked));
    drop(store);
    let new = store_of_child();
    assert_eq!(get(&new, "u").as_deref(), Some("v"));
    drop(new);
    std::process::exit(0)
}
