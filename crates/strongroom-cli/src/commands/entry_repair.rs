//! `entry repair`: keeps a single item of several with the same name.

use serde_json::{Value, json};
use strongroom::advice::Command;
use strongroom::error::Operation;
use strongroom::store::{Candidate, ServiceEntries};

use super::entry::missing;
use crate::answer::answer;
use crate::args::Name;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{Output, heading};
use crate::settings::Settings;
use crate::store::open_entries;
use crate::words::{printable, utc};

/// The word for the item that was changed last.
const NEWEST: &str = "newest";

/// Lists the items, or keeps the chosen item and deletes the rest.
pub(super) fn run(
    name: &Name,
    keep: Option<&str>,
    settings: &Settings,
    output: &mut Output,
) -> Result<Exit> {
    let entry = name.check(Operation::Repair)?;
    let entries = open_entries(&name.service, false, settings)?;
    let candidates = entries.store().candidates(&entry)?;
    // A store that can't hold two items of one name has no candidates at all.
    if candidates.is_empty() && !entries.exists(&name.user)? {
        return Err(missing(&entry, Operation::Repair).with_store(entries.backend().name()).into());
    }
    match keep {
        _ if candidates.len() < 2 => nothing_to_do(name, &entries, output)?,
        None => {
            let items: Vec<_> = candidates.iter().map(as_json).collect();
            let fields = json!({ "items": items, "kept": null, "deleted_count": 0 });
            let text = table(&candidates) + &way_to_keep(name, output);
            output.result(|| text, || with_entry(fields, name, &entries))?;
        }
        Some(choice) => keep_one(name, choice, &candidates, &entries, output)?,
    }
    Ok(Exit::Done)
}

fn nothing_to_do(name: &Name, entries: &ServiceEntries, output: &mut Output) -> Result<()> {
    let text = || "Nothing to repair: there is one item of this name.\n".to_owned();
    let fields = json!({ "items": [], "kept": null, "deleted_count": 0 });
    Ok(output.result(text, || with_entry(fields, name, entries))?)
}

fn with_entry(mut fields: Value, name: &Name, entries: &ServiceEntries) -> Value {
    fields["user"] = name.user.as_str().into();
    answer(fields, &name.service, entries)
}

fn keep_one(
    name: &Name,
    choice: &str,
    candidates: &[Candidate],
    entries: &ServiceEntries,
    output: &mut Output,
) -> Result<()> {
    let kept = chosen(choice, candidates)?;
    let entry = name.check(Operation::Repair)?;
    let deleted = entries.store().keep_candidate(&entry, &kept.id)?;
    let id = short_id(kept, candidates);
    Ok(output.result(
        || format!("Kept the item {id}, deleted {deleted}.\n"),
        || {
            let fields = json!({ "items": [], "kept": kept.id.as_str(), "deleted_count": deleted });
            with_entry(fields, name, entries)
        },
    )?)
}

/// Returns the candidate that the user named. Any doubt is an error, since the rest is deleted.
fn chosen<'a>(choice: &str, candidates: &'a [Candidate]) -> Result<&'a Candidate> {
    if choice == NEWEST {
        return newest(candidates);
    }
    let named = candidates.iter().find(|candidate| {
        candidate.id.as_str() == choice || short_id(candidate, candidates) == choice
    });
    named.ok_or_else(|| {
        let ids: Vec<_> =
            candidates.iter().map(|candidate| short_id(candidate, candidates)).collect();
        Failure::usage(
            format!("none of the items has the id {}; nothing was deleted", printable(choice)),
            format!("The ids are {}.", ids.join(", ")),
        )
    })
}

fn newest(candidates: &[Candidate]) -> Result<&Candidate> {
    let latest = candidates.iter().map(|candidate| candidate.modified).max().unwrap_or_default();
    let mut latest_ones = candidates.iter().filter(|candidate| candidate.modified == latest);
    // Two items of the same time leave a doubt, as do items without a time.
    match (latest_ones.next(), latest_ones.next()) {
        (Some(candidate), None) if latest.is_some() => Ok(candidate),
        _ => Err(Failure::usage(
            "the store doesn't tell which item is the newest; nothing was deleted",
            "Look at the list without --keep, and choose by id.",
        )),
    }
}

/// Returns the last part of an id, or the whole id where that is not unique. It is short and stays the same, unlike a place
/// in the list.
pub(super) fn short_id<'a>(candidate: &'a Candidate, candidates: &[Candidate]) -> &'a str {
    let short = last_part(candidate);
    let same = candidates.iter().filter(|other| last_part(other) == short).count();
    if short.is_empty() || same != 1 { candidate.id.as_str() } else { short }
}

fn last_part(candidate: &Candidate) -> &str {
    candidate.id.as_str().rsplit('/').next().unwrap_or_default()
}

/// Returns the line with the command that keeps an item.
fn way_to_keep(name: &Name, output: &Output) -> String {
    let keep = Command::new("entry repair")
        .value(name.service.as_str(), "SERVICE")
        .value(name.user.as_str(), "USER")
        .words("--keep ID");
    output.step("Keep one, delete the others", &keep)
}

fn table(candidates: &[Candidate]) -> String {
    let rows: Vec<_> = candidates
        .iter()
        .map(|candidate| {
            let id = printable(short_id(candidate, candidates));
            (id, utc(candidate.created), utc(candidate.modified), printable(&candidate.label))
        })
        .collect();
    let width = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0).max(2);
    let title = format!("{:width$}  {:20}  {:20}  LABEL", "ID", "CREATED", "MODIFIED");
    let mut text = heading(title) + "\n";
    for (id, created, modified, label) in rows {
        text += &format!("{id:width$}  {created:20}  {modified:20}  {label}\n");
    }
    text + "\n"
}

fn as_json(candidate: &Candidate) -> Value {
    json!({
        "id": candidate.id.as_str(),
        "label": candidate.label,
        "created_at": candidate.created,
        "updated_at": candidate.modified,
    })
}

#[cfg(test)]
mod tests {
    use strongroom::Timestamp;

    use super::*;

    fn candidate(id: &str, modified: i64) -> Candidate {
        let mut candidate = Candidate::new(id, "a label");
        candidate.modified = Timestamp::from_second(modified).filter(|_| modified > 0);
        candidate
    }

    #[test]
    fn the_newest_is_taken_only_where_there_is_one() {
        let clear = [candidate("/c/1", 5), candidate("/c/2", 7)];
        assert_eq!(chosen("newest", &clear).unwrap().id.as_str(), "/c/2");
        let tied = [candidate("/c/1", 7), candidate("/c/2", 7)];
        assert!(chosen("newest", &tied).is_err());
        let unknown = [candidate("/c/1", 0), candidate("/c/2", 0)];
        assert!(chosen("newest", &unknown).is_err());
    }

    #[test]
    fn a_short_id_names_one_item_or_is_not_short() {
        let items = [candidate("/a/1", 1), candidate("/b/1", 2), candidate("/b/2", 3)];
        let ids: Vec<_> = items.iter().map(|item| short_id(item, &items)).collect();
        assert_eq!(ids, ["/a/1", "/b/1", "2"]);
        assert!(chosen("1", &items).is_err());
        assert_eq!(chosen("/b/1", &items).unwrap().id.as_str(), "/b/1");
        assert_eq!(chosen("2", &items).unwrap().id.as_str(), "/b/2");
    }
}
