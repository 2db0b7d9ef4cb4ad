//! The page in a real browser, on a real keyring, while another process changes the vault.
#![cfg(all(target_os = "linux", feature = "config"))]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use strongroom::{Backend, Options, SecretManager, System, diagnose, inspect};
use strongroom_config::{ConfigFile, Rule, Rules};
use strongroom_settings::{ConfigExport, ConfigMigration, Settings};
use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/page.mjs");

/// Where the browser's pictures of the page go.
const SCREENSHOTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/settings-page");

#[test]
fn the_page_works_in_a_browser() {
    let needed = ["gnome-keyring-daemon", "chromium", "node", "playwright-core"];
    if !needed.into_iter().all(provider_or_skip) {
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
    drive(&bus, &link);
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

/// Runs the script, which says on its output how far it has come.
fn drive(bus: &Bus, link: &str) {
    fs::create_dir_all(SCREENSHOTS).unwrap();
    let this_program = env::current_exe().unwrap();
    let known = json!({
        "link": link,
        "chromium": on_path("chromium"),
        "modules": modules(),
        "change": [this_program, "--exact", "another_process_adds_a_secret", "--ignored"],
        "exports": bus.sandbox().home(),
        "screenshots": SCREENSHOTS,
    });
    let mut node = bus.command("node").arg(SCRIPT).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = node.stdin.take().unwrap();
    stdin.write_all(known.to_string().as_bytes()).unwrap();
    drop(stdin);
    assert!(node.wait().unwrap().success(), "the script says above what went wrong");
}

/// Where Node finds `playwright-core` and `axe-core`: beside the program that is on the `PATH`.
fn modules() -> PathBuf {
    let program = on_path("playwright-core").canonicalize().unwrap();
    let modules = program.ancestors().find(|it| it.ends_with("node_modules"));
    modules.map(Path::to_owned).unwrap()
}

fn on_path(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap();
    let mut programs = env::split_paths(&path).map(|directory| directory.join(program));
    programs.find(|program| program.is_file()).unwrap()
}

#[test]
#[ignore = "the other process of the test above"]
fn another_process_adds_a_secret() {
    let vault = SecretManager::builder("tracker").backend(Backend::SecretService);
    vault.open_blocking().unwrap().set_api_key("FROM_ELSEWHERE", "v", None).unwrap();
}
