//! Asks for passphrases, and for new passphrases.

use std::path::Path;

use strongroom::SecretString;

use crate::ask::{self, Problem};
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::passphrase_source::from_file;
use crate::settings::Settings;

/// The name of a backup in questions for its passphrase.
#[cfg(feature = "backup")]
pub(crate) const BACKUP: &str = "the backup";

const FILE: &str =
    "Put it into a file that only you may read, and name that with --passphrase-file.";

/// Reads the new passphrase in a file, and warns of a weak passphrase.
pub(crate) fn new_from_file(path: &Path, output: &mut Output) -> Result<SecretString> {
    let passphrase = from_file(path)?;
    if ask::is_weak(&passphrase) {
        output.warning("weak_passphrase", ask::WEAK);
    }
    Ok(passphrase)
}

/// Asks twice for a new passphrase. `of` names the file that it opens, here and below.
pub(crate) fn choose(of: &str, settings: &Settings) -> Result<SecretString> {
    must_be_able_to_ask(settings)?;
    ask::new_passphrase(of).map_err(failure)
}

/// Asks for a passphrase.
#[cfg(feature = "backup")]
pub(crate) fn ask(of: &str, settings: &Settings) -> Result<SecretString> {
    must_be_able_to_ask(settings)?;
    ask::passphrase(of).map_err(failure)
}

/// Asks for another passphrase of a file that has several.
pub(crate) fn ask_another(of: &str, settings: &Settings) -> Result<SecretString> {
    must_be_able_to_ask(settings)?;
    ask::another_passphrase(of).map_err(failure)
}

/// Asks for a passphrase of a file that stays, while another passphrase is about to be removed.
pub(crate) fn ask_remaining(of: &str, settings: &Settings) -> Result<SecretString> {
    must_be_able_to_ask(settings)?;
    ask::remaining_passphrase(of).map_err(failure)
}

/// Tells the user that a passphrase was wrong, and the number of the next try.
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

fn failure(problem: Problem) -> Failure {
    problem.of_passphrase("Run it again, or name a file with --passphrase-file.")
}
