//! `key list|add|remove|rotate`: what opens an encrypted file.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use strongroom::{ErrorKind, KeySource, Progress, SealingKey, Slot, VaultKeys};

use crate::args::{KeyCommand, NewKey};
use crate::exit::Exit;
use crate::failure::Result;
use crate::keys;
use crate::output::{self, Output};
use crate::passphrase;
use crate::settings::Settings;
use crate::table::{Cell, Column, Importance, table};
use crate::vault;
use crate::words::printable;

/// Works on the key slots of the vault.
pub(super) fn run(command: &KeyCommand, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let keys = vault::keys(settings)?;
    match command {
        KeyCommand::List => list(&keys, settings, output)?,
        KeyCommand::Add { source, new, label } => {
            add(&keys, source, *new, label.as_deref(), settings, output)?;
        }
        KeyCommand::Remove { id } => {
            keys.remove(id)?;
            if settings.json {
                output.json(&json!({ "removed": id }))?;
            }
            output.confirm(format_args!("Removed the key {}.", printable(id)));
        }
        KeyCommand::Rotate { key_files, passphrase_files, passphrase } => {
            let mut more: Vec<_> = key_files.iter().map(KeySource::key_file).collect();
            for path in passphrase_files {
                more.push(KeySource::passphrase(passphrase::from_file(path)?));
            }
            if *passphrase {
                more.push(KeySource::passphrase(passphrase::ask_another(keys::FILE, settings)?));
            }
            rotate(&keys, &more, settings, output)?;
        }
    }
    Ok(Exit::Done)
}

fn list(keys: &VaultKeys, settings: &Settings, output: &mut Output) -> Result<()> {
    let slots = keys.list()?;
    let text = || match settings.stdout_is_terminal {
        true => table(columns(&slots), usize::MAX),
        false => slots.iter().map(line).collect(),
    };
    let json = || {
        json!({
            "service": settings.service,
            "backend": keys.backend().name(),
            "keys": slots.iter().map(as_json).collect::<Vec<_>>(),
        })
    };
    Ok(output.result(text, json)?)
}

fn columns(slots: &[Slot]) -> Vec<Column> {
    let column = |title, cell: &dyn Fn(&Slot) -> String| Column {
        title,
        cells: slots.iter().map(|slot| Cell { text: cell(slot), mark: None }).collect(),
        importance: Importance::Whole,
    };
    vec![
        column("ID", &|slot| slot.id.clone()),
        column("KIND", &|slot| slot.kind.as_str().to_owned()),
        column("SINCE", &|slot| slot.created_at.to_string()),
        column("LABEL", &|slot| printable(&slot.label)),
    ]
}

/// A slot for a program: fields that tabs separate.
fn line(slot: &Slot) -> String {
    let Slot { id, kind, created_at, label, .. } = slot;
    format!("{id}\t{}\t{created_at}\t{}\n", kind.as_str(), printable(label))
}

fn as_json(slot: &Slot) -> Value {
    json!({
        "id": slot.id,
        "kind": slot.kind.as_str(),
        "created_at": slot.created_at.to_string(),
        "label": slot.label,
    })
}

fn add(
    keys: &VaultKeys,
    source: &NewKey,
    new: bool,
    label: Option<&str>,
    settings: &Settings,
    output: &mut Output,
) -> Result<()> {
    // Who may not open the file is told before a new passphrase is asked for. A missing file is made.
    match keys.list() {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut made = None;
    let source = match source {
        NewKey { key_file: Some(path), .. } => {
            if new {
                SealingKey::generate()?.create_file(path)?;
                made = Some(path.as_path());
            }
            KeySource::key_file(path)
        }
        NewKey { passphrase_file: Some(path), .. } => {
            KeySource::passphrase(passphrase::new_from_file(path, output)?)
        }
        NewKey { .. } => KeySource::passphrase(passphrase::choose(keys::FILE, settings)?),
    };
    let source = match label {
        Some(label) => source.with_label(label),
        None => source,
    };
    let slot = keys.add(&source).inspect_err(|_| unmake(made))?;
    let (id, kind) = (&slot.id, slot.kind.as_str());
    output.result(String::new, || as_json(&slot))?;
    output.confirm(format_args!("Added the key {id} ({kind})."));
    Ok(())
}

/// A key that opens nothing only confuses.
fn unmake(made: Option<&Path>) {
    if let Some(path) = made {
        let _ = fs::remove_file(path);
    }
}

fn rotate(
    keys: &VaultKeys,
    more: &[KeySource],
    settings: &Settings,
    output: &mut Output,
) -> Result<()> {
    let mut total = 0;
    let is_shown = output.shows_progress();
    let rotated = keys.rotate(more, |progress: Progress| {
        total = progress.total;
        if is_shown && total > 0 {
            // A terminal that is gone is no reason to stop.
            let _ = output::question(&format!("\rSealed {} of {}", progress.done, total));
        }
    });
    if is_shown && total > 0 {
        output.question("\n")?;
    }
    rotated?;
    if settings.json {
        output.json(&json!({ "sealed": total }))?;
    }
    output.confirm("The encrypted file has a new key. What opens it is the same as before.");
    Ok(())
}
