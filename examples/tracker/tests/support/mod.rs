//! The real tracker, run in sandboxes.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

pub(crate) mod clockify;
pub(crate) mod terminal;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tracker");

/// A key to Clockify that must be nowhere but where it belongs.
pub(crate) const KEY: &str = "Y2xvY2tpZnkga2V5IG9mIGEgdGVzdA";

const BACKEND: &str = "STRONGROOM_BACKEND";

/// A user's machine, with a place for secrets that lasts. The store is named, so that no test ever writes to the
/// kernel's keyring, which no sandbox keeps apart from the user's own.
pub(crate) struct Machine {
    sandbox: Sandbox,
    bus: Option<Bus>,
    env: Vec<(&'static str, String)>,
}

impl Machine {
    /// With a keyring that is open.
    pub(crate) fn with_keyring() -> Option<(Self, GnomeKeyring)> {
        if !provider_or_skip("gnome-keyring-daemon") {
            return None;
        }
        let sandbox = Sandbox::new();
        let bus = Bus::start(&sandbox);
        let keyring = GnomeKeyring::start(&bus, Some("the keyring's password"));
        let env = vec![(BACKEND, "secret-service".to_owned())];
        Some((Self { sandbox, bus: Some(bus), env }, keyring))
    }

    /// Without a keyring, and with an encrypted file that this opens: `KEY_FILE` or `PASSPHRASE_FILE`.
    pub(crate) fn with_file(variable: &'static str, path: &Path) -> Self {
        let key = (variable, path.to_str().unwrap().to_owned());
        let file = (BACKEND, "file".to_owned());
        Self { sandbox: Sandbox::new(), bus: None, env: vec![file, key] }
    }

    /// The same without this variable.
    pub(crate) fn without(&self, variable: &str) -> Self {
        let env = self.env.iter().filter(|(name, _)| *name != variable).cloned().collect();
        Self { sandbox: self.sandbox.clone(), bus: self.bus.clone(), env }
    }

    pub(crate) fn bus(&self) -> &Bus {
        self.bus.as_ref().unwrap()
    }

    /// A command of the user.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = match &self.bus {
            Some(bus) => bus.command(program),
            None => self.sandbox.command(program),
        };
        command.env("TERM", "xterm").envs(self.env.iter().cloned());
        command
    }

    /// What one of the tracker's commands prints.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut command = self.command(PROGRAM);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = command.spawn().unwrap();
        program.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        let output = program.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Panics if a file below HOME has the key in it, and returns how many files there are.
    #[track_caller]
    pub(crate) fn assert_key_in_no_file(&self) -> usize {
        assert_not_below(&self.sandbox.home())
    }
}

#[track_caller]
fn assert_not_below(directory: &Path) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let (path, kind) = entry.map(|it| (it.path(), it.file_type().unwrap())).unwrap();
        if kind.is_dir() {
            files += assert_not_below(&path);
        } else if kind.is_file() {
            let bytes = fs::read(&path).unwrap();
            let has_key = bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
            assert!(!has_key, "the key is in {}", path.display());
            files += 1;
        }
    }
    files
}
