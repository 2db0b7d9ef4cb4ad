//! The program beside daemons and the kernel's keyring.

use std::process::Command;

use strongroom_testkit::scripted::{Script, ScriptedService};
use strongroom_testkit::{Bus, GnomeKeyring, PATIENCE, Sandbox, unused_name, wait_until};

use super::{KEYUTILS, PASSWORD, PROGRAM, Ran, alone, run};

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
