//! Real files of all formats: what is changed in them, what is not, and which are refused.
//!
//! `corpus/whole` holds files, and beside each what it must be when its secrets are gone: `.secured` with
//! references in their place, `.removed` without their keys, and `.restored` with the values again, if these come back in
//! another spelling. These were written by hand. `corpus/broken` holds
//! files that are refused, and beside each the place that is named.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use strongroom::{ErrorKind, ExposeSecret, SecretKey, blocking};
use strongroom_config::{ConfigFile, Export, Format, Leave, Prefer, Rules};
use support::{Home, file, secure};

/// The endings of the files beside those of `corpus/whole`.
const BESIDE_WHOLE: &[&str] = &["secured", "removed", "restored"];

/// What no error may show.
const HIDDEN: &str = "hidden-value";

#[test]
fn only_the_bytes_of_secrets_change_and_a_round_trip_brings_them_back() {
    for path in files("whole", BESIDE_WHOLE) {
        let (home, restored) = (Home::new(), Home::new());
        let secrets = home.open();
        let secured = copy(&home, &path);
        secure(&file(&secured, Rules::detecting()), &secrets);
        assert_same(&secured, &beside(&path, "secured"));
        if beside(&path, "removed").exists() {
            let removed = copy(&home, &path);
            secure(&file(&removed, Rules::detecting().leaving(Leave::Nothing)), &secrets);
            assert_same(&removed, &beside(&path, "removed"));
        }
        let exported = home.path("exported.json");
        Export::new(Format::Json).write_file(&secrets, &exported, true).unwrap();
        let other = restored.open();
        secure(&file(&exported, Rules::new()), &other);
        assert_eq!(values(&other), values(&secrets), "{}", path.display());
    }
}

#[test]
fn what_is_restored_is_the_file_as_it_was() {
    let mut restored = 0;
    for path in files("whole", BESIDE_WHOLE) {
        let home = Home::new();
        let (secrets, copied) = (home.open(), copy(&home, &path));
        let file = file(&copied, Rules::detecting());
        secure(&file, &secrets);
        let before = values(&secrets);
        restore(&file, &secrets);
        let expected = beside(&path, "restored");
        assert_same(&copied, if expected.exists() { &expected } else { &path });
        assert_eq!(values(&secrets), before, "the store keeps the values");
        // A value in another spelling is the same value: it moves again without a conflict, and comes back alike.
        secure(&file, &secrets);
        restore(&file, &secrets);
        assert_same(&copied, if expected.exists() { &expected } else { &path });
        assert_eq!(values(&secrets), before, "{}", path.display());
        restored += usize::from(!expected.exists());
    }
    assert!(restored >= 45, "{restored} files are the same bytes");
}

#[test]
fn there_are_enough_files_of_each_format() {
    let whole = files("whole", BESIDE_WHOLE);
    let all = whole.len() + files("broken", &["place"]).len();
    assert!(all >= 40, "{all} files");
    for format in Format::ALL {
        assert!(
            whole.iter().filter(|path| Format::of_file(path) == Some(*format)).count() >= 5,
            "{format}"
        );
    }
}

#[test]
fn a_broken_file_is_refused_with_line_and_column_and_stays() {
    for path in files("broken", &["place"]) {
        let home = Home::new();
        let secrets = home.open();
        let copied = copy(&home, &path);
        let file = file(&copied, Rules::detecting());
        let place = fs::read_to_string(beside(&path, "place")).unwrap_or_default();
        for error in [
            file.status(Some(&secrets)).unwrap_err(),
            file.plan(&secrets, Prefer::File).unwrap_err(),
            file.plan_import(&secrets, Prefer::File).unwrap_err(),
            file.first_run(home.builder()).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Invalid, "{}: {error}", path.display());
            let expected = format!("{} of ", place.trim());
            assert!(error.to_string().contains(&expected), "{}: {error}", path.display());
            assert!(
                !format!("{error} {error:?} {}", error.hint()).contains(HIDDEN),
                "{}",
                path.display()
            );
        }
        assert_same(&copied, &path);
        assert!(values(&secrets).is_empty());
        assert_eq!(home.files().len(), 1);
    }
}

#[track_caller]
fn restore(file: &ConfigFile, secrets: &blocking::SecretManager) {
    let plan = file.plan_restore(secrets).unwrap();
    file.restore(secrets, &plan, |_| {}).unwrap();
}

/// The files of the corpus in this directory, without what stands beside them.
fn files(directory: &str, beside: &[&str]) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(directory);
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_beside =
        |path: &PathBuf| beside.iter().any(|end| path.extension().is_some_and(|e| e == *end));
    let mut files: Vec<_> = paths.filter(|path| !is_beside(path)).collect();
    files.sort();
    files
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{ending}", path.display()))
}

fn copy(home: &Home, path: &Path) -> PathBuf {
    home.write(path.file_name().unwrap().to_str().unwrap(), fs::read(path).unwrap())
}

#[track_caller]
fn assert_same(path: &Path, expected: &Path) {
    let (seen, wanted) = (fs::read(path).unwrap(), fs::read(expected).unwrap());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(seen == wanted, "{}:\n{:?}\n{:?}", expected.display(), text(&seen), text(&wanted));
}

fn values(secrets: &blocking::SecretManager) -> BTreeMap<SecretKey, String> {
    let keys = secrets.list().unwrap().into_iter().map(|info| info.key);
    let value =
        |key: &SecretKey| secrets.get(key).unwrap().unwrap().value.expose_secret().to_owned();
    keys.map(|key| (key.clone(), value(&key))).collect()
}
