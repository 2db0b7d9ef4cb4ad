//! Help, manual, completions, errors: what is said, and to whom.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::process::Stdio;

use strongroom_testkit::Sandbox;
use support::{KEYUTILS, KeyutilsService, PROGRAM, alone, run};

const COMMANDS: [&str; 17] = [
    "setup",
    "set",
    "get",
    "list",
    "run",
    "update",
    "delete",
    "rename",
    "exists",
    "config",
    "settings",
    "purge",
    "backends",
    "doctor",
    "entry",
    "completions",
    "man",
];
const CONFIG: [&str; 4] = ["status", "secure", "export", "import"];
const ENTRY: [&str; 6] = ["set", "get", "delete", "list", "exists", "repair"];

#[track_caller]
fn has_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no \"{part}\" in: {text}");
    }
}

#[test]
fn help_names_every_command_and_every_exit_code() {
    let sandbox = Sandbox::new();
    let help = alone(&sandbox, &["--help"], b"").ends_with(0).out();
    has_all(&help, &COMMANDS);
    let places: Vec<_> = COMMANDS.map(|it| help.find(&format!("\n  {it} "))).into();
    assert!(places.is_sorted(), "what is common comes first: {help}");
    has_all(&help, &["Exit codes:", "3    not found", "7    timed out", "127", "Examples:"]);
    let entry = alone(&sandbox, &["entry", "--help"], b"").ends_with(0).out();
    has_all(&entry, &ENTRY);
    let config = alone(&sandbox, &["config", "--help"], b"").ends_with(0).out();
    has_all(&config, &CONFIG);
    let version = alone(&sandbox, &["--version"], b"").ends_with(0).out();
    assert_eq!(version, format!("strongroom {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn no_line_of_help_is_wider_than_its_terminal() {
    let sandbox = Sandbox::new();
    let mut pages: Vec<Vec<&str>> = ENTRY.iter().map(|it| vec!["entry", it, "--help"]).collect();
    pages.extend(CONFIG.iter().map(|it| vec!["config", it, "--help"]));
    pages.extend(COMMANDS.iter().map(|it| vec![*it, "--help"]));
    pages.push(vec!["--help"]);
    for page in pages {
        let help = alone(&sandbox, &page, b"").ends_with(0).out();
        let wide = help.lines().find(|line| line.chars().count() > 100);
        assert_eq!(wide, None, "{page:?}");
    }
}

#[test]
fn the_manual_names_every_command_and_every_exit_code() {
    let sandbox = Sandbox::new();
    let manual = alone(&sandbox, &["man"], b"").ends_with(0).out();
    has_all(&manual, &COMMANDS);
    has_all(&manual, &ENTRY.map(|it| format!("strongroom entry {it}")).each_ref().map(|it| &**it));
    has_all(
        &manual,
        &CONFIG.map(|it| format!("strongroom config {it}")).each_ref().map(|it| &**it),
    );
    has_all(&manual, &["EXIT STATUS", "not found", "locked, denied or dismissed"]);

    let dir = sandbox.path().join("man");
    alone(&sandbox, &["man", "--dir", dir.to_str().unwrap()], b"").ends_with(0);
    for page in [
        "strongroom",
        "strongroom-setup",
        "strongroom-run",
        "strongroom-config",
        "strongroom-config-secure",
        "strongroom-entry",
        "strongroom-entry-get",
    ] {
        let text = fs::read_to_string(dir.join(page).with_extension("1")).unwrap();
        has_all(&text, &["EXIT STATUS", "NAME", "SYNOPSIS"]);
    }
    alone(&sandbox, &["man", "--dir", "/proc/none"], b"").ends_with(1).says("/proc/none");
}

#[test]
fn completions_know_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = alone(&sandbox, &["completions", shell], b"").ends_with(0).out();
        has_all(&script, &COMMANDS);
        has_all(&script, &ENTRY);
        has_all(&script, &CONFIG);
    }
    let script = alone(&sandbox, &["completions", "bash"], b"").out();
    let check = run(sandbox.command("bash"), &["-n"], script.as_bytes());
    check.ends_with(0);
}

#[test]
fn an_error_is_one_json_object_with_json_and_a_sentence_without() {
    let service = KeyutilsService::new();
    let name = service.name.as_str();
    let sentence = service.entry(&["get", name, "u"], b"").ends_with(3);
    assert!(sentence.stderr.starts_with("error: cannot read"), "{}", sentence.stderr);
    has_all(&sentence.stderr, &["\n  help: ", "strongroom entry set"]);

    let json = service.entry(&["get", name, "u", "--json"], b"").ends_with(3);
    assert_eq!(json.out(), "");
    let error = json.error();
    assert_eq!(error["code"], "not_found");
    assert!(error["message"].is_string() && error["hint"].is_string(), "{error}");

    let usage = alone(&service.sandbox, &["--json", "entry", "get"], b"").ends_with(2).error();
    assert_eq!(usage["code"], "invalid");
    let empty = service.entry(&["set", name, "u", "--json"], b"").ends_with(2).error();
    assert_eq!(empty["code"], "invalid");
    // The fallback's warning would be a second thing on stderr.
    let fallback = alone(&service.sandbox, &["--json", "entry", "get", name, "u"], b"");
    assert_eq!(fallback.ends_with(3).error()["code"], "not_found");
}

#[test]
fn causes_come_between_what_happened_and_what_to_do() {
    let sandbox = Sandbox::new();
    let no_bus = ["--backend", "secret-service", "entry", "get", "a", "b"];
    let stderr = alone(&sandbox, &no_bus, b"").ends_with(5).stderr;
    let beginnings: Vec<_> = stderr.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(beginnings, ["error", "  cause", "  help"], "{stderr}");
}

#[test]
fn no_escape_reaches_a_pipe() {
    let sandbox = Sandbox::new();
    for arguments in [&["doctor"][..], &["backends"], &["-vvv", "entry", "get", "a"], &["--help"]] {
        let said = alone(&sandbox, arguments, b"").said();
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}

#[test]
fn wrong_usage_is_two() {
    let sandbox = Sandbox::new();
    for arguments in [
        &[][..],
        &["nonsense"],
        &["--timeout", "0", "backends"],
        &["--timeout", "-1", "backends"],
        &["--timeout", "soon", "backends"],
        &["--backend", "nonsense", "backends"],
        &["completions", "nonsense"],
    ] {
        assert_eq!(alone(&sandbox, arguments, b"").ends_with(2).out(), "", "{arguments:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let service = KeyutilsService::new();
    service.set("u", &[b'x'; 5_000]);
    for arguments in [&["entry", "get", &service.name, "u"][..], &["man"], &["--help"], &["doctor"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = service.sandbox.command(PROGRAM);
        command.args(KEYUTILS).args(arguments).stdout(writer).stderr(Stdio::piped());
        let output = command.stdin(Stdio::null()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let service = KeyutilsService::new();
    service.set("u", b"value");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = service.sandbox.command(PROGRAM);
    command.args(KEYUTILS).args(["entry", "get", &service.name, "u"]).stdout(full);
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write the output"));
}
