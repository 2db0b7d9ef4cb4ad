//! The keys of encrypted files, from the caller, the environment or a function that asks for a passphrase.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strongroom_core::advice::Advice;
use strongroom_core::{Error, ErrorKind, Operation, Result, SecretString};
use strongroom_files::{Source, read};
use strongroom_sealed::FileConfig;
pub use strongroom_sealed::{Cost, KeySource, Progress, SealingKey, Slot, SlotId, SlotKind};

use crate::Config;
use crate::input::first_line;
pub use crate::vault::sealed::PassphraseRequest;
use crate::vault::sealed::Unlock;
pub use vault_keys::VaultKeys;

mod vault_keys;

/// The largest passphrase file that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

impl Config {
    /// Adds a key to the encrypted file of the backend `file`. Each key is tried, and any key opens a new
    /// file. The keys also open the file of a vault whose entry, which holds its key, is gone.
    pub fn key(mut self, source: KeySource) -> Self {
        self.keys.sources.push(source);
        self
    }

    /// Sets the function that asks for a passphrase if neither a key nor a passphrase is named here or in the
    /// environment. It returns `None` if the user refuses to answer.
    pub fn passphrase(
        mut self,
        ask: impl Fn(&PassphraseRequest) -> Result<Option<SecretString>> + Send + Sync + 'static,
    ) -> Self {
        self.keys.ask = Some(Arc::new(ask));
        self
    }

    /// Returns the directory of encrypted files: the configured directory, else the user's.
    ///
    /// # Errors
    ///
    /// `AccessDenied` if the home directory is another user's.
    pub(crate) fn data_directory(&self) -> Result<Option<PathBuf>> {
        match &self.data_dir {
            Some(directory) => Ok(Some(directory.clone())),
            None => strongroom_files::data_dir().map_err(|fault| fault.during(Operation::Choose)),
        }
    }

    /// Returns the settings to open an encrypted file whose key is in no entry.
    pub(crate) fn unlock(&self, path: PathBuf) -> Result<Unlock> {
        let mut config = FileConfig::keyless(path).with_deadline(self.deadlines.call);
        config.sources = self.key_sources()?;
        Ok(Unlock::new(config, self.keys.ask.clone(), self.key_hint()))
    }

    /// Returns whether a key or a passphrase is named, here or in the environment. The user is then not
    /// asked.
    pub fn has_key(&self) -> bool {
        !self.keys.sources.is_empty()
            || self.variable("KEY_FILE").is_some()
            || self.variable("PASSPHRASE_FILE").is_some()
    }

    /// Returns the hint that tells the user which variables name a key.
    pub fn key_hint(&self) -> String {
        format!(
            "Name a file with the passphrase in {0}_PASSPHRASE_FILE, or one with a key in {0}_KEY_FILE.",
            self.env_prefix
        )
    }

    /// Returns the keys that the caller and the environment name: `<prefix>_KEY_FILE` is a file that holds a
    /// key, `<prefix>_PASSPHRASE_FILE` a file whose first line is the passphrase.
    ///
    /// # Errors
    ///
    /// `KeyMissing` if the passphrase file is not there; `Invalid` if it has no passphrase; `AccessDenied` if
    /// other users can read it; `Io` if it can't be read.
    pub(crate) fn key_sources(&self) -> Result<Vec<KeySource>> {
        // The environment adds keys and replaces none that the application set.
        let mut sources = self.keys.sources.clone();
        if let Some((_, path)) = self.variable("KEY_FILE") {
            sources.push(KeySource::key_file(PathBuf::from(path)));
        }
        if let Some((variable, path)) = self.variable("PASSPHRASE_FILE") {
            let path = PathBuf::from(path);
            let passphrase = passphrase_in(&path).map_err(|error| {
                let advice = Advice::from(format!("{variable} names it.")).and_all(error.advice());
                error.with_advice(advice)
            })?;
            sources.push(KeySource::passphrase(passphrase));
        }
        Ok(sources)
    }

    /// Returns the name and the value of the environment variable `<prefix>_<name>`.
    fn variable(&self, name: &str) -> Option<(String, OsString)> {
        let variable = format!("{}_{name}", self.env_prefix);
        let value = self.lookup(&variable)?;
        Some((variable, value))
    }
}

/// Returns the passphrase in a file.
fn passphrase_in(path: &Path) -> Result<SecretString> {
    // `Private` refuses a file that other users can read.
    let bytes = read(path, Source::Private, LONGEST).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => unusable(path, ErrorKind::KeyMissing, "is not there")
            .with_hint("Bring the file back, or name the one that is there.")
            .with_source(cause),
        _ => strongroom_files::error(Operation::Choose, path, cause),
    })?;
    match std::str::from_utf8(first_line(&bytes)) {
        Ok("") => Err(unusable(path, ErrorKind::Invalid, "has an empty first line")),
        Ok(text) => Ok(SecretString::from(text)),
        Err(_) => Err(unusable(path, ErrorKind::Invalid, "is not text")),
    }
}

fn unusable(path: &Path, kind: ErrorKind, problem: &str) -> Error {
    let message = format!("the passphrase file {} {problem}", path.display());
    Error::new(kind, Operation::Choose).with_message(message)
}
