//! Vaults on private stores.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

pub(crate) mod apart;
pub(crate) mod race;
pub(crate) mod site;
pub(crate) mod worker;

#[cfg(target_os = "linux")]
use strongroom::Backend;
#[cfg(target_os = "linux")]
use strongroom::store::secret_service;
use strongroom::{Config, blocking};
use strongroom_testkit::Sandbox;
#[cfg(target_os = "linux")]
use strongroom_testkit::{Bus, GnomeKeyring, provider_or_skip};

#[cfg(target_os = "linux")]
pub(crate) fn gnome_keyring() -> Option<(Bus, GnomeKeyring)> {
    provider_or_skip("gnome-keyring-daemon").then(|| {
        let bus = Bus::start(&Sandbox::new());
        let keyring = GnomeKeyring::start(&bus, Some("password"));
        (bus, keyring)
    })
}

#[cfg(target_os = "linux")]
pub(crate) fn on(bus: &Bus) -> Config {
    let sandbox = bus.sandbox();
    let settings = secret_service::Config::default().with_bus_address(bus.address());
    let config = Config::new("").backend(Backend::SecretService).store_settings(settings);
    config.state_dir(sandbox.state_dir()).data_dir(sandbox.data_dir())
}

/// A manager of the service of this name, with its files where the sandbox's processes have them.
pub(crate) fn builder(service: &str, config: Config, sandbox: &Sandbox) -> Config {
    let config = config.state_dir(sandbox.state_dir()).data_dir(sandbox.data_dir());
    config.service(service)
}

/// A manager of the service `app` on this bus.
#[cfg(target_os = "linux")]
pub(crate) fn manager(bus: &Bus) -> blocking::SecretManager {
    builder("app", on(bus), bus.sandbox()).open_blocking().unwrap()
}

/// Deletes what the kernel would keep, however the test ends.
pub(crate) struct Purged<'a>(pub(crate) &'a blocking::SecretManager);

impl Drop for Purged<'_> {
    fn drop(&mut self) {
        self.0.purge().ok();
    }
}
