//! The real program, run in sandboxes.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

pub(crate) mod terminal;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use strongroom_testkit::scripted::{Script, ScriptedService};
use strongroom_testkit::{Bus, GnomeKeyring, PATIENCE, Sandbox, unused_name, wait_until};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_strongroom");
pub(crate) const PASSWORD: &str = "the keyring's password";
pub(crate) const KEYUTILS: [&str; 2] = ["--backend", "keyutils"];

/// What a run of the program left.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Ran {
    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Both, for what may be said on either.
    pub(crate) fn said(&self) -> String {
        self.out() + &self.stderr
    }

    #[track_caller]
    pub(crate) fn ends_with(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "stdout: {}\nstderr: {}", self.out(), self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.said().contains(text), "no \"{text}\" in: {}", self.said());
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|_| panic!("not JSON: {}", self.said()))
    }

    #[track_caller]
    pub(crate) fn error(&self) -> serde_json::Value {
        let error = serde_json::from_str(&self.stderr);
        let mut error: serde_json::Value =
            error.unwrap_or_else(|_| panic!("not one JSON object: {}", self.stderr));
        error["error"].take()
    }
}

/// A copy of the program, for a user who can't look into ours.
///
/// Another process makes it: a file that this one has open for writing, other tests' children inherit
/// for a moment, and a program that somebody may write to can't be started.
#[track_caller]
pub(crate) fn copy_of_program(directory: &Path) -> PathBuf {
    let copy = directory.join("strongroom");
    assert!(Command::new("cp").arg(PROGRAM).arg(&copy).status().unwrap().success());
    copy
}

/// Runs it with this input.
#[track_caller]
pub(crate) fn run(mut command: Command, arguments: &[&str], input: &[u8]) -> Ran {
    let started = Instant::now();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program was built");
    give(&mut child, input);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(stderr).expect("messages are text");
    let exit = status.code().unwrap_or_else(|| panic!("ended by {status}: {stderr}"));
    Ran { exit, stdout, stderr, took: started.elapsed() }
}

/// Writes all input and closes the pipe. A program that doesn't read it has closed its end.
pub(crate) fn give(child: &mut Child, input: &[u8]) {
    child.stdin.take().unwrap().write_all(input).ok();
}

/// Runs it in a sandbox without a bus.
#[track_caller]
pub(crate) fn alone(sandbox: &Sandbox, arguments: &[&str], input: &[u8]) -> Ran {
    run(sandbox.command(PROGRAM), arguments, input)
}

/// Runs it on a bus.
#[track_caller]
pub(crate) fn on(bus: &Bus, arguments: &[&str], input: &[u8]) -> Ran {
    run(bus.command(PROGRAM), arguments, input)
}

pub(crate) fn bus() -> Bus {
    Bus::start(&Sandbox::new())
}

pub(crate) fn gnome_keyring() -> (Bus, GnomeKeyring) {
    let bus = bus();
    let keyring = GnomeKeyring::start(&bus, Some(PASSWORD));
    (bus, keyring)
}

pub(crate) fn scripted(script: Script) -> (Bus, ScriptedService) {
    let bus = bus();
    let service = ScriptedService::start(bus.address(), script).expect("the service starts");
    (bus, service)
}

/// A service in the kernel's keyring that nobody else uses, emptied at the end.
pub(crate) struct KeyutilsService {
    pub(crate) name: String,
    pub(crate) sandbox: Sandbox,
}

impl KeyutilsService {
    pub(crate) fn new() -> Self {
        Self { name: unused_name("cli-test"), sandbox: Sandbox::new() }
    }

    #[track_caller]
    pub(crate) fn entry(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let arguments = [&KEYUTILS[..], &["entry"], arguments].concat();
        alone(&self.sandbox, &arguments, input)
    }

    /// Runs a command on the service's vault.
    #[track_caller]
    pub(crate) fn vault(&self, arguments: &[&str], input: &[u8]) -> Ran {
        run(self.program(), arguments, input)
    }

    /// The program, pointed at the service's vault.
    pub(crate) fn program(&self) -> Command {
        let mut command = self.sandbox.command(PROGRAM);
        command.args(KEYUTILS).args(["--service", &self.name]);
        command
    }

    /// Stores a secret in the vault, and waits until its time is over.
    #[track_caller]
    pub(crate) fn set_expired(&self, name: &str, more: &[&str]) {
        let set = [&["set", name, "--expires", "1s"], more].concat();
        self.vault(&set, b"old value").ends_with(0);
        wait_until("it has expired", PATIENCE, || {
            let listed = self.vault(&["list", "--expiring", "0d"], b"").out();
            listed.lines().any(|line| line.split('\t').next() == Some(name))
        });
    }

    #[track_caller]
    pub(crate) fn set(&self, user: &str, value: &[u8]) {
        self.entry(&["set", &self.name, user], value).ends_with(0);
    }

    #[track_caller]
    pub(crate) fn get(&self, user: &str) -> Vec<u8> {
        self.entry(&["get", &self.name, user], b"").ends_with(0).stdout
    }
}

impl Drop for KeyutilsService {
    fn drop(&mut self) {
        let listed = self.entry(&["list", &self.name, "--json"], b"");
        let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap_or_default();
        for user in listed["users"].as_array().into_iter().flatten() {
            self.entry(&["delete", &self.name, user.as_str().unwrap_or_default()], b"");
        }
    }
}
