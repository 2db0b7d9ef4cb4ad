//! The keys of a sealed file that no entry holds: configured sources, or a passphrase that the user is asked
//! for.

use strongroom_core::{Error, ErrorKind, Operation, Result};
use strongroom_sealed::{FileConfig, KeySource, SealedFile};

use super::files::is_anything_at;
use super::passphrase::{AskPassphrase, PassphraseRequest};

/// The number of attempts at a passphrase.
const TRIES: u32 = 3;

/// The answer to the question for a passphrase, and the file if it is open already.
#[derive(Default)]
pub(super) struct Answer {
    key: Option<KeySource>,
    opened: Option<(SealedFile, Vec<KeySource>)>,
}

/// The configured keys of a sealed file, or the function that asks for a passphrase.
pub(crate) struct Unlock {
    pub(crate) config: FileConfig,
    ask: Option<AskPassphrase>,
    /// The advice how to configure a key.
    hint: String,
}

impl Unlock {
    /// Uses the sources of the configuration. Without any, `ask` asks for a passphrase.
    pub(crate) fn new(config: FileConfig, ask: Option<AskPassphrase>, hint: String) -> Self {
        Self { config, ask, hint }
    }

    /// Returns whether the file can't be opened without asking for a passphrase.
    pub(super) fn must_ask(&self) -> bool {
        self.config.sources.is_empty()
    }

    /// Asks for a passphrase before a lock is taken, if it is needed: otherwise other processes would wait
    /// for the user's answer.
    pub(super) fn prepare(&self) -> Result<Answer> {
        let Some(ask) = self.ask.as_ref().filter(|_| self.must_ask()) else {
            return Ok(Answer::default());
        };
        if !is_anything_at(&self.config.path)? {
            return Ok(Answer { key: Some(self.asked(ask, true, 1)?), opened: None });
        }
        let opened = self.open_asking(ask)?;
        // The passphrase is the only source: it is asked for only if no source is configured.
        Ok(Answer { key: opened.1.last().cloned(), opened: Some(opened) })
    }

    /// Opens the file, and returns it with the sources that opened it.
    pub(super) fn open(&self, answer: Option<&mut Answer>) -> Result<(SealedFile, Vec<KeySource>)> {
        let mut config = self.config.clone();
        if let Some(answer) = answer {
            // Another process may have replaced the file since it was opened.
            if let Some(opened) = answer.opened.take().filter(|(file, _)| file.is_in_place()) {
                return Ok(opened);
            }
            config.sources.extend(answer.key.clone());
        }
        match &self.ask {
            _ if !config.sources.is_empty() => Ok((open(&config)?, config.sources)),
            Some(ask) => self.open_asking(ask),
            None => Err(self.no_key()),
        }
    }

    /// Returns the configuration of a new file, with the sources that will open it.
    pub(super) fn with_new_key(&self, answer: Option<&Answer>) -> Result<FileConfig> {
        if !self.must_ask() {
            return Ok(self.config.clone());
        }
        let source = match (answer.and_then(|answer| answer.key.as_ref()), &self.ask) {
            (Some(source), _) => source.clone(),
            (None, Some(ask)) => self.asked(ask, true, 1)?,
            (None, None) => return Err(self.no_key()),
        };
        Ok(self.config.clone().or(source))
    }

    /// Opens the file with a passphrase that the user types, in up to [`TRIES`] attempts.
    fn open_asking(&self, ask: &AskPassphrase) -> Result<(SealedFile, Vec<KeySource>)> {
        let mut attempt = 1;
        loop {
            let config = self.config.clone().or(self.asked(ask, false, attempt)?);
            match open(&config) {
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
            Error::new(ErrorKind::Dismissed, Operation::Open).with_message(format!(
                "nobody gave the passphrase of {}",
                self.config.path.display()
            ))
        })?;
        Ok(KeySource::passphrase(passphrase))
    }

    fn no_key(&self) -> Error {
        let path = self.config.path.display();
        Error::new(ErrorKind::KeyMissing, Operation::Open)
            .with_message(format!("nothing was named that opens {path}"))
            .with_hint(self.hint.clone())
    }
}

/// Opens a file, and warns of key slots that were changed without a key to the file.
pub(super) fn open(config: &FileConfig) -> Result<SealedFile> {
    let file = SealedFile::open(config)?;
    let changes = file.slot_changes().unwrap_or_default();
    if !changes.is_empty() {
        let ids: Vec<_> = changes.iter().map(|change| change.id().to_string()).collect();
        tracing::warn!(
            warning = "key_slots_changed",
            "key slots of {} were changed by somebody who has no key to it: {}. What opened them may open \
             nothing now: remove those and add new ones",
            config.path.display(),
            ids.join(", ")
        );
    }
    Ok(file)
}
