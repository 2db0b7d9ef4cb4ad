//! What the page is told of a real keyring, in each state that a user's may be in.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use strongroom::keys::PassphraseRequest;
use strongroom::store::VAULT_ENTRY;
use strongroom::store::secret_service;
use strongroom::{Backend, Config, Deadlines, Fallback, Layout, PromptPolicy, SecretString};
use strongroom_testkit::{
    Bus, Display, GnomeKeyring, Sandbox, provider_or_skip, secret_tool, unused_name,
};
use support::{ALL, Desktop};
use tauri::async_runtime::block_on;
use tauri_plugin_strongroom::{Access, Builder, StrongroomExt as _};

/// Short for a hung daemon, and long for a healthy one.
const DEADLINE: Duration = Duration::from_secs(2);

fn bus() -> Option<Bus> {
    let needed = ["dbus-daemon", "gnome-keyring-daemon"];
    needed.into_iter().all(provider_or_skip).then(|| Bus::start(&Sandbox::new()))
}

fn config(bus: &Bus) -> Config {
    Config::new("")
        .environment(|_| None)
        .fallback(Fallback::Error)
        .store_settings(secret_service::Config::default().with_bus_address(bus.address()))
        .state_dir(bus.sandbox().state_dir())
        .data_dir(bus.sandbox().data_dir())
        .deadlines(Deadlines::both(DEADLINE))
}

fn desktop(config: Config) -> Desktop {
    let plugin = Builder::new(config.service("tracker")).allow("token", Access::WriteOnly);
    Desktop::start(plugin, ALL)
}

fn problem(desktop: &Desktop) -> (String, String) {
    let status = desktop.ok("status", json!({}));
    let text = |field: &str| status["error"][field].as_str().unwrap_or_default().to_owned();
    (text("code"), text("hint"))
}

#[test]
fn without_a_keyring_the_page_is_told_what_to_install_and_needs_no_restart_then() {
    let Some(bus) = bus() else { return };
    let desktop = desktop(config(&bus));
    let (code, hint) = problem(&desktop);
    assert_eq!(code, "no_backend");
    assert!(hint.contains("Install and start one: gnome-keyring"), "{hint}");
    let refusal = desktop.call("set", json!({ "name": "token", "value": "marker" })).unwrap_err();
    assert_eq!(refusal["code"], "no_backend");
    assert!(!refusal.to_string().contains("marker"), "{refusal}");

    let _keyring = GnomeKeyring::start(&bus, Some("password"));
    desktop.ok("set", json!({ "name": "token", "value": "v" }));
    let status = desktop.ok("status", json!({}));
    let store = &status["store"];
    assert_eq!(
        (&store["backend"], &store["persistence"], &store["session_encrypted"]),
        (&json!("secret-service"), &json!("permanent"), &json!(true))
    );
    assert_eq!((&status["warnings"], &status["error"]), (&json!([]), &Value::Null));
}

#[test]
fn a_fallback_that_forgets_is_told_with_what_to_install() {
    let Some(bus) = bus() else { return };
    // The kernel's keyring is the user's own.
    let config = config(&bus).fallback(Fallback::Session);
    let desktop = Desktop::start(Builder::new(config.service(unused_name("tracker"))), ALL);
    let status = desktop.ok("status", json!({}));
    assert_eq!(status["store"]["backend"], "keyutils");
    assert_eq!(status["store"]["persistence"], "until_reboot");
    assert_eq!(status["warnings"][0]["code"], "fallback");
    assert_eq!(status["warnings"][1]["code"], "not_persistent");
    let (code, hint) = problem(&desktop);
    assert_eq!(code, "no_backend");
    assert!(hint.contains("gnome-keyring"), "{hint}");
}

#[test]
fn a_locked_keyring_is_locked_and_not_empty() {
    let Some(bus) = bus() else { return };
    let keyring = GnomeKeyring::start(&bus, Some("password"));
    keyring.lock();
    let desktop = desktop(config(&bus).prompt(PromptPolicy::Never));
    let answer = desktop.call("exists", json!({ "name": "token" }));
    assert_eq!(answer.unwrap_err()["code"], "locked");
    keyring.unlock("password");
    assert_eq!(desktop.ok("exists", json!({ "name": "token" })), json!(false));
}

#[test]
fn a_vault_that_is_moved_meanwhile_is_followed() {
    let Some(bus) = bus() else { return };
    let _keyring = GnomeKeyring::start(&bus, Some("password"));
    let passphrase = |_: &PassphraseRequest| Ok(Some(SecretString::from("passphrase")));
    let config = config(&bus).passphrase(passphrase);
    let desktop = desktop(config.clone());
    desktop.ok("set", json!({ "name": "token", "value": "v" }));

    let vault = config.service("tracker");
    vault.move_to(Backend::File, Layout::Sealed, |_| ()).unwrap();
    assert_eq!(desktop.ok("exists", json!({ "name": "token" })), json!(true));
    assert_eq!(desktop.ok("status", json!({}))["store"]["backend"], "file");
}

#[test]
fn a_vault_that_can_not_be_read_is_forgotten_too() {
    if !provider_or_skip("secret-tool") {
        return;
    }
    let Some(bus) = bus() else { return };
    let _keyring = GnomeKeyring::start(&bus, Some("password"));
    let damaged = r#"{"strongroom":"vault","version":1,"secrets":[{"na"#;
    secret_tool::store(&bus, "tracker", VAULT_ENTRY, damaged);
    let desktop = desktop(config(&bus));
    let answer = desktop.call("exists", json!({ "name": "token" }));
    assert_eq!(answer.unwrap_err()["code"], "corrupt");
    assert_eq!(block_on(desktop.app.strongroom().forget_everything()).unwrap(), 1);
    assert_eq!(desktop.ok("exists", json!({ "name": "token" })), json!(false));
}

#[test]
fn a_prompt_that_nobody_answers_leaves_it_locked() {
    if !["Xvfb", "gcr-prompter", "xdotool"].into_iter().all(provider_or_skip) || bus().is_none() {
        return;
    }
    let display = Display::start();
    let sandbox = Sandbox::new().with_env("DISPLAY", display.name());
    let bus = Bus::start_with_activation(&sandbox);
    let keyring = GnomeKeyring::start(&bus, Some("password"));
    keyring.lock();
    let desktop = desktop(config(&bus).prompt(PromptPolicy::Always));
    let refusal = desktop.call("exists", json!({ "name": "token" })).unwrap_err();
    assert_eq!(refusal["code"], "locked", "{refusal}");
    let hint = refusal["hint"].as_str().unwrap();
    assert!(hint.contains("Answer the prompt"), "{hint}");
}

#[test]
fn a_keyring_that_hangs_does_not_hang_whoever_asks() {
    let Some(bus) = bus() else { return };
    let keyring = GnomeKeyring::start(&bus, Some("password"));
    keyring.stop();
    let desktop = desktop(config(&bus));
    // Sent by this thread, as by the main one.
    let answer = desktop.send("exists", json!({ "name": "token" }));
    assert_eq!(answer.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(answer.recv().unwrap().unwrap_err()["code"], "timed_out");
    keyring.cont();
    assert_eq!(desktop.ok("exists", json!({ "name": "token" })), json!(false));
}

#[test]
fn calls_that_wait_for_the_same_opening_get_the_same_answer() {
    let Some(bus) = bus() else { return };
    let keyring = GnomeKeyring::start(&bus, Some("password"));
    keyring.stop();
    let desktop = desktop(config(&bus));
    let started = Instant::now();
    let answers: Vec<_> =
        (0..8).map(|_| desktop.send("exists", json!({ "name": "token" }))).collect();
    for answer in answers {
        let refusal: Value = answer.recv().unwrap().unwrap_err();
        assert_eq!(refusal["code"], "timed_out");
    }
    // One after the other they would take eight.
    assert!(started.elapsed() < 5 * DEADLINE, "{:?}", started.elapsed());
}
