//! Passphrases on their way in: the first line of a file or of a descriptor, or typed.

use std::io;
use std::path::Path;

use strongroom::input::first_line;
use strongroom::store::{secret_copy, secret_text};
use strongroom::{ExposeSecret as _, SecretString};

use crate::ask::{self, Problem};
use crate::failure::{Failure, Result};
use crate::inheritance::{keep, open_privately};
use crate::input;
use crate::output::Output;
use crate::settings::Settings;
use crate::streams;
use crate::wiped::Wiped;

/// The thing that a backup's passphrase opens.
#[cfg(feature = "backup")]
pub(crate) const BACKUP: &str = "the backup";

const FILE: &str =
    "Put it into a file that only you may read, and name that with --passphrase-file.";

/// The passphrase in a file.
pub(crate) fn from_file(path: &Path) -> Result<SecretString> {
    let content = input::private_content(path)?;
    let missing = format!("there is no passphrase in {}", path.display());
    from_content(&content, missing, "Put it into the first line.")
}

/// The new passphrase in a file. Advises against one that is soon guessed.
pub(crate) fn new_from_file(path: &Path, output: &mut Output) -> Result<SecretString> {
    let passphrase = from_file(path)?;
    if ask::is_weak(&passphrase) {
        output.warning(ask::WEAK);
    }
    Ok(passphrase)
}

/// The passphrase that comes from a descriptor.
pub(crate) fn from_descriptor(descriptor: u32) -> Result<SecretString> {
    let hint = "Open it for this command: `--passphrase-fd 3 3< FILE`. What can't be opened by another \
                name, a socket for instance, can be given as standard input: `--passphrase-fd 0`.";
    let content = match descriptor {
        0 => read_stdin(),
        _ => open_privately(descriptor).and_then(|mut file| input::read(&mut file)),
    };
    let content = content.map_err(|cause| {
        Failure::io(format!("cannot read the file descriptor {descriptor}"), &cause, hint)
    })?;
    let missing = format!("no passphrase came from the file descriptor {descriptor}");
    from_content(&content, missing, hint)
}

/// Reads standard input, which may be a socket, to its end, and leaves nothing of it to programs that are started.
fn read_stdin() -> io::Result<Wiped> {
    let bytes = streams::input().and_then(|mut stdin| input::read(&mut stdin))?;
    keep(0)?;
    Ok(bytes)
}

/// Asks for a new passphrase, twice.
pub(crate) fn choose(of: &str, settings: &Settings) -> Result<SecretString> {
    must_be_able_to_ask(settings)?;
    ask::new_passphrase(of).map_err(failure)
}

/// Asks for the passphrase of something.
#[cfg(feature = "backup")]
pub(crate) fn ask(of: &str, settings: &Settings) -> Result<SecretString> {
    must_be_able_to_ask(settings)?;
    ask::passphrase(of).map_err(failure)
}

/// Asks for one more passphrase of something that has several.
pub(crate) fn ask_another(of: &str, settings: &Settings) -> Result<SecretString> {
    must_be_able_to_ask(settings)?;
    ask::another_passphrase(of).map_err(failure)
}

/// Asks for a passphrase of something that has several, one of which is about to be removed.
pub(crate) fn ask_remaining(of: &str, settings: &Settings) -> Result<SecretString> {
    must_be_able_to_ask(settings)?;
    ask::remaining_passphrase(of).map_err(failure)
}

/// Says that a passphrase was wrong, and which try is next.
#[cfg(feature = "backup")]
pub(crate) fn say_wrong(attempt: u32) -> Result<()> {
    ask::say_wrong(attempt).map_err(failure)
}

fn must_be_able_to_ask(settings: &Settings) -> Result<()> {
    if settings.keys.may_ask() {
        return Ok(());
    }
    Err(Failure::usage("nobody can be asked for the passphrase", FILE))
}

fn from_content(content: &[u8], missing: String, hint: &str) -> Result<SecretString> {
    match secret_text(&secret_copy(first_line(content))) {
        Some(text) if !text.expose_secret().is_empty() => Ok(text),
        Some(_) => Err(Failure::usage(missing, hint)),
        None => Err(Failure::usage("the passphrase is not text (UTF-8)", "Choose another one.")),
    }
}

fn failure(problem: Problem) -> Failure {
    problem.of_passphrase("Run it again, or name a file with --passphrase-file.")
}
