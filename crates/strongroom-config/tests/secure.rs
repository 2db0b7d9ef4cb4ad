//! Moving secrets out of a file, and what is left alone.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::cell::RefCell;
use std::fs;

use strongroom::{
    Backend, Config, ErrorKind, ExposeSecret, KeyringStore as _, Layout, Secret, SecretKey,
    Timestamp,
};
use strongroom_config::{
    Action, ConfigFile, ConfigPath, FoundBy, Leave, Leaves, Marker, Place, Prefer, Progress, Rule,
    Rules,
};
use support::{Home, VALUE, file, read, secure, stored};

const JSON: &str = r#"{
  // The provider's key.
  "openai": { "apiKey": "not-so-secret-marker" }, // keep
  "port": 80,
}
"#;

fn rules() -> Rules {
    Rules::new().with_rule(
        Rule::new("openai.apiKey".parse().unwrap(), "OPENAI_API_KEY").with_provider("openai"),
    )
}

fn marker() -> Marker {
    Marker::new(ConfigPath::new(["credentialStorage"]), "keychain")
}

#[test]
fn a_secret_moves_into_the_store_and_a_reference_and_the_marker_stay() {
    let home = Home::new();
    let path = home.write("config.json", JSON);
    let (file, secrets) = (file(&path, rules().with_marker(marker())), home.open());
    assert_eq!(file.status(Some(&secrets)).unwrap().secrets[0].place, Place::File);

    let done = secure(&file, &secrets);
    assert_eq!(done.secrets, [SecretKey::new("OPENAI_API_KEY")]);
    let moved = JSON.replace(VALUE, "strongroom:OPENAI_API_KEY");
    let marked = moved.replace("80,\n", "80,\n  \"credentialStorage\": \"keychain\",\n");
    assert_eq!(read(&path), marked);
    let secret = home.open().get("OPENAI_API_KEY").unwrap().unwrap();
    assert_eq!(secret.metadata.provider.as_deref(), Some("openai"));
    assert_eq!(stored(&secrets, "OPENAI_API_KEY").as_deref(), Some(VALUE));

    let status = file.status(Some(&secrets)).unwrap();
    assert_eq!((status.secrets[0].place, status.is_marked), (Place::Store, true));
    assert_eq!(file.status(None).unwrap().secrets[0].place, Place::Unknown);
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    assert!(!plan.changes_anything() && plan.steps.is_empty());
    file.secure(&secrets, &plan, |_| {}).unwrap();
    assert_eq!(read(&path), marked);
    assert_eq!(home.files(), ["config.json"]);
}

#[test]
fn a_secret_whose_rule_names_a_provider_moves_into_an_entry_of_its_own() {
    let home = Home::new();
    let path = home.write("config.json", JSON);
    let store = Config::new("").dangerous().plaintext_file(home.path("data/entries"));
    let options = store.backend(Backend::PlaintextFile).layout(Layout::Entries);
    let options = options.state_dir(home.path("state"));
    let secrets = options.clone().service("app").open_blocking().unwrap();
    let file = file(&path, rules());
    secure(&file, &secrets);
    assert_eq!(read(&path), JSON.replace(VALUE, "strongroom:OPENAI_API_KEY"));
    let store = strongroom::store::choose_unbound(&options).unwrap();
    let entry = store.store().get_password("app", "OPENAI_API_KEY").unwrap().unwrap();
    assert_eq!(entry.expose_secret(), VALUE);
    assert_eq!(file.status(Some(&secrets)).unwrap().secrets[0].place, Place::Store);
}

#[test]
fn a_plan_and_all_that_is_shown_hold_no_value() {
    let home = Home::new();
    let text = format!("[db]\npassword = \"{VALUE}\"\nport = 1\n");
    let file = file(home.write("a.toml", text), Rules::detecting().with_marker(marker()));
    let secrets = home.open();
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    assert_eq!(
        plan.diff(),
        "-2: db.password = …\n+2: db.password = \"strongroom:DB_PASSWORD\"\n+ credentialStorage = \"keychain\"\n"
    );
    let status = file.status(Some(&secrets)).unwrap();
    assert_eq!(status.secrets[0].position.unwrap().to_string(), "line 2, column 12");
    assert_eq!(plan.steps[0].leaves, Leaves::Text("strongroom:DB_PASSWORD".into()));
    let done = secure(&file, &secrets);
    assert!(!format!("{plan:?} {plan:#?} {status:?} {file:?} {done:?}").contains(VALUE));
}

#[test]
fn a_secret_leaves_what_its_rule_says() {
    let home = Home::new();
    let text = format!("A={VALUE} # a\nB={VALUE}2 # b\nC={VALUE}3\n");
    let rule = |name: &str, leave| Rule::new(ConfigPath::new([name]), name).leaving(leave);
    let rules = Rules::new()
        .with_rule(rule("A", Leave::Empty))
        .with_rule(rule("B", Leave::Nothing))
        .with_rule(Rule::new(ConfigPath::new(["C"]), SecretKey::with_target("C", "prod")));
    let path = home.write(".env", text);
    let secrets = home.open();
    secure(&file(&path, rules.clone()), &secrets);
    assert_eq!(read(&path), "A= # a\n# b\nC=strongroom:C?target=prod\n");
    assert_eq!(stored(&secrets, "B").as_deref(), Some("not-so-secret-marker2"));
    assert!(secrets.exists(SecretKey::with_target("C", "prod")).unwrap());
    let places = file(&path, rules).status(Some(&secrets)).unwrap().secrets;
    assert!(places.iter().all(|secret| secret.place == Place::Store));
}

#[test]
fn secrets_are_found_by_looking() {
    let home = Home::new();
    let token = format!("ghp_{:0>36}", 7);
    let text = format!(
        "name: x\npassword: \"\"\nurl: {token}\ndb: {{passwd: abc, user: me, token: '${{TOKEN}}'}}\nmax_tokens: 12\n"
    );
    let file = file(home.write("a.yaml", text), Rules::detecting());
    let found = file.status(None).unwrap().secrets;
    let found: Vec<_> = found
        .iter()
        .map(|secret| {
            (secret.key.name(), secret.found_by, secret.provider.as_deref(), secret.place)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("URL", FoundBy::ValueShape, Some("github"), Place::File),
            ("DB_PASSWD", FoundBy::KeyName, None, Place::File),
        ]
    );
}

#[test]
fn what_is_in_both_places_is_compared_and_nothing_is_touched_until_somebody_chooses() {
    let home = Home::new();
    let path = home.write("config.json", JSON);
    let (file, secrets) = (file(&path, rules()), home.open());
    secrets.set("OPENAI_API_KEY", &Secret::new("other")).unwrap();

    let Place::Differs(ages) = file.status(Some(&secrets)).unwrap().secrets[0].place else {
        panic!()
    };
    let now = Timestamp::now();
    assert!(ages.file.unwrap() <= now && ages.store.unwrap() <= now && !ages.store_expired);
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    assert_eq!(plan.conflicts().count(), 1);
    let error = file.secure(&secrets, &plan, |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(
        (read(&path).as_str(), stored(&secrets, "OPENAI_API_KEY").as_deref()),
        (JSON, Some("other"))
    );

    let plan = file.plan(&secrets, Prefer::Store).unwrap();
    assert!(matches!(plan.steps[0].action, Action::KeepStore(_)));
    file.secure(&secrets, &plan, |_| {}).unwrap();
    assert_eq!(stored(&secrets, "OPENAI_API_KEY").as_deref(), Some("other"));
    assert!(!read(&path).contains(VALUE));

    fs::write(&path, JSON).unwrap();
    let plan = file.plan(&secrets, Prefer::File).unwrap();
    assert!(matches!(plan.steps[0].action, Action::TakeFile(_)));
    file.secure(&secrets, &plan, |_| {}).unwrap();
    assert_eq!(stored(&secrets, "OPENAI_API_KEY").as_deref(), Some(VALUE));

    fs::write(&path, JSON).unwrap();
    assert_eq!(file.status(Some(&secrets)).unwrap().secrets[0].place, Place::Both);
    assert_eq!(file.plan(&secrets, Prefer::Ask).unwrap().steps[0].action, Action::Nothing);
    secure(&file, &secrets);
    assert!(!read(&path).contains(VALUE));
}

#[test]
fn an_expired_value_in_the_store_is_another_one() {
    let home = Home::new();
    let file = file(home.write("config.json", JSON), rules());
    let secrets = home.open();
    let expired = || Secret::new(VALUE).expires_at(Timestamp::UNIX_EPOCH);
    secrets.set("OPENAI_API_KEY", &expired()).unwrap();
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    let Action::Conflict(ages) = plan.steps[0].action else { panic!() };
    assert!(ages.store_expired);
    secrets.set("OPENAI_API_KEY", &Secret::new("x").expires_at(Timestamp::UNIX_EPOCH)).unwrap();
    let plan = file.plan(&secrets, Prefer::File).unwrap();
    file.secure(&secrets, &plan, |_| {}).unwrap();
    assert_eq!(stored(&secrets, "OPENAI_API_KEY").as_deref(), Some(VALUE));
}

#[test]
fn a_value_that_comes_into_the_store_meanwhile_is_not_written_over() {
    let home = Home::new();
    let path = home.write("config.json", JSON);
    let (file, secrets, other) = (file(&path, rules()), home.open(), home.open());
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    let meddle = |progress: Progress<'_>| {
        if matches!(progress, Progress::Storing(_)) {
            other.set("OPENAI_API_KEY", &Secret::new("other")).unwrap();
        }
    };
    assert_eq!(file.secure(&secrets, &plan, meddle).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(
        (read(&path).as_str(), stored(&secrets, "OPENAI_API_KEY").as_deref()),
        (JSON, Some("other"))
    );
}

#[test]
fn a_value_that_goes_from_the_store_meanwhile_stays_in_the_file() {
    let home = Home::new();
    let path = home.write("config.json", JSON);
    let (file, secrets, other) = (file(&path, rules()), home.open(), home.open());
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    let meddle = |progress: Progress<'_>| {
        if matches!(progress, Progress::Comparing(_)) {
            other.delete("OPENAI_API_KEY").unwrap();
        }
    };
    assert_eq!(file.secure(&secrets, &plan, meddle).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(read(&path), JSON);
}

#[test]
fn what_an_editor_writes_meanwhile_is_not_written_over() {
    for (at, text) in
        [(Progress::Writing, JSON.replace("80", "81")), (Progress::Replacing, String::new())]
    {
        let home = Home::new();
        let path = home.write("config.json", JSON);
        let (file, secrets) = (file(&path, rules()), home.open());
        let plan = file.plan(&secrets, Prefer::Ask).unwrap();
        let edit = |progress: Progress<'_>| {
            if progress == at {
                fs::write(&path, &text).unwrap();
            }
        };
        let error = file.secure(&secrets, &plan, edit).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert_eq!(read(&path), text);
        assert_eq!(home.files(), ["config.json"]);
    }
}

#[test]
fn a_plan_is_carried_out_only_where_it_was_made() {
    let home = Home::new();
    let path = home.write("config.json", JSON);
    let (file, secrets) = (file(&path, rules()), home.open());
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    let changed = JSON.replace(VALUE, "not-so-secret-mark_r");
    fs::write(&path, &changed).unwrap();
    assert_eq!(file.secure(&secrets, &plan, |_| {}).unwrap_err().kind(), ErrorKind::Conflict);
    let import = file.plan_import(&secrets, Prefer::Ask).unwrap();
    assert_eq!(file.secure(&secrets, &import, |_| {}).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!((read(&path), stored(&secrets, "OPENAI_API_KEY")), (changed, None));
}

#[test]
fn progress_is_told_in_the_order_in_which_things_happen() {
    let home = Home::new();
    let file = file(home.write("config.json", JSON), rules());
    let secrets = home.open();
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    let told = RefCell::new(Vec::new());
    let tell = |progress: Progress<'_>| {
        let name = format!("{progress:?}");
        told.borrow_mut().push(name.split('(').next().unwrap().to_owned());
    };
    file.secure(&secrets, &plan, tell).unwrap();
    assert_eq!(told.into_inner(), ["Storing", "Comparing", "Writing", "Replacing", "Done"]);
}

#[test]
fn a_store_that_forgets_gets_nothing_unless_that_is_wanted() {
    let home = Home::new();
    let path = home.write("config.json", JSON);
    let secrets = Config::new("app").backend(Backend::Memory).open_blocking().unwrap();
    let file = file(&path, rules());
    assert_eq!(file.plan(&secrets, Prefer::Ask).unwrap_err().kind(), ErrorKind::Unsupported);
    secure(&file.taking_forgetful_stores(), &secrets);
    assert_eq!(stored(&secrets, "OPENAI_API_KEY").as_deref(), Some(VALUE));
}

#[test]
fn two_values_of_one_name_are_refused_and_one_value_at_two_places_is_not() {
    let home = Home::new();
    let secrets = home.open();
    let rules = || {
        let rule = |path: &str| Rule::new(ConfigPath::new([path]), "KEY");
        Rules::new().with_rule(rule("A")).with_rule(rule("B"))
    };
    let path = home.write(".env", "A=one\nB=two\n");
    let error = file(&path, rules()).plan(&secrets, Prefer::Ask).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("line 2, column 3"), "{error}");
    let path = home.write(".env", "A=one\nB=one\n");
    assert_eq!(secure(&file(&path, rules()), &secrets).secrets.len(), 1);
    assert_eq!(read(&path), "A=strongroom:KEY\nB=strongroom:KEY\n");
}

#[test]
fn a_rule_for_what_is_no_text_is_refused_with_its_place() {
    for (name, text, path, place) in [
        ("a.json", "{\"a\":\n {}}", "a", "line 2, column 2"),
        ("a.json", "{\"a\":\n true}", "a", "line 2, column 2"),
        ("a.yaml", "x: &b secret\na:\n  *b\n", "a", "line 3, column 3"),
        ("a.yaml", "b:\n- &b secret\n- *b\n", "b.0", "line 2, column 6"),
        ("a.yaml", "b: 1\nc: &b {a: secret}\nd: *b\n", "c.a", "line 2, column 11"),
        ("a.yaml", "a:\n  !vault secret\n", "a", "line 2, column 10"),
        (".env", "\nA=$B\n", "A", "line 2, column 3"),
        ("a.toml", "\na = 1979-05-27\n", "a", "line 2, column 5"),
    ] {
        let home = Home::new();
        let file_path = home.write(name, text);
        let rules = Rules::new().with_rule(Rule::new(path.parse().unwrap(), "A"));
        let error = file(&file_path, rules).plan(&home.open(), Prefer::Ask).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
        assert!(error.to_string().contains(place), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(read(&file_path), text);
    }
}

#[test]
fn what_is_no_file_is_not_read() {
    let home = Home::new();
    fs::create_dir(home.path("a.json")).unwrap();
    let error = file(home.path("a.json"), rules()).status(None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = file(home.path("b.json"), rules()).status(None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    home.write("c.json", vec![b' '; (32 << 20) + 1]);
    let error = file(home.path("c.json"), rules()).status(None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(ConfigFile::new("d.txt", rules()).unwrap_err().kind(), ErrorKind::Invalid);
}
