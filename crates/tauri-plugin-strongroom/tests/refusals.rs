//! What the page can't do, and what it is told then.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use serde_json::{Value, json};
use strongroom::{Backend, Config, Secret, SecretKey, Timestamp};
use support::{ALL, Desktop, KINDS, build, unused_service};
use tauri::async_runtime::block_on;
use tauri_plugin_strongroom::{Access, Builder, StrongroomExt as _};

fn plugin(config: Config) -> Builder {
    Builder::new(config.service(unused_service()))
        .allow("state", Access::StatusOnly)
        .allow("token", Access::WriteOnly)
        .allow("note", Access::ReadWrite)
}

fn desktop(permissions: &[&str]) -> Desktop {
    Desktop::start(plugin(Config::new("").backend(Backend::Memory)), permissions)
}

/// One whose store can't be opened: whoever touches it meets another error than a refusal.
fn without_a_store() -> Desktop {
    let nowhere = if cfg!(target_os = "linux") { Backend::Keychain } else { Backend::Keyutils };
    Desktop::start(plugin(Config::new("").backend(nowhere)), ALL)
}

fn code(answer: Result<Value, Value>) -> String {
    answer.unwrap_err()["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_name_that_is_not_allowed_is_refused_before_a_store_is_touched() {
    let desktop = without_a_store();
    for command in ["delete", "describe", "exists", "reveal", "set"] {
        for name in ["other", "Token", "token ", ""] {
            let answer = desktop.call(command, json!({ "name": name, "value": "v" }));
            assert_eq!(code(answer), "not_allowed", "{command} {name}");
        }
        let answer = desktop.call(command, json!({ "name": "note", "value": "v" }));
        assert_eq!(code(answer), "no_backend", "{command}");
    }
}

#[test]
fn an_access_that_is_not_granted_is_refused_before_a_store_is_touched() {
    let desktop = without_a_store();
    let refused = [("set", "state"), ("delete", "state"), ("reveal", "state"), ("reveal", "token")];
    for (command, name) in refused {
        let answer = desktop.call(command, json!({ "name": name, "value": "v" }));
        assert_eq!(code(answer), "not_allowed", "{command} {name}");
    }
    for (command, name) in [("exists", "state"), ("describe", "state"), ("set", "token")] {
        let answer = desktop.call(command, json!({ "name": name, "value": "v" }));
        assert_eq!(code(answer), "no_backend", "{command} {name}");
    }
}

#[test]
fn the_default_permission_is_status_and_exists_alone() {
    let desktop = desktop(&["strongroom:default"]);
    assert!(desktop.call("status", json!({})).is_ok());
    assert!(desktop.call("exists", json!({ "name": "note" })).is_ok());
    for command in ["delete", "describe", "list", "reveal", "set"] {
        let refusal = desktop.call(command, json!({ "name": "note", "value": "v" })).unwrap_err();
        let refusal = refusal.as_str().unwrap();
        assert!(refusal.contains(&format!("strongroom.{command} not allowed")), "{refusal}");
    }
}

#[test]
fn each_command_has_a_permission_of_its_own() {
    for permission in ALL {
        let desktop = desktop(&[permission]);
        let allowed = permission.strip_prefix("strongroom:allow-").unwrap();
        for other in ALL {
            let command = other.strip_prefix("strongroom:allow-").unwrap();
            let answer = desktop.call(command, json!({ "name": "note", "value": "v" }));
            assert_eq!(answer.is_ok(), command == allowed, "{permission}: {command}: {answer:?}");
        }
    }
}

#[test]
fn reveal_takes_the_permission_even_where_the_secret_may_be_read() {
    let without: Vec<_> = ALL.iter().copied().filter(|it| !it.ends_with("reveal")).collect();
    let desktop = desktop(&without);
    desktop.ok("set", json!({ "name": "note", "value": "marker" }));
    let refusal = desktop.call("reveal", json!({ "name": "note" })).unwrap_err();
    assert!(refusal.as_str().unwrap().contains("not allowed"), "{refusal}");
}

#[test]
fn the_page_chooses_neither_the_service_nor_a_target() {
    let desktop = desktop(ALL);
    let arguments = json!({
        "name": "token", "value": "v", "service": "other", "target": "other", "user": "other",
    });
    desktop.ok("set", arguments);
    let secrets = block_on(desktop.app.strongroom().secrets()).unwrap();
    let keys: Vec<_> = block_on(secrets.list()).unwrap().into_iter().map(|it| it.key).collect();
    assert_eq!(keys, [SecretKey::new("token")]);
}

#[test]
fn what_is_no_value_is_refused_without_a_word_of_it() {
    let desktop = desktop(ALL);
    for value in [json!(4711), json!({ "4711": 1 }), json!(["4711"]), json!(true), Value::Null] {
        let refusal = desktop.call("set", json!({ "name": "token", "value": value })).unwrap_err();
        let refusal = refusal.to_string();
        assert!(refusal.contains("value") && !refusal.contains("4711"), "{refusal}");
    }
    assert_eq!(desktop.ok("exists", json!({ "name": "token" })), json!(false));
}

#[test]
fn metadata_that_makes_no_sense_changes_nothing() {
    let desktop = desktop(ALL);
    for metadata in
        [json!({ "expires_at": "tomorrow" }), json!({ "expires_at": "2001-01-01T00:00:00Z" })]
    {
        let arguments = json!({ "name": "token", "value": "marker", "metadata": metadata });
        let refusal = desktop.call("set", arguments).unwrap_err();
        assert_eq!(refusal["code"], "invalid");
        assert!(!refusal.to_string().contains("marker"), "{refusal}");
    }
    for metadata in [json!({ "expires": "never" }), json!({ "scope": 4711 }), json!("4711")] {
        let arguments = json!({ "name": "token", "value": "v", "metadata": metadata });
        let refusal = desktop.call("set", arguments).unwrap_err().to_string();
        assert!(refusal.contains("metadata") && !refusal.contains("4711"), "{refusal}");
    }
    assert_eq!(desktop.ok("exists", json!({ "name": "token" })), json!(false));
}

#[test]
fn an_expired_secret_is_there_and_not_shown() {
    let desktop = desktop(ALL);
    let expired = Secret::new("marker").expires_at(Timestamp::UNIX_EPOCH);
    let secrets = block_on(desktop.app.strongroom().secrets()).unwrap();
    block_on(secrets.set("note", &expired)).unwrap();
    let note = json!({ "name": "note" });
    assert_eq!(desktop.ok("exists", note.clone()), json!(true));
    assert_eq!(desktop.ok("describe", note.clone())["expired"], json!(true));
    let refusal = desktop.call("reveal", note).unwrap_err();
    assert_eq!(refusal["code"], "expired");
    assert!(!refusal.to_string().contains("marker"));
}

#[test]
fn an_application_does_not_start_with_a_name_that_can_not_be_used() {
    let config = || Config::new("").backend(Backend::Memory);
    let nameless = Builder::new(config().service(""));
    let secret = Builder::new(config().service("tracker")).allow("a\0b", Access::WriteOnly);
    for (plugin, why) in [(nameless, "service name is empty"), (secret, "NUL")] {
        let error = build(plugin, &[]).err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn every_error_of_the_library_reaches_the_page_under_its_code() {
    let desktop = desktop(&[]);
    for kind in KINDS {
        let told = desktop.fail(kind);
        let message = format!("cannot read: {kind}");
        let expected = json!({
            "code": kind.code(), "message": message, "hint": "Do this.", "reason": null,
        });
        assert_eq!(told, expected);
        assert_ne!(kind.code(), "not_allowed", "that is the plugin's own");
    }
}
