//! `purge`: deletes everything that is stored for an application.

use serde_json::json;
use strongroom::advice::{Command, Sentence};
use strongroom::repair::{VaultContent, VaultRepair};
use strongroom::store::choose_unbound;
use strongroom::{Backend, ErrorKind, KeyringStore};

use super::entry::tell_unnamed;
use crate::answer::answer;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::input::ask_openly;
use crate::output::Output;
use crate::settings::Settings;
use crate::store::for_entries;
use crate::vault;
use crate::words::printable;

/// Deletes every entry of the service, once the user has agreed.
pub(super) fn run(yes: bool, settings: &Settings, output: &mut Output) -> Result<Exit> {
    if !yes && !settings.may_ask {
        return Err(Failure::usage(
            "nobody can be asked whether all of it shall be deleted; nothing was",
            Sentence::from("Say so beforehand: ").command(Command::new("purge --yes")).text("."),
        ));
    }
    // The vault is not opened: an unreadable vault is deleted, too.
    let vault = vault::unread(settings)?;
    let entries = entries(&vault, settings)?;
    let is_empty = entries.as_ref().is_some_and(Vec::is_empty);
    if !yes && !is_empty {
        agree(entries.as_deref(), &vault, settings, output)?;
    }
    let unnamed = unnamed(&vault, settings)?;
    let purged = if is_empty { 0 } else { vault.purge()? };
    let (service, backend) = (&settings.service, vault.backend());
    output.answer(|| {
        let fields = json!({
            "entries": entries, "deleted_count": purged, "unnamed_count": unnamed,
        });
        answer(fields, service, &vault)
    });
    let service = printable(service);
    output.confirm(match purged {
        0 => format!("Service \"{service}\" has no entries in {backend}."),
        1 => format!("Deleted 1 entry of service \"{service}\" from {backend}."),
        count => format!("Deleted {count} entries of service \"{service}\" from {backend}."),
    });
    tell_unnamed(unnamed, &settings.service, output);
    Ok(Exit::Done)
}

/// Returns the names of the entries that would be deleted. `None` for an encrypted file that does not open, which is
/// deleted as a whole.
fn entries(vault: &VaultRepair, settings: &Settings) -> Result<Option<Vec<String>>> {
    use ErrorKind::{Corrupt, Dismissed, KeyMissing, WrongKey};
    match listed(vault, settings) {
        Err(closed)
            if vault.backend() == Backend::File
                && closed.is(&[Corrupt, Dismissed, KeyMissing, WrongKey]) =>
        {
            Ok(None)
        }
        listed => listed.map(Some),
    }
}

fn listed(vault: &VaultRepair, settings: &Settings) -> Result<Vec<String>> {
    let config = for_entries(&settings.service, false, vault.backend(), settings)?;
    let chosen = choose_unbound(&config.backend(vault.backend()))?;
    let users = chosen.store().list(&settings.service)?;
    Ok(users.iter().map(|user| user.as_str().to_owned()).collect())
}

/// Returns the number of the service's items that stay, because they have no user name.
fn unnamed(vault: &VaultRepair, settings: &Settings) -> Result<usize> {
    if vault.backend() == Backend::File {
        return Ok(0);
    }
    let config = settings.config(settings.deadlines.call).backend(vault.backend());
    Ok(config.entries_elsewhere()?.count_unnamed()?)
}

/// Shows the entries, and asks for the name of the service: a stray key must not confirm a loss.
fn agree(
    entries: Option<&[String]>,
    vault: &VaultRepair,
    settings: &Settings,
    output: &mut Output,
) -> Result<()> {
    let service = printable(&settings.service);
    let mut text = format!("Entries of service \"{service}\" in {}:\n", vault.backend());
    match entries {
        Some(entries) => {
            text.extend(entries.iter().map(|entry| format!("  {}\n", printable(entry))));
        }
        None => text += "  (an encrypted file that does not open)\n",
    }
    let secrets = secrets(vault)?;
    if !secrets.is_empty() {
        text += "Secrets in the vault:\n";
    }
    for secret in secrets {
        text += &format!("  {secret}\n");
    }
    text += "All of it will be deleted, and can't be brought back.\n";
    output.question(&text)?;
    let question = format!("Type the name of the service to go on ({service}): ");
    let answer = ask_openly(&question, "Say so beforehand with --yes.", output)?;
    if answer == settings.service {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Locked,
        ErrorKind::Dismissed.code(),
        "the answer was not the name of the service; nothing was deleted",
        "Run it again if all of it shall go.",
    ))
}

/// Returns the names of the vault's secrets, as far as they can be read.
fn secrets(vault: &VaultRepair) -> Result<Vec<String>> {
    let mut secrets = Vec::new();
    for item in vault.examine()? {
        match item.content {
            VaultContent::Readable { keys, .. } => {
                secrets.extend(keys.iter().map(ToString::to_string));
            }
            VaultContent::Unreadable { names, .. } => {
                secrets.extend(names.iter().map(|name| format!("\"{}\"", printable(name))));
            }
            _ => {}
        }
    }
    Ok(secrets)
}
