//! Nothing stays behind when a test process is killed.

#![cfg(target_os = "linux")]

use std::{fs, path::Path};

use strongroom_testkit::child::{self, Child};
use strongroom_testkit::{Bus, PATIENCE, Sandbox, children, provider_or_skip, wait_until};

children!(victim);

#[test]
fn a_killed_test_leaves_nothing() {
    if !provider_or_skip("dbus-daemon") {
        return;
    }
    let mut victim = Child::start(child::command("victim"));
    let line = victim.next();
    let (bus, directory) = line.split_once(' ').expect("a pid and a directory");
    assert!(runs(bus) && Path::new(directory).exists());

    victim.kill();
    wait_until("the bus ends", PATIENCE, || !runs(bus));
    wait_until("the sandbox is removed", PATIENCE, || !Path::new(directory).exists());
}

/// Says what it has started, and waits until it is killed.
fn victim() {
    let bus = Bus::start(&Sandbox::new());
    let pid = bus.name_owner_pid("org.freedesktop.DBus");
    let pid = pid.expect("the bus owns its own name");
    child::say(&format!("{pid} {}", bus.sandbox().path().display()));
    child::told();
}

/// Not so for one that has ended and whose new parent takes its time to notice.
fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
