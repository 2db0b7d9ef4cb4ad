//! What weakens the protection of secrets: told in every answer, and never chosen silently.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use serde_json::Value;
use strongroom_testkit::scripted::{DhBehaviour, Script, ScriptedService};
use strongroom_testkit::{
    Bus, KWallet, OTHER_USER, Sandbox, provider_or_skip, root_or_skip, unused_name,
};
use support::{KeyutilsService, PASSWORD, PROGRAM, Ran, alone, bus, on, run, scripted};

/// The codes of the warnings in an answer.
#[track_caller]
fn codes(answer: &Value) -> Vec<&str> {
    let warnings = answer["warnings"].as_array().unwrap_or_else(|| panic!("{answer}"));
    for warning in warnings {
        assert!(!warning["message"].as_str().unwrap().is_empty(), "{answer}");
    }
    warnings.iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

#[test]
fn every_answer_in_json_says_how_long_it_lasts_and_why_there() {
    let service = KeyutilsService::new();
    let file = service.sandbox.path().join(".env");
    fs::write(&file, "OPENAI_API_KEY=sk-proj-abcdefghijklmnopqrstuvwxyz0123456789\n").unwrap();
    let file = file.to_str().unwrap();
    let said = |arguments: &[&str]| {
        let of_service = ["--json", "--service", &service.name];
        alone(&service.sandbox, &[&of_service[..], arguments].concat(), b"value").ends_with(0)
    };
    let first = said(&["set", "KEY"]);
    assert_eq!(first.stderr, "");
    let expected = ["fallback", "not_persistent", "read_by_containers"];
    assert_eq!(codes(&first.json()), expected, "it was chosen for want of another");
    let fallback = &first.json()["warnings"][0]["message"];
    assert!(fallback.as_str().unwrap().contains("no D-Bus session bus"), "{fallback}");
    for arguments in [
        &["setup", "OTHER"][..],
        &["update", "KEY"],
        &["exists", "KEY"],
        &["list"],
        &["rename", "OTHER", "NEW"],
        &["repair"],
        &["config", "status", file],
        &["config", "secure", file, "--yes", "--session-store"],
        &["config", "export", &format!("{file}.json"), "--plaintext"],
        &["config", "import", &format!("{file}.json")],
        &["delete", "NEW"],
        &["purge", "--yes"],
    ] {
        let json = said(arguments).json();
        assert_eq!(json["store"]["persistence"], "until_reboot", "{arguments:?}: {json}");
        assert!(codes(&json).contains(&"not_persistent"), "{arguments:?}: {json}");
    }
    for arguments in [
        &["set", &service.name, "u"][..],
        &["exists", &service.name, "u"],
        &["list", &service.name],
        &["delete", &service.name, "u"],
    ] {
        let arguments = [&["entry"], arguments, &["--json"]].concat();
        let json = alone(&service.sandbox, &arguments, b"value").ends_with(0).json();
        // From the first one on they are known to be there.
        let expected = if arguments[1] == "set" { &expected[..] } else { &expected[1..] };
        assert_eq!(codes(&json), expected, "{arguments:?}");
    }
}

#[test]
fn what_the_library_warns_of_is_in_the_answer() {
    let service = KeyutilsService::new();
    service.set("API_KEY", b"value");
    let listed = service.vault(&["--json", "list"], b"").ends_with(0);
    assert_eq!(listed.stderr, "");
    let listed = listed.json();
    assert_eq!(codes(&listed), ["not_persistent", "read_by_containers", "other"]);
    let message = listed["warnings"][2]["message"].as_str().unwrap();
    assert!(message.contains("there are 1 entries of this service"), "{message}");
    let missing = service.vault(&["--json", "get", "API_KEY"], b"").ends_with(3);
    let missing: Value = serde_json::from_str(&missing.stderr).unwrap();
    assert_eq!(codes(&missing), ["other"]);
}

#[test]
fn a_move_says_how_the_new_place_protects() {
    let service = KeyutilsService::new();
    service.vault(&["set", "KEY"], b"value").ends_with(0);
    let passphrase = service.sandbox.path().join("passphrase");
    fs::write(&passphrase, "correct horse battery staple").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let moved = |to: &str, consent: &[&str]| {
        let mut command = service.sandbox.command(PROGRAM);
        command.env("STRONGROOM_PASSPHRASE_FILE", &passphrase);
        let arguments = ["move", "--to", to, "--json", "--service", &service.name];
        run(command, &[&arguments, consent].concat(), b"").ends_with(0).json()
    };
    let there = moved("file", &[]);
    assert_eq!((&there["store"]["persistence"], codes(&there).len()), (&"permanent".into(), 0));
    let back = moved("keyutils", &["--session-store"]);
    assert_eq!(codes(&back), ["not_persistent", "read_by_containers"]);
    service.vault(&["purge", "--yes"], b"").ends_with(0);
}

fn without_encryption() -> (Bus, ScriptedService) {
    scripted(Script { dh: DhBehaviour::Refused, ..Script::default() })
}

#[test]
fn a_keyring_without_encryption_is_refused_unless_it_is_allowed() {
    let (bus, service) = without_encryption();
    for arguments in [&["set", "KEY"][..], &["setup", "KEY"], &["entry", "set", "a", "b"]] {
        let refused = on(&bus, arguments, b"value").ends_with(5);
        refused.says("in the clear").says("--allow-unencrypted-bus");
    }
    let error = on(&bus, &["set", "KEY", "--json"], b"value").ends_with(5).error();
    assert_eq!(
        (&error["code"], &error["reason"]),
        (&"no_backend".into(), &"session_not_encrypted".into())
    );
    on(&bus, &["doctor"], b"").ends_with(5).says("doesn't encrypt").says("--allow-unencrypted-bus");
    assert!(service.items().is_empty(), "nothing was sent");
    let listed = alone(bus.sandbox(), &["--backend", "keyutils", "list"], b"").ends_with(0);
    assert_eq!(listed.out(), "", "nothing went elsewhere");
}

#[test]
fn a_session_in_the_clear_is_told_wherever_stores_are() {
    let (bus, _service) = without_encryption();
    let allow = |arguments: &[&str], input: &[u8]| {
        on(&bus, &[&["--allow-unencrypted-bus"], arguments].concat(), input).ends_with(0)
    };
    let set = allow(&["set", "KEY"], b"value");
    assert!(set.stderr.contains("warning: the store doesn't encrypt"), "{}", set.stderr);
    let json = allow(&["set", "KEY", "--json"], b"value").json();
    assert_eq!(json["store"]["session_encrypted"], false);
    assert_eq!(codes(&json), ["session_not_encrypted"]);
    let setup = allow(&["setup", "KEY"], b"value").says("in the clear");
    assert_eq!(setup.stderr.matches("warning:").count(), 1, "{}", setup.stderr);
    let setup = allow(&["setup", "KEY", "--json"], b"value").json();
    assert_eq!(setup["store"]["session_encrypted"], false);
    allow(&["backends"], b"").says("session without encryption");
    allow(&["doctor"], b"").says("Note: secret-service: the store doesn't encrypt the session");
    assert_eq!(allow(&["doctor", "--json"], b"").json()["session_encrypted"], false);

    let mut command = bus.command(PROGRAM);
    command.env("STRONGROOM_ALLOW_UNENCRYPTED_BUS", "1");
    run(command, &["list"], b"").ends_with(0);
    let mut command = bus.command(PROGRAM);
    command.env("STRONGROOM_ALLOW_UNENCRYPTED_BUS", "0");
    run(command, &["list"], b"").ends_with(5);
}

#[test]
fn an_encrypted_session_is_told_too() {
    let (bus, _service) = scripted(Script::default());
    let json = on(&bus, &["set", "KEY", "--json"], b"value").ends_with(0).json();
    assert_eq!((&json["store"]["session_encrypted"], codes(&json).len()), (&true.into(), 0));
    on(&bus, &["setup", "KEY"], b"value").ends_with(0).says("encrypted");
    on(&bus, &["backends"], b"").ends_with(0).says("encrypted session");
    let backends = on(&bus, &["backends", "--json"], b"").ends_with(0).json();
    let rows = backends["stores"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["backend"] == name).unwrap();
    assert_eq!(row("secret-service")["store"]["session_encrypted"], true);
    assert_eq!(row("secret-service")["store"]["read_by_user_programs"], true);
    assert_eq!(row("keyutils")["store"]["read_by_containers"], true);
    assert_eq!(codes(row("keyutils")), ["not_persistent", "read_by_containers"]);
    on(&bus, &["doctor"], b"").ends_with(0).says("over an encrypted session");
}

#[test]
fn the_session_collection_is_told_wherever_stores_are() {
    let (bus, service) = scripted(Script::default());
    service.set_alias("default", "session");
    let setup = on(&bus, &["setup", "KEY"], b"value").ends_with(0);
    assert!(setup.out().contains("until you log out"), "{}", setup.out());
    assert!(setup.stderr.contains("warning: it lasts until you log out"), "{}", setup.stderr);
    on(&bus, &["doctor"], b"").ends_with(0).says("last until you log out").says("seahorse");
    on(&bus, &["backends"], b"").ends_with(0).says("until logout");

    // What lies there is told, wherever new entries go.
    service.set_alias("default", "login");
    let list = on(&bus, &["list"], b"").ends_with(0);
    assert!(list.stderr.contains("last until you log out"), "{}", list.stderr);
    let set = on(&bus, &["set", "KEY", "--json"], b"value").ends_with(0).json();
    assert_eq!(
        (&set["store"]["persistence"], codes(&set)),
        (&"until_logout".into(), vec!["not_persistent"])
    );
}

#[test]
fn kwallets_late_writes_are_told_to_programs() {
    if !provider_or_skip("kwalletd5") {
        return;
    }
    let bus = bus();
    let _kwallet = KWallet::start(&bus, PASSWORD);
    for _ in 0..2 {
        let set = on(&bus, &["set", "KEY", "--json"], b"value").ends_with(0).json();
        assert_eq!(codes(&set), ["writes_late"]);
    }
}

#[test]
fn a_policy_of_the_bus_is_told_as_a_sandbox() {
    let rule = r#"<deny send_destination="org.freedesktop.secrets"/>"#;
    let bus = Bus::builder(&Sandbox::new()).rule(rule).start();
    let _service = ScriptedService::start(bus.address(), Script::default()).unwrap();
    for arguments in [&["get", "KEY"][..], &["doctor"], &["backends"]] {
        let ran = on(&bus, arguments, b"");
        assert!(
            ran.said().contains("keeps this program from the Secret Service"),
            "{}",
            ran.said()
        );
    }
    let doctor = on(&bus, &["doctor"], b"").ends_with(4);
    doctor.says("password-manager-service").says("--talk-name=org.freedesktop.secrets");
}

/// A bus of another user that admits all, with a keyring of root's on it.
fn foreign_bus() -> (Bus, ScriptedService) {
    let address = format!("unix:abstract={}", unused_name("strongroom-bus"));
    let bus = Bus::builder(&Sandbox::new()).listen(address).user(OTHER_USER).start();
    let service = ScriptedService::start(bus.address(), Script::default()).unwrap();
    (bus, service)
}

#[test]
fn a_bus_of_another_user_is_told_and_nothing_takes_its_place() {
    if !root_or_skip() {
        return;
    }
    let (bus, service) = foreign_bus();
    for arguments in [&["set", "KEY"][..], &["setup", "KEY"], &["entry", "set", "a", "b"]] {
        let refused = on(&bus, arguments, b"value").ends_with(5);
        refused.says("belongs to daemon (uid 1)").says("without sudo").says("su - daemon");
    }
    let doctor = on(&bus, &["doctor"], b"").ends_with(5);
    assert!(!doctor.out().contains("install"), "{}", doctor.out());
    doctor.says("Problem: the session bus").says("belongs to daemon (uid 1)");
    let error = on(&bus, &["get", "KEY", "--json"], b"").ends_with(5).error();
    assert_eq!(error["reason"], "foreign_owner");
    assert!(service.calls().is_empty(), "{:?}", service.calls());
    let listed = alone(bus.sandbox(), &["--backend", "keyutils", "list"], b"").ends_with(0);
    assert_eq!(listed.out(), "", "nothing went elsewhere");
}

#[test]
fn a_stale_address_is_told_with_what_to_unset() {
    let sandbox = Sandbox::new();
    let socket = sandbox.runtime().join("bus");
    let bus = Bus::builder(&sandbox).listen(format!("unix:path={}", socket.display())).start();
    let _service = ScriptedService::start(bus.address(), Script::default()).unwrap();
    let with_address = |arguments: &[&str]| {
        let mut command = sandbox.command(PROGRAM);
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/tmp/gone-with-the-session");
        run(command, arguments, b"")
    };
    let get = with_address(&["--backend", "secret-service", "get", "KEY"]).ends_with(5);
    get.says("`unset DBUS_SESSION_BUS_ADDRESS`");
    let doctor = with_address(&["doctor"]).ends_with(5);
    let command = "\n      unset DBUS_SESSION_BUS_ADDRESS\n";
    assert!(doctor.out().contains(command), "{}", doctor.out());
    alone(&sandbox, &["doctor"], b"").ends_with(0).says("can keep secrets");
}

#[test]
fn in_a_container_the_kernels_keyring_is_taken_by_name_alone() {
    let service = KeyutilsService::new();
    let in_pod = |arguments: &[&str]| {
        let mut command = service.sandbox.command(PROGRAM);
        command.env("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        run(command, &[&["--service", service.name.as_str()], arguments].concat(), b"value")
    };
    let refused = in_pod(&["set", "KEY"]).ends_with(5);
    refused.says("this is a container").says("`export STRONGROOM_BACKEND=keyutils`");
    in_pod(&["doctor"]).ends_with(5).says("export STRONGROOM_BACKEND=keyutils");
    assert_eq!(in_pod(&["get", "KEY", "--json"]).ends_with(5).error()["reason"], "container");

    service.vault(&["set", "KEY"], b"the host's").ends_with(0);
    fs::remove_dir_all(service.sandbox.state_dir()).unwrap();
    in_pod(&["get", "KEY"]).ends_with(5);
    assert_eq!(in_pod(&["--backend", "keyutils", "get", "KEY"]).ends_with(0).out(), "the host's");
}

/// A user that is on every system, and of whom no other test starts anything.
const LONELY: u32 = 3;

#[test]
fn where_no_thread_can_be_had_it_says_so_and_prints_nothing_else() {
    if !root_or_skip() || !provider_or_skip("prlimit") {
        return;
    }
    let open_to_all = fs::Permissions::from_mode(0o755);
    let directory = tempfile::Builder::new().permissions(open_to_all).tempdir().unwrap();
    let program = support::copy_of_program(directory.path());
    let address = format!("unix:abstract={}", unused_name("strongroom-bus"));
    let bus = Bus::builder(&Sandbox::new()).listen(address).user(LONELY).start();
    let limited = |processes: u32| -> Ran {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nproc={processes}")).arg(&program);
        command.env_clear().env("HOME", "/nonexistent").env("PATH", "/usr/bin:/bin");
        command.env("DBUS_SESSION_BUS_ADDRESS", bus.address()).uid(LONELY).gid(LONELY);
        run(command, &["--backend", "secret-service", "get", "KEY"], b"")
    };
    let ran: Vec<_> = (1..=5).map(limited).collect();
    for ran in &ran {
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    let of_threads = |ran: &&Ran| ran.stderr.contains("no thread could be started");
    assert!(ran.iter().any(|ran| of_threads(&ran)), "the limit was felt");
    let last = ran.last().unwrap();
    assert!(last.stderr.contains("no Secret Service runs"), "{}", last.stderr);
}
