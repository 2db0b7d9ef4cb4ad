//! `backup`: all secrets into an encrypted file.

use std::path::Path;

use serde_json::json;
use strongroom::backup::Protection;

use crate::answer::answer;
use crate::args::Backup;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::passphrase;
use crate::settings::Settings;
use crate::vault::open;
use crate::whole_file::WholeFile;
use crate::words::{counted, printable};

/// Writes the vault's secrets into a file, whole or not at all, or to standard output.
pub(super) fn run(flags: &Backup, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let recipients = match flags.recipients.as_slice() {
        [] if !flags.passphrase && flags.passphrase_file.is_none() => return Err(unprotected()),
        [] => None,
        recipients => Some(Protection::recipients(recipients)?),
    };
    let to_stdout = flags.file == Path::new("-");
    let file = match to_stdout {
        true => None,
        false => Some(WholeFile::at(&flags.file, flags.force)?),
    };
    // From here on the user may be asked for passphrases, so recipients and the place of the file are checked before.
    let vault = open(settings)?;
    let protection = match recipients {
        Some(recipients) => recipients,
        None => by_passphrase(flags, settings, output)?,
    };
    let backup = vault.backup(&protection)?;
    match file {
        Some(file) => file.write(backup.text.as_bytes())?,
        None => output.raw(backup.text.as_bytes())?,
    }
    if backup.secrets == 0 {
        output.warning("empty", "the vault is empty, and so is the backup");
    }
    let place = flags.file.display().to_string();
    if !to_stdout {
        output.answer(|| {
            let fields = json!({
                "file": place, "generation": backup.generation, "secret_count": backup.secrets,
            });
            answer(fields, &settings.service, &vault)
        });
    }
    let secrets = counted(backup.secrets);
    let place = if to_stdout { "standard output" } else { &printable(&place) };
    let service = printable(&settings.service);
    output.confirm(format_args!("Wrote {secrets} of \"{service}\", encrypted, to {place}."));
    Ok(Exit::Done)
}

/// Returns the protection by the passphrase in a file, or one that is asked for.
fn by_passphrase(flags: &Backup, settings: &Settings, output: &mut Output) -> Result<Protection> {
    let passphrase = match &flags.passphrase_file {
        Some(path) => passphrase::new_from_file(path, output)?,
        None => passphrase::choose(passphrase::BACKUP, settings)?,
    };
    Ok(Protection::passphrase(passphrase)?)
}

fn unprotected() -> Failure {
    Failure::usage(
        "who shall be able to open the backup?",
        "`--passphrase` asks for a passphrase. `--recipient age1…` encrypts to a key: `rage-keygen -o key.txt` \
         makes one and prints its recipient; the file is what opens the backup.",
    )
}
