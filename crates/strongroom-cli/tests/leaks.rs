//! Where a value must not turn up: logs, the process table, files.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use strongroom_testkit::scripted::{DhBehaviour, Script};
use strongroom_testkit::{Bus, PATIENCE, provider_or_skip, root_or_skip, wait_until};
use support::{KeyutilsService, PROGRAM, Ran, gnome_keyring, on, private_file, scripted};

const MARKER: &[u8] = b"marker-of-a-secret";

/// The marker as a vault holds it, in base64.
const IN_A_VAULT: &[u8] = b"bWFya2VyLW9mLWEtc2VjcmV0";

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Whether the marker is in there, in whichever form.
fn tells(bytes: &[u8]) -> bool {
    contains(bytes, MARKER) || contains(bytes, IN_A_VAULT)
}

#[track_caller]
fn says_nothing(ran: &Ran) {
    assert!(!tells(ran.stderr.as_bytes()), "{}", ran.stderr);
    for bytes in [MARKER, IN_A_VAULT] {
        // As a log shows bytes: `[109, 97, 114, …]`.
        let as_numbers = format!("{bytes:?}");
        assert!(!ran.stderr.contains(as_numbers.trim_matches(['[', ']'])), "{}", ran.stderr);
    }
    assert!(ran.stderr.contains("debug: "), "it does log: {}", ran.stderr);
}

/// Runs it on a bus, whatever the keyring does with values on it.
fn lenient(bus: &Bus, arguments: &[&str], input: &[u8]) -> Ran {
    on(bus, &[&["--allow-unencrypted-bus"], arguments].concat(), input)
}

#[test]
fn the_log_shows_no_value_even_where_the_bus_carries_it_in_the_clear() {
    for dh in [DhBehaviour::Proper, DhBehaviour::Refused] {
        let (bus, _service) = scripted(Script { dh, ..Script::default() });
        says_nothing(&lenient(&bus, &["-vvv", "entry", "set", "app", "u"], MARKER).ends_with(0));
        let read = lenient(&bus, &["-vvv", "entry", "get", "app", "u"], b"").ends_with(0);
        assert_eq!(read.stdout, MARKER);
        says_nothing(&read);
    }
}

/// Every command that has to do with a value, and whether the value is what it prints.
const COMMANDS: [(&[&str], bool); 9] = [
    (&["setup", "KEY"], false),
    (&["set", "KEY", "--provider", "p", "--expires", "90d"], false),
    (&["update", "KEY", "--json"], false),
    (&["get", "KEY"], true),
    (&["list", "--json"], false),
    (&["rename", "KEY", "NEW"], false),
    (&["run", "--only", "NEW", "--", "true"], false),
    (&["run", "--", "no-such-program"], false),
    (&["purge", "--yes", "--json"], false),
];

#[test]
fn the_vaults_commands_log_and_print_no_value() {
    for dh in [DhBehaviour::Proper, DhBehaviour::Refused] {
        let (bus, _service) = scripted(Script { dh, ..Script::default() });
        for (arguments, prints) in COMMANDS {
            let ran = lenient(&bus, &[&["-vvv"], arguments].concat(), MARKER);
            let exit = if arguments.contains(&"no-such-program") { 127 } else { 0 };
            let ran = ran.ends_with(exit);
            says_nothing(&ran);
            assert_eq!(tells(&ran.stdout), prints, "{arguments:?}");
        }
    }
    let service = KeyutilsService::new();
    for (arguments, prints) in COMMANDS {
        let ran = service.vault(&[&["-vvv"], arguments].concat(), MARKER);
        assert!(!tells(ran.stderr.as_bytes()), "{}", ran.stderr);
        assert_eq!(tells(&ran.stdout), prints, "{arguments:?}");
    }
}

#[test]
fn a_refusal_shows_no_value() {
    let service = KeyutilsService::new();
    let binary = [MARKER, b"\xff"].concat();
    let with_nul = [MARKER, b"\0"].concat();
    service.vault(&["set", "NUL"], &with_nul).ends_with(0);
    let large = MARKER.repeat(4000);
    for (arguments, input, exit) in [
        (&["set", "KEY"][..], &binary[..], 2),
        (&["setup", "KEY"], &binary, 2),
        (&["set", "KEY"], &large, 1),
        (&["set", "NUL", "--create-new"], MARKER, 1),
        (&["update", "NONE"], MARKER, 3),
        (&["run", "--", "true"], b"", 2),
    ] {
        let refused = service.vault(&[&["-vvv"], arguments].concat(), input).ends_with(exit);
        assert_eq!(refused.out(), "", "{arguments:?}");
        assert!(!tells(refused.stderr.as_bytes()), "{}", refused.stderr);
    }
    // Somebody else's damage, with a value where none can be.
    service.damage(&[b"{\"", MARKER, b"\": ", MARKER].concat());
    let corrupt = service.vault(&["-vvv", "get", "NUL"], b"").ends_with(8);
    assert!(!tells(corrupt.stderr.as_bytes()), "{}", corrupt.stderr);
}

#[test]
fn the_kernels_keyring_logs_no_value_either() {
    let service = KeyutilsService::new();
    let name = service.name.as_str();
    says_nothing(&service.entry(&["set", name, "u", "-vvv"], MARKER).ends_with(0));
    says_nothing(&service.entry(&["get", name, "u", "-vvv"], b"").ends_with(0));
}

#[test]
fn the_process_table_shows_no_value() {
    let hang = ["Service.SearchItems"].map(str::to_owned).into();
    let (bus, service) = scripted(Script { hang, ..Script::default() });
    let mut command = bus.command("sh");
    // With a limit to lower, where there may be one.
    command.args(["-c", "ulimit -Sc \"$(ulimit -Hc)\"; exec \"$0\" \"$@\"", PROGRAM]);
    command.args(["set", "KEY", "--service", "app"]).stdin(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    support::give(&mut child, MARKER);
    assert!(service.wait_for_call("Service.SearchItems", 1, PATIENCE), "it has the value");
    let process = Path::new("/proc").join(child.id().to_string());
    let [command_line, environment] =
        ["cmdline", "environ"].map(|file| fs::read(process.join(file)).unwrap_or_default());
    let limits = fs::read_to_string(process.join("limits")).unwrap();
    service.answer_hung();
    service.set(|script| script.hang.clear());
    assert!(child.wait().unwrap().success());

    assert!(contains(&command_line, b"KEY"), "it is the right process");
    assert!(!tells(&command_line) && !tells(&environment));
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let cores: Vec<_> = cores.split_whitespace().skip(4).take(2).collect();
    assert_eq!(cores[0], "0", "no core dump holds the value");
}

#[test]
fn other_programs_of_the_user_do_not_look_into_its_memory() {
    if !root_or_skip() {
        return;
    }
    const NOBODY: u32 = 65_534;
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    let program = support::copy_of_program(directory.path());
    let mut command = Command::new("/usr/bin/env");
    command.args([
        "--",
        program.to_str().unwrap(),
        "--backend",
        "keyutils",
        "entry",
        "set",
        "a",
        "b",
    ]);
    command.uid(NOBODY).gid(NOBODY).current_dir("/").stdin(Stdio::piped()).stderr(Stdio::null());
    // It waits for its input.
    let mut child = command.spawn().unwrap();
    let memory = Path::new("/proc").join(child.id().to_string()).join("mem");
    wait_until("its memory belongs to root", PATIENCE, || {
        let runs = fs::read(memory.with_file_name("comm")).unwrap() == b"strongroom\n";
        runs && fs::metadata(&memory).unwrap().uid() == 0
    });
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn no_file_holds_a_value() {
    if !provider_or_skip("gnome-keyring-daemon") {
        return;
    }
    let (bus, _keyring) = gnome_keyring();
    on(&bus, &["-vvv", "entry", "set", "app", "u"], MARKER).ends_with(0);
    on(&bus, &["entry", "get", "app", "u"], b"").ends_with(0);
    for (arguments, _) in COMMANDS.iter().filter(|(arguments, _)| arguments[0] != "purge") {
        on(&bus, &[&["-vvv"], *arguments].concat(), MARKER);
    }
    let vault = on(&bus, &["entry", "get", "strongroom", "vault"], b"").ends_with(0);
    assert!(contains(&vault.stdout, IN_A_VAULT), "that is how it would show");
    let files = files_below(bus.sandbox().path());
    assert!(files.iter().any(|file| file.extension().is_some_and(|it| it == "keyring")));
    for file in files {
        let bytes = fs::read(&file).unwrap_or_default();
        assert!(!tells(&bytes), "{}", file.display());
    }
}

fn files_below(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files
}

#[test]
fn a_backup_shows_no_value_but_to_who_opens_it() {
    let (recipient, key) = (
        "age1wlh70c8kejj5zsquxyxwxdwj2ekahj8h86zldx3wcsjq3n3ezenspwr0vc",
        "AGE-SECRET-KEY-1YRC9TDQXYRF8GH5C0M3P9EY7YM6FQMLAHJLY78JLEDJ55T3S9K6SES5CLA",
    );
    let service = KeyutilsService::new();
    let place = |name: &str| service.sandbox.path().join(name).display().to_string();
    let [file, identity, passphrase] = ["backup.age", "key.txt", "passphrase"].map(place);
    private_file(&identity, key);
    private_file(&passphrase, "correct horse");
    service.vault(&["set", "KEY"], MARKER).ends_with(0);
    let says_no_value = |ran: Ran| {
        let said = ran.ends_with(0).said();
        assert!(!tells(said.as_bytes()) && !said.contains(key), "{said}");
        assert!(!said.contains("correct horse"), "{said}");
    };
    let restore = ["-vvv", "restore", &file];
    for (protection, unlock) in [
        (["--recipient", recipient], ["--identity", &identity]),
        (["--passphrase-file", &passphrase], ["--passphrase-file", &passphrase]),
    ] {
        let backup = ["-vvv", "backup", &file, "--force"];
        let restores = [&["--dry-run"][..], &["--json"], &["--replace", "--yes"]];
        let restores = restores.map(|more| [&restore[..], &unlock, more].concat());
        says_no_value(service.vault(&[&backup[..], &protection].concat(), b""));
        for arguments in restores {
            service.vault(&["delete", "KEY"], b"").ends_with(0);
            says_no_value(service.vault(&arguments, b""));
            let dry_run = arguments.contains(&"--dry-run");
            service.vault(&["exists", "KEY"], b"").ends_with(if dry_run { 3 } else { 0 });
            service.vault(&["set", "KEY"], MARKER).ends_with(0);
        }
        for file in files_below(service.sandbox.path()) {
            let bytes = fs::read(&file).unwrap_or_default();
            assert!(!tells(&bytes), "{}", file.display());
        }
    }
}

/// The commands on a configuration file with the marker in it.
const CONFIG_COMMANDS: [&[&str]; 9] = [
    &["status"],
    &["status", "--json"],
    &["import", "--dry-run", "--json"],
    &["import"],
    &["secure", "--dry-run"],
    &["secure", "--yes", "--json"],
    &["status"],
    &["export", "--plaintext", "--force", "--json"],
    &["secure", "--yes"],
];

#[test]
fn configuration_files_are_worked_on_without_showing_a_value() {
    for dh in [DhBehaviour::Proper, DhBehaviour::Refused] {
        let (bus, _service) = scripted(Script { dh, ..Script::default() });
        let file = bus.sandbox().path().join("config.json");
        fs::write(&file, [b"{ \"token\": \"", MARKER, b"\" }"].concat()).unwrap();
        let place = file.display().to_string();
        for arguments in CONFIG_COMMANDS {
            let arguments = [&["-vvv", "config", arguments[0], &place], &arguments[1..]].concat();
            let ran = lenient(&bus, &arguments, b"").ends_with(0);
            says_nothing(&ran);
            assert!(!tells(&ran.stdout), "{arguments:?}");
        }
        assert!(!tells(&fs::read(&file).unwrap()), "it was moved");
        let export = ["-vvv", "config", "export", "-", "--plaintext"];
        let export = lenient(&bus, &export, b"").ends_with(0);
        says_nothing(&export);
        assert!(tells(&export.stdout), "that is what it is for");
        for file in files_below(bus.sandbox().path()) {
            assert!(!tells(&fs::read(&file).unwrap_or_default()), "{}", file.display());
        }
    }
}
