//! `key list|add|remove|rotate`: the key slots of an encrypted file.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use strongroom::ErrorKind;
use strongroom::keys::{KeySource, Progress, SealingKey, Slot, SlotId, VaultKeys};

use crate::answer::answer;
use crate::args::{KeyCommand, NewKey, OtherKeys};
use crate::exit::Exit;
use crate::failure::Result;
use crate::keys;
use crate::output::{self, Output};
use crate::passphrase;
use crate::passphrase_source;
use crate::settings::Settings;
use crate::table::{Column, Importance, table};
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
        KeyCommand::Remove { id, others, force } => {
            remove(&keys, id, others, *force, settings, output)?;
        }
        KeyCommand::Rotate { others } => {
            rotate(&keys, &others.sources(settings)?, settings, output)?;
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
    let fields = json!({ "keys": slots.iter().map(as_json).collect::<Vec<_>>() });
    Ok(output.result(text, || answer(fields, &settings.service, keys))?)
}

fn columns(slots: &[Slot]) -> Vec<Column> {
    vec![
        Column::of("ID", Importance::Whole, slots, |slot| slot.id.to_string()),
        Column::of("KIND", Importance::Whole, slots, |slot| slot.kind.as_str().to_owned()),
        Column::of("SINCE", Importance::Whole, slots, |slot| format!("{:.0}", slot.created_at)),
        Column::of("LABEL", Importance::Whole, slots, |slot| printable(&slot.label)),
        Column::of("STATE", Importance::Whole, slots, |slot| state(slot).to_owned()),
    ]
}

/// Returns a note on a slot that was changed without the file's key.
const fn state(slot: &Slot) -> &'static str {
    if slot.is_changed { "changed by somebody without the key" } else { "" }
}

/// Returns a slot as a line for programs, with fields that tabs separate.
fn line(slot: &Slot) -> String {
    let Slot { id, kind, created_at, label, .. } = slot;
    let (kind, label, state) = (kind.as_str(), printable(label), state(slot));
    let state = if state.is_empty() { String::new() } else { format!("\t{state}") };
    format!("{id}\t{kind}\t{created_at:.0}\t{label}{state}\n")
}

fn as_json(slot: &Slot) -> Value {
    json!({
        "id": slot.id.as_str(),
        "kind": slot.kind.as_str(),
        "created_at": slot.created_at,
        "label": slot.label,
        "changed": slot.is_changed,
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
    // A user who can't open the file learns it before a new passphrase is asked for. A missing file is created.
    match keys.check() {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    // Compared after a failure, to find out whether a slot was written all the same.
    let before = keys.list().unwrap_or_default();
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
    let slot = keys.add(&source).inspect_err(|_| unmake(made, keys, &before))?;
    let (id, kind) = (&slot.id, slot.kind.as_str());
    output.answer(|| answer(json!({ "key": as_json(&slot) }), &settings.service, keys));
    output.confirm(format_args!("Added the key {id} ({kind})."));
    Ok(())
}

/// Deletes a new key file whose key opens nothing, which would only confuse. If that is not certain, the file stays: an
/// error may come after the slot is written.
fn unmake(made: Option<&Path>, keys: &VaultKeys, before: &[Slot]) {
    let is_unused = match keys.list() {
        Ok(slots) => slots.len() == before.len(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    if let Some(path) = made.filter(|_| is_unused) {
        let _ = fs::remove_file(path);
    }
}

fn remove(
    keys: &VaultKeys,
    id: &SlotId,
    others: &OtherKeys,
    force: bool,
    settings: &Settings,
    output: &mut Output,
) -> Result<()> {
    let more = others.sources(settings)?;
    keys.check()?;
    // The library demands proof that another key opens the file, so that a removal does not lock the user out.
    match keys.remove_with(id, &more) {
        Err(error) if error.kind() == ErrorKind::KeyMissing && force => keys.remove_unproved(id)?,
        Err(error)
            if error.kind() == ErrorKind::KeyMissing && may_ask_for_another(&more, settings) =>
        {
            let other = KeySource::passphrase(passphrase::ask_remaining(keys::FILE, settings)?);
            keys.remove_with(id, &[other])?;
        }
        removed => removed?,
    }
    output.answer(|| answer(json!({ "removed": id.as_str() }), &settings.service, keys));
    output.confirm(format_args!("Removed the key {id}."));
    Ok(())
}

fn may_ask_for_another(named: &[KeySource], settings: &Settings) -> bool {
    named.is_empty() && settings.keys.may_ask()
}

impl OtherKeys {
    /// Reads the keys that are named, and asks for a passphrase if a flag says so.
    fn sources(&self, settings: &Settings) -> Result<Vec<KeySource>> {
        let mut sources: Vec<_> = self.key_files.iter().map(KeySource::key_file).collect();
        for path in &self.passphrase_files {
            sources.push(KeySource::passphrase(passphrase_source::from_file(path)?));
        }
        if self.passphrase {
            sources.push(KeySource::passphrase(passphrase::ask_another(keys::FILE, settings)?));
        }
        Ok(sources)
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
    // Only now: the error has to begin on a line of its own.
    rotated?;
    output.answer(|| answer(json!({ "sealed_count": total }), &settings.service, keys));
    output.confirm("The encrypted file has a new key. What opens it is the same as before.");
    Ok(())
}
