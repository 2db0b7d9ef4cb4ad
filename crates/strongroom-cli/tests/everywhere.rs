//! The everyday commands as whole processes, on the encrypted file, which every platform has.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process::Command;

use strongroom_testkit::Sandbox;
use support::{PROGRAM, Ran, private_file, run};

const VALUE: &str = "marker-of-a-value";

/// A user whose encrypted file a key file opens.
struct User {
    sandbox: Sandbox,
}

impl User {
    fn new() -> Self {
        let user = Self { sandbox: Sandbox::new() };
        let key = user.key();
        user.run(&["key", "add", "--new", "--key-file", &key], b"").ends_with(0);
        user
    }

    fn key(&self) -> String {
        self.sandbox.path().join("key").display().to_string()
    }

    fn command(&self) -> Command {
        let mut command = self.sandbox.command(PROGRAM);
        command.env("STRONGROOM_BACKEND", "file");
        if self.sandbox.path().join("key").exists() {
            command.env("STRONGROOM_KEY_FILE", self.key());
        }
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], input: &[u8]) -> Ran {
        run(self.command(), arguments, input)
    }
}

#[test]
fn a_secret_is_set_up_read_listed_changed_and_deleted() {
    let user = User::new();
    let stored = user.run(&["setup", "API_KEY"], VALUE.as_bytes()).ends_with(0);
    let place = user.sandbox.data_dir().display().to_string();
    assert!(stored.out().contains(&place), "{}", stored.out());
    assert!(!stored.said().contains(VALUE));
    assert_eq!(user.run(&["get", "API_KEY"], b"").ends_with(0).stdout, VALUE.as_bytes());

    let lines = b"two\nlines\xe2\x82\xac\n";
    user.run(&["set", "LINES", "--expires", "90d"], lines).ends_with(0);
    let read = user.run(&["get", "LINES"], b"").ends_with(0).stdout;
    assert_eq!(read, lines, "byte by byte");
    let listed = user.run(&["list"], b"").ends_with(0).out();
    let names: Vec<_> = listed.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(names, ["API_KEY", "LINES"]);
    user.run(&["update", "API_KEY"], b"another").ends_with(0);
    assert_eq!(user.run(&["get", "API_KEY"], b"").ends_with(0).out(), "another");

    user.run(&["delete", "API_KEY"], b"").ends_with(0);
    user.run(&["get", "API_KEY"], b"").ends_with(3).says("API_KEY");
    user.run(&["purge", "--yes"], b"").ends_with(0);
    assert_eq!(user.run(&["list"], b"").ends_with(0).out(), "");
}

#[test]
fn what_the_machine_has_and_how_it_is_are_told() {
    let user = User::new();
    user.run(&["set", "API_KEY"], VALUE.as_bytes()).ends_with(0);
    let backends = user.run(&["backends", "--json"], b"").ends_with(0).json();
    assert!(backends.to_string().contains("\"file\""), "{backends}");
    user.run(&["doctor"], b"").ends_with(0);
    let doctor = user.run(&["doctor", "--json"], b"").ends_with(0).json();
    assert_eq!(doctor["exit_code"], 0, "{doctor}");
}

#[test]
fn a_backup_brings_back_what_was_deleted() {
    let user = User::new();
    user.run(&["set", "API_KEY"], VALUE.as_bytes()).ends_with(0);
    let place = |name: &str| user.sandbox.path().join(name).display().to_string();
    let (backup, passphrase) = (place("all.age"), place("passphrase"));
    private_file(&passphrase, "correct horse battery\n");
    let by = ["--passphrase-file", passphrase.as_str()];
    user.run(&[&["backup", &backup][..], &by].concat(), b"").ends_with(0);
    user.run(&[&["backup", &backup, "--force"][..], &by].concat(), b"").ends_with(0);
    user.run(&["delete", "API_KEY"], b"").ends_with(0);
    user.run(&[&["restore", &backup][..], &by].concat(), b"").ends_with(0);
    assert_eq!(user.run(&["get", "API_KEY"], b"").ends_with(0).out(), VALUE);
}

/// A line for the platform's shell, which every installation has.
fn shell(line: &str) -> [&str; 3] {
    if cfg!(windows) { ["cmd", "/c", line] } else { ["sh", "-c", line] }
}

/// How the shell names the variable.
fn variable(name: &str) -> String {
    if cfg!(windows) { format!("%{name}%") } else { format!("${name}") }
}

#[test]
fn a_program_runs_with_the_secrets_and_its_exit_code_is_ours() {
    let user = User::new();
    user.run(&["set", "API_KEY"], VALUE.as_bytes()).ends_with(0);
    let line = format!("echo {}", variable("API_KEY"));
    let ran = user.run(&[&["run", "--"][..], &shell(&line)].concat(), b"").ends_with(0);
    assert_eq!(ran.out().trim_end(), VALUE);
    assert_eq!(ran.stderr, "");
    let exit = |code| [&["run", "--"][..], &shell(code)].concat();
    user.run(&exit("exit 42"), b"").ends_with(42);
    if cfg!(windows) {
        user.run(&exit("exit 3000"), b"").ends_with(3000);
        user.run(&exit("exit -1073741510"), b"").ends_with(-1_073_741_510);
    }
    user.run(&["run", "--", "no-such-program"], b"").ends_with(127).says("PATH");
    user.run(&[&["run", "--only", "NONE", "--"][..], &shell("exit 0")].concat(), b"").ends_with(3);
}

#[test]
fn what_a_program_reads_is_what_came_in() {
    let user = User::new();
    user.run(&["set", "API_KEY"], VALUE.as_bytes()).ends_with(0);
    let set = ["run", "--", PROGRAM, "set", "COPY", "--service", "copy", "--backend", "memory"];
    user.run(&set, b"what came in").ends_with(0);
    user.run(&set, b"").ends_with(2).says("nothing came in");
}
