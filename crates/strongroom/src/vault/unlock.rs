//! What opens a sealed file whose key stands in no entry.

use std::sync::{Mutex, MutexGuard, PoisonError};

use strongroom_core::{Error, ErrorKind, Operation, Result};
use strongroom_sealed::{FileConfig, KeySource, SealedFile};

use super::sealed::is_anything_at;
use crate::keys::{AskPassphrase, PassphraseRequest};

/// How often somebody may mistype a passphrase.
const TRIES: u32 = 3;

/// What opens a sealed file: keys that were named, or a passphrase that somebody is asked for.
pub(crate) struct Unlock {
    pub(crate) config: FileConfig,
    ask: Option<AskPassphrase>,
    /// How to name a key.
    hint: String,
    prepared: Mutex<Option<KeySource>>,
}

/// A passphrase that was asked for beforehand, forgotten when this is dropped.
pub(super) struct Prepared<'a>(&'a Unlock);

impl Unlock {
    /// By the sources of the configuration; somebody is asked where it has none.
    pub(crate) fn new(config: FileConfig, ask: Option<AskPassphrase>, hint: String) -> Self {
        Self { config, ask, hint, prepared: Mutex::default() }
    }

    /// Asks, where somebody would have to be asked later: while a lock is held, others would wait for
    /// who types.
    pub(super) fn prepare(&self) -> Result<Prepared<'_>> {
        if let Some(ask) = self.ask.as_ref().filter(|_| self.config.sources.is_empty()) {
            let source = match is_anything_at(&self.config.path)? {
                true => self.open_asking(ask)?.1.pop(),
                false => Some(self.asked(ask, true, 1)?),
            };
            *self.prepared() = source;
        }
        Ok(Prepared(self))
    }

    /// Opens the file, and says what opened it.
    pub(super) fn open(&self) -> Result<(SealedFile, Vec<KeySource>)> {
        let config = match self.prepared().take() {
            Some(source) => self.config.clone().or(source),
            None => self.config.clone(),
        };
        match &self.ask {
            _ if !config.sources.is_empty() => Ok((SealedFile::open(&config)?, config.sources)),
            Some(ask) => self.open_asking(ask),
            None => Err(self.no_key()),
        }
    }

    /// What opens a new file.
    pub(super) fn with_new_key(&self) -> Result<FileConfig> {
        if !self.config.sources.is_empty() {
            return Ok(self.config.clone());
        }
        let source = match (self.prepared().take(), &self.ask) {
            (Some(source), _) => source,
            (None, Some(ask)) => self.asked(ask, true, 1)?,
            (None, None) => return Err(self.no_key()),
        };
        Ok(self.config.clone().or(source))
    }

    /// Opens the file by a passphrase that somebody types, in three tries.
    fn open_asking(&self, ask: &AskPassphrase) -> Result<(SealedFile, Vec<KeySource>)> {
        let mut attempt = 1;
        loop {
            let config = self.config.clone().or(self.asked(ask, false, attempt)?);
            match SealedFile::open(&config) {
                Err(error) if error.kind() == ErrorKind::WrongKey && attempt < TRIES => {
                    attempt += 1;
                }
                opened => return opened.map(|file| (file, config.sources)),
            }
        }
    }

    fn asked(&self, ask: &AskPassphrase, is_new: bool, attempt: u32) -> Result<KeySource> {
        let path = self.config.path.clone();
        let passphrase = ask(&PassphraseRequest { path, is_new, attempt })?.ok_or_else(|| {
            Error::new(ErrorKind::Dismissed, Operation::Get).with_message(format!(
                "nobody gave the passphrase of {}",
                self.config.path.display()
            ))
        })?;
        Ok(KeySource::passphrase(passphrase))
    }

    fn no_key(&self) -> Error {
        let path = self.config.path.display();
        Error::new(ErrorKind::KeyMissing, Operation::Get)
            .with_message(format!("nothing was named that opens {path}"))
            .with_hint(self.hint.clone())
    }

    fn prepared(&self) -> MutexGuard<'_, Option<KeySource>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        *self.0.prepared() = None;
    }
}
