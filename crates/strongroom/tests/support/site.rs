//! Where a vault is kept that several processes have.

use std::env;
use std::path::PathBuf;
use std::process::Command;

#[cfg(feature = "sealed")]
use strongroom::keys::{KeySource, SealingKey};
use strongroom::{Backend, Config, Layout, blocking};
#[cfg(target_os = "linux")]
use strongroom_testkit::Bus;
use strongroom_testkit::{Sandbox, child};

use super::builder;

/// What a test tells its other processes: which vault it is.
const BACKEND: &str = "STRONGROOM_TEST_BACKEND";
const LAYOUT: &str = "STRONGROOM_TEST_LAYOUT";
/// What the library itself looks at.
const KEY_FILE: &str = "STRONGROOM_KEY_FILE";

/// Where the vault of the service `app` is kept.
pub(crate) struct Site<'a> {
    sandbox: &'a Sandbox,
    /// Starts this program where it finds what the vault needs.
    program: Box<dyn Fn() -> Command + 'a>,
    config: Config,
    backend: Backend,
    layout: Layout,
}

impl<'a> Site<'a> {
    /// In the keyring of a session.
    #[cfg(target_os = "linux")]
    pub(crate) fn on_bus(bus: &'a Bus, layout: Layout) -> Self {
        let (sandbox, config) = (bus.sandbox(), super::on(bus).layout(layout));
        let program = Box::new(|| bus.command(child::program()));
        Self { sandbox, program, config, backend: Backend::SecretService, layout }
    }

    /// In an encrypted file, whose key lies in another one.
    #[cfg(feature = "sealed")]
    pub(crate) fn in_file(sandbox: &'a Sandbox) -> Self {
        let path = key_file(sandbox);
        SealingKey::generate().unwrap().create_file(&path).unwrap();
        let config = Config::new("").backend(Backend::File).key(KeySource::key_file(path));
        let program = Box::new(|| sandbox.command(child::program()));
        Self { sandbox, program, config, backend: Backend::File, layout: Layout::Inline }
    }

    /// The vault as a new process would have it.
    pub(crate) fn builder(&self) -> Config {
        builder("app", self.config.clone(), self.sandbox)
    }

    pub(crate) fn open(&self) -> blocking::SecretManager {
        self.builder().open_blocking().unwrap()
    }

    /// The file that the vault lies in once it is sealed.
    pub(crate) fn file(&self) -> PathBuf {
        let kind = if self.backend == Backend::File { "file" } else { "keyed" };
        self.sandbox.data_dir().join(kind).join("app.sealed")
    }

    /// Runs this program, which finds the vault by its environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = (self.program)();
        command.env(BACKEND, self.backend.to_string()).env(LAYOUT, format!("{:?}", self.layout));
        if self.backend == Backend::File {
            command.env(KEY_FILE, key_file(self.sandbox));
        }
        command
    }

    /// The vault in the process that the command started.
    pub(crate) fn of_environment() -> Config {
        let layout = match env::var(LAYOUT).unwrap().as_str() {
            "Sealed" => Layout::Sealed,
            "Entries" => Layout::Entries,
            _ => Layout::Inline,
        };
        let backend: Backend = env::var(BACKEND).unwrap().parse().unwrap();
        Config::new("app").backend(backend).layout(layout)
    }
}

/// Where the key of an encrypted file lies.
pub(crate) fn key_file(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("key")
}
