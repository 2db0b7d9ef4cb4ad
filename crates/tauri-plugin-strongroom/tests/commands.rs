//! What the page can do where the application allows it.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use strongroom::{Backend, Config, ExposeSecret as _, SecretKey};
use support::{ALL, Desktop, unused_service};
use tauri::Listener as _;
use tauri::async_runtime::block_on;
use tauri_plugin_strongroom::{Access, Builder, CHANGED, StrongroomExt as _};

const PATIENCE: Duration = Duration::from_secs(30);

fn desktop() -> Desktop {
    let plugin = Builder::new(Config::new(unused_service()).backend(Backend::Memory))
        .allow("token", Access::WriteOnly)
        .allow("note", Access::ReadWrite)
        .allow("state", Access::StatusOnly);
    Desktop::start(plugin, ALL)
}

#[test]
fn status_says_where_secrets_are() {
    let status = desktop().ok("status", json!({}));
    assert_eq!((&status["store"]["backend"], &status["error"]), (&json!("memory"), &Value::Null));
    assert_eq!(status["warnings"][0]["code"], "not_persistent");
}

#[test]
fn a_secret_that_the_page_stores_is_there_until_it_deletes_it() {
    let desktop = desktop();
    let token = json!({ "name": "token" });
    assert_eq!(desktop.ok("exists", token.clone()), json!(false));
    assert_eq!(desktop.ok("set", json!({ "name": "token", "value": "v" })), Value::Null);
    assert_eq!(desktop.ok("exists", token.clone()), json!(true));
    assert_eq!(desktop.ok("delete", token.clone()), json!(true));
    assert_eq!(desktop.ok("delete", token.clone()), json!(false));
    assert_eq!(desktop.ok("exists", token), json!(false));
}

#[test]
fn rust_uses_what_the_page_has_stored() {
    let desktop = desktop();
    desktop.ok("set", json!({ "name": "token", "value": "grüße \"\\ \n" }));
    let value = block_on(async {
        let secrets = desktop.app.strongroom().secrets().await.unwrap();
        secrets.get_value("token").await.unwrap().unwrap()
    });
    assert_eq!(value.expose_secret(), "grüße \"\\ \n");
}

#[test]
fn a_description_has_everything_but_the_value() {
    let desktop = desktop();
    assert_eq!(desktop.ok("describe", json!({ "name": "token" })), Value::Null);
    let expires = "2999-01-01T00:00:00Z";
    let metadata = json!({ "provider": "jira", "scope": "write", "expires_at": expires });
    desktop.ok("set", json!({ "name": "token", "value": "marker", "metadata": metadata }));
    let described = desktop.ok("describe", json!({ "name": "token" }));
    assert!(!described.to_string().contains("marker"));
    let (created, updated) = (&described["created_at"], &described["updated_at"]);
    assert!(created.as_str().unwrap().ends_with('Z') && created == updated, "{described}");
    let expected = json!({
        "name": "token", "target": null, "provider": "jira", "scope": "write",
        "expires_at": expires, "created_at": created, "updated_at": updated, "expired": false,
    });
    assert_eq!(described, expected);
}

#[test]
fn what_is_stored_anew_has_the_metadata_that_it_came_with() {
    let desktop = desktop();
    let metadata = json!({ "provider": "jira" });
    desktop.ok("set", json!({ "name": "token", "value": "1", "metadata": metadata }));
    desktop.ok("set", json!({ "name": "token", "value": "2" }));
    assert_eq!(desktop.ok("describe", json!({ "name": "token" }))["provider"], Value::Null);
}

#[test]
fn a_list_has_what_the_page_may_name_and_no_more() {
    let desktop = desktop();
    block_on(async {
        let secrets = desktop.app.strongroom().secrets().await.unwrap();
        let elsewhere = SecretKey::with_target("token", "production");
        for key in [&SecretKey::new("internal"), &elsewhere, &SecretKey::new("state")] {
            secrets.set_api_key(key, "marker", None).await.unwrap();
        }
    });
    desktop.ok("set", json!({ "name": "note", "value": "marker" }));
    let list = desktop.ok("list", json!({}));
    let secrets = list["secrets"].as_array().unwrap();
    let names: Vec<_> = secrets.iter().map(|secret| &secret["name"]).collect();
    assert_eq!(names, ["note", "state"]);
    assert!(!list.to_string().contains("marker"));
}

#[test]
fn a_value_is_shown_where_the_secret_and_the_window_may() {
    let desktop = desktop();
    assert_eq!(desktop.ok("reveal", json!({ "name": "note" })), Value::Null);
    desktop.ok("set", json!({ "name": "note", "value": "grüße \"\\ \n" }));
    assert_eq!(desktop.ok("reveal", json!({ "name": "note" })), "grüße \"\\ \n");
}

#[test]
fn windows_are_told_of_changes_by_name_of_what_the_page_may_name() {
    let desktop = desktop();
    let (sender, told) = mpsc::channel();
    desktop.app.listen_any(CHANGED, move |event| {
        let changed: Value = serde_json::from_str(event.payload()).unwrap();
        sender.send(changed).unwrap();
    });
    desktop.ok("status", json!({}));
    block_on(async {
        let secrets = desktop.app.strongroom().secrets().await.unwrap();
        secrets.set_api_key("internal", "marker", None).await.unwrap();
        secrets.set_api_key("state", "marker", None).await.unwrap();
    });
    let next = || told.recv_timeout(PATIENCE).unwrap();
    let change = |name: &str, kind: &str| json!({ "name": name, "target": null, "kind": kind });
    assert_eq!(next(), change("state", "added"));
    desktop.ok("set", json!({ "name": "token", "value": "marker" }));
    assert_eq!(next(), change("token", "added"));
    desktop.ok("set", json!({ "name": "token", "value": "another" }));
    assert_eq!(next(), change("token", "updated"));
    desktop.ok("delete", json!({ "name": "token" }));
    assert_eq!(next(), change("token", "removed"));
}

#[test]
fn everything_is_forgotten_when_rust_says_so() {
    let desktop = desktop();
    desktop.ok("set", json!({ "name": "token", "value": "v" }));
    let forget = || block_on(desktop.app.strongroom().forget_everything()).unwrap();
    assert_eq!(forget(), 1);
    assert_eq!(desktop.ok("exists", json!({ "name": "token" })), json!(false));
    assert_eq!(forget(), 0);
}
