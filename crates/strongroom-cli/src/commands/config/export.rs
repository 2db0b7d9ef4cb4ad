//! `config export`: secrets into a file, in the clear.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use strongroom::advice::{Advice, Command, Sentence};
use strongroom::blocking::SecretManager;
use strongroom::{ErrorKind, SecretKey};
use strongroom_config::{Export, Exported, Format, repository_around};
use zeroize::Zeroizing;

use super::view::{format, shown};
use crate::answer::{answer, key_as_json};
use crate::args::ConfigExport;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::input;
use crate::output::Output;
use crate::settings::Settings;
use crate::vault::{self, missing, open};
use crate::whole_file::WholeFile;
use crate::words::{counted, printable};

/// Writes the secrets into a file, whole or not at all, or to standard output.
pub(super) fn run(flags: &ConfigExport, settings: &Settings, output: &mut Output) -> Result<Exit> {
    if !flags.plaintext && !settings.may_ask {
        return Err(Failure::usage(
            "nobody can be asked whether secrets shall be written in the clear; nothing was",
            Advice::from("Say so beforehand with --plaintext.").and(
                Command::new("backup FILE --passphrase-file PATH").does("writes them encrypted"),
            ),
        ));
    }
    let (format, file) = match is_stdout(&flags.file) {
        true => (flags.format.unwrap_or(Format::Json), None),
        false => {
            (format(flags.format, &flags.file)?, Some(WholeFile::at(&flags.file, flags.force)?))
        }
    };
    // From here on the user may be asked for a passphrase, so the place of the file is checked before.
    let vault = open(settings)?;
    let mut export = Export::new(format);
    if !flags.only.is_empty() {
        export = export.only(named(&flags.only, &vault, settings)?);
    }
    // The text arrives in a single piece, so that no copy is left behind by a buffer that grew.
    let mut text = Zeroizing::new(Vec::new());
    let exported = export.write(&vault, &mut *text)?;
    // The question names the secrets, which are known only now.
    if !flags.plaintext {
        agree(&exported, flags, output)?;
    }
    match file {
        Some(file) => file.write(&text)?,
        None => output.secret_document(&text)?,
    }
    report(&exported, format, flags, &vault, settings, output)?;
    Ok(Exit::Done)
}

/// Returns the keys of these names, for all their targets.
fn named(names: &[String], vault: &SecretManager, settings: &Settings) -> Result<Vec<SecretKey>> {
    let secrets = vault.list()?;
    let mut keys = Vec::new();
    for name in names {
        let key = vault::key(name, None)?;
        let before = keys.len();
        keys.extend(secrets.iter().map(|it| &it.key).filter(|it| it.name() == name).cloned());
        if keys.len() == before {
            return Err(missing("export", &key, &secrets, vault, settings));
        }
    }
    // A name may be given twice.
    keys.sort();
    keys.dedup();
    Ok(keys)
}

fn agree(exported: &Exported, flags: &ConfigExport, output: &mut Output) -> Result<()> {
    for key in &exported.secrets {
        output.question(&format!("  {key}\n"))?;
    }
    let (secrets, place) = (counted(exported.secrets.len()), place(flags));
    let question = format!(
        "Whoever can read them can use them. Write {secrets} in the clear to {place} (y/n)? "
    );
    if input::agrees(&question, "Say so beforehand with --plaintext.", output)? {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Locked,
        ErrorKind::Dismissed.code(),
        "the answer was not yes; nothing was written",
        Sentence::from("Run it again, or write them encrypted: ")
            .command(Command::new("backup FILE --passphrase"))
            .text("."),
    ))
}

fn report(
    exported: &Exported,
    format: Format,
    flags: &ConfigExport,
    vault: &SecretManager,
    settings: &Settings,
    output: &mut Output,
) -> Result<()> {
    for key in &exported.expired {
        output
            .warning(ErrorKind::Expired.code(), format_args!("{key} has expired, and is left out"));
    }
    if exported.secrets.is_empty() {
        output.warning("empty", "there was no secret to write");
    }
    if let Some(repository) = repository(flags) {
        let warning = format!(
            "{} lies in the git repository {}, and could be committed with it: write it elsewhere, or delete it before \
             the next commit",
            place(flags),
            shown(&repository)
        );
        output.warning("in_git_repository", warning);
    }
    // Standard output has the secrets already.
    if !is_stdout(&flags.file) {
        output.answer(|| answer(as_json(exported, format, flags), &settings.service, vault));
    }
    let secrets = counted(exported.secrets.len());
    output.confirm(format_args!(
        "Wrote {secrets} of \"{}\", in the clear, to {}: delete it when it is not needed any more.",
        printable(&settings.service),
        place(flags)
    ));
    Ok(())
}

fn as_json(exported: &Exported, format: Format, flags: &ConfigExport) -> Value {
    json!({
        "file": flags.file.display().to_string(),
        "git_repository": repository(flags).map(|directory| directory.display().to_string()),
        "format": format.name(),
        "secrets": exported.secrets.iter().map(key_as_json).collect::<Vec<_>>(),
        "left_out": exported.expired.iter().map(key_as_json).collect::<Vec<_>>(),
    })
}

/// Returns the root of the git repository around the exported file.
fn repository(flags: &ConfigExport) -> Option<PathBuf> {
    if is_stdout(&flags.file) { None } else { repository_around(&flags.file) }
}

fn place(flags: &ConfigExport) -> String {
    match is_stdout(&flags.file) {
        true => "standard output".to_owned(),
        false => shown(&flags.file),
    }
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}
