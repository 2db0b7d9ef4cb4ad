//! Nothing stays behind when a test process is killed.

#![cfg(target_os = "linux")]

use std::{
    env, fs,
    io::{self, BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use strongroom_testkit::{Bus, PATIENCE, Sandbox, provider_or_skip, wait_until};

/// Set in the process that is to be killed.
const VICTIM: &str = "STRONGROOM_TESTKIT_VICTIM";

#[test]
fn a_killed_test_leaves_nothing() {
    if !provider_or_skip("dbus-daemon") {
        return;
    }
    let this = env::current_exe().expect("a test has a program");
    let mut victim = Command::new(this)
        .args(["--exact", "--nocapture", "victim"])
        .env(VICTIM, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts again");
    let stdout = BufReader::new(victim.stdout.take().expect("stdout is piped"));
    let mut lines = stdout.lines().map(|line| line.expect("text"));
    let line = lines.find_map(|line| line.strip_prefix("victim: ").map(str::to_owned));
    let line = line.expect("the victim says what it started");
    let (bus, directory) = line.split_once(' ').expect("a pid and a directory");
    assert!(runs(bus) && Path::new(directory).exists());

    victim.kill().expect("it runs");
    victim.wait().expect("it's our child");
    wait_until("the bus ends", PATIENCE, || !runs(bus));
    wait_until("the sandbox is removed", PATIENCE, || !Path::new(directory).exists());
}

#[test]
#[expect(clippy::print_stdout, reason = "the other test reads it")]
fn victim() {
    if env::var_os(VICTIM).is_none() {
        return;
    }
    let bus = Bus::start(&Sandbox::new());
    let pid = bus.name_owner_pid("org.freedesktop.DBus");
    let pid = pid.expect("the bus owns its own name");
    println!("\nvictim: {pid} {}", bus.sandbox().path().display());
    // Until it's killed.
    io::stdin().lines().next();
}

/// Not so for one that has ended and whose new parent takes its time to notice.
fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
