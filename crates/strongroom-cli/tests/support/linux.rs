//! The program beside daemons and the kernel's keyring.

use std::process::Command;
use std::sync::Arc;

use strongroom::{Config, KeyringStore, Store};

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

    /// Stores a secret of a name that the program refuses.
    #[track_caller]
    pub(crate) fn set_by_library(&self, name: &str, value: &str) {
        let secrets = Config::new(self.name.as_str())
            .backend(strongroom::Backend::Keyutils)
            .state_dir(self.sandbox.state_dir());
        secrets.open_blocking().unwrap().set_api_key(name, value, None).unwrap();
    }

    /// Puts bytes in the place of the service's vault, as no command does.
    #[track_caller]
    pub(crate) fn damage(&self, bytes: &[u8]) {
        let bytes = strongroom::store::secret_bytes(bytes.to_vec());
        keyutils().set_bytes(&self.name, strongroom::store::VAULT_ENTRY, &bytes).unwrap();
    }

    #[track_caller]
    pub(crate) fn get(&self, user: &str) -> Vec<u8> {
        self.entry(&["get", &self.name, user], b"").ends_with(0).stdout
    }
}

/// The kernel's keyring of this test program.
fn keyutils() -> Arc<dyn Store> {
    let config = strongroom::Config::new("").backend(strongroom::Backend::Keyutils);
    Arc::clone(strongroom::store::choose_unbound(&config).unwrap().store())
}

impl Drop for KeyutilsService {
    fn drop(&mut self) {
        let store = keyutils();
        for user in store.list(&self.name).unwrap_or_default() {
            drop(store.delete_password(&self.name, user.as_str()));
        }
    }
}
