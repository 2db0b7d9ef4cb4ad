//! The passphrase of a backup: from a file, or typed.

use std::path::Path;

use strongroom::{ExposeSecret as _, SecretBytes, SecretString};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::input;
#[cfg(feature = "backup")]
use crate::output::Output;
use crate::settings::Settings;

/// How often a person may mistype.
#[cfg(feature = "backup")]
pub(crate) const TRIES: usize = 3;

const FILE: &str =
    "Put it into a file that only you may read, and name that with --passphrase-file.";

/// The passphrase in a file, without one newline at its end.
pub(crate) fn from_file(path: &Path) -> Result<SecretString> {
    let passphrase = text(&input::private_file(path)?)?;
    if passphrase.expose_secret().is_empty() {
        return Err(Failure::usage(
            format!("there is no passphrase in {}", path.display()),
            "Put it into the first line.",
        ));
    }
    Ok(passphrase)
}

/// Asks for a new passphrase, twice.
#[cfg(feature = "backup")]
pub(crate) fn choose(settings: &Settings, output: &mut Output) -> Result<SecretString> {
    must_be_able_to_ask(settings)?;
    for _ in 0..TRIES {
        let once = typed("Passphrase for the backup (not shown): ")?;
        let again = typed("The same again: ")?;
        match once.expose_secret() {
            "" => output.question("It must not be empty.\n")?,
            chosen if chosen == again.expose_secret() => return Ok(once),
            _ => output.question("They differ.\n")?,
        }
    }
    Err(given_up())
}

/// Asks for the passphrase of a backup.
#[cfg(feature = "backup")]
pub(crate) fn ask(settings: &Settings) -> Result<SecretString> {
    ask_for("Passphrase of the backup (not shown): ", settings)
}

/// Asks for a passphrase in these words.
pub(crate) fn ask_for(question: &str, settings: &Settings) -> Result<SecretString> {
    must_be_able_to_ask(settings)?;
    typed(question)
}

fn must_be_able_to_ask(settings: &Settings) -> Result<()> {
    if settings.may_ask {
        return Ok(());
    }
    Err(Failure::usage("nobody can be asked for the passphrase", FILE))
}

fn typed(question: &str) -> Result<SecretString> {
    text(&input::hidden(question, FILE, given_up)?)
}

fn text(passphrase: &SecretBytes) -> Result<SecretString> {
    strongroom::secret_text(passphrase)
        .ok_or_else(|| Failure::usage("the passphrase is not text (UTF-8)", "Choose another one."))
}

fn given_up() -> Failure {
    let hint = "Run it again, or name a file with --passphrase-file.";
    Failure::new(Exit::Locked, "dismissed", "there is no passphrase; nothing was done", hint)
}
