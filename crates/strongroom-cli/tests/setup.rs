//! `setup`: the first command of a new user.
#![cfg(target_os = "linux")]

mod support;

use strongroom_testkit::{KWallet, provider_or_skip, secret_tool};
use support::{KeyutilsService, PASSWORD, PROGRAM, alone, bus, gnome_keyring, on, run};

#[test]
fn without_a_bus_it_lands_in_the_kernel_and_says_until_when() {
    let service = KeyutilsService::new();
    let setup = ["setup", "api-key", "--service", &service.name];
    let stored = alone(&service.sandbox, &setup, b"first\n").ends_with(0);
    assert!(stored.out().contains("keyutils"), "{}", stored.out());
    assert!(stored.stderr.contains("warning: it lasts until reboot"), "{}", stored.stderr);
    assert!(stored.stderr.contains("strongroom doctor"), "{}", stored.stderr);
    assert_eq!(stored.stderr.matches("warning:").count(), 1, "{}", stored.stderr);
    assert!(!stored.said().contains("first"));

    let command = format!("strongroom get api-key --service {}", service.name);
    assert!(stored.out().trim_end().ends_with(&command), "{}", stored.out());
    let get: Vec<_> = command.split(' ').skip(1).collect();
    let read = alone(&service.sandbox, &get, b"").ends_with(0);
    assert_eq!(read.out(), "first");
    assert!(read.stderr.contains("until reboot"), "every use warns: {}", read.stderr);

    alone(&service.sandbox, &setup, b"second\r\n").ends_with(0);
    assert_eq!(service.vault(&["get", "api-key"], b"").out(), "second", "a second run replaces");
    assert_eq!(service.entry(&["list", &service.name], b"").out(), "vault\n");
}

#[test]
fn with_a_keyring_it_lands_there_for_good() {
    if !provider_or_skip("gnome-keyring-daemon") || !provider_or_skip("secret-tool") {
        return;
    }
    let (bus, keyring) = gnome_keyring();
    let stored = on(&bus, &["setup", "api-key"], b"value\n").ends_with(0);
    let pid = keyring.pid().to_string();
    for text in ["secret-service", "gnome-keyring-daemon", &pid, "until you delete it"] {
        assert!(stored.out().contains(text), "{}", stored.out());
    }
    assert_eq!(stored.stderr, "", "there is nothing to warn of");
    assert_eq!(on(&bus, &["get", "api-key"], b"").ends_with(0).out(), "value");
    let vault = secret_tool::lookup(&bus, "strongroom", "vault").expect("one entry holds it all");
    assert!(vault.contains("api-key"), "{vault}");
}

#[test]
fn kwallet_users_learn_that_it_writes_late() {
    if !provider_or_skip("kwalletd5") {
        return;
    }
    let bus = bus();
    let _kwallet = KWallet::start(&bus, PASSWORD);
    let stored = on(&bus, &["setup", "api-key"], b"value\n").ends_with(0);
    assert!(stored.stderr.contains("5 seconds before"), "{}", stored.stderr);
    let doctor = on(&bus, &["doctor"], b"").ends_with(0);
    assert!(doctor.out().contains("5 seconds before"), "{}", doctor.out());
}

#[test]
fn json_says_the_same() {
    let service = KeyutilsService::new();
    let setup = ["setup", "api-key", "--json", "--service", &service.name];
    let stored = alone(&service.sandbox, &setup, b"value\n").ends_with(0);
    let (json, stderr) = (stored.json(), &stored.stderr);
    assert_eq!(json["store"]["backend"], "keyutils");
    assert_eq!(json["store"]["persistence"], "until_reboot");
    assert_eq!(json["secrets"][0]["name"], "api-key");
    let command = format!("{PROGRAM} get api-key --service {}", service.name);
    assert_eq!(json["secrets"][0]["read_with"], command);
    assert_eq!(stderr, "", "the result says it all");
}

#[test]
fn what_it_can_not_do_it_refuses_before_it_does_anything() {
    let service = KeyutilsService::new();
    let setup = |names: &[&str], input: &[u8]| {
        let arguments = [&["setup", "--service", service.name.as_str()], names].concat();
        alone(&service.sandbox, &arguments, input).ends_with(2)
    };
    setup(&[], b"value").says("strongroom setup API_KEY");
    setup(&["a", "b"], b"value").says("one value, and there are 2 names");
    setup(&["a"], b"").says("nothing was stored");
    setup(&[""], b"value").says("name is empty");
    setup(&["a"], b"\xff").says("not text").says("strongroom entry set");
    assert_eq!(service.entry(&["list", &service.name], b"").ends_with(0).out(), "");
}

#[test]
fn a_store_that_was_named_is_named_again_where_the_value_is_read() {
    let service = KeyutilsService::new();
    let setup = ["setup", "it's mine", "--service", &service.name, "--backend", "keyutils"];
    let stored = alone(&service.sandbox, &setup, b"value").ends_with(0);
    let command = stored.out();
    let command = command.lines().last().unwrap().split("  ").last().unwrap();
    assert!(command.ends_with("--backend keyutils"), "{command}");

    // It can be pasted into a shell as it is.
    let program = std::path::Path::new(support::PROGRAM).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = service.sandbox.command("sh");
    shell.env("PATH", path);
    assert_eq!(run(shell, &["-c", command], b"").ends_with(0).out(), "value");
}

#[test]
fn without_a_bus_a_key_that_is_at_hand_decides_for_the_encrypted_file() {
    let service = KeyutilsService::new();
    let key = service.sandbox.path().join("key");
    let add = ["key", "add", "--new", "--key-file", key.to_str().unwrap()];
    let file = ["--backend", "file", "--service", &service.name];
    alone(&service.sandbox, &[&file[..], &add].concat(), b"").ends_with(0);
    let program = || {
        let mut command = service.sandbox.command(support::PROGRAM);
        command.env("STRONGROOM_KEY_FILE", &key);
        command
    };
    let setup = ["setup", "api-key", "--service", &service.name];
    let stored = run(program(), &setup, b"value").ends_with(0);
    assert!(
        stored.out().contains("file: sealed files") && stored.stderr.is_empty(),
        "{}",
        stored.said()
    );
    let get = ["get", "api-key", "--service", &service.name];
    assert_eq!(run(program(), &get, b"").ends_with(0).out(), "value");
}
