//! The page in a real browser, on a real keyring, while another process changes the vault.
#![cfg(all(target_os = "linux", feature = "config"))]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs;

use serde_json::json;
use strongroom::{Backend, Options, SecretManager, System, diagnose, inspect};
use strongroom_config::{ConfigFile, Rule, Rules};
use strongroom_settings::{ConfigExport, ConfigMigration, Settings};
use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip};
use support::browser::{another_process, browser_or_skip, drive};

#[test]
fn the_page_works_in_a_browser() {
    if !(provider_or_skip("gnome-keyring-daemon") && browser_or_skip()) {
        return;
    }
    let bus = Bus::start(&Sandbox::new());
    let _keyring = GnomeKeyring::start(&bus, Some("password"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = options(&bus);
    let vault = SecretManager::builder("tracker").options(options.clone());
    let manager = runtime.block_on(vault.open()).unwrap();
    let config = bus.sandbox().home().join("config.json");
    fs::write(&config, "{\"token\": \"legacy value\"}\n").unwrap();
    let rules = Rules::new().with_rule(Rule::new("token".parse().unwrap(), "LEGACY_TOKEN"));
    let settings = Settings::builder(manager.clone())
        .title("Tracker")
        .migration(ConfigMigration::new(
            ConfigFile::new(&config, rules).unwrap(),
            manager.blocking(),
        ))
        .export(ConfigExport::new("tracker", manager.blocking(), bus.sandbox().home()))
        .health(move || diagnose(&inspect(&options), &System::default()))
        .build()
        .unwrap();
    let server = settings.bind(([127, 0, 0, 1], 0)).unwrap();
    let link = server.link().to_owned();
    let run = runtime.spawn(server.run(std::future::pending()));
    let told = json!({
        "link": link,
        "change": another_process("another_process_adds_a_secret"),
        "exports": bus.sandbox().home(),
    });
    drive(&mut bus.command("node"), "page.mjs", told);
    let left = fs::read_to_string(&config).unwrap();
    assert_eq!(left, "{\"token\": \"strongroom:LEGACY_TOKEN\"}\n");
    // The browser has ended the only session.
    runtime.block_on(run).unwrap().unwrap();
}

fn options(bus: &Bus) -> Options {
    let home = bus.sandbox().home();
    Options::new()
        .with_backend(Backend::SecretService)
        .with_bus_address(bus.address())
        .with_state_dir(home.join(".local/state/strongroom"))
        .with_data_dir(home.join(".local/share/strongroom"))
}

#[test]
#[ignore = "the other process of the test above"]
fn another_process_adds_a_secret() {
    let vault = SecretManager::builder("tracker").backend(Backend::SecretService);
    vault.open_blocking().unwrap().set_api_key("FROM_ELSEWHERE", "v", None).unwrap();
}
