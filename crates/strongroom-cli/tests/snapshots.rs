//! The program's answers in JSON: one of each kind is compared with its file in `tests/snapshots`.
//!
//! After an intended change: `UPDATE_EXPECT=1 cargo test -p strongroom-cli --test snapshots`, and the tables in docs/json.md.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::process::Stdio;
use std::sync::LazyLock;

use serde_json::{Deserializer, Value};
use strongroom::{Backend, Config, Layout, Secret, Timestamp};
use strongroom_testkit::scripted::Script;
use strongroom_testkit::{FIXTURE_ENTRIES, FIXTURE_SERVICE, Sandbox, Snapshots, is_the_fixture};
use support::{KeyutilsService, PROGRAM, Ran, alone, on, private_file, run, scripted};

static SNAPSHOTS: LazyLock<Snapshots> = LazyLock::new(|| Snapshots::of(env!("CARGO_MANIFEST_DIR")));

/// The recipient of a backup, made for these tests.
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
const END: &str = "2999-01-01T00:00:00Z";

/// Compares an answer.
#[track_caller]
fn check(name: &str, ran: &Ran) {
    SNAPSHOTS.check(name, &ran.json());
}

/// Compares the object on standard error.
#[track_caller]
fn check_stderr(name: &str, ran: &Ran) {
    SNAPSHOTS.check(name, &serde_json::from_str(&ran.stderr).unwrap());
}

/// Returns a service in the kernel's keyring.
fn service() -> KeyutilsService {
    let service = KeyutilsService::new();
    SNAPSHOTS.replace(service.sandbox.path().display().to_string(), "DIR");
    SNAPSHOTS.replace(service.name.as_str(), "tracker");
    SNAPSHOTS.replace(PROGRAM, "strongroom");
    service
}

/// Each test would have the files of the others, so there is one.
#[test]
fn each_kind_of_answer_has_its_form() {
    secrets();
    fallback_and_errors();
    files();
    backups();
    repairs();
    encrypted_file();
    bus();
    stores();
    page();
    SNAPSHOTS.finish();
}

fn secrets() {
    let service = service();
    let json = |arguments: &[&str], input: &[u8]| {
        service.vault(&[&["--json"], arguments].concat(), input).ends_with(0)
    };
    let known = ["--target", "test", "--provider", "openai", "--scope", "read", "--expires", END];
    check("set", &json(&[&["set", "KEY"], &known[..]].concat(), b"value"));
    check("list", &json(&["list"], b""));
    check("update", &json(&["update", "KEY", "--target", "test", "--scope", "write"], b""));
    check("rename", &json(&["rename", "KEY", "NEW", "--target", "test"], b""));
    check("exists", &json(&["exists", "NEW", "--target", "test"], b""));
    check("delete", &json(&["delete", "NEW", "--target", "test"], b""));
    check("setup", &json(&["setup", "KEY"], b"value"));
    check("purge", &json(&["purge", "--yes"], b""));
    check_stderr("warnings", &json(&["run", "--", "true"], b""));

    let entry = |arguments: &[&str]| {
        service.entry(&[arguments, &["--json"]].concat(), b"value").ends_with(0)
    };
    check("entry-set", &entry(&["set", &service.name, "u"]));
    check("entry-list", &entry(&["list", &service.name]));
    check("entry-exists", &entry(&["exists", &service.name, "u"]));
    check("entry-delete", &entry(&["delete", &service.name, "u"]));
}

fn fallback_and_errors() {
    let service = service();
    let of_service = ["--json", "--service", &service.name];
    let arguments = [&of_service[..], &["set", "KEY"]].concat();
    check("fallback", &alone(&service.sandbox, &arguments, b"value").ends_with(0));
    let nowhere = [&of_service[..], &["--backend", "secret-service", "list"]].concat();
    check_stderr("error", &alone(&service.sandbox, &nowhere, b"").ends_with(5));
    let misused = alone(&service.sandbox, &["--json", "nonsense"], b"").ends_with(2);
    check_stderr("error-usage", &misused);
}

fn files() {
    let service = service();
    let place = |name: &str| service.sandbox.path().join(name).display().to_string();
    let (file, export) = (place("config.json"), place("export.json"));
    let content = r#"{ "openai": { "apiKey": "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789" } }"#;
    private_file(&file, content);
    private_file(place("config.json.bak"), content);
    let config =
        |arguments: &[&str]| service.vault(&[&["--json", "config"], arguments].concat(), b"");
    check("config-status", &config(&["status", &file]).ends_with(0));
    let secure = ["secure", &file, "--yes", "--session-store", "--marker", "store=keychain"];
    check("config-secure", &config(&secure).ends_with(0));
    check("config-export", &config(&["export", &export, "--plaintext"]).ends_with(0));
    check("config-import", &config(&["import", &export]).ends_with(0));
    let nowhere = ["--json", "--backend", "secret-service", "config", "status", &file];
    check("config-status-alone", &alone(&service.sandbox, &nowhere, b"").ends_with(0));
}

fn backups() {
    let service = service();
    service.vault(&["set", "KEY"], b"value").ends_with(0);
    let place = |name: &str| service.sandbox.path().join(name).display().to_string();
    let (file, passphrase) = (place("backup.age"), place("passphrase"));
    private_file(&passphrase, "short");
    let json =
        |arguments: &[&str]| service.vault(&[&["--json"], arguments].concat(), b"").ends_with(0);
    check("backup", &json(&["backup", &file, "--passphrase-file", &passphrase]));
    let stdout = ["backup", "-", "--recipient", RECIPIENT];
    assert_eq!(json(&stdout).stderr, "", "a backup without a warning is told by nothing");
    service.vault(&["delete", "KEY"], b"").ends_with(0);
    check("restore", &json(&["restore", &file, "--passphrase-file", &passphrase]));
}

fn repairs() {
    let service = service();
    service.vault(&["set", "KEY"], b"value").ends_with(0);
    check("repair-readable", &service.vault(&["--json", "repair"], b"").ends_with(0));
    service.damage(br#"{"strongroom":"vault","version":1,"secrets":[{"name":"API_KEY","val"#);
    check("repair-unreadable", &service.vault(&["--json", "repair"], b"").ends_with(8));
    let reset = service.vault(&["--json", "repair", "--reset"], b"").ends_with(0);
    SNAPSHOTS.replace(file_name(&reset.json()["put_aside"][0]), "COPY");
    check("repair-reset", &reset);
}

/// Returns the name of the file, which has a time in it.
fn file_name(path: &Value) -> String {
    path.as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

fn encrypted_file() {
    let sandbox = Sandbox::new();
    SNAPSHOTS.replace(sandbox.path().display().to_string(), "DIR");
    let key = sandbox.path().join("main.key");
    let (key, spare) = (key.to_str().unwrap(), sandbox.path().join("spare.key"));
    let file = |arguments: &[&str], input: &[u8]| {
        let mut command = sandbox.command(PROGRAM);
        command.envs([("STRONGROOM_BACKEND", "file"), ("STRONGROOM_KEY_FILE", key)]);
        run(command, &[&["--json", "--service", "tracker"], arguments].concat(), input)
    };
    let mut first = sandbox.command(PROGRAM);
    first.env("STRONGROOM_BACKEND", "file");
    let add = ["--json", "--service", "tracker", "key", "add", "--new", "--key-file", key];
    let added = run(first, &add, b"").ends_with(0);
    SNAPSHOTS.replace(added.json()["key"]["id"].as_str().unwrap(), "ID");
    check("key-add", &added);
    check("key-list", &file(&["key", "list"], b"").ends_with(0));
    file(&["set", "KEY"], b"value").ends_with(0);
    file(&["set", "LONG"], &[b'x'; 20_000]).ends_with(0);
    check("key-rotate", &file(&["key", "rotate"], b"").ends_with(0));
    let add = ["key", "add", "--new", "--key-file", spare.to_str().unwrap()];
    let spare_id = file(&add, b"").ends_with(0).json()["key"]["id"].clone();
    let remove = ["key", "remove", spare_id.as_str().unwrap()];
    SNAPSHOTS.replace(spare_id.as_str().unwrap(), "ID");
    check("key-remove", &file(&remove, b"").ends_with(0));

    let path = sandbox.data_dir().join("file").join("tracker.sealed");
    let mut bytes = fs::read(&path).unwrap();
    let is_sealed = |page: &&mut [u8]| page.iter().filter(|byte| **byte == 0).count() < 64;
    bytes.chunks_mut(4096).find(is_sealed).unwrap()[2_000] ^= 1;
    fs::write(&path, bytes).unwrap();
    check("repair-damaged", &file(&["repair"], b"").ends_with(8));
    let salvaged = file(&["repair", "--salvage"], b"").ends_with(0);
    SNAPSHOTS.replace(file_name(&salvaged.json()["put_aside"][0]), "DAMAGED");
    check("repair-salvage", &salvaged);
    let to_memory = ["move", "--to", "keyutils", "--session-store"];
    check("move", &file(&to_memory, b"").ends_with(0));
    let back = file(&["--backend", "keyutils", "purge", "--yes"], b"");
    back.ends_with(0);
}

fn bus() {
    let (bus, service) = scripted(Script::default());
    SNAPSHOTS.replace(bus.sandbox().path().display().to_string(), "DIR");
    for label in ["one", "two"] {
        let attributes = [("service", "tracker"), ("username", "u"), ("extra", label)];
        service.add_item("login", label, &attributes, label);
    }
    let repair = ["--json", "entry", "repair", "tracker", "u"];
    let listed = on(&bus, &repair, b"").ends_with(0);
    check("entry-repair", &listed);
    let listed = listed.json();
    let id = listed["items"][0]["id"].as_str().unwrap();
    check(
        "entry-repair-keep",
        &on(&bus, &[&repair[..], &["--keep", id]].concat(), b"").ends_with(0),
    );
    let app = |arguments: &[&str], input: &[u8]| {
        on(&bus, &[&["--json", "--service", "app"], arguments].concat(), input)
    };
    app(&["set", "OLD"], b"1").ends_with(0);
    let old = on(&bus, &["entry", "get", "app", "vault"], b"").ends_with(0).out();
    app(&["rename", "OLD", "NEW"], b"").ends_with(0);
    let attributes = [("service", "app"), ("username", "vault"), ("extra", "another")];
    service.add_item("login", "another", &attributes, old);
    check("repair-twice", &app(&["repair"], b"").ends_with(1));
    check("repair-merge", &app(&["repair", "--merge"], b"").ends_with(0));
}

fn stores() {
    let (bus, _service) = scripted(Script::default());
    SNAPSHOTS.replace(bus.address(), "BUS");
    SNAPSHOTS.replace(bus.sandbox().path().display().to_string(), "DIR");
    let config = Config::new("tracker")
        .environment(|_| None)
        .backend(Backend::SecretService)
        .store_settings(
            strongroom::store::secret_service::Config::default().with_bus_address(bus.address()),
        )
        .state_dir(bus.sandbox().state_dir());
    let over = Secret::new("value").expires_at(Timestamp::UNIX_EPOCH);
    config.open_blocking().unwrap().set("KEY", &over).unwrap();
    let of_service = ["--json", "--service", "tracker"];
    check("doctor", &on(&bus, &[&of_service[..], &["doctor"]].concat(), b"").ends_with(0));
    check("backends", &on(&bus, &[&of_service[..], &["backends"]].concat(), b"").ends_with(0));
}

fn page() {
    let service = service();
    let mut command = service.program();
    command.args(["--json", "settings", "--no-browser"]);
    let mut program = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let stdout = program.stdout.take().unwrap();
    let answer = Deserializer::from_reader(stdout).into_iter::<Value>().next().unwrap().unwrap();
    program.kill().unwrap();
    program.wait().unwrap();
    SNAPSHOTS.replace(answer["link"].as_str().unwrap(), "LINK");
    SNAPSHOTS.check("settings", &answer);
}

#[test]
fn a_secret_a_store_and_an_error_are_the_same_objects_as_in_the_page_and_the_plugin() {
    let sandbox = Sandbox::new();
    let config = |service: &str| {
        let config = Config::new(service).environment(|_| None).backend(Backend::Keyutils);
        config.state_dir(sandbox.state_dir())
    };
    let vault = config(FIXTURE_SERVICE).open_blocking().unwrap();
    let entries = config(FIXTURE_ENTRIES).layout(Layout::Entries).open_blocking().unwrap();
    entries.set_api_key("OTHER", "value", None).unwrap();
    let run = |service: &str, arguments: &[&str]| {
        let of_service = ["--json", "--backend", "keyutils", "--service", service];
        alone(&sandbox, &[&of_service[..], arguments].concat(), b"value")
    };
    let known = ["--provider", "openai", "--scope", "read", "--expires", END];
    let set = [&["set", "API_KEY"], &known[..]].concat();
    is_the_fixture("secret", &run(FIXTURE_SERVICE, &set).ends_with(0).json()["secret"]);
    let listed = run(FIXTURE_SERVICE, &["list"]).ends_with(0).json();
    is_the_fixture("secret", &listed["secrets"][0]);
    is_the_fixture("store", &listed["store"]);
    is_the_fixture("error", &run(FIXTURE_ENTRIES, &set).ends_with(1).error());
    vault.purge().unwrap();
    entries.purge().unwrap();
}
