//! The keys of encrypted files: a passphrase from a file descriptor or the terminal, or a systemd credential. The
//! library itself finds the key and passphrase files that the environment names.

use std::io::{self, IsTerminal as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strongroom::advice::{Advice, Sentence};
use strongroom::error::Operation;
use strongroom::keys::{KeySource, PassphraseRequest};
use strongroom::{Config, Error, ErrorKind, SecretString};

use crate::args::Flags;
use crate::ask::{self, Problem};
use crate::credential::credential;
use crate::failure::Result;
use crate::passphrase_source::from_descriptor;

/// The name of the encrypted file in questions for its passphrase.
pub(crate) const FILE: &str = "the encrypted file";

/// The keys of encrypted files that a command may use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    given: Vec<KeySource>,
    pub(crate) may_ask: bool,
    /// The passphrase that was typed last, so that the user is not asked twice.
    typed: Arc<Mutex<Option<SecretString>>>,
}

impl Keys {
    /// Reads the passphrase that the flags point to, and finds systemd's credential.
    pub(crate) fn resolve(flags: &Flags, may_ask: bool) -> Result<Self> {
        let mut given = Vec::new();
        if let Some(descriptor) = flags.passphrase_fd {
            given.push(KeySource::passphrase(from_descriptor(descriptor)?));
        }
        if let Some(path) = credential() {
            given.push(KeySource::credential(path));
        }
        Ok(Self { given, may_ask, typed: Arc::default() })
    }

    /// Returns systemd's credential as the only key.
    pub(crate) fn of_system() -> Self {
        let given = credential().map(KeySource::credential).into_iter().collect();
        Self { given, ..Self::default() }
    }

    /// Returns systemd's credential, and a question for a passphrase if standard input is a terminal.
    pub(crate) fn of_terminal() -> Self {
        Self { may_ask: io::stdin().is_terminal(), ..Self::of_system() }
    }

    /// Returns the keys for work that asks the user for nothing.
    pub(crate) fn without_questions(&self) -> Self {
        Self { may_ask: false, ..self.clone() }
    }

    /// Adds the keys to a configuration, and the question for a passphrase if it may be asked.
    pub(crate) fn add_to(&self, config: Config) -> Config {
        let config = self.given.iter().cloned().fold(config, Config::key);
        if !self.may_ask {
            return config;
        }
        let (keys, hint) = (self.clone(), config.key_hint());
        config.passphrase(move |request| {
            keys.ask(request).map_err(|error| error.with_advice(named(&hint)))
        })
    }

    /// Returns the passphrase that was typed, as a key.
    pub(crate) fn typed_key(&self) -> Option<KeySource> {
        self.typed().clone().map(KeySource::passphrase)
    }

    fn ask(&self, request: &PassphraseRequest) -> strongroom::Result<Option<SecretString>> {
        // A command may open several files, or the same file twice. A passphrase that is wrong there is asked for again.
        let known = self.typed().clone();
        if known.is_some() && request.attempt == 1 {
            return Ok(known);
        }
        let passphrase = ask(request)?;
        self.typed().clone_from(&passphrase);
        Ok(passphrase)
    }

    /// Returns whether a passphrase can be asked for. Standard input may be a value then: the passphrase comes from the
    /// terminal itself.
    pub(crate) fn may_ask(&self) -> bool {
        self.may_ask
    }

    fn typed(&self) -> MutexGuard<'_, Option<SecretString>> {
        self.typed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns advice to name a key: by the configuration's variables, whose names are in its hint, or by a flag.
fn named(hint: &str) -> Advice {
    let descriptor = Sentence::default()
        .option("--passphrase-fd N")
        .text(" reads the passphrase from a file descriptor.");
    Advice::from(hint.to_owned()).and(descriptor)
}

impl Keys {
    /// Asks for the passphrase of a new encrypted file. `hint` is the configuration's.
    pub(crate) fn choose(&self, hint: &str) -> Result<()> {
        if !self.may_ask {
            let error = Error::new(ErrorKind::KeyMissing, Operation::Set)
                .with_message("nothing was named that opens the new encrypted file");
            return Err(error.with_advice(named(hint)).into());
        }
        let passphrase = ask::new_passphrase(FILE);
        *self.typed() = Some(passphrase.map_err(|problem| problem.of_passphrase(named(hint)))?);
        Ok(())
    }
}

/// Asks on the terminal for the passphrase that the library requests. Returns `None` if the user gives up, or if no try
/// gave a passphrase.
pub(crate) fn ask(request: &PassphraseRequest) -> strongroom::Result<Option<SecretString>> {
    match answer(request) {
        Ok(passphrase) => Ok(Some(passphrase)),
        Err(Problem::Dismissed | Problem::Empty | Problem::Mistyped) => Ok(None),
        Err(problem) => Err(problem.into()),
    }
}

fn answer(request: &PassphraseRequest) -> Result<SecretString, Problem> {
    if request.is_new {
        return ask::new_passphrase(FILE);
    }
    if request.attempt > 1 {
        ask::say_wrong(request.attempt)?;
    }
    ask::passphrase(FILE)
}
