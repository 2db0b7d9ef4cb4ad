//! A plan as text and as JSON.

use serde_json::{Value, json};
use strongroom::Timestamp;
use strongroom_config::{Action, Ages, ConfigFile, Leaves, Plan, Step};

use super::view::exposures_as_json;
use crate::answer::key_as_json;
use crate::output::{Mark, marked};
use crate::table::{Cell, Column, Importance, table};
use crate::times::age;
use crate::words::printable;

/// Returns the action for each secret as a table, and the change to the file as a diff.
pub(super) fn shown(plan: &Plan, width: usize) -> String {
    if plan.steps.is_empty() {
        return "The file holds no secret's value: there is nothing to do.\n".to_owned();
    }
    let diff = plan.diff();
    let diff: String = diff.lines().map(|line| coloured(line) + "\n").collect();
    let gap = if diff.is_empty() { "" } else { "\n" };
    table(columns(&plan.steps), width) + gap + &diff
}

fn coloured(line: &str) -> String {
    let mark = if line.starts_with('-') { Mark::Problem } else { Mark::Good };
    marked(mark, line)
}

fn columns(steps: &[Step]) -> Vec<Column> {
    let now = Timestamp::now();
    vec![
        Column::of("NAME", Importance::Whole, steps, |it| printable(it.key.name())),
        Column::of("TARGET", Importance::Whole, steps, |it| {
            printable(it.key.target().unwrap_or_default())
        }),
        Column::of("PATH", Importance::Detail, steps, |it| it.path.to_string()),
        Column::of("ACTION", Importance::Whole, steps, |it| Cell {
            text: token(it.action).replace('_', " "),
            mark: mark(it.action),
        }),
        Column::of("AGE IN FILE", Importance::Whole, steps, |it| {
            ages(it.action).map(|ages| age(ages.file, now)).unwrap_or_default()
        }),
        Column::of("AGE IN STORE", Importance::Whole, steps, |it| {
            ages(it.action).map(|ages| age_in_store(ages, now)).unwrap_or_default()
        }),
    ]
}

fn age_in_store(ages: Ages, now: Timestamp) -> String {
    if ages.store_expired { "expired".to_owned() } else { age(ages.store, now) }
}

fn ages(action: Action) -> Option<Ages> {
    match action {
        Action::TakeFile(ages) | Action::KeepStore(ages) | Action::Conflict(ages) => Some(ages),
        _ => None,
    }
}

fn token(action: Action) -> &'static str {
    match action {
        Action::Store => "store",
        Action::Nothing => "same",
        Action::TakeFile(_) => "take_file",
        Action::KeepStore(_) => "keep_store",
        Action::Conflict(_) => "conflict",
        _ => "other",
    }
}

/// Returns the mark of an action. A value that is lost, or would be, stands out.
fn mark(action: Action) -> Option<Mark> {
    match action {
        Action::Conflict(_) => Some(Mark::Problem),
        Action::TakeFile(_) | Action::KeepStore(_) => Some(Mark::Note),
        _ => None,
    }
}

/// Returns the plan as JSON. `is_done` tells whether it was carried out.
pub(super) fn as_json(plan: &Plan, is_done: bool, file: &ConfigFile) -> Value {
    let marker = plan.marker.as_ref();
    json!({
        "file": file.path().display().to_string(),
        "format": file.format().name(),
        "done": is_done,
        "marker": marker.map(|(path, value)| json!({ "path": path.to_string(), "value": value })),
        "exposures": exposures_as_json(&plan.exposures),
        "secrets": plan.steps.iter().map(step_as_json).collect::<Vec<_>>(),
        "references": plan.references.iter().map(key_as_json).collect::<Vec<_>>(),
    })
}

fn step_as_json(step: &Step) -> Value {
    let ages = ages(step.action).unwrap_or_default();
    let (leaves, text) = match &step.leaves {
        Leaves::Value => ("value", None),
        Leaves::Text(text) => ("text", Some(text)),
        _ => ("nothing", None),
    };
    let mut fields = key_as_json(&step.key);
    fields["provider"] = json!(step.provider);
    fields["path"] = step.path.to_string().into();
    fields["line"] = json!(step.position.line);
    fields["column"] = json!(step.position.column);
    fields["action"] = token(step.action).into();
    fields["leaves"] = json!({ "kind": leaves, "text": text });
    fields["updated_at_in_file"] = json!(ages.file);
    fields["updated_at_in_store"] = json!(ages.store);
    fields["expired_in_store"] = ages.store_expired.into();
    fields
}
