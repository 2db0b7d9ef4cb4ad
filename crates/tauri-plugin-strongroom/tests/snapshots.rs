//! The plugin's answers in JSON: one of each kind is compared with its file in `tests/snapshots`.
//!
//! After an intended change: `UPDATE_EXPECT=1 cargo test -p tauri-plugin-strongroom --test snapshots`, the tables in
//! docs/json.md, and the types in `guest-js`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use strongroom::{Backend, Config, Layout};
use strongroom_testkit::{FIXTURE_ENTRIES, FIXTURE_SERVICE, Sandbox, Snapshots, is_the_fixture};
use support::{ALL, Desktop, unused_service};
use tauri::Listener as _;
use tauri::async_runtime::block_on;
use tauri_plugin_strongroom::{Access, Builder, CHANGED, StrongroomExt as _};

const PATIENCE: Duration = Duration::from_secs(30);

fn desktop(config: Config) -> Desktop {
    let plugin =
        Builder::new(config).allow("API_KEY", Access::ReadWrite).allow("STATE", Access::StatusOnly);
    Desktop::start(plugin, ALL)
}

#[test]
fn each_kind_of_answer_has_its_form() {
    let snapshots = Snapshots::of(env!("CARGO_MANIFEST_DIR"));
    let desktop = self::desktop(Config::new(unused_service()).backend(Backend::Memory));
    let (sender, changes) = mpsc::channel::<Value>();
    desktop.app.listen_any(CHANGED, move |event| {
        sender.send(serde_json::from_str(event.payload()).unwrap()).unwrap();
    });
    snapshots.check("status", &desktop.ok("status", json!({})));
    let metadata = json!({
        "provider": "jira", "scope": "write", "expires_at": "2999-01-01T00:00:00Z",
    });
    let set = json!({ "name": "API_KEY", "value": "value", "metadata": metadata });
    desktop.ok("set", set);
    snapshots.check("change", &changes.recv_timeout(PATIENCE).unwrap());
    snapshots.check("describe", &desktop.ok("describe", json!({ "name": "API_KEY" })));
    snapshots.check("list", &desktop.ok("list", json!({})));
    let refused = desktop.call("set", json!({ "name": "STATE", "value": "v" })).unwrap_err();
    snapshots.check("error", &refused);
    let nowhere = self::desktop(Config::new(unused_service()).backend(Backend::Keychain));
    snapshots.check("status-without-store", &nowhere.ok("status", json!({})));
    snapshots.finish();
}

#[test]
fn a_secret_a_store_and_an_error_are_the_same_objects_as_in_the_program_and_the_page() {
    let sandbox = Sandbox::new();
    let on_keyutils = |service: &str, layout: Layout| {
        let config = Config::new(service).environment(|_| None).backend(Backend::Keyutils);
        desktop(config.layout(layout).state_dir(sandbox.state_dir()))
    };
    let vault = on_keyutils(FIXTURE_SERVICE, Layout::Inline);
    let metadata = json!({
        "provider": "openai", "scope": "read", "expires_at": "2999-01-01T00:00:00Z",
    });
    let set = json!({ "name": "API_KEY", "value": "value", "metadata": metadata });
    vault.ok("set", set.clone());
    is_the_fixture("secret", &vault.ok("describe", json!({ "name": "API_KEY" })));
    is_the_fixture("secret", &vault.ok("list", json!({}))["secrets"][0]);
    is_the_fixture("store", &vault.ok("status", json!({}))["store"]);
    block_on(vault.app.strongroom().forget_everything()).unwrap();

    let entries = on_keyutils(FIXTURE_ENTRIES, Layout::Entries);
    is_the_fixture("error", &entries.call("set", set).unwrap_err());
}
