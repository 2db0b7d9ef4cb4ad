//! The vault's commands: what goes in comes out, and the exit code says how it went.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use strongroom_testkit::{provider_or_skip, secret_tool};
use support::{KeyutilsService, PROGRAM, gnome_keyring, on, run};

/// The fields of a secret's line, in a pipe.
#[track_caller]
fn line(service: &KeyutilsService, name: &str) -> Vec<String> {
    let listed = service.vault(&["list"], b"").ends_with(0).out();
    let line = listed.lines().find(|line| line.split('\t').next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {listed}"));
    line.split('\t').map(str::to_owned).collect()
}

#[track_caller]
fn value(service: &KeyutilsService, arguments: &[&str]) -> String {
    service.vault(&[&["get"], arguments].concat(), b"").ends_with(0).out()
}

#[test]
fn a_secret_goes_in_comes_out_is_listed_and_is_gone() {
    let service = KeyutilsService::new();
    service.vault(&["exists", "KEY"], b"").ends_with(3);
    let stored = service.vault(&["set", "KEY"], b"value\n").ends_with(0);
    assert_eq!(stored.said(), "", "nobody looks on");
    service.vault(&["set", "KEY", "--target", "production"], "grüße".as_bytes()).ends_with(0);
    let exists = service.vault(&["exists", "KEY"], b"").ends_with(0);
    assert_eq!(exists.said(), "", "the exit code is the answer");

    assert_eq!(value(&service, &["KEY"]), "value", "no newline is added in a pipe");
    assert_eq!(value(&service, &["KEY", "--target", "production"]), "grüße");
    let listed = service.vault(&["list"], b"").ends_with(0).out();
    let names: Vec<Vec<_>> = listed.lines().map(|it| it.split('\t').take(2).collect()).collect();
    assert_eq!(names, [["KEY", ""], ["KEY", "production"]]);

    service.vault(&["delete", "KEY"], b"").ends_with(0);
    service.vault(&["delete", "KEY"], b"").ends_with(3).says("--target production");
    service.vault(&["exists", "KEY", "--target", "production"], b"").ends_with(0);
}

#[test]
fn all_of_it_is_one_entry_of_the_store() {
    let service = KeyutilsService::new();
    for name in ["A", "B", "C"] {
        service.vault(&["set", name], b"value").ends_with(0);
    }
    assert_eq!(service.entry(&["list", &service.name], b"").out(), "vault\n");
}

#[test]
fn set_stores_what_is_said_and_update_keeps_what_is_not() {
    let service = KeyutilsService::new();
    let all = ["--provider", "openai", "--scope", "read", "--expires", "2099-12-31T23:00Z"];
    service.vault(&[&["set", "KEY"][..], &all].concat(), b"one").ends_with(0);
    let known = ["openai", "read", "2099-12-31T23:00:00Z"];
    assert_eq!(line(&service, "KEY")[2..4], known[..2]);
    assert_eq!(line(&service, "KEY")[5], known[2]);

    service.vault(&["update", "KEY", "--scope", "write"], b"two").ends_with(0);
    assert_eq!(value(&service, &["KEY"]), "two");
    let fields = line(&service, "KEY");
    assert_eq!((&*fields[2], &*fields[3], &*fields[5]), ("openai", "write", known[2]));

    service.vault(&["update", "KEY", "--expires", "never"], b"three").ends_with(0);
    assert_eq!(line(&service, "KEY")[5], "");

    service.vault(&["set", "KEY"], b"four").ends_with(0);
    assert_eq!(line(&service, "KEY")[2..4], ["", ""]);
    service.vault(&["update", "NONE"], b"value").ends_with(3).says("strongroom set NONE");
    service.vault(&["exists", "NONE"], b"").ends_with(3);
}

#[test]
fn a_date_is_valid_to_its_end_where_the_user_is() {
    let service = KeyutilsService::new();
    for (zone, end) in
        [("UTC0", "2099-07-01T00:00:00Z"), ("EST5EDT,M3.2.0,M11.1.0", "2099-07-01T04:00:00Z")]
    {
        let mut program = service.program();
        program.env("TZ", zone);
        let set = ["set", "KEY", "--expires", "2099-06-30", "-v"];
        run(program, &set, b"value").ends_with(0).says("valid until 2099-07-01 00:00");
        assert_eq!(line(&service, "KEY")[5], end);
    }
}

#[test]
fn what_is_no_time_or_is_over_stores_nothing() {
    let service = KeyutilsService::new();
    for (when, why) in [
        ("soon", "2026-12-31"),
        ("2020-01-01", "in the past"),
        ("-1d", "in the past"),
        ("2026-02-30", "it takes"),
    ] {
        let set = ["set", "KEY", "--expires", when];
        service.vault(&set, b"value").ends_with(2).says(why);
    }
    service.vault(&["exists", "KEY"], b"").ends_with(3);
}

#[test]
fn an_expired_secret_is_not_given_out_and_a_new_value_needs_a_new_time() {
    let service = KeyutilsService::new();
    service.set_expired("KEY", &["--provider", "openai"]);
    let expired = service.vault(&["get", "KEY"], b"").ends_with(6);
    assert_eq!(expired.out(), "");
    let expired = expired.says("expired at 20");
    let told = expired.said();
    let moment = told.split("expired at ").nth(1).and_then(|rest| rest.split('Z').next());
    assert_eq!(moment.map(str::len), Some("2026-11-28T06:02:43".len()), "{told}");
    expired.says("strongroom update KEY --expires never --service");
    service.vault(&["exists", "KEY"], b"").ends_with(0);
    service.vault(&["set", "KEY", "--create-new"], b"new").ends_with(1).says("already");

    service.vault(&["update", "KEY"], b"new").ends_with(6).says("--expires");
    service.vault(&["update", "KEY", "--expires", "90d"], b"new").ends_with(0);
    assert_eq!(value(&service, &["KEY"]), "new");
    assert_eq!(line(&service, "KEY")[2], "openai");
}

#[test]
fn a_value_that_is_no_text_is_refused_and_the_old_one_stays() {
    let service = KeyutilsService::new();
    service.vault(&["set", "KEY"], b"value").ends_with(0);
    for verb in ["set", "update"] {
        let refused = service.vault(&[verb, "KEY"], b"\xff\x00").ends_with(2);
        refused.says("not text").says("base64").says("strongroom entry set");
        service.vault(&[verb, "KEY"], b"\n").ends_with(2).says("nothing was stored");
    }
    assert_eq!(value(&service, &["KEY"]), "value");
    service.vault(&["set", "KEY", "--from-file", "/dev/null"], b"").ends_with(0);
    assert_eq!(value(&service, &["KEY"]), "");
}

#[test]
fn values_come_from_a_file_or_the_environment() {
    let service = KeyutilsService::new();
    let file = service.sandbox.path().join("value");
    fs::write(&file, b"a\nb\n").unwrap();
    let path = file.to_str().unwrap();
    service.vault(&["set", "KEY", "--from-file", path], b"ignored").ends_with(0);
    assert_eq!(value(&service, &["KEY"]), "a\nb\n");

    let mut program = service.program();
    program.env("MY_TOKEN", "token");
    run(program, &["update", "KEY", "--from-env", "MY_TOKEN"], b"").ends_with(0);
    assert_eq!(value(&service, &["KEY"]), "token");
    let unset = service.vault(&["update", "KEY", "--from-env", "MY_TOKEN"], b"").ends_with(2);
    unset.says("MY_TOKEN is not set");
}

#[test]
fn create_new_does_not_overwrite() {
    let service = KeyutilsService::new();
    let create = ["set", "KEY", "--create-new"];
    service.vault(&create, b"first").ends_with(0);
    let refused = service.vault(&create, b"second").ends_with(1);
    refused.says("--create-new").says("strongroom update KEY");
    assert_eq!(value(&service, &["KEY"]), "first");
}

#[test]
fn what_is_missing_says_how_to_store_it_and_where_it_is_instead() {
    let service = KeyutilsService::new();
    let name = service.name.as_str();
    let missing = service.vault(&["get", "my key"], b"").ends_with(3);
    assert_eq!(missing.out(), "");
    missing.says(&format!("strongroom set 'my key' --service {name} --backend keyutils"));

    service.vault(&["set", "my key", "--target", "staging"], b"value").ends_with(0);
    let missing = service.vault(&["get", "my key"], b"").ends_with(3);
    missing.says("for target \"staging\"").says("strongroom get 'my key' --target staging");
    let error = service.vault(&["get", "none", "--json"], b"").ends_with(3).error();
    assert_eq!(error["code"], "not_found");
}

#[test]
fn rename_keeps_all_but_the_name_and_never_overwrites() {
    let service = KeyutilsService::new();
    service.vault(&["set", "OLD", "--provider", "openai", "--expires", "90d"], b"v").ends_with(0);
    let before = line(&service, "OLD");
    service.vault(&["rename", "OLD", "NEW"], b"").ends_with(0);
    assert_eq!(line(&service, "NEW")[1..], before[1..]);
    service.vault(&["get", "OLD"], b"").ends_with(3);

    service.vault(&["rename", "NEW", "NEW", "--new-target", "t"], b"").ends_with(0);
    service.vault(&["rename", "NEW", "NEWER", "--target", "t"], b"").ends_with(0);
    assert_eq!(value(&service, &["NEWER", "--target", "t"]), "v");
    let untargeted = ["rename", "NEWER", "NEWER", "--target", "t", "--new-target", ""];
    service.vault(&untargeted, b"").ends_with(0);
    assert_eq!(value(&service, &["NEWER"]), "v");

    service.vault(&["set", "TAKEN"], b"other").ends_with(0);
    let refused = service.vault(&["rename", "NEWER", "TAKEN"], b"").ends_with(1);
    refused.says("strongroom delete TAKEN");
    service.vault(&["rename", "NEWER", "NEWER"], b"").ends_with(2);
    service.vault(&["rename", "NONE", "OTHER"], b"").ends_with(3).says("strongroom list");
    assert_eq!(value(&service, &["TAKEN"]), "other");
    assert_eq!(value(&service, &["NEWER"]), "v");
}

#[test]
fn list_is_filtered_and_its_json_has_a_version() {
    let service = KeyutilsService::new();
    service.set_expired("OVER", &[]);
    service.vault(&["set", "SOON", "--provider", "openai", "--expires", "20d"], b"v").ends_with(0);
    service.vault(&["set", "LATER", "--target", "t", "--expires", "1y"], b"v").ends_with(0);
    service.vault(&["set", "EVER"], b"v").ends_with(0);
    let names = |flags: &[&str]| {
        let listed = service.vault(&[&["list"], flags].concat(), b"").ends_with(0).out();
        let name = |line: &str| line.split('\t').next().unwrap().to_owned();
        listed.lines().map(name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&[]), "EVER LATER OVER SOON");
    assert_eq!(names(&["--expiring", "30d"]), "OVER SOON");
    assert_eq!(names(&["--expiring", "0d"]), "OVER");
    assert_eq!(names(&["--provider", "openai"]), "SOON");
    assert_eq!(names(&["--provider", "openai", "--expiring", "1d"]), "");
    service.vault(&["list", "--expiring", "soon"], b"").ends_with(2);

    let json = service.vault(&["list", "--json"], b"").ends_with(0).json();
    assert_eq!((&json["version"], &json["store"]["backend"]), (&1.into(), &"keyutils".into()));
    let secrets = json["secrets"].as_array().unwrap();
    let states: Vec<_> = secrets.iter().map(|it| (&it["name"], &it["expired"])).collect();
    let expected = [("EVER", false), ("LATER", false), ("OVER", true), ("SOON", false)];
    let expected = expected.map(|(name, expired)| (name.into(), expired.into()));
    assert_eq!(states, expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
    assert_eq!(secrets[0]["expires_at"], serde_json::Value::Null);
    assert_eq!(secrets[1]["target"], "t");
    assert!(secrets[3]["expires_at"].as_str().unwrap().ends_with('Z'), "{}", secrets[3]);
    assert!(secrets[3]["created_at"].is_string() && secrets[3]["updated_at"].is_string());
}

#[test]
fn an_empty_vault_is_no_error_and_no_output() {
    let service = KeyutilsService::new();
    assert_eq!(service.vault(&["list"], b"").ends_with(0).said(), "");
    let json = service.vault(&["list", "--json"], b"").ends_with(0).json();
    assert_eq!(json["secrets"], serde_json::json!([]));
    let told = service.vault(&["list", "-v"], b"").ends_with(0);
    assert_eq!(told.out(), "");
    told.says("is empty").says("strongroom setup NAME --service");
}

#[test]
fn names_do_nothing_to_the_terminal_and_do_not_break_a_line() {
    let service = KeyutilsService::new();
    let name = "a\u{1b}[31m\n\tb";
    service.vault(&["set", name, "--provider", "x\ty"], b"value").ends_with(0);
    assert_eq!(line(&service, r"a\u{1b}[31m\n\tb")[2], r"x\ty");
    let json = service.vault(&["list", "--json"], b"").json();
    assert_eq!(json["secrets"][0]["name"], name);
    let missing = service.vault(&["get", name, "--target", "t"], b"").ends_with(3);
    assert!(!missing.stderr.contains('\u{1b}'), "{}", missing.stderr);
}

#[test]
fn purge_deletes_every_entry_of_the_service_once_told_to() {
    let service = KeyutilsService::new();
    let other = KeyutilsService::new();
    other.vault(&["set", "KEY"], b"value").ends_with(0);
    service.vault(&["set", "KEY"], b"value").ends_with(0);
    service.set("single", b"value");
    let refused = service.vault(&["purge"], b"y\n").ends_with(2);
    refused.says(&format!("strongroom purge --yes --service {}", service.name));
    service.vault(&["exists", "KEY"], b"").ends_with(0);

    let purged = service.vault(&["purge", "--yes", "--json"], b"").ends_with(0).json();
    assert_eq!(purged["deleted_count"], 2);
    assert_eq!(purged["entries"], serde_json::json!(["single", "vault"]));
    assert_eq!(service.entry(&["list", &service.name], b"").out(), "");
    service.vault(&["get", "KEY"], b"").ends_with(3);
    service.vault(&["purge", "--yes", "-v"], b"").ends_with(0).says("has no entries");
    other.vault(&["exists", "KEY"], b"").ends_with(0);
}

#[test]
fn a_vault_that_can_not_be_read_is_said_to_be_and_stays_as_it_is() {
    let service = KeyutilsService::new();
    service.damage(b"{garbage");
    for arguments in [&["get", "KEY"][..], &["list"], &["set", "KEY"], &["run", "--", "true"]] {
        let corrupt = service.vault(arguments, b"value").ends_with(8);
        assert_eq!(corrupt.out(), "", "{arguments:?}");
        corrupt.says("the vault is damaged");
    }
    assert_eq!(service.get("vault"), b"{garbage");
}

#[test]
fn a_home_that_can_not_be_written_is_no_reason_to_fail() {
    let service = KeyutilsService::new();
    let at_home = |arguments: &[&str], input: &[u8]| {
        let mut program = service.program();
        program.env("HOME", "/proc/none");
        run(program, arguments, input).ends_with(0)
    };
    at_home(&["set", "KEY"], b"value").says("warning: ");
    assert_eq!(at_home(&["get", "KEY"], b"").out(), "value");
}

#[test]
fn impossible_names_are_refused_before_anything_is_read() {
    let service = KeyutilsService::new();
    let long = "a".repeat(257);
    for arguments in [
        &["set", ""][..],
        &["set", &long],
        &["get", "a", "--target", ""],
        &["rename", "a", ""],
        &["delete", "\u{feff}a"],
    ] {
        let refused = service.vault(arguments, b"value").ends_with(2);
        assert!(refused.stderr.starts_with("error: "), "{}", refused.stderr);
    }
    assert_eq!(service.vault(&["list"], b"").out(), "");
}

#[test]
fn a_keyring_holds_the_vault_too() {
    if !provider_or_skip("gnome-keyring-daemon") || !provider_or_skip("secret-tool") {
        return;
    }
    let (bus, keyring) = gnome_keyring();
    on(&bus, &["set", "KEY", "--provider", "openai"], b"value").ends_with(0);
    on(&bus, &["update", "KEY"], b"new").ends_with(0);
    assert_eq!(on(&bus, &["get", "KEY"], b"").ends_with(0).out(), "new");
    let listed = on(&bus, &["list"], b"").ends_with(0);
    assert!(listed.out().starts_with("KEY\t\topenai\t"), "{}", listed.out());
    let shell = ["run", "--", "sh", "-c", "printf %s $KEY"];
    assert_eq!(on(&bus, &shell, b"").ends_with(0).out(), "new");

    keyring.lock();
    for arguments in [&["get", "KEY"][..], &["list"], &["set", "KEY"], &shell] {
        let arguments = [&["--no-prompt"], arguments].concat();
        let locked = on(&bus, &arguments, b"other").ends_with(4);
        assert_eq!(locked.out(), "");
        locked.says("is locked").says("strongroom doctor");
    }
}

#[test]
fn purge_empties_a_keyring_of_the_service_alone() {
    if !provider_or_skip("gnome-keyring-daemon") || !provider_or_skip("secret-tool") {
        return;
    }
    let (bus, _keyring) = gnome_keyring();
    on(&bus, &["set", "KEY"], b"value").ends_with(0);
    secret_tool::store(&bus, "strongroom", "another", "value");
    secret_tool::store(&bus, "other", "u", "value");
    on(&bus, &["purge", "--yes", "-v"], b"").ends_with(0).says("Deleted 2 entries");
    assert_eq!(secret_tool::lookup(&bus, "strongroom", "another"), None);
    assert_eq!(secret_tool::lookup(&bus, "other", "u").as_deref(), Some("value"));
}

#[test]
fn move_takes_the_vault_to_another_backend_and_back() {
    let service = KeyutilsService::new();
    let key = service.sandbox.path().join("key");
    fs::write(&key, format!("strongroom-key-1:{}\n", "5a".repeat(32))).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let app = |arguments: &[&str], input: &[u8]| {
        let mut command = service.sandbox.command(PROGRAM);
        command.args(["--service", &service.name]).env("STRONGROOM_KEY_FILE", &key);
        run(command, arguments, input)
    };
    app(&["move", "--to", "file"], b"").ends_with(3).says("no vault to move");
    app(&["set", "A", "--backend", "keyutils"], b"1").ends_with(0);
    app(&["move", "--to", "keyutils"], b"").ends_with(2).says("in keyutils already");
    app(&["move", "--to", "file"], b"").ends_with(0).says("from keyutils to file");
    assert_eq!(app(&["get", "A"], b"").ends_with(0).out(), "1");
    let elsewhere = app(&["get", "A", "--backend", "keyutils"], b"").ends_with(5);
    elsewhere.says("are kept in file, not in keyutils").says("can be used in file alone");
    let refused = app(&["move", "--to", "keyutils", "--json"], b"").ends_with(2);
    assert!(refused.error()["message"].as_str().unwrap().contains("forgets"));
    let back = app(&["move", "--to", "keyutils", "--session-store", "--json"], b"");
    let back = back.ends_with(0).json();
    assert_eq!((&back["from"], &back["secret_count"]), (&"file".into(), &1.into()));
    assert_eq!(service.vault(&["get", "A"], b"").ends_with(0).out(), "1");
}

#[test]
fn secrets_can_be_moved_into_entries_of_their_own_and_back() {
    let service = KeyutilsService::new();
    service.vault(&["set", "API_KEY"], b"a value").ends_with(0);
    let apart = ["move", "--to", "keyutils", "--layout", "entries"];
    service.vault(&apart, b"").ends_with(0).says("into entries of their own, in keyutils");
    let name = service.name.clone();
    assert_eq!(service.entry(&["get", &name, "API_KEY"], b"").ends_with(0).out(), "a value");
    let listed = service.vault(&["list", "--json"], b"").ends_with(0).json();
    assert_eq!(
        (&listed["store"]["layout"], &listed["secrets"][0]["name"]),
        (&json!("entries"), &json!("API_KEY"))
    );
    service.vault(&["set", "API_KEY", "--provider", "openai"], b"x").ends_with(1).says("provider");
    service.vault(&["move", "--to", "keyutils"], b"").ends_with(2).says("are in keyutils already");

    let together = ["move", "--to", "keyutils", "--layout", "inline"];
    service.vault(&together, b"").ends_with(0).says("into one vault, in keyutils");
    service.entry(&["get", &name, "API_KEY"], b"").ends_with(3);
    assert_eq!(service.vault(&["get", "API_KEY"], b"").ends_with(0).out(), "a value");
}

#[test]
fn what_has_expired_can_be_looked_at_and_left_out() {
    let service = KeyutilsService::new();
    service.set_expired("OVER", &[]);
    service.vault(&["set", "TOKEN"], b"token").ends_with(0);
    let refused = service.vault(&["get", "OVER"], b"").ends_with(6);
    refused.says("get OVER --expired").says("update OVER --expires never");
    assert_eq!(service.vault(&["get", "OVER", "--expired"], b"").ends_with(0).out(), "old value");
    service.vault(&["get", "NONE", "--expired"], b"").ends_with(3);
    service.vault(&["run", "--", "true"], b"").ends_with(6).says("--skip-expired");
    let script = ["run", "--skip-expired", "--", "sh", "-c", "echo ${TOKEN}${OVER-none}"];
    let ran = service.vault(&script, b"").ends_with(0).says("OVER");
    assert_eq!(ran.out(), "tokennone\n");
}

#[test]
fn what_is_known_beside_a_value_changes_without_a_new_value() {
    let service = KeyutilsService::new();
    service.set_expired("KEY", &["--provider", "openai"]);
    service.vault(&["update", "KEY", "--expires", "never"], b"").ends_with(0);
    assert_eq!(value(&service, &["KEY"]), "old value");
    service.vault(&["update", "KEY", "--scope", "read", "--provider", "p"], b"").ends_with(0);
    assert_eq!(line(&service, "KEY")[2], "p");
    service.vault(&["update", "KEY", "--scope", "all"], b"new\n").ends_with(0);
    assert_eq!(value(&service, &["KEY"]), "new");
    service.vault(&["update", "KEY"], b"").ends_with(2).says("nothing was stored");
    service.vault(&["update", "KEY", "--ask", "--scope", "s"], b"").ends_with(2);
    assert_eq!(value(&service, &["KEY"]), "new");
}

#[test]
fn a_reference_is_never_stored_as_a_secret() {
    let service = KeyutilsService::new();
    service.vault(&["set", "KEY"], b"value").ends_with(0);
    let file = service.sandbox.path().join("value");
    fs::write(&file, "strongroom:KEY\n").unwrap();
    for (reference, arguments) in [
        ("strongroom:KEY", &["set", "KEY"][..]),
        ("strongroom:KEY\n", &["update", "KEY"]),
        ("strongroom:KEY", &["setup", "KEY"]),
        ("strongroom:OTHER?target=t", &["set", "KEY", "--exact"]),
        ("", &["set", "KEY", "--from-file", file.to_str().unwrap()]),
    ] {
        let refused = service.vault(arguments, reference.as_bytes()).ends_with(2);
        refused.says("is a reference").says("nothing was stored");
    }
    let mut program = service.program();
    program.env("KEY", "strongroom:KEY");
    let from_env = ["set", "KEY", "--from-env", "KEY", "--service", &service.name];
    run(program, &from_env, b"").ends_with(2).says("is a reference");
    service.entry(&["set", &service.name, "USER"], b"strongroom:KEY").ends_with(2);
    assert_eq!(value(&service, &["KEY"]), "value");
    service.vault(&["set", "KEY"], b"strongroom: what it is").ends_with(0);
}
