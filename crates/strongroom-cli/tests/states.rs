//! A store that is locked, hung, absent: how long it takes, how it ends, what the user is told.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use strongroom_testkit::scripted::Script;
use strongroom_testkit::{
    Bus, GnomeKeyring, PATIENCE, Sandbox, provider_or_skip, root_or_skip, wait_until,
};
use support::{
    KeyutilsService, PASSWORD, PROGRAM, Ran, alone, bus, gnome_keyring, on, run, scripted,
};

const BACKEND: [&str; 2] = ["--backend", "secret-service"];

/// Without waiting for what never comes; room for a loaded machine.
const AT_ONCE: Duration = Duration::from_secs(3);

fn started() -> Option<(Bus, GnomeKeyring)> {
    provider_or_skip("gnome-keyring-daemon").then(gnome_keyring)
}

#[track_caller]
fn within(limit: Duration, ran: &Ran) {
    // Shown with `--nocapture`, to see how far from the limit it is.
    writeln!(std::io::stdout(), "took {:?} of {limit:?}", ran.took).ok();
    assert!(ran.took < limit, "{:?}: {}", ran.took, ran.stderr);
}

#[test]
fn a_stopped_daemon_is_named_before_three_seconds_are_over() {
    let Some((bus, keyring)) = started() else {
        return;
    };
    keyring.stop();
    let hung = on(&bus, &["--timeout", "2", "entry", "get", "a", "b"], b"").ends_with(7);
    let doctor = on(&bus, &["--timeout", "1", "doctor"], b"").ends_with(7);
    let backends = on(&bus, &["--timeout", "1", "backends"], b"").ends_with(0);
    keyring.cont();
    within(Duration::from_secs(3), &hung);
    let command = format!("kill -CONT {}", keyring.pid());
    hung.says("gnome-keyring-daemon").says("stopped").says(&command);
    within(AT_ONCE, &doctor);
    doctor.says("Problem: gnome-keyring-daemon").says(&command).says("Fine: the kernel keyring");
    backends.says("no answer").says("None can be chosen");
}

#[test]
fn a_service_that_never_answers_ends_in_time() {
    let hang = ["Service.SearchItems", "Service.ReadAlias", "Service.OpenSession"];
    let hang = hang.map(str::to_owned).into();
    let (bus, _service) = scripted(Script { hang, ..Script::default() });
    for command in [
        &["entry", "get", "a", "b"][..],
        &["entry", "delete", "a", "b"],
        &["entry", "exists", "a", "b"],
        &["get", "KEY"],
        &["run", "--", "echo", "started"],
    ] {
        let hung = on(&bus, &[&["--timeout", "2"], command].concat(), b"").ends_with(7);
        within(Duration::from_secs(3), &hung);
        assert_eq!(hung.out(), "");
        hung.says("hangs, or waits for an answer");
    }
}

#[test]
fn a_store_that_hangs_after_it_was_chosen_ends_in_time() {
    let hang = ["Service.SearchItems"].map(str::to_owned).into();
    let (bus, _service) = scripted(Script { hang, ..Script::default() });
    for command in [&["entry", "get", "a", "b"][..], &["get", "KEY"]] {
        let hung = on(&bus, &[&["--timeout", "2"], command].concat(), b"").ends_with(7);
        within(Duration::from_secs(3), &hung);
    }
}

#[test]
fn locked_and_no_prompt_is_four_at_once() {
    let Some((bus, keyring)) = started() else {
        return;
    };
    on(&bus, &["entry", "set", "a", "b"], b"value").ends_with(0);
    keyring.lock();
    for command in ["get", "delete"] {
        let locked = on(&bus, &["--no-prompt", "entry", command, "a", "b"], b"").ends_with(4);
        within(AT_ONCE, &locked);
        assert_eq!(locked.out(), "");
        locked.says("is locked");
    }
    let locked = on(&bus, &["--no-prompt", "entry", "set", "a", "c"], b"value").ends_with(4);
    within(AT_ONCE, &locked);
    on(&bus, &["doctor"], b"").ends_with(4).says("is locked").says("--unlock");
    on(&bus, &["backends"], b"").ends_with(0).says("locked");
}

#[test]
fn the_doctors_command_opens_a_locked_keyring() {
    let Some((bus, keyring)) = started() else {
        return;
    };
    keyring.lock();
    let doctor = on(&bus, &["doctor"], b"").ends_with(4).out();
    prescribed(&bus, &doctor);
    wait_until("the keyring is open", PATIENCE, || on(&bus, &["doctor"], b"").exit == 0);
}

#[test]
fn the_doctors_command_creates_the_collection() {
    if !provider_or_skip("gnome-keyring-daemon") {
        return;
    }
    let bus = bus();
    let _keyring = GnomeKeyring::start(&bus, None);
    on(&bus, &["entry", "get", "a", "b"], b"").ends_with(5).says("no default collection");
    let doctor = on(&bus, &["doctor"], b"").ends_with(5).says("no default collection").out();
    prescribed(&bus, &doctor);
    wait_until("the keyring is open", PATIENCE, || on(&bus, &["doctor"], b"").exit == 0);
}

#[test]
fn the_doctors_command_starts_a_keyring() {
    if !provider_or_skip("gnome-keyring-daemon") {
        return;
    }
    let bus = bus();
    let doctor = on(&bus, &["doctor"], b"").ends_with(5).out();
    prescribed(&bus, &doctor);
    wait_until("the keyring is open", PATIENCE, || on(&bus, &["doctor"], b"").exit == 0);
    on(&bus, &["setup", "api-key"], b"value").ends_with(0).says("until you delete it");
}

/// Types the doctor's command that opens gnome-keyring, and the password.
#[track_caller]
fn prescribed(bus: &Bus, doctor: &str) {
    let command = doctor.lines().find(|line| line.contains("--unlock")).expect("it is there");
    let mut shell = bus.command("bash");
    shell.args(["-c", command]).stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    support::give(&mut shell, format!("{PASSWORD}\n").as_bytes());
    assert!(shell.wait().unwrap().success(), "{command}");
}

#[test]
fn a_bus_without_a_daemon_is_five_with_the_fix() {
    let bus = bus();
    for arguments in [&["entry", "get", "a", "b"][..], &["entry", "list"], &["get", "KEY"]] {
        let arguments = [&BACKEND[..], arguments].concat();
        let absent = on(&bus, &arguments, b"").ends_with(5);
        assert_eq!(absent.out(), "");
        absent.says("no Secret Service runs").says("help: Install and start one");
    }
    let doctor = on(&bus, &["doctor"], b"").ends_with(5);
    assert!(!doctor.out().contains("dbus-run-session"), "the bus is there: {}", doctor.out());
    doctor.says("no Secret Service runs").says("gnome-keyring").says(bus.address());
}

#[test]
fn no_bus_is_five_with_the_fix() {
    let sandbox = Sandbox::new();
    let absent = [&BACKEND[..], &["entry", "get", "a", "b"]].concat();
    alone(&sandbox, &absent, b"").ends_with(5).says("no D-Bus session bus");
    let absent = [&BACKEND[..], &["set", "KEY"]].concat();
    alone(&sandbox, &absent, b"value").ends_with(5).says("no D-Bus session bus");
    let doctor = alone(&sandbox, &["doctor"], b"").ends_with(5);
    doctor.says("DBUS_SESSION_BUS_ADDRESS is not set").says("dbus-run-session");
}

#[test]
fn the_doctor_looks_after_the_store_in_use() {
    let sandbox = Sandbox::new();
    alone(&sandbox, &["doctor", "--backend", "keyutils"], b"").ends_with(0);
    let mut command = sandbox.command(PROGRAM);
    command.env("STRONGROOM_BACKEND", "keyutils");
    run(command, &["doctor"], b"").ends_with(0);
    alone(&sandbox, &["doctor", "--backend", "keychain"], b"").ends_with(5).says("this build");
    let mut command = sandbox.command(PROGRAM);
    command.env("STRONGROOM_BACKEND", "nonsense");
    run(command, &["doctor"], b"").ends_with(2).says("STRONGROOM_BACKEND is \"nonsense\"");
}

#[test]
fn a_healthy_keyring_is_fine() {
    let Some((bus, _keyring)) = started() else {
        return;
    };
    let doctor = on(&bus, &["doctor"], b"").ends_with(0);
    assert!(!doctor.out().contains("Problem"), "{}", doctor.out());
    doctor.says("Fine").says("gnome-keyring-daemon");
    let json = on(&bus, &["doctor", "--json"], b"").ends_with(0).json();
    assert_eq!((&json["exit_code"], &json["findings"][0]["severity"]), (&0.into(), &"fine".into()));
}

#[test]
fn backends_are_a_table_and_json_that_agree() {
    let sandbox = Sandbox::new();
    let table = alone(&sandbox, &["backends"], b"").ends_with(0);
    assert_eq!(table.stderr, "", "the table says it");
    for text in ["NAME", "until deleted", "until reboot", "1 MiB", "32,767 bytes"] {
        assert!(table.out().contains(text), "{}", table.out());
    }
    let table = table.says("Chosen now: keyutils").says("no D-Bus session bus");
    let json = alone(&sandbox, &["backends", "--json"], b"").ends_with(0).json();
    assert_eq!(json["chosen"], "keyutils");
    for backend in json["stores"].as_array().unwrap() {
        let name = backend["backend"].as_str().unwrap();
        assert!(table.out().contains(name), "{name}");
        assert_eq!(backend["usable"], ["keyutils", "memory"].contains(&name), "{name}");
    }
}

#[test]
fn a_vault_of_a_keyring_that_is_away_is_told_at_once_and_no_other_is_made() {
    let Some((bus, _keyring)) = started() else {
        return;
    };
    let service = KeyutilsService::new();
    let of_service = ["--service", &service.name];
    on(&bus, &[&of_service[..], &["set", "KEY"]].concat(), b"value").ends_with(0);
    for arguments in [&["get", "KEY"][..], &["set", "KEY"], &["list"]] {
        let arguments = [&of_service[..], arguments].concat();
        let away = alone(bus.sandbox(), &arguments, b"new").ends_with(5);
        within(AT_ONCE, &away);
        away.says("are kept in secret-service");
    }
    assert_eq!(service.entry(&["list", &service.name], b"").out(), "");
    let data = bus.sandbox().home().join(".local/share/strongroom");
    assert!(!data.exists(), "nothing new was created");
}

/// Needs root, to become somebody else.
#[test]
fn who_is_not_root_is_told_to_use_sudo() {
    if !root_or_skip() {
        return;
    }
    let open_to_all = std::fs::Permissions::from_mode(0o755);
    let directory = tempfile::Builder::new().permissions(open_to_all).tempdir().unwrap();
    let mut command = Command::new(support::copy_of_program(directory.path()));
    command.env_clear().env("HOME", "/nonexistent").uid(NOBODY).gid(NOBODY);
    let doctor = run(command, &["doctor"], b"").ends_with(5).out();
    let root = alone(&Sandbox::new(), &["doctor"], b"").out();
    assert_eq!((doctor.contains("sudo "), root.contains("sudo ")), (true, false), "{doctor}");
}

/// A user without a name.
const NOBODY: u32 = 64_998;
