//! The page in a real browser, on a real keyring, while another process changes the vault.
#![cfg(all(target_os = "linux", feature = "config"))]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs;
use std::ops::Deref;
use std::time::Duration;

use serde_json::json;
use strongroom::doctor::{System, diagnose};
use strongroom::store::secret_service;
use strongroom::{Backend, Config, Secret, SecretKey, Timestamp, blocking};
use strongroom_config::{ConfigFile, Rule, Rules};
use strongroom_settings::{ConfigExport, ConfigMigration, Settings, SettingsBuilder};
use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, children, provider_or_skip};
use support::browser::{another_process, browser_or_skip, drive};

#[test]
fn the_page_works_in_a_browser() {
    let Some(bus) = keyring_or_skip() else { return };
    let config = bus.sandbox().home().join("config.json");
    fs::write(&config, "{\"token\": \"legacy value\"}\n").unwrap();
    let rules = Rules::new().with_rule(Rule::new("token".parse().unwrap(), "LEGACY_TOKEN"));
    let file = ConfigFile::new(&config, rules).unwrap();
    drive_on(&bus, "page.mjs", |settings, secrets| {
        settings.migration(ConfigMigration::new(file, secrets))
    });
    let left = fs::read_to_string(&config).unwrap();
    assert_eq!(left, "{\"token\": \"strongroom:LEGACY_TOKEN\"}\n");
}

#[test]
fn what_is_given_is_stored_as_it_is_and_what_others_wrote_is_kept() {
    if let Some(bus) = keyring_or_skip() {
        drive_on(&bus, "values.mjs", |settings, _| settings);
    }
}

/// A bus with a keyring, for a browser.
fn keyring_or_skip() -> Option<KeyringBus> {
    (provider_or_skip("gnome-keyring-daemon") && browser_or_skip()).then(|| {
        let bus = Bus::start(&Sandbox::new());
        let keyring = GnomeKeyring::start(&bus, Some("password"));
        KeyringBus { bus, _keyring: keyring }
    })
}

struct KeyringBus {
    bus: Bus,
    _keyring: GnomeKeyring,
}

impl Deref for KeyringBus {
    type Target = Bus;

    fn deref(&self) -> &Bus {
        &self.bus
    }
}

/// Runs a script on a page of a vault in this keyring. The script ends the only session, and so the server.
fn drive_on(
    bus: &Bus,
    script: &str,
    with: impl FnOnce(SettingsBuilder, blocking::SecretManager) -> SettingsBuilder,
) {
    let config = config(bus);
    let vault = config.clone().service("tracker");
    let secrets = vault.open_blocking().unwrap();
    let settings = Settings::builder(secrets.to_async())
        .title("Tracker")
        .export(ConfigExport::new("tracker", secrets.clone(), bus.sandbox().home()))
        .health(move || diagnose(&config.inspect(), &System::default()));
    let server = with(settings, secrets).build().unwrap().bind_fresh().unwrap();
    let input = json!({
        "link": server.link(),
        "change": another_process("adds_a_secret"),
        "replace": another_process("replaces_a_secret"),
        "exports": bus.sandbox().home(),
    });
    let run = std::thread::spawn(|| server.run_blocking(std::future::pending()));
    drive(&mut bus.command("node"), script, input);
    run.join().unwrap().unwrap();
}

fn config(bus: &Bus) -> Config {
    let home = bus.sandbox().home();
    Config::new("")
        .backend(Backend::SecretService)
        .store_settings(secret_service::Config::default().with_bus_address(bus.address()))
        .state_dir(home.join(".local/state/strongroom"))
        .data_dir(home.join(".local/share/strongroom"))
}

#[test]
fn ordinary_long_data_fits_into_windows_of_all_sizes() {
    if !browser_or_skip() {
        return;
    }
    let sandbox = Sandbox::new();
    let manager = Config::new("app").backend(Backend::Memory).open_blocking().unwrap();
    let names = long_secrets(&manager);
    let config = sandbox.home().join("projects/tracker-backend/config/settings.production.json");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, "{\"integrations\": {\"clockify\": {\"apiToken\": \"v\"}}}\n").unwrap();
    let rule = Rule::new("integrations.clockify.apiToken".parse().unwrap(), "CLOCKIFY_API_TOKEN");
    let file = ConfigFile::new(&config, Rules::new().with_rule(rule)).unwrap();
    let settings = Settings::builder(manager.to_async())
        .title("com.example.engineering.tracker-desktop-application")
        .migration(ConfigMigration::new(file, manager.clone()))
        .export(ConfigExport::new("tracker-desktop-application", manager, sandbox.home()))
        .health(|| diagnose(&Config::new("").inspect(), &System::default()))
        .build()
        .unwrap();
    let server = settings.bind_fresh().unwrap();
    let input = json!({ "link": server.link(), "names": names });
    let (sender, stop) = tokio::sync::oneshot::channel::<()>();
    let run = std::thread::spawn(|| server.run_blocking(async { drop(stop.await) }));
    drive(&mut sandbox.command("node"), "layout.mjs", input);
    drop(sender);
    run.join().unwrap().unwrap();
}

/// Secrets as people have them. The first one has all that can be known, the second one has expired.
fn long_secrets(manager: &blocking::SecretManager) -> Vec<String> {
    let now = Timestamp::now();
    let days = |days: u64| Duration::from_secs(24 * 60 * 60 * days);
    let secrets = [
        (
            "ANTHROPIC_API_KEY_FOR_THE_STAGING_CLUSTER",
            Some("kubernetes-staging.eu-central-1"),
            "anthropic-enterprise",
            "messages:write files:read organisation:billing:read",
            Some(now + days(150)),
        ),
        (
            "github-enterprise-fine-grained-personal-access-token",
            Some("production"),
            "github-enterprise-cloud",
            "repo:read workflow:write admin:org_hook",
            Some(now - days(40)),
        ),
        ("SMTP_PASSWORD", None, "postmark", "", Some(now + days(3))),
        ("DATABASE_URL", Some("continuous-integration"), "", "", None),
        (
            "oauth/google/refresh-token@maria.example@company-mail.example.com",
            None,
            "accounts.google.com",
            "https://www.googleapis.com/auth/calendar.readonly https://www.googleapis.com/auth/gmail.send",
            None,
        ),
    ];
    for (name, target, provider, scope, end) in &secrets {
        let key = match target {
            Some(target) => SecretKey::with_target(*name, *target),
            None => SecretKey::new(*name),
        };
        let mut secret = Secret::new("v");
        secret.metadata.provider = (!provider.is_empty()).then(|| (*provider).to_owned());
        secret.metadata.scope = (!scope.is_empty()).then(|| (*scope).to_owned());
        secret.metadata.expires_at = *end;
        manager.set(&key, &secret).unwrap();
    }
    let called = |(name, target): (&str, Option<&str>)| match target {
        Some(target) => format!("{name} ({target})"),
        None => name.to_owned(),
    };
    secrets.map(|(name, target, ..)| called((name, target))).into()
}

children!(adds_a_secret, replaces_a_secret);

fn adds_a_secret() {
    vault().set_api_key("FROM_ELSEWHERE", "v", None).unwrap();
}

fn replaces_a_secret() {
    vault().update_value("SHARED", "theirs").unwrap();
}

fn vault() -> blocking::SecretManager {
    let vault = Config::new("tracker").backend(Backend::SecretService);
    vault.open_blocking().unwrap()
}
