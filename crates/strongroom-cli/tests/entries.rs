//! `entry`: what goes in comes out, and the exit code says how it went.
#![cfg(target_os = "linux")]

mod support;

use std::fs;

use strongroom_testkit::scripted::Script;
use strongroom_testkit::{provider_or_skip, secret_tool};
use support::{KEYUTILS, KeyutilsService, PROGRAM, alone, gnome_keyring, on, run, scripted};

#[test]
fn a_value_goes_in_comes_out_is_listed_and_is_gone() {
    let service = KeyutilsService::new();
    let name = service.name.as_str();
    service.entry(&["exists", name, "u"], b"").ends_with(3);
    service.set("u", b"value");
    service.set("v", b"value");
    let exists = service.entry(&["exists", name, "u"], b"").ends_with(0);
    assert_eq!(exists.said(), "", "the exit code is the answer");
    assert_eq!(service.get("u"), b"value", "no newline is added in a pipe");
    assert_eq!(service.entry(&["list", name], b"").ends_with(0).out(), "u\nv\n");
    service.entry(&["delete", name, "u"], b"").ends_with(0);
    service.entry(&["get", name, "u"], b"").ends_with(3).says("no such entry");
    service.entry(&["delete", name, "u"], b"").ends_with(3);
    assert_eq!(service.entry(&["list", name], b"").ends_with(0).out(), "v\n");
}

#[test]
fn the_newline_of_a_single_line_goes_and_every_other_byte_stays() {
    let service = KeyutilsService::new();
    let all: Vec<u8> = (0..=255).collect();
    for (given, kept) in [
        (&b"a\n"[..], &b"a"[..]),
        (b"a\r\n", b"a"),
        (b"a\n\n", b"a\n\n"),
        (b" a b ", b" a b "),
        (&all, &all),
    ] {
        service.set("u", given);
        assert_eq!(service.get("u"), kept, "{given:?}");
    }
}

#[test]
fn nothing_does_not_replace_something() {
    let service = KeyutilsService::new();
    service.set("u", b"value");
    for nothing in [&b""[..], b"\n"] {
        let refused = service.entry(&["set", &service.name, "u"], nothing).ends_with(2);
        refused.says("nothing was stored").says("/dev/null");
    }
    assert_eq!(service.get("u"), b"value");
    service.entry(&["set", &service.name, "u", "--from-file", "/dev/null"], b"").ends_with(0);
    assert_eq!(service.get("u"), b"");
}

#[test]
fn values_come_from_a_file_or_the_environment() {
    let service = KeyutilsService::new();
    let file = service.sandbox.path().join("value");
    fs::write(&file, b"\x00\xffkey\n").unwrap();
    let path = file.to_str().unwrap();
    service.entry(&["set", &service.name, "u", "--from-file", path], b"ignored").ends_with(0);
    assert_eq!(service.get("u"), b"\x00\xffkey");

    let from_env = ["entry", "set", &service.name, "u", "--from-env", "MY_TOKEN"];
    let from_env = [&KEYUTILS[..], &from_env].concat();
    let mut command = service.sandbox.command(PROGRAM);
    command.env("MY_TOKEN", "token\n");
    run(command, &from_env, b"ignored").ends_with(0);
    assert_eq!(service.get("u"), b"token\n", "a variable is taken as it is");

    run(service.sandbox.command(PROGRAM), &from_env, b"").ends_with(2).says("MY_TOKEN is not set");
    let missing = ["set", &service.name, "u", "--from-file", "/no/such/file"];
    service.entry(&missing, b"").ends_with(1).says("/no/such/file");
    assert_eq!(service.get("u"), b"token\n");
}

#[test]
fn create_new_does_not_overwrite() {
    let service = KeyutilsService::new();
    let create = ["set", &service.name, "u", "--create-new"];
    service.entry(&create, b"first").ends_with(0);
    service.entry(&create, b"second").ends_with(1).says("exists already").says("--create-new");
    assert_eq!(service.get("u"), b"first");
}

#[test]
fn what_can_not_be_done_says_so_and_leaves_stdout_empty() {
    let service = KeyutilsService::new();
    let name = service.name.as_str();
    let large = vec![b'x'; 40_000];
    for (arguments, input, exit) in [
        (&["set", name, "u"][..], &large[..], 1),
        (&["set", name, ""], b"v", 2),
        (&["get", name, "u"], b"", 3),
        (&["get", name], b"", 2),
        (&["set", name, "u", "--from-env", "A", "--from-file", "B"], b"", 2),
        (&["set", name, "u", "a value"], b"", 2),
    ] {
        let failed = service.entry(arguments, input).ends_with(exit);
        assert_eq!(failed.out(), "");
        assert!(failed.stderr.starts_with("error: "), "{}", failed.stderr);
    }
}

#[test]
fn names_do_nothing_to_the_terminal_and_are_whole_in_json() {
    let service = KeyutilsService::new();
    service.set("a\u{1b}[31m\nb", b"value");
    let listed = service.entry(&["list", &service.name], b"").ends_with(0);
    assert_eq!(listed.out(), "a\\u{1b}[31m\\nb\n");
    let listed = service.entry(&["list", &service.name, "--json"], b"").json();
    assert_eq!(listed["users"][0], "a\u{1b}[31m\nb");
}

#[test]
fn list_takes_the_service_of_the_flag_and_of_the_environment() {
    let service = KeyutilsService::new();
    service.set("u", b"value");
    let flag = ["list", "--service", &service.name];
    assert_eq!(service.entry(&flag, b"").ends_with(0).out(), "u\n");
    let mut command = service.sandbox.command(PROGRAM);
    command.env("STRONGROOM_SERVICE", &service.name).env("STRONGROOM_BACKEND", "keyutils");
    assert_eq!(run(command, &["entry", "list"], b"").ends_with(0).out(), "u\n");
}

#[test]
fn other_programs_read_what_is_stored_in_a_keyring() {
    if !provider_or_skip("gnome-keyring-daemon") || !provider_or_skip("secret-tool") {
        return;
    }
    let (bus, _keyring) = gnome_keyring();
    on(&bus, &["entry", "set", "app", "u"], b"from us\n").ends_with(0);
    assert_eq!(secret_tool::lookup(&bus, "app", "u").as_deref(), Some("from us"));
    secret_tool::store(&bus, "app", "v", "from it");
    assert_eq!(on(&bus, &["entry", "get", "app", "v"], b"").ends_with(0).out(), "from it");
    assert_eq!(on(&bus, &["entry", "list", "app"], b"").ends_with(0).out(), "u\nv\n");
}

#[test]
fn several_items_of_one_name_are_shown_and_one_is_kept() {
    let (bus, service) = scripted(Default::default());
    let attributes = |extra| [("service", "app"), ("username", "u"), ("extra", extra)];
    for value in ["one", "two", "three"] {
        service.add_item("login", value, &attributes(value), value);
    }
    let refused = on(&bus, &["entry", "get", "app", "u"], b"").ends_with(1);
    let refused = refused.says("strongroom entry repair app u");
    assert_eq!(refused.out(), "");

    let repair = ["entry", "repair", "app", "u"];
    let listed = on(&bus, &repair, b"").ends_with(0);
    for text in ["ID", "one", "two", "three", "--keep"] {
        assert!(listed.out().contains(text), "{}", listed.out());
    }
    on(&bus, &[&repair[..], &["--keep", "no such"]].concat(), b"").ends_with(2);
    assert_eq!(service.items().len(), 3, "a wrong id deletes nothing");

    let items = on(&bus, &[&repair[..], &["--json"]].concat(), b"").json();
    let items = items["items"].as_array().unwrap();
    let second = items.iter().find(|item| item["label"] == "two").unwrap();
    let id = second["id"].as_str().unwrap().rsplit('/').next().unwrap();
    on(&bus, &[&repair[..], &["--keep", id]].concat(), b"").ends_with(0).says("deleted 2");
    assert_eq!(on(&bus, &["entry", "get", "app", "u"], b"").ends_with(0).out(), "two");
    on(&bus, &repair, b"").ends_with(0).says("Nothing to repair");
    on(&bus, &["entry", "repair", "app", "no such"], b"").ends_with(3);
}

#[test]
fn items_without_a_user_name_are_counted() {
    let (bus, service) = scripted(Script::default());
    service.add_item("login", "l", &[("service", "app"), ("username", "")], "v");
    service.add_item("login", "l", &[("service", "app")], "v");
    service.add_item("login", "l", &[("service", "app"), ("username", "u")], "v");
    let told = "2 items of other programs under service \"app\" without a user name";
    let list = on(&bus, &["entry", "list", "app"], b"").ends_with(0);
    assert_eq!(list.out(), "u\n");
    list.says(told).says("`secret-tool search --all service app`");
    let json = on(&bus, &["entry", "list", "app", "--json"], b"").ends_with(0).json();
    assert_eq!(json["unnamed_count"], 2);
    on(&bus, &["purge", "--service", "app", "--yes"], b"").ends_with(0).says(told);
    assert_eq!(service.items().len(), 2, "they are not ours to delete");
    let json = on(&bus, &["purge", "--service", "app", "--yes", "--json"], b"").ends_with(0).json();
    assert_eq!((&json["deleted_count"], &json["unnamed_count"]), (&0.into(), &2.into()));
}

#[test]
fn a_purge_takes_all_items_of_a_name() {
    let (bus, service) = scripted(Script::default());
    for user in ["vault", "vault", "u"] {
        service.add_item("login", "l", &[("service", "app"), ("username", user)], "v");
    }
    let purged = on(&bus, &["purge", "--service", "app", "--yes", "--json"], b"").ends_with(0);
    assert_eq!(purged.json()["deleted_count"], 3);
    assert!(service.items().is_empty());
}

#[test]
fn entries_whose_keyring_is_away_are_neither_absent_nor_stored_again() {
    let (bus, _keyring) = gnome_keyring();
    on(&bus, &["entry", "set", "app", "token"], b"1").ends_with(0);
    for arguments in [
        &["get", "app", "token"][..],
        &["set", "app", "token"],
        &["exists", "app", "token"],
        &["delete", "app", "token"],
        &["list", "app"],
    ] {
        let away = alone(bus.sandbox(), &[&["entry"], arguments].concat(), b"2");
        away.ends_with(5).says("The secrets of \"app\" are kept in secret-service.");
    }
    let elsewhere = ["--backend", "keyutils", "entry", "list", "app"];
    assert_eq!(alone(bus.sandbox(), &elsewhere, b"").ends_with(0).out(), "");
    assert_eq!(on(&bus, &["entry", "get", "app", "token"], b"").ends_with(0).out(), "1");
}

#[test]
fn entries_of_another_program_go_to_a_vault_by_a_move_and_come_back_by_one() {
    let (bus, _keyring) = gnome_keyring();
    let pem = "-----BEGIN KEY-----\nMII=\n-----END KEY-----\n";
    for (user, value) in [("token", "1"), ("key", pem)] {
        secret_tool::store(&bus, "app", user, value);
    }
    let staging = ["service", "app", "username", "token", "target", "staging"];
    secret_tool::store_by(&bus, &staging, "of staging");
    let seen = on(&bus, &["--service", "app", "list"], b"").ends_with(0);
    seen.says("there are 3 entries of this service in secret-service");
    let advised = ["--service", "app", "move", "--from", "entries", "--to", "secret-service"];
    on(&bus, &advised, b"").ends_with(0);
    let value = on(&bus, &["--service", "app", "get", "token"], b"").ends_with(0);
    assert_eq!(value.out(), "1");
    assert_eq!(on(&bus, &["entry", "list", "app"], b"").ends_with(0).out(), "vault\n");

    let staging = ["--service", "app", "get", "token", "--target", "staging"];
    assert_eq!(on(&bus, &staging, b"").ends_with(0).out(), "of staging");

    let back = ["--service", "app", "move", "--to", "secret-service", "--layout", "entries"];
    on(&bus, &[&back[..], &["--keep-lines"]].concat(), b"").ends_with(0);
    for (user, value) in [("token", "1"), ("key", pem), ("token::staging", "of staging")] {
        assert_eq!(secret_tool::lookup(&bus, "app", user).as_deref(), Some(value));
    }
}

#[test]
fn an_entry_of_several_lines_is_written_for_other_programs_where_that_is_asked_for() {
    let (bus, _keyring) = gnome_keyring();
    let pem = "-----BEGIN KEY-----\nMII=\n-----END KEY-----\n";
    let set = ["entry", "set", "app", "key"];
    on(&bus, &set, pem.as_bytes()).ends_with(0);
    assert_ne!(secret_tool::lookup(&bus, "app", "key").as_deref(), Some(pem));
    on(&bus, &[&set[..], &["--keep-lines"]].concat(), pem.as_bytes()).ends_with(0);
    assert_eq!(secret_tool::lookup(&bus, "app", "key").as_deref(), Some(pem));
    assert_eq!(on(&bus, &["entry", "get", "app", "key"], b"").ends_with(0).out(), pem);
}
