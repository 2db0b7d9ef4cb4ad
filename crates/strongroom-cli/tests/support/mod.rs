//! The real program, run in sandboxes.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) mod session;
#[cfg(target_os = "linux")]
pub(crate) mod terminal;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use strongroom_testkit::{Sandbox, start};

#[cfg(target_os = "linux")]
#[allow(unused_imports, reason = "each test program uses a part of it")]
pub(crate) use linux::*;

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

/// Writes a file that no other user may read.
#[track_caller]
pub(crate) fn private_file(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    let path = path.as_ref();
    std::fs::write(path, content).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

/// Runs it with this input.
#[track_caller]
pub(crate) fn run(mut command: Command, arguments: &[&str], input: &[u8]) -> Ran {
    let started = Instant::now();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = start(&mut command);
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
