//! Commands that are typed as users of other tools type them: what may be a secret is not shown again, and nothing is lost.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use support::KeyutilsService;

const VALUE: &str = "hunter2-Xk93kd0s";
const KEY: &str = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

#[test]
fn a_value_that_is_typed_as_an_argument_is_not_repeated() {
    let service = KeyutilsService::new();
    let assigned = format!("API_KEY={VALUE}");
    let [value_flag, passphrase] =
        ["--value", "--passphrase"].map(|flag| format!("{flag}={VALUE}"));
    for arguments in [
        &["set", "API_KEY", VALUE][..],
        &["set", "API_KEY", "--value", VALUE],
        &["set", "API_KEY", &value_flag],
        &["set", "API_KEY", "-p", VALUE],
        &["set", &format!("-p{VALUE}"), "API_KEY"],
        &["set", &assigned],
        &["setup", &assigned],
        &["setup", "API_KEY", KEY],
        &["update", "API_KEY", VALUE],
        &["rename", "API_KEY", &assigned],
        &["get", "API_KEY", VALUE],
        &["entry", "set", "app", "token", VALUE],
        &["entry", "set", "app", KEY],
        &["key", "add", "--passphrase", VALUE],
        &["backup", "x.age", &passphrase],
        &["list", "--passphrase-fd", VALUE],
        &["set", "API_KEY", "--from-env", KEY],
        &["run", "--", &assigned],
        &["run", "--", KEY],
        &["get", KEY],
        &["delete", "API_KEY", "--target", KEY],
        &[VALUE],
    ] {
        for json in [&[][..], &["--json"]] {
            let ran = service.vault(&[json, arguments].concat(), b"x");
            assert_ne!(ran.exit, 0, "{arguments:?}: {}", ran.said());
            let said = ran.said();
            assert!(!said.contains(VALUE) && !said.contains(KEY), "{arguments:?}: {said}");
            assert!(!said.contains("tip:"), "{arguments:?}: {said}");
        }
    }
    let ran = service.vault(&["set", "API_KEY", VALUE], b"").ends_with(2);
    ran.says("shell's history").says("--from-file");
    assert_eq!(service.vault(&["list"], b"").ends_with(0).out(), "");
}

/// Whatever a command takes, it repeats no argument that is too much, and none that has the form of a secret.
#[test]
fn no_command_repeats_an_argument_that_is_too_much() {
    let service = KeyutilsService::new();
    for command in [
        &["setup", "-k"][..],
        &["delete", "API_KEY"],
        &["exists", "API_KEY"],
        &["rename", "A", "B"],
        &["list"],
        &["run", "--only"],
        &["purge"],
        &["move", "--to"],
        &["move", "--to", "file"],
        &["repair"],
        &["backends"],
        &["doctor"],
        &["settings"],
        &["settings", "--port"],
        &["backup", "x.age"],
        &["restore", "x.age"],
        &["key"],
        &["key", "list"],
        &["key", "remove", "1"],
        &["config"],
        &["config", "status", "x.env"],
        &["config", "secure", "x.env"],
        &["config", "import", "x.env"],
        &["config", "export", "x.env"],
        &["config", "export", "x.env", "--format"],
        &["entry"],
        &["entry", "get", "app", "token"],
        &["entry", "list", "app"],
        &["entry", "delete", "app", "token"],
        &["completions"],
        &["man"],
        &["--timeout"],
        &["--backend"],
        &["set", "A", "--expires"],
    ] {
        for value in [VALUE, KEY] {
            for json in [&[][..], &["--json"]] {
                let arguments = [json, command, &[value]].concat();
                let ran = service.vault(&arguments, b"x");
                let said = ran.said();
                assert!(!said.contains(value), "{arguments:?}: {said}");
                assert_ne!(ran.exit, 0, "{arguments:?}: {said}");
            }
        }
    }
}

#[test]
fn what_is_missing_and_what_is_no_secret_is_named() {
    let service = KeyutilsService::new();
    service.vault(&["--json", "get"], b"").ends_with(2).says("<NAME>");
    service.vault(&["get"], b"").ends_with(2).says("<NAME>");
    service.vault(&["lst"], b"").ends_with(2).says("lst").says("list");
    service.vault(&["list", "--frobnicate"], b"").ends_with(2).says("--frobnicate");
    service.vault(&["list", "--backend", "nowhere"], b"").ends_with(2).says("nowhere");
}

#[test]
fn the_vaults_entry_is_neither_written_nor_deleted_as_a_single_entry() {
    let service = KeyutilsService::new();
    service.vault(&["set", "A"], b"value").ends_with(0);
    for arguments in [&["set", &service.name, "vault"][..], &["delete", &service.name, "vault"]] {
        let ran = service.entry(arguments, b"x").ends_with(2);
        ran.says("holds the secrets").says(&format!("purge --service {}", service.name));
    }
    assert_eq!(service.vault(&["get", "A"], b"").ends_with(0).out(), "value");
    let nowhere = KeyutilsService::new();
    nowhere.entry(&["set", &nowhere.name, "vault"], b"x").ends_with(2);
    let moved = nowhere.vault(&["move", "--to", "file"], b"").ends_with(3);
    let moved = moved.says(&format!("strongroom setup NAME --service {}", nowhere.name));
    assert!(!moved.said().contains("entry set"), "{}", moved.said());
}
