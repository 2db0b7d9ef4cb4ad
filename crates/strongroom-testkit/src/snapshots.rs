//! Snapshots: answers in JSON that are compared with files. `UPDATE_EXPECT=1 cargo test` accepts what has changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use expect_test::expect_file;
use serde_json::{Map, Value};

/// The service of the secrets that every face is asked about.
pub const FIXTURE_SERVICE: &str = "snapshot";

/// A service whose secrets are entries, which have no metadata: to store a secret with a provider is an error there.
pub const FIXTURE_ENTRIES: &str = "snapshot-entries";

/// The fields with words for the user. The words have tests of their own.
const WORDS: [&str; 9] = [
    "chosen_because",
    "commands",
    "hint",
    "message",
    "problem",
    "read_with",
    "served_by",
    "session_bus",
    "text",
];

/// The snapshots of a crate, in its `tests/snapshots`.
pub struct Snapshots {
    directory: PathBuf,
    replaced: Mutex<Vec<(String, &'static str)>>,
    checked: Mutex<BTreeSet<String>>,
}

impl Snapshots {
    /// Returns the snapshots of the crate in this directory.
    pub fn of(crate_directory: &str) -> Self {
        let directory = PathBuf::from(crate_directory).join("tests").join("snapshots");
        Self { directory, replaced: Mutex::default(), checked: Mutex::default() }
    }

    /// Replaces a text that differs in each run, such as a path.
    pub fn replace(&self, text: impl Into<String>, by: &'static str) {
        // The latest first: it may contain an earlier text.
        self.replaced.lock().expect("no test panics here").insert(0, (text.into(), by));
    }

    /// Compares an answer with its snapshot: each field, and each text but times of the present and words for the user.
    ///
    /// # Panics
    ///
    /// If they differ, with the difference.
    pub fn check(&self, name: &str, answer: &Value) {
        let replaced = self.replaced.lock().expect("no test panics here");
        let text = format!("{:#}\n", stable(answer, &replaced, true));
        expect_file![self.directory.join(format!("{name}.json"))].assert_eq(&text);
        self.checked.lock().expect("no test panics here").insert(format!("{name}.json"));
    }

    /// Checks that every file is the snapshot of an answer.
    ///
    /// # Panics
    ///
    /// If there is another file.
    pub fn finish(&self) {
        let files = fs::read_dir(&self.directory).expect("the snapshots are there");
        let names = files.map(|file| file.expect("it can be listed").file_name());
        let names: BTreeSet<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        assert_eq!(
            *self.checked.lock().expect("no test panics here"),
            names,
            "delete what is no snapshot"
        );
    }
}

/// Compares a part of an answer with the file that the program, the page and the plugin have in common, whole but for times
/// of the present.
///
/// # Panics
///
/// If they differ, with the difference.
pub fn is_the_fixture(name: &str, part: &Value) {
    let text = format!("{:#}\n", stable(part, &[], false));
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    expect_file![directory.join(format!("{name}.json"))].assert_eq(&text);
}

/// Returns the answer without what differs in each run.
fn stable(value: &Value, replaced: &[(String, &str)], hides_words: bool) -> Value {
    match value {
        Value::String(text) => {
            let text =
                replaced.iter().fold(text.clone(), |text, (from, to)| text.replace(from, to));
            without_times(&text).into()
        }
        Value::Array(values) => {
            values.iter().map(|value| stable(value, replaced, hides_words)).collect()
        }
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, value) in fields {
                let is_hidden = hides_words && WORDS.contains(&name.as_str());
                // Times have more or fewer digits.
                let value = if hides_words && name == "bytes" && value.is_number() {
                    1.into()
                } else if is_hidden {
                    hidden(value)
                } else {
                    stable(value, replaced, hides_words)
                };
                kept.insert(name.clone(), value);
            }
            kept.into()
        }
        other => other.clone(),
    }
}

/// Returns the same with each text that is not empty as `…`.
fn hidden(value: &Value) -> Value {
    match value {
        Value::String(text) if !text.is_empty() => "…".into(),
        Value::Array(values) => values.iter().map(hidden).collect(),
        other => other.clone(),
    }
}

/// Replaces times, except midnights, which tests choose.
fn without_times(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let is_time = word.len() >= 20
            && word.ends_with('Z')
            && !word.ends_with("T00:00:00Z")
            && word.bytes().zip(*b"dddd-dd-ddTdd:dd:dd").all(|(byte, form)| match form {
                b'd' => byte.is_ascii_digit(),
                form => byte == form,
            });
        if is_time { "TIME" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}
