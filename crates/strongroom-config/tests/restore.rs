//! Bringing the values of a file's references back into the file.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use strongroom::{ErrorKind, Secret, SecretKey, Timestamp, blocking};
use strongroom_config::{
    ConfigFile, ConfigPath, DanglingReference, Format, Leave, Marker, Place, Progress, Restored,
    Rule, Rules,
};
use support::{FORMATS, Home, VALUE, file, read, secure, stored};

fn references(path: impl Into<std::path::PathBuf>) -> ConfigFile {
    file(path, Rules::new())
}

#[track_caller]
fn restore(file: &ConfigFile, secrets: &blocking::SecretManager) -> Restored {
    let plan = file.plan_restore(secrets).unwrap();
    file.restore(secrets, &plan, |_| {}).unwrap()
}

#[test]
fn a_reference_becomes_its_value_in_place_and_the_store_keeps_it() {
    let home = Home::new();
    let text = "# c\nA=strongroom:API_KEY # the key\nB='strongroom:API_KEY'\nC=strongroom:T?target=prod\nPORT=80";
    let (path, secrets) = (home.write(".env", text), home.open());
    secrets.set("API_KEY", &Secret::new(VALUE)).unwrap();
    let target = SecretKey::with_target("T", "prod");
    secrets.set(&target, &Secret::new("it's")).unwrap();

    let file = references(&path);
    let plan = file.plan_restore(&secrets).unwrap();
    assert!(plan.changes_anything());
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.path.to_string(), step.key.name().to_owned(), step.position.to_string()))
        .collect();
    let step = |path: &str, key: &str, position: &str| {
        (path.to_owned(), key.to_owned(), position.to_owned())
    };
    assert_eq!(
        steps,
        [
            step("A", "API_KEY", "line 2, column 3"),
            step("B", "API_KEY", "line 3, column 3"),
            step("C", "T", "line 4, column 3"),
        ]
    );
    let done = file.restore(&secrets, &plan, |_| {}).unwrap();
    assert_eq!(done.secrets, [SecretKey::new("API_KEY"), target]);
    assert_eq!(read(&path), format!("# c\nA={VALUE} # the key\nB='{VALUE}'\nC=\"it's\"\nPORT=80"));
    assert_eq!(stored(&secrets, "API_KEY").as_deref(), Some(VALUE));
    assert!(!format!("{plan:?} {done:?} {file:?}").contains(VALUE), "no value is shown");

    let again = file.plan_restore(&secrets).unwrap();
    assert!(!again.changes_anything() && again.exposures.is_empty());
    file.restore(&secrets, &again, |progress| assert_eq!(progress, Progress::Done)).unwrap();
    assert_eq!(home.files(), [".env"]);
}

#[test]
fn a_value_of_any_characters_comes_back_as_itself_in_each_format() {
    let home = Home::new();
    let secrets = home.open();
    for value in [
        "plain",
        "it's",
        "\"q\"",
        "a: b",
        "a #b",
        "a\\b",
        "x\ny",
        " padded ",
        "é𝄞\u{2028}",
        "null",
        "1e5",
        "0x1f",
        "12:30:45",
        "2001-12-14",
        "-",
        "*a",
        "&a",
        "%TAG",
        "@a",
        "`a`",
        "$HOME ${HOME}",
        "=",
        "~",
    ] {
        secrets.set("A", &Secret::new(value)).unwrap();
        for (format, text) in [
            (Format::Json, "{\"a\": \"strongroom:A\"}"),
            (Format::Toml, "a = \"strongroom:A\"\n"),
            (Format::Toml, "a = 'strongroom:A'\n"),
            (Format::Toml, "a = '''strongroom:A'''\n"),
            (Format::Yaml, "a: strongroom:A\n"),
            (Format::Yaml, "a: 'strongroom:A' # c\n"),
            (Format::Yaml, "a: \"strongroom:A\"\n"),
            (Format::Yaml, "a: |-\n  strongroom:A\nb: 1\n"),
            (Format::Yaml, "a: >-\n  strongroom:A\n"),
            (Format::Yaml, "{a: strongroom:A}\n"),
            (Format::Yaml, "- strongroom:A\n"),
            (Format::Env, "a=strongroom:A\n"),
            (Format::Env, "a='strongroom:A'\n"),
            (Format::Env, "a=\"strongroom:A\" # c\n"),
        ] {
            let path = home.write(&format!("a.{format}"), text);
            restore(&references(&path), &secrets);
            // Imported again under a rule, the value is the store's: there is no conflict.
            let place = if text.starts_with('-') { "0" } else { "a" };
            let rule = Rule::new(place.parse().unwrap(), "A");
            let status = file(&path, Rules::new().with_rule(rule)).status(Some(&secrets)).unwrap();
            assert_eq!(status.secrets[0].place, Place::Both, "{value:?} in {:?}", read(&path));
        }
    }
}

#[test]
fn a_reference_without_a_value_stays_and_is_listed() {
    let home = Home::new();
    let text = "A=strongroom:A\nB=strongroom:B\nC=strongroom:C\n";
    let (path, secrets) = (home.write(".env", text), home.open());
    secrets.set("A", &Secret::new(VALUE)).unwrap();
    secrets.set("C", &Secret::new(VALUE).expires_at(Timestamp::UNIX_EPOCH)).unwrap();
    let done = restore(&references(&path), &secrets);
    let dangling: Vec<_> = done
        .dangling
        .iter()
        .map(|DanglingReference { key, position, has_expired, .. }| {
            (key.name(), position.line, *has_expired)
        })
        .collect();
    assert_eq!(dangling, [("B", 2, false), ("C", 3, true)]);
    assert_eq!(done.secrets, [SecretKey::new("A")]);
    assert_eq!(read(&path), text.replace("strongroom:A", VALUE));
}

#[test]
fn a_value_that_the_format_cannot_represent_is_refused_with_its_place() {
    let home = Home::new();
    let text = "\nA=strongroom:A\n";
    let (path, secrets) = (home.write(".env", text), home.open());
    secrets.set("A", &Secret::new("it's a hidden-value for $5")).unwrap();
    let error = references(&path).plan_restore(&secrets).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("line 2, column 3"), "{error}");
    assert!(!format!("{error} {error:?} {}", error.hint()).contains("hidden-value"));
    assert_eq!(read(&path), text);
}

#[test]
fn an_alias_shows_the_value_of_its_anchor_again() {
    let home = Home::new();
    let text = format!("a: &x {VALUE}\nb: *x\nc: &y {{token: 't 1'}}\nd: *y\n");
    let (path, secrets) = (home.write("a.yaml", text.replace(VALUE, "strongroom:A")), home.open());
    secrets.set("A", &Secret::new(VALUE)).unwrap();
    restore(&references(&path), &secrets);
    assert_eq!(read(&path), text);
}

#[test]
fn a_plan_is_carried_out_only_where_it_was_made() {
    let home = Home::new();
    let (path, secrets) = (home.write(".env", "A=strongroom:A\nB=strongroom:B\n"), home.open());
    secrets.set("A", &Secret::new(VALUE)).unwrap();
    let file = references(&path);
    let plan = file.plan_restore(&secrets).unwrap();
    let changed = "A=strongroom:A\nB=strongroom:B\nC=\n";
    fs::write(&path, changed).unwrap();
    assert_eq!(file.restore(&secrets, &plan, |_| {}).unwrap_err().kind(), ErrorKind::Conflict);
    let plan = file.plan_restore(&secrets).unwrap();
    secrets.set("B", &Secret::new("another")).unwrap();
    assert_eq!(file.restore(&secrets, &plan, |_| {}).unwrap_err().kind(), ErrorKind::Conflict);
    let plan = file.plan_restore(&secrets).unwrap();
    secrets.delete("A").unwrap();
    assert_eq!(file.restore(&secrets, &plan, |_| {}).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(read(&path), changed);
}

#[test]
fn what_an_editor_writes_meanwhile_is_not_written_over() {
    for at in [Progress::Writing, Progress::Replacing] {
        let home = Home::new();
        let (path, secrets) = (home.write(".env", "A=strongroom:A\n"), home.open());
        secrets.set("A", &Secret::new(VALUE)).unwrap();
        let file = references(&path);
        let plan = file.plan_restore(&secrets).unwrap();
        let edit = |progress: Progress<'_>| {
            if progress == at {
                fs::write(&path, "A=edited\n").unwrap();
            }
        };
        assert_eq!(file.restore(&secrets, &plan, edit).unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!((read(&path).as_str(), home.files()), ("A=edited\n", vec![".env".to_owned()]));
    }
}

#[test]
fn a_marker_and_places_without_a_reference_stay() {
    let home = Home::new();
    let rule = |name: &str, leave| Rule::new(ConfigPath::new([name]), name).leaving(leave);
    let rules = Rules::new()
        .with_rule(rule("A", Leave::Reference))
        .with_rule(rule("B", Leave::Empty))
        .with_marker(Marker::new(ConfigPath::new(["where"]), "keychain"));
    let path = home.write("a.json", "{\"A\": \"1\", \"B\": \"2\"}");
    let (file, secrets) = (file(&path, rules), home.open());
    secure(&file, &secrets);
    restore(&file, &secrets);
    assert_eq!(read(&path), "{\"A\": \"1\", \"B\": \"\", \"where\": \"keychain\"}");
}

#[test]
fn an_export_that_was_moved_comes_back() {
    for format in FORMATS {
        let (home, from) = (Home::new(), Home::new());
        let secrets = from.open();
        secrets.set("A", &Secret::new(VALUE)).unwrap();
        let path = home.path(&format!("a.{format}"));
        strongroom_config::Export::new(format).write_file(&secrets, &path, false).unwrap();
        let (exported, other) = (read(&path), home.open());
        secure(&references(&path), &other);
        assert!(!read(&path).contains(VALUE));
        restore(&references(&path), &other);
        assert_eq!(read(&path), exported);
    }
}

#[cfg(unix)]
#[test]
fn the_exposures_of_the_values_are_known_before_they_come_back() {
    use strongroom_config::Exposure;
    let home = Home::new();
    let (path, secrets) = (home.write(".env", "A=strongroom:A\n"), home.open());
    secrets.set("A", &Secret::new(VALUE)).unwrap();
    support::set_mode(&path, 0o640);
    let expected = [Exposure::MaybeReadableByOthers { mode: 0o640 }];
    let file = references(&path);
    assert_eq!(file.status(Some(&secrets)).unwrap().exposures, [], "it has no values yet");
    assert_eq!(file.plan_restore(&secrets).unwrap().exposures, expected);
    assert_eq!(restore(&file, &secrets).exposures, expected);
    assert_eq!(fs::metadata(&path).unwrap().permissions(), {
        use std::os::unix::fs::PermissionsExt as _;
        fs::Permissions::from_mode(0o100_640)
    });
}
