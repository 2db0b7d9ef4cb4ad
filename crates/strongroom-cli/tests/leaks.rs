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
use strongroom_testkit::{PATIENCE, provider_or_skip, wait_until};
use support::{KeyutilsService, PROGRAM, Ran, gnome_keyring, on, scripted};

const MARKER: &[u8] = b"marker-of-a-secret";

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[track_caller]
fn says_nothing(ran: &Ran) {
    assert!(!contains(ran.stderr.as_bytes(), MARKER), "{}", ran.stderr);
    // As a log shows bytes: `[109, 97, 114, …]`.
    let as_numbers = format!("{MARKER:?}");
    assert!(!ran.stderr.contains(as_numbers.trim_matches(['[', ']'])), "{}", ran.stderr);
    assert!(ran.stderr.contains("debug: "), "it does log: {}", ran.stderr);
}

#[test]
fn the_log_shows_no_value_even_where_the_bus_carries_it_in_the_clear() {
    for dh in [DhBehaviour::Proper, DhBehaviour::Refused] {
        let (bus, _service) = scripted(Script { dh, ..Script::default() });
        says_nothing(&on(&bus, &["-vvv", "entry", "set", "app", "u"], MARKER).ends_with(0));
        let read = on(&bus, &["-vvv", "entry", "get", "app", "u"], b"").ends_with(0);
        assert_eq!(read.stdout, MARKER);
        says_nothing(&read);
        let setup = on(&bus, &["-vvv", "setup", "u"], MARKER).ends_with(0);
        says_nothing(&setup);
        assert!(!contains(&setup.stdout, MARKER));
    }
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
    let mut command = bus.command(PROGRAM);
    command.args(["entry", "set", "app", "u"]).stdin(Stdio::piped());
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

    assert!(contains(&command_line, b"entry"), "it is the right process");
    assert!(!contains(&command_line, MARKER) && !contains(&environment, MARKER));
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let cores: Vec<_> = cores.split_whitespace().skip(4).take(2).collect();
    assert_eq!(cores[0], "0", "no core dump holds the value");
}

#[test]
fn other_programs_of_the_user_do_not_look_into_its_memory() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return; // Only root can become another user.
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
    on(&bus, &["-vvv", "setup", "v"], MARKER).ends_with(0);
    on(&bus, &["entry", "get", "app", "u"], b"").ends_with(0);
    let files = files_below(bus.sandbox().path());
    assert!(files.iter().any(|file| file.extension().is_some_and(|it| it == "keyring")));
    for file in files {
        let bytes = fs::read(&file).unwrap_or_default();
        assert!(!contains(&bytes, MARKER), "{}", file.display());
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
