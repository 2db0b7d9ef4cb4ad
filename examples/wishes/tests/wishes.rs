//! Each program, run as a process on a real keyring, and what other programs see of it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip};

fn keyring() -> Option<(Bus, GnomeKeyring)> {
    provider_or_skip("gnome-keyring-daemon").then(|| {
        let bus = Bus::start(&Sandbox::new());
        let keyring = GnomeKeyring::start(&bus, Some("password"));
        (bus, keyring)
    })
}

/// Runs a program. Returns whether it succeeded, and all that it said.
fn run(mut command: Command, input: &str) -> (bool, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = command.spawn().unwrap();
    program.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    let output = program.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[track_caller]
fn says(command: Command, input: &str, expected: &str) {
    let (is_done, said) = run(command, input);
    assert!(is_done && said.contains(expected), "{said}");
}

/// A value as another program reads it.
fn lookup(bus: &Bus, service: &str, user: &str) -> String {
    let mut command = bus.command("secret-tool");
    command.args(["lookup", "service", service, "username", user]);
    run(command, "").1
}

#[test]
fn a_terminal_program_asks_once_and_says_what_to_run_if_the_key_is_missing() {
    let Some((bus, _keyring)) = keyring() else { return };
    let tui = || bus.command(env!("CARGO_BIN_EXE_wish-tui"));
    let (is_done, said) = run(tui(), "");
    assert!(!is_done && said.contains("Run `claude-tracker setup`."), "{said}");
    for value in ["first", "second-key"] {
        let mut setup = tui();
        setup.arg("setup");
        says(setup, value, "The key is stored.");
    }
    says(tui(), "", "a key of 10 characters");
    assert_eq!(lookup(&bus, "claude-tracker", "clockify_api_key"), "second-key");
}

#[test]
fn an_agent_logs_in_and_out_in_the_keyring_and_in_memory() {
    let Some((bus, _keyring)) = keyring() else { return };
    let agent = || bus.command(env!("CARGO_BIN_EXE_wish-agent"));
    says(agent(), "", "logged in with 4 characters\nlogged out: true");
    let mut ephemeral = agent();
    ephemeral.arg("--ephemeral");
    says(ephemeral, "", "logged out: true");
    assert_eq!(lookup(&bus, "codex-tui", "openai-api-key"), "");
}

#[test]
fn a_servers_manager_keeps_all_secrets_in_one_entry() {
    let Some((bus, _keyring)) = keyring() else { return };
    let server = bus.command(env!("CARGO_BIN_EXE_wish-server"));
    says(server, "", "secret-service, lasting: true\n3 secrets");
    assert!(lookup(&bus, "sideseat", "vault").contains("OPENAI_API_KEY"));
}

#[test]
fn a_web_applications_keys_leave_its_file_for_accounts_of_their_own() {
    let Some((bus, _keyring)) = keyring() else { return };
    let file = bus.sandbox().home().join("config.json");
    fs::write(&file, r#"{ "apiKeys": { "anthropic": "sk-ant-1", "openai": "sk-2" }, "port": 1 }"#)
        .unwrap();
    let web = || {
        let mut command = bus.command(env!("CARGO_BIN_EXE_wish-web"));
        command.arg(&file);
        command
    };
    says(web(), "", "2 keys are in secret-service");
    let left = fs::read_to_string(&file).unwrap();
    assert!(!left.contains("sk-") && left.contains(r#""port": 1"#), "{left}");
    assert_eq!(lookup(&bus, "choragen", "anthropic-api-key"), "sk-ant-1");
    says(web(), "", "there is nothing to do");
}

#[test]
fn a_desktop_application_stores_or_says_what_to_install() {
    let Some((bus, _keyring)) = keyring() else { return };
    says(bus.command(env!("CARGO_BIN_EXE_wish-desktop")), "", "a token of 5 characters");

    let bare = Bus::start(&Sandbox::new());
    says(bare.command(env!("CARGO_BIN_EXE_wish-desktop")), "", "gnome-keyring");
}
