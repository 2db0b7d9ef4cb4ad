//! Out of the store into a file, and back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use strongroom::{ErrorKind, Secret, SecretKey, Timestamp, blocking};
use strongroom_config::{Export, Format, Prefer, Rules};
use support::{FORMATS, Home, VALUE, file, read, secure, stored};

fn filled(home: &Home, is_plain: bool) -> blocking::SecretManager {
    let secrets = home.open();
    let set = |key: SecretKey, secret: Secret| secrets.set(&key, &secret).unwrap();
    set("A".into(), Secret::new(VALUE));
    set(
        "B".into(),
        Secret::new(
            "it's not \"one\" line\nbut two \\ # é 𝄞 $(x)\u{2028}"
                .replace('\'', if is_plain { "" } else { "'" }),
        ),
    );
    set("EMPTYISH".into(), Secret::new(" "));
    if !is_plain {
        let end: Timestamp = "2199-12-31T23:59:59Z".parse().unwrap();
        let secret = Secret::with_provider("\u{0}\u{7f}\r", "p \"q\"").scope("s").expires_at(end);
        set(SecretKey::with_target("a b", "prod/1"), secret);
    }
    secrets
}

/// All that can be compared of a vault: not the times at which it was written.
fn content(secrets: &blocking::SecretManager) -> Vec<String> {
    use strongroom::ExposeSecret as _;
    let list = secrets.list().unwrap();
    list.into_iter()
        .map(|info| {
            let secret = secrets.get(&info.key).unwrap().unwrap();
            let m = &info.metadata;
            format!(
                "{} {:?} {:?}",
                info.key,
                secret.value.expose_secret(),
                (&m.provider, &m.scope, m.expires_at)
            )
        })
        .collect()
}

#[test]
fn what_is_exported_and_imported_or_secured_is_the_same_vault() {
    for format in FORMATS {
        let (from, to_import, to_secure) = (Home::new(), Home::new(), Home::new());
        let secrets = filled(&from, format == Format::Env);
        let path = from.path(&format!("out.{format}"));
        let exported = Export::new(format).write_file(&secrets, &path, false).unwrap();
        assert_eq!(exported.secrets.len(), secrets.list().unwrap().len());
        let text = read(&path);

        let (imported, file) = (to_import.open(), file(&path, Rules::new()));
        let plan = file.plan_import(&imported, Prefer::Ask).unwrap();
        file.import(&imported, &plan, |_| {}).unwrap();
        assert_eq!(content(&imported), content(&secrets), "{format}");
        assert_eq!(read(&path), text);

        let secured = to_secure.open();
        secure(&file, &secured);
        assert_eq!(content(&secured), content(&secrets), "{format}");
        assert!(!read(&path).contains(VALUE) && !read(&path).contains("but two"));
        let plan = file.plan(&secured, Prefer::Ask).unwrap();
        assert!(!plan.changes_anything());
    }
}

#[test]
fn a_warning_stands_at_the_top_where_comments_can() {
    let home = Home::new();
    let secrets = filled(&home, true);
    for format in FORMATS {
        let mut text = Vec::new();
        Export::new(format).write(&secrets, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.contains("# Secrets in plain text."), format != Format::Json, "{text}");
    }
}

#[test]
fn an_empty_vault_is_an_empty_export() {
    for format in FORMATS {
        let home = Home::new();
        let secrets = home.open();
        let path = home.path(&format!("a.{format}"));
        Export::new(format).write_file(&secrets, &path, false).unwrap();
        let plan = file(&path, Rules::new()).plan_import(&secrets, Prefer::Ask).unwrap();
        assert!(plan.steps.is_empty());
    }
}

#[test]
fn only_what_is_named_is_exported_and_must_be_there() {
    let home = Home::new();
    let secrets = filled(&home, true);
    let mut text = Vec::new();
    let exported = Export::new(Format::Env).only(["A".into()]).write(&secrets, &mut text).unwrap();
    assert_eq!(exported.secrets, [SecretKey::new("A")]);
    assert!(String::from_utf8(text).unwrap().ends_with(&format!("\nA={VALUE}\n")));
    let missing = Export::new(Format::Env).only(["C".into()]).write(&secrets, &mut Vec::new());
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn what_has_expired_is_left_out_and_named() {
    let home = Home::new();
    let secrets = home.open();
    let expired = Secret::new(VALUE).expires_at(Timestamp::UNIX_EPOCH);
    secrets.set("OLD", &expired).unwrap();
    let exported = Export::new(Format::Json).write(&secrets, &mut Vec::new()).unwrap();
    assert_eq!((exported.secrets.len(), exported.expired), (0, vec![SecretKey::new("OLD")]));
}

#[test]
fn a_dotenv_file_takes_no_targets_no_odd_names_and_no_odd_values() {
    for (key, value) in [
        (SecretKey::with_target("A", "t"), VALUE),
        ("a b".into(), VALUE),
        ("A".into(), "it's \"quoted\""),
        ("A".into(), "a\rb"),
    ] {
        let home = Home::new();
        let secrets = home.open();
        secrets.set(&key, &Secret::new(value)).unwrap();
        let error =
            Export::new(Format::Env).write_file(&secrets, &home.path(".env"), false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.hint().contains("json") && !error.to_string().contains(value));
        assert!(home.files().is_empty());
    }
}

#[test]
fn a_file_that_is_there_is_replaced_only_where_that_is_wanted() {
    let home = Home::new();
    let (secrets, path) = (filled(&home, true), home.write("a.toml", "x"));
    let error = Export::new(Format::Toml).write_file(&secrets, &path, false).unwrap_err();
    assert_eq!((error.kind(), read(&path).as_str()), (ErrorKind::AlreadyExists, "x"));
    Export::new(Format::Toml).write_file(&secrets, &path, true).unwrap();
    assert!(read(&path).contains(VALUE));
    assert_eq!(home.files(), ["a.toml"]);
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_an_export() {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, symlink};
    let home = Home::new();
    let (secrets, other) = (filled(&home, true), home.write("other", "x"));
    for may_replace in [false, true] {
        let path = home.path("a.yaml");
        Export::new(Format::Yaml).write_file(&secrets, &path, may_replace).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        support::set_mode(&path, 0o644);
    }
    symlink(&other, home.path("link.yaml")).unwrap();
    let export = Export::new(Format::Yaml);
    assert!(export.write_file(&secrets, &home.path("link.yaml"), false).is_err());
    export.write_file(&secrets, &home.path("link.yaml"), true).unwrap();
    assert_eq!(read(&other), "x", "a link is not followed to where it leads");
}

#[test]
fn an_import_does_not_write_over_another_value() {
    let home = Home::new();
    let secrets = home.open();
    secrets.set("A", &Secret::new("other")).unwrap();
    let path = home.write(".env", format!("# strongroom-export-1\nA={VALUE}\n"));
    let file = file(&path, Rules::new());
    let plan = file.plan_import(&secrets, Prefer::Ask).unwrap();
    assert_eq!(file.import(&secrets, &plan, |_| {}).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(stored(&secrets, "A").as_deref(), Some("other"));
    let plan = file.plan_import(&secrets, Prefer::File).unwrap();
    file.import(&secrets, &plan, |_| {}).unwrap();
    assert_eq!(stored(&secrets, "A").as_deref(), Some(VALUE));
}

#[test]
fn a_broken_export_is_refused_with_its_place() {
    let home = Home::new();
    for record in [
        "{}",
        "{\"name\": \"A\"}",
        "{\"name\": 1, \"value\": \"x\"}",
        "{\"name\": \"A\", \"value\": \"x\", \"expires_at\": \"soon\"}",
    ] {
        let text = format!("{{\"format\": \"strongroom-export-1\",\n \"secrets\": [{record}]}}");
        let file = file(home.write("a.json", text), Rules::new());
        let error = file.plan_import(&home.open(), Prefer::Ask).unwrap_err();
        assert!(error.to_string().contains("line 2, column 14"), "{error}");
    }
}
