//! What opens encrypted files: a passphrase from a file descriptor or typed, a credential of systemd. Key
//! and passphrase files that the environment names, the library finds.

use std::env;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strongroom::{
    Backend, Error, ErrorKind, ExposeSecret as _, KeySource, Layout, Operation, Options,
    PassphraseRequest, SecretString, secret_text,
};
use zeroize::Zeroizing;

use crate::args::Flags;
use crate::failure::{Failure, Result};
use crate::inheritance::{keep, open_privately};
use crate::input;
use crate::output;
use crate::settings::Settings;
use crate::streams;

/// The credential that is a key, among those that systemd gives to a service.
const CREDENTIAL: &str = "strongroom-key";

/// How often a new passphrase may be mistyped.
const TRIES: usize = 3;

/// What opens encrypted files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    given: Vec<KeySource>,
    pub(crate) may_ask: bool,
    /// What was typed last, so that nobody is asked twice.
    typed: Arc<Mutex<Option<SecretString>>>,
}

impl Keys {
    /// Reads what the flags point to, and what systemd gave.
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

    /// What systemd gave.
    pub(crate) fn of_system() -> Self {
        let given = credential().map(KeySource::credential).into_iter().collect();
        Self { given, ..Self::default() }
    }

    /// The same, and what somebody at the terminal knows.
    pub(crate) fn of_terminal() -> Self {
        Self { may_ask: io::stdin().is_terminal(), ..Self::of_system() }
    }

    /// Returns the same for work that asks for nothing.
    pub(crate) fn without_questions(&self) -> Self {
        Self { may_ask: false, ..self.clone() }
    }

    /// The options with all of it.
    pub(crate) fn add_to(&self, options: Options) -> Options {
        let options = self.given.iter().cloned().fold(options, Options::with_key);
        if !self.may_ask {
            return options;
        }
        let keys = self.clone();
        options.with_passphrase(move |request| keys.ask(request))
    }

    /// The passphrase that was typed, as a key.
    pub(crate) fn typed_key(&self) -> Option<KeySource> {
        self.typed().clone().map(KeySource::passphrase)
    }

    fn ask(&self, request: &PassphraseRequest) -> strongroom::Result<Option<SecretString>> {
        let known = self.typed().clone();
        if known.is_some() && request.attempt == 1 {
            return Ok(known);
        }
        let passphrase = match request.is_new {
            true => choose("the encrypted file"),
            false => once_more(request),
        };
        let passphrase = passphrase.map_err(|error| error.with_hint(HINT))?;
        self.typed().clone_from(&passphrase);
        Ok(passphrase)
    }

    fn typed(&self) -> MutexGuard<'_, Option<SecretString>> {
        self.typed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const HINT: &str = "Name a file with the passphrase in STRONGROOM_PASSPHRASE_FILE, or one with a key in \
     STRONGROOM_KEY_FILE; `--passphrase-fd N` reads the passphrase from a file descriptor.";

/// The options for entries of a service, with a passphrase for its encrypted file: a store asks nobody, so
/// it is typed here. `writes` makes a file where there is none.
pub(crate) fn for_entries(
    service: &str,
    writes: bool,
    backend: Backend,
    settings: &Settings,
) -> Result<Options> {
    let options = settings.options(settings.deadlines.call);
    if backend != Backend::File || options.has_key() {
        return Ok(options);
    }
    // Opening the vault asks, and finds out whether it was the right one.
    let vault = strongroom::SecretManager::builder(service).options(options.clone());
    let is_there = vault.open_blocking()?.layout() == Layout::Sealed;
    if !is_there && writes {
        settings.keys.choose()?;
    }
    Ok(match settings.keys.typed_key() {
        Some(key) => options.with_key(key),
        None => options,
    })
}

impl Keys {
    /// That somebody can be asked for a new passphrase.
    pub(crate) fn must_be_able_to_ask(&self) -> Result<()> {
        if self.may_ask {
            return Ok(());
        }
        let hint =
            "Put it into a file that only you may read, and name that with --passphrase-file.";
        Err(Failure::usage("nobody can be asked for the passphrase", hint))
    }

    fn choose(&self) -> Result<()> {
        if !self.may_ask {
            let error = Error::new(ErrorKind::KeyMissing, Operation::Set)
                .with_message("nothing was named that opens the new encrypted file");
            return Err(error.with_hint(HINT).into());
        }
        *self.typed() = choose("the encrypted file")?;
        Ok(())
    }
}

/// Asks for a new passphrase, twice. `None` if none was chosen.
pub(crate) fn choose(what: &str) -> strongroom::Result<Option<SecretString>> {
    for _ in 0..TRIES {
        let Some(once) = typed(&format!("New passphrase for {what} (not shown): "))? else {
            return Ok(None);
        };
        let again = typed("The same again: ")?;
        match again {
            _ if once.expose_secret().is_empty() => say("It must not be empty.\n")?,
            Some(again) if again.expose_secret() == once.expose_secret() => return Ok(Some(once)),
            Some(_) => say("They differ.\n")?,
            None => return Ok(None),
        }
    }
    Ok(None)
}

fn once_more(request: &PassphraseRequest) -> strongroom::Result<Option<SecretString>> {
    if request.attempt > 1 {
        say(&format!("That does not open it; this is try {} of 3.\n", request.attempt))?;
    }
    let answer = typed("Passphrase of the encrypted file (not shown): ")?;
    Ok(answer.filter(|answer| !answer.expose_secret().is_empty()))
}

/// `None` if the question was refused.
fn typed(question: &str) -> strongroom::Result<Option<SecretString>> {
    match rpassword::prompt_password(question) {
        Ok(answer) => Ok(Some(SecretString::from(answer))),
        Err(error) => match error.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::Interrupted => Ok(None),
            _ => Err(Error::new(ErrorKind::Io, Operation::Get)
                .with_message("cannot ask on the terminal")
                .with_source(error)),
        },
    }
}

fn say(text: &str) -> strongroom::Result<()> {
    output::question(text)
        .map_err(|error| Error::new(ErrorKind::Io, Operation::Get).with_source(error))
}

/// Reads standard input, which may be a socket, to its end, and leaves nothing of it to programs that are started.
fn read_stdin() -> io::Result<Zeroizing<Vec<u8>>> {
    let bytes = streams::input().and_then(|mut stdin| input::read(&mut stdin))?;
    keep(0)?;
    Ok(bytes)
}

/// Returns the path of the vault's key among the credentials of a service.
pub(crate) fn credential() -> Option<PathBuf> {
    let directory = env::var_os("CREDENTIALS_DIRECTORY").filter(|it| !it.is_empty())?;
    let path = Path::new(&directory).join(CREDENTIAL);
    path.exists().then_some(path)
}

/// The first line of what comes from a descriptor.
fn from_descriptor(descriptor: u32) -> Result<SecretString> {
    let hint = "Open it for this command: `--passphrase-fd 3 3< FILE`. What can't be opened by another \
                name, a socket for instance, can be given as standard input: `--passphrase-fd 0`.";
    let bytes = match descriptor {
        0 => read_stdin(),
        _ => open_privately(descriptor).and_then(|mut file| input::read(&mut file)),
    };
    let bytes = bytes.map_err(|cause| {
        Failure::io(format!("cannot read the file descriptor {descriptor}"), &cause, hint)
    })?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match secret_text(&strongroom::secret_bytes(line.to_vec())) {
        Some(text) if !text.expose_secret().is_empty() => Ok(text),
        Some(_) => Err(Failure::usage(
            format!("no passphrase came from the file descriptor {descriptor}"),
            hint,
        )),
        None => Err(Failure::usage("the passphrase is not text (UTF-8)", "Choose another one.")),
    }
}
