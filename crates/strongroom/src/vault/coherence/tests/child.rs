//! Children of this test program that use the coherence of a service.

use std::env;
use std::fs;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::process::Command;

use strongroom_testkit::child::{self, Child, say, told};
use strongroom_testkit::children;
#[cfg(target_os = "linux")]
use strongroom_testkit::is_root;

#[cfg(target_os = "linux")]
use super::works_in_a_read_only_directory;
use super::{Counter, Home, PATIENT, open};

/// How often a [`counter`] counts.
pub(super) const COUNT: u64 = 50;

const HOME: &str = "STRONGROOM_TEST_COHERENCE_HOME";

children!(
    counter,
    holder,
    #[cfg(target_os = "linux")]
    works_in_a_read_only_directory,
);

/// Starts a child whose files are in a home.
pub(super) fn start(home: &Home, function: &str) -> Child {
    let mut command = child::command(function);
    command.env(HOME, home.path());
    Child::start(command)
}

/// Runs a function in a child that permissions bind. They do not bind root.
#[cfg(target_os = "linux")]
pub(super) fn succeeds_within_permissions(function: &str) {
    let mut command = Command::new(child::program());
    if is_root() {
        command = Command::new("setpriv");
        command.args(["--bounding-set", "-dac_override,-dac_read_search"]).arg(child::program());
    }
    child::enter(&mut command, function);
    child::succeeds(&mut command);
}

fn counter() {
    with_home(|counter| {
        for _ in 0..COUNT {
            assert!(counter.increment().seen.is_some());
        }
    });
}

/// Stops between a write and the end of its commit, until it is killed.
fn holder() {
    with_home(|counter| {
        let commit = counter.coherence.lock(PATIENT).expect("the lock comes");
        let next = counter.read_if_needed(commit.base()) + 1;
        commit.begin().expect("the mark can be made");
        fs::write(&counter.store, next.to_string()).expect("the store can be written");
        say("ready");
        told();
        drop(commit);
    });
}

fn with_home(work: impl FnOnce(&mut Counter<'_>)) {
    let home = env::var_os(HOME).expect("the parent sets it");
    let home = Path::new(&home);
    work(&mut Counter::new(&open(home, "service"), home));
}
