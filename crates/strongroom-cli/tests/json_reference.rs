//! docs/json.md and the snapshots have the same fields.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/json.md");
const SNAPSHOTS: [&str; 4] = [
    "strongroom-cli/tests/snapshots",
    "strongroom-settings/tests/snapshots",
    "strongroom-testkit/fixtures",
    "tauri-plugin-strongroom/tests/snapshots",
];

/// Returns the names of all fields in the snapshots.
fn fields_of_snapshots() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut names = BTreeSet::new();
    for directory in SNAPSHOTS {
        for file in fs::read_dir(crates.join(directory)).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            collect(&serde_json::from_str(&text).unwrap(), &mut names);
        }
    }
    names
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        Value::Object(fields) => {
            names.extend(fields.keys().cloned());
            fields.values().for_each(|value| collect(value, names));
        }
        _ => {}
    }
}

/// Returns the names in the first column of the tables whose title begins with "field".
fn fields_of_tables() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut is_of_fields = false;
    for line in DOCUMENT.lines() {
        let Some(row) = line.strip_prefix("| ") else {
            is_of_fields = false;
            continue;
        };
        if row.starts_with("field") {
            is_of_fields = true;
        } else if is_of_fields {
            let cell = row.split(" | ").next().unwrap();
            names.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    names
}

#[test]
fn the_tables_have_each_field_and_no_other() {
    let (tables, snapshots) = (fields_of_tables(), fields_of_snapshots());
    let missing: Vec<_> = snapshots.difference(&tables).collect();
    let gone: Vec<_> = tables.difference(&snapshots).collect();
    assert!(missing.is_empty() && gone.is_empty(), "missing: {missing:?}, gone: {gone:?}");
}

#[test]
fn the_examples_are_json_with_fields_that_there_are() {
    let known = fields_of_snapshots();
    let examples: Vec<_> = DOCUMENT.split("```json\n").skip(1).collect();
    assert!(examples.len() > 10);
    for example in examples {
        let example = example.split("```").next().unwrap();
        let parsed = serde_json::from_str(example).unwrap_or_else(|it| panic!("{it}: {example}"));
        let mut names = BTreeSet::new();
        collect(&parsed, &mut names);
        let gone: Vec<_> = names.difference(&known).collect();
        assert!(gone.is_empty(), "{gone:?}");
    }
}
