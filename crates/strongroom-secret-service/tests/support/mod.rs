//! What the tests of this crate share.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::time::Duration;

use strongroom_core::{Deadlines, ExposeSecret, KeyringStore, PromptPolicy, SecretString};
use strongroom_secret_service::{Config, SecretServiceStore};
use strongroom_testkit::child::{self, Child};
use strongroom_testkit::scripted::{Script, ScriptedService};
use strongroom_testkit::{Bus, GnomeKeyring, Sandbox};

/// Long enough for any answer that comes, on a loaded machine.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);
/// Short, for answers that never come.
pub(crate) const BRIEF: Duration = Duration::from_millis(300);
pub(crate) const PASSWORD: &str = "the keyring's password";

/// The settings of a store on this bus that never prompts.
pub(crate) fn config(bus: &Bus) -> Config {
    Config::default()
        .with_bus_address(bus.address())
        .with_state_dir(bus.sandbox().path())
        .with_prompt(PromptPolicy::Never)
        .with_deadlines(Deadlines::both(PATIENT))
}

pub(crate) fn store(bus: &Bus) -> SecretServiceStore {
    SecretServiceStore::new(config(bus))
}

/// A store that takes providers without encryption, too.
pub(crate) fn lenient_store(bus: &Bus) -> SecretServiceStore {
    SecretServiceStore::new(config(bus).with_unencrypted_session(true))
}

/// A store that writes text of several lines as it is.
pub(crate) fn keeping_store(bus: &Bus) -> SecretServiceStore {
    SecretServiceStore::new(config(bus).with_kept_lines(true))
}

/// A store that may prompt, and gives calls and prompts this long.
pub(crate) fn prompting_store(bus: &Bus, limit: Duration) -> SecretServiceStore {
    let config = config(bus).with_prompt(PromptPolicy::Always);
    SecretServiceStore::new(config.with_deadlines(Deadlines::both(limit)))
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

/// Stores a value under the service of most tests.
pub(crate) fn set(store: &SecretServiceStore, user: &str, value: &str) {
    let stored = store.set_password("app", user, &secret(value));
    stored.expect("the store stores");
}

/// Reads what [`set`] stored.
pub(crate) fn get(store: &SecretServiceStore, user: &str) -> Option<String> {
    let read = store.get_password("app", user).expect("the store reads");
    read.map(|value| value.expose_secret().to_owned())
}

pub(crate) fn secret(value: &str) -> SecretString {
    SecretString::from(value)
}

/// Starts a function of this program that reaches this bus.
pub(crate) fn child(bus: &Bus, function: &str) -> Child {
    let mut command = bus.command(child::program());
    child::enter(command.env(STATE_DIR, bus.sandbox().path()), function);
    Child::start(command)
}

/// Returns the store of a child.
pub(crate) fn store_of_child() -> SecretServiceStore {
    let state_dir = std::env::var_os(STATE_DIR).expect("the parent sets it");
    let config = Config::default().with_state_dir(std::path::PathBuf::from(state_dir));
    SecretServiceStore::new(config.with_prompt(PromptPolicy::Never))
}

/// The variable with the directory of a child's lock files.
const STATE_DIR: &str = "STRONGROOM_TEST_STATE_DIR";
