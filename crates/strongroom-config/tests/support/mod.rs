//! A home with an encrypted file as the store, and configuration files in it.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

pub(crate) mod git;
pub(crate) mod process;

use std::fs;
use std::path::{Path, PathBuf};

use strongroom::keys::{KeySource, SealingKey};
use strongroom::{Backend, Config, ExposeSecret, blocking};
use strongroom_config::{ConfigFile, Format, Prefer, Rules, Secured};
use tempfile::TempDir;

/// What stands where a secret is.
pub(crate) const VALUE: &str = "not-so-secret-marker";

/// A directory with a store of its own, removed when dropped.
pub(crate) struct Home {
    directory: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self { directory: TempDir::new().unwrap() };
        SealingKey::generate().unwrap().create_file(home.path("key")).unwrap();
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, for its owner alone.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path
    }

    pub(crate) fn builder(&self) -> Config {
        builder_in(self.directory.path())
    }

    pub(crate) fn open(&self) -> blocking::SecretManager {
        self.builder().open_blocking().unwrap()
    }

    /// The names of all files that are directly in it, but for the store's.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> =
            names.filter(|name| !["key", "state", "data"].contains(&name.as_str())).collect();
        names.sort();
        names
    }
}

/// The store of the service `app` in this directory.
pub(crate) fn builder_in(directory: &Path) -> Config {
    let options = Config::new("")
        .environment(|_| None)
        .backend(Backend::File)
        .key(KeySource::key_file(directory.join("key")))
        .state_dir(directory.join("state"))
        .data_dir(directory.join("data"));
    options.service("app")
}

/// Moves all secrets that a file has into the store.
#[track_caller]
pub(crate) fn secure(file: &ConfigFile, secrets: &blocking::SecretManager) -> Secured {
    let plan = file.plan(secrets, Prefer::Ask).unwrap();
    file.secure(secrets, &plan, |_| {}).unwrap()
}

pub(crate) fn file(path: impl Into<PathBuf>, rules: Rules) -> ConfigFile {
    ConfigFile::new(path, rules).unwrap()
}

#[track_caller]
pub(crate) fn stored(secrets: &blocking::SecretManager, name: &str) -> Option<String> {
    secrets.get_value(name).unwrap().map(|value| value.expose_secret().to_owned())
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

/// Makes a pipe with a name.
#[cfg(unix)]
#[track_caller]
pub(crate) fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

pub(crate) const FORMATS: [Format; 4] = [Format::Json, Format::Toml, Format::Yaml, Format::Env];

#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
pub(crate) fn set_mode(_: &Path, _: u32) {}
