//! `repair`: shows the state of a vault that can't be read, and repairs it.

use serde_json::{Value, json};
use strongroom::SecretKey;
use strongroom::advice::Command;
use strongroom::repair::{Salvaged, VaultContent, VaultItem, VaultRepair};
use strongroom::store::VAULT_ENTRY;

use super::entry_repair::short_id;
use crate::answer::{answer, key_as_json};
use crate::args::Repair;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{Output, rows};
use crate::settings::Settings;
use crate::table::{Column, Importance, table};
use crate::vault::unread;
use crate::words::{grouped, printable, utc};

/// Shows the vault's items, merges them, salvages readable secrets, or gives up a vault that can't be read.
pub(super) fn run(flags: &Repair, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let vault = unread(settings)?;
    let place = format!("\"{}\" in {}", printable(&settings.service), vault.backend());
    if flags.merge {
        return merge(&vault, &place, settings, output);
    }
    if flags.salvage {
        return salvage(&vault, &place, settings, output);
    }
    if flags.reset {
        return reset(&vault, &place, settings, output);
    }
    let items = vault.examine()?;
    let fields = json!({ "items": items.iter().map(as_json).collect::<Vec<_>>() });
    let text = shown(&items, &place, settings, output);
    output.result(|| text, || answer(fields, &settings.service, &vault))?;
    Ok(match items.as_slice() {
        [VaultItem { content: VaultContent::Unreadable { .. }, .. }] => Exit::Corrupt,
        [_, _, ..] => Exit::Failed,
        _ => Exit::Done,
    })
}

fn merge(
    vault: &VaultRepair,
    place: &str,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    let merged = vault.merge()?;
    let count = merged.deleted + 1;
    output.result(
        || {
            format!("Merged {count} items of the vault of {place}.\n")
                + &rows("Taken over", &names(&merged.added))
        },
        || {
            let fields = json!({ "merged_count": count, "generation": merged.generation });
            answer(fields, &settings.service, vault)
        },
    )?;
    Ok(Exit::Done)
}

fn reset(
    vault: &VaultRepair,
    place: &str,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    let copies = vault.reset()?;
    let copies: Vec<_> = copies.iter().map(|copy| copy.display().to_string()).collect();
    output.result(
        || {
            let aside = copies.iter().map(|copy| format!("Put aside: {copy}\n"));
            aside.collect::<String>() + &format!("The vault of {place} is empty now.\n")
        },
        || answer(json!({ "put_aside": copies }), &settings.service, vault),
    )?;
    if !copies.is_empty() {
        output.warning(
            "copy_holds_values",
            "the copy holds the values as they are: delete it when you have what you need",
        );
    }
    Ok(Exit::Done)
}

fn salvage(
    vault: &VaultRepair,
    place: &str,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    let Salvaged { saved, lost, aside, .. } = vault.salvage()?;
    let aside: Vec<_> = aside.iter().map(|path| path.display().to_string()).collect();
    output.result(
        || {
            let damaged = match lost {
                0 => "No record is damaged; some may be missing".to_owned(),
                1 => "1 record was damaged".to_owned(),
                lost => format!("{lost} records were damaged"),
            };
            format!("Saved {} secrets of the vault of {place}. {damaged}.\n", saved.len())
                + &rows("Saved", &names(&saved))
                + &rows("Put aside", &aside)
        },
        || {
            let fields = json!({
                "saved_count": saved.len(), "damaged_count": lost, "put_aside": aside,
            });
            answer(fields, &settings.service, vault)
        },
    )?;
    if aside.len() > 1 {
        output.warning(
            "copy_holds_key",
            "the copy of the entry holds the old file's key: delete it with that file",
        );
    }
    Ok(Exit::Done)
}

fn shown(items: &[VaultItem], place: &str, settings: &Settings, output: &Output) -> String {
    match items {
        [] => format!("There is no vault of {place}: nothing to repair.\n"),
        [item] => one(item, place, output),
        several => all(several, place) + &ways_to_one(settings, output),
    }
}

fn one(item: &VaultItem, place: &str, output: &Output) -> String {
    // The encrypted file of the backend `file` has no entry, so no size is known.
    let size = (item.len > 0).then(|| format!("{} bytes", grouped(item.len)));
    let (problem, names, readable) = match &item.content {
        VaultContent::Unreadable { problem, names, readable } => (problem, names, readable),
        VaultContent::Readable { generation, keys } => {
            let secrets = match keys.len() {
                1 => "1 secret".to_owned(),
                count => format!("{count} secrets"),
            };
            let size = size.map(|size| format!(", {size}")).unwrap_or_default();
            return format!(
                "The vault of {place} is in order: generation {generation}, {secrets}{size}.\n"
            );
        }
        _ => return String::new(),
    };
    let names = match names.as_slice() {
        [] => vec!["none can be made out".to_owned()],
        names => {
            let names: Vec<_> = names.iter().map(|name| printable(name)).collect();
            vec![names.join(", ")]
        }
    };
    format!("The vault of {place} can't be read. Nothing was changed.\n")
        + &rows("Problem", &[printable(problem)])
        + &rows("Size", size.as_slice())
        + &rows("Secrets", &names)
        + &way_out(*readable, output)
        + "\n"
        + &output
            .step("Put a copy aside and begin with an empty vault", &Command::new("repair --reset"))
}

/// Returns the advice to salvage readable secrets, if there are any.
fn way_out(readable: Option<u64>, output: &Output) -> String {
    let Some(count @ 1..) = readable else { return String::new() };
    let salvage = output.step("Take these into a new file", &Command::new("repair --salvage"));
    format!("{}\n{salvage}", rows("Readable", &[count.to_string()]))
}

/// Returns the advice to make one of several items.
fn ways_to_one(settings: &Settings, output: &Output) -> String {
    let keep = Command::new("entry repair")
        .value(settings.service.as_str(), "SERVICE")
        .words(VAULT_ENTRY)
        .words("--keep ID");
    output.step("Make one of them, the highest generation first", &Command::new("repair --merge"))
        + &output.step("Keep one, delete the others", &keep)
}

fn all(items: &[VaultItem], place: &str) -> String {
    let candidates: Vec<_> = items.iter().filter_map(|item| item.candidate.clone()).collect();
    let rows: Vec<_> = items.iter().zip(&candidates).collect();
    let columns = vec![
        Column::of("ID", Importance::Whole, &rows, |(_, candidate)| {
            printable(short_id(candidate, &candidates))
        }),
        Column::of("GENERATION", Importance::Whole, &rows, |(item, _)| match item.content {
            VaultContent::Readable { generation, .. } => generation.to_string(),
            _ => "-".to_owned(),
        }),
        Column::of("SECRETS", Importance::Whole, &rows, |(item, _)| match &item.content {
            VaultContent::Readable { keys, .. } => keys.len().to_string(),
            VaultContent::Unreadable { problem, .. } => printable(problem),
            _ => String::new(),
        }),
        Column::of("BYTES", Importance::Whole, &rows, |(item, _)| grouped(item.len)),
        Column::of("MODIFIED", Importance::Whole, &rows, |(_, it)| utc(it.modified)),
        Column::of("LABEL", Importance::Whole, &rows, |(_, it)| printable(&it.label)),
    ];
    format!("The vault of {place} is there {} times. Nothing was changed.\n\n", items.len())
        + &table(columns, usize::MAX)
        + "\n"
}

fn names(keys: &[SecretKey]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}

fn as_json(item: &VaultItem) -> Value {
    let mut fields = json!({
        "bytes": Some(item.len).filter(|len| *len > 0),
        "id": item.candidate.as_ref().map(|candidate| candidate.id.as_str()),
        "updated_at": item.candidate.as_ref().and_then(|candidate| candidate.modified),
        "generation": null,
        "secrets": null,
        "problem": null,
        "names": null,
        "readable_count": null,
    });
    match &item.content {
        VaultContent::Readable { generation, keys } => {
            fields["generation"] = json!(generation);
            fields["secrets"] = keys.iter().map(key_as_json).collect();
        }
        VaultContent::Unreadable { problem, names, readable } => {
            fields["problem"] = json!(problem);
            fields["names"] = json!(names);
            fields["readable_count"] = json!(readable);
        }
        _ => {}
    }
    fields
}
