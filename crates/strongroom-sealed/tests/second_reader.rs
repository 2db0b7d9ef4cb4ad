//! What `docs/format.md` says is enough to read a file: a program that was written after it does.

// The format is the same on every system, and Windows' Python is not at hand everywhere.
#![cfg(not(windows))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use strongroom_core::{ExposeSecret, Secret, SecretKey};
use strongroom_sealed::KeySource;
use strongroom_testkit::skip;
use support::{Sandbox, now, passphrase};

/// What it exits with where Python's `cryptography` is missing.
const SKIP: i32 = 77;

fn tests(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// What the second reader makes of a file; `None` if it can't run here.
fn read(file: &Path, kind: &str, text: &str) -> Option<Value> {
    let mut python = Command::new("python3");
    python.arg(tests("second_reader.py")).arg(file).args([kind, text]);
    let Some(output) = python.output().ok().filter(|output| output.status.code() != Some(SKIP))
    else {
        skip("python3 has no `cryptography` of version 44 or later");
        return None;
    };
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_file_among_the_vectors_can_be_read() {
    let vectors = std::fs::read_to_string(tests("vectors/format-1.json")).unwrap();
    let expected = &serde_json::from_str::<Value>(&vectors).unwrap()["file"];
    for kind in ["key", "passphrase"] {
        let file = tests("vectors/format-1.sealed");
        let Some(read) = read(&file, kind, expected[kind].as_str().unwrap()) else { return };
        assert_eq!((&read["id"], &read["generation"]), (&expected["id"], &expected["generation"]));
        let expected = expected["records"].as_array().unwrap();
        assert_eq!(read["records"].as_array().unwrap().len(), expected.len());
        for (read, expected) in read["records"].as_array().unwrap().iter().zip(expected) {
            expected.as_object().unwrap().iter().for_each(|(name, value)| {
                assert_eq!(&read[name], value, "{name}");
            });
        }
    }
}

#[test]
fn a_file_that_was_changed_rotated_and_closed_can_be_read() {
    let sandbox = Sandbox::new();
    let file = sandbox.create();
    file.add_slot(&passphrase("correct horse"), now()).unwrap();
    for (name, value) in [("a", "1"), ("b", "2"), ("b", "3"), ("c", "\n\0é")] {
        let secret = Secret::new(value).expires_at(now());
        file.change(|change| change.put(&SecretKey::with_target(name, "t"), &secret)).unwrap();
    }
    file.change(|change| change.remove(&SecretKey::with_target("a", "t"))).unwrap();
    let own = KeySource::key(sandbox.key.clone());
    file.rotate(&[own, passphrase("correct horse")], |_| ()).unwrap();
    drop(file);
    let key = sandbox.key.to_text();
    for (kind, text) in [("key", key.expose_secret()), ("passphrase", "correct horse")] {
        let Some(read) = read(&sandbox.path(), kind, text) else { return };
        let record = |name, value| {
            json!({ "name": name, "target": "t", "value": value,
                    "expires_at": now().to_string() })
        };
        assert_eq!(read["records"], json!([record("b", "3"), record("c", "\n\0é")]));
        assert_eq!(read["generation"], json!(5));
    }
}
