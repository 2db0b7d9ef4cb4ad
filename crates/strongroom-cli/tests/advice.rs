//! The commands in advice work when they are copied, in the state that gave it. `doctor` tells the state of the service's secrets.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip, secret_tool};
use support::terminal::Terminal;
use support::{KeyutilsService, PROGRAM, Ran, alone, gnome_keyring, on, private_file, run};

/// What is said where a command stands for a name of the user's.
const PLACEHOLDERS: [(&str, &str); 6] = [
    (" NEW_NAME", " ADVISED_NAME"),
    (" SERVICE", " advised-service"),
    (" NAME", " ADVISED"),
    (" USER", " advised-user"),
    (" WHEN", " never"),
    ("=FILE", "=/dev/null"),
];

/// A user's environment, in which programs run.
struct State<'a> {
    start: Box<dyn Fn(&str) -> Command + 'a>,
    /// What stands for FILE.
    file: String,
}

impl<'a> State<'a> {
    fn new(start: impl Fn(&str) -> Command + 'a) -> Self {
        Self { start: Box::new(start), file: "advised-file".to_owned() }
    }

    fn on(bus: &'a Bus) -> Self {
        Self::new(|program| bus.command(program))
    }

    fn alone(sandbox: &'a Sandbox) -> Self {
        Self::new(|program| sandbox.command(program))
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], input: &[u8]) -> Ran {
        run((self.start)(PROGRAM), arguments, input)
    }

    /// Runs a command that fails, and then each command that it advises. Returns them.
    #[track_caller]
    fn advises(&self, arguments: &[&str], input: &[u8], exit: i32) -> Vec<String> {
        let said = self.run(arguments, input).ends_with(exit).stderr;
        let commands = in_backquotes(&said);
        assert!(!commands.is_empty(), "no command in: {said}");
        self.all_work(&commands, &said);
        commands
    }

    #[track_caller]
    fn all_work(&self, commands: &[String], said: &str) {
        let mut settings = String::new();
        for command in commands {
            let command = self.filled(command);
            if command.starts_with("export ") || command.starts_with("unset ") {
                settings += &format!("{command}; ");
                continue;
            }
            let ran = run((self.start)("sh"), &["-c", &format!("{settings}{command}")], b"advised");
            // A diagnosis ends as the commands on the secrets do.
            let is_diagnosis = (command.contains(" doctor") && ran.out().contains("Secrets of"))
                || (command.contains(" repair ") && ran.out().contains("Nothing was changed"));
            assert!(
                ran.exit == 0 || is_diagnosis,
                "`{command}`: {}\nadvised by: {said}",
                ran.said()
            );
        }
    }

    fn filled(&self, command: &str) -> String {
        let file = format!(" {}", self.file);
        let filled = PLACEHOLDERS
            .iter()
            .fold(command.to_owned(), |filled, (from, to)| filled.replace(from, to));
        filled.replace(" FILE", &file)
    }

    /// Returns what `doctor` says of the service's secrets, and how it ends.
    #[track_caller]
    fn doctor(&self, arguments: &[&str]) -> (Value, i32) {
        let ran = self.run(&[&["doctor", "--json"], arguments].concat(), b"");
        let json = ran.json();
        assert_eq!(json["exit_code"], ran.exit);
        (json, ran.exit)
    }
}

/// Returns the whole commands in a text: not single flags, which are for the command that was typed.
fn in_backquotes(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|it| !it.starts_with('-')).map(str::to_owned).collect()
}

fn commands(service: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let fixes =
        list(&service["secret_findings"]).into_iter().flat_map(|finding| list(&finding["fixes"]));
    let commands = fixes.flat_map(|fix| list(&fix["commands"]));
    commands.map(|command| command.as_str().unwrap().to_owned()).collect()
}

fn problem(service: &Value) -> String {
    service["secret_findings"][0]["message"].as_str().unwrap().to_owned()
}

fn started() -> Option<(Bus, GnomeKeyring)> {
    provider_or_skip("gnome-keyring-daemon").then(gnome_keyring)
}

#[test]
fn advice_about_secrets_works_for_another_service_and_store() {
    let service = KeyutilsService::new();
    let state = State::alone(&service.sandbox);
    let of = ["--service", &service.name, "--backend", "keyutils"];
    let command = |arguments: &[&'static str]| [arguments, &of[..]].concat();
    state.advises(&command(&["get", "API_KEY"]), b"", 3);
    state.run(&command(&["set", "API_KEY"]), b"value").ends_with(0);
    state.advises(&command(&["get", "API_KEY", "--target", "x y"]), b"", 3);
    state.advises(&command(&["delete", "NONE"]), b"", 3);
    state.run(&command(&["set", "API_KEY"]), b"value").ends_with(0);
    state.advises(&command(&["set", "API_KEY", "--create-new"]), b"value", 1);
    state.run(&command(&["set", "OTHER"]), b"value").ends_with(0);
    state.advises(&command(&["rename", "API_KEY", "OTHER"]), b"", 1);
    state.advises(&command(&["set", "EMPTY"]), b"", 2);
    state.advises(&command(&["set", "BYTES"]), b"\xff", 2);
    state.advises(&command(&["purge"]), b"", 2);
    let listed = alone(
        &service.sandbox,
        &["entry", "list", "advised-service", "--backend", "keyutils"],
        b"",
    );
    assert!(listed.out().contains("ADVISED"), "the entry is in the same store: {}", listed.said());
    state
        .run(&["purge", "--yes", "--service", "advised-service", "--backend", "keyutils"], b"")
        .ends_with(0);
}

#[test]
fn advice_about_what_has_expired_works() {
    let service = KeyutilsService::new();
    service.set_expired("OLD", &[]);
    let state = State::alone(&service.sandbox);
    let of = ["--service", &service.name, "--backend", "keyutils"];
    let (told, exit) = state.doctor(&of);
    assert_eq!((exit, &told["expired_count"], &told["secret_count"]), (0, &1.into(), &1.into()));
    state.all_work(&commands(&told), "doctor");
    state.advises(&[&["get", "OLD"], &of[..]].concat(), b"", 6);
    service.set_expired("OLDER", &[]);
    state.advises(&[&of[..], &["run", "--", "true"]].concat(), b"", 6);
}

#[test]
fn advice_about_single_entries_works() {
    let service = KeyutilsService::new();
    let state = State::alone(&service.sandbox);
    let entry = ["--backend", "keyutils", "entry", "get", &service.name, "token"];
    state.advises(&entry, b"", 3);
    let (told, exit) = state.doctor(&["--service", &service.name, "--backend", "keyutils"]);
    assert_eq!((exit, &told["secret_count"]), (0, &0.into()));
    assert!(told.to_string().contains("the vault is empty, and 1 secret"), "{told}");
    state.all_work(&commands(&told), "doctor");
    assert_eq!(service.vault(&["get", "token"], b"").ends_with(0).out(), "advised");
}

#[test]
fn advice_about_a_damaged_vault_works_and_the_doctor_says_so() {
    let service = KeyutilsService::new();
    service.vault(&["set", "A"], b"value").ends_with(0);
    service.damage(b"{\"strongroom\":");
    let state = State::alone(&service.sandbox);
    let of = ["--service", &service.name, "--backend", "keyutils"];
    let listed = state.run(&[&["list"], &of[..]].concat(), b"").exit;
    let (told, exit) = state.doctor(&of);
    assert_eq!((exit, &told["readable"]), (listed, &false.into()), "{told}");
    assert!(problem(&told).contains("can't be read"), "{told}");
    state.all_work(&commands(&told), "doctor");
    state.advises(&[&["get", "A"], &of[..]].concat(), b"", listed);
}

#[test]
fn a_variable_that_names_another_store_has_a_way_out_that_works() {
    let sandbox = Sandbox::new();
    let passphrase = sandbox.path().join("passphrase");
    private_file(&passphrase, "correct horse battery");
    let keyed = |program: &str, backend: Option<&str>| {
        let mut command = sandbox.command(program);
        command.env("STRONGROOM_PASSPHRASE_FILE", &passphrase);
        command.envs(backend.map(|backend| ("STRONGROOM_BACKEND", backend)));
        command
    };
    run(keyed(PROGRAM, Some("file")), &["set", "A"], b"value").ends_with(0);
    let state = State::new(|program| keyed(program, Some("keyutils")));
    let said = state.run(&["list"], b"").ends_with(5).stderr;
    assert_eq!(in_backquotes(&said), ["unset STRONGROOM_BACKEND"], "{said}");
    run(state_shell(&state), &["-c", &format!("unset STRONGROOM_BACKEND; {PROGRAM} get A")], b"")
        .ends_with(0)
        .says("value");
    let (told, exit) = state.doctor(&[]);
    assert_eq!(exit, 5);
    assert!(problem(&told).contains("are kept in file, not in keyutils"), "{told}");
    let elsewhere = state.run(&["doctor"], b"").out();
    assert!(!elsewhere.contains("export STRONGROOM_BACKEND"), "{elsewhere}");
}

fn state_shell(state: &State<'_>) -> Command {
    (state.start)("sh")
}

#[test]
fn secrets_in_the_kernel_move_into_a_keyring_by_the_doctors_command() {
    let Some((bus, _keyring)) = started() else {
        return;
    };
    let service = KeyutilsService::new();
    let of = ["--service", &service.name];
    let stored =
        alone(bus.sandbox(), &[&["setup", "API_KEY"], &of[..]].concat(), b"value").ends_with(0);
    assert!(stored.stderr.contains("doctor"), "{}", stored.stderr);
    let listed = on(&bus, &[&["list"], &of[..]].concat(), b"").ends_with(0);
    State::on(&bus).all_work(&in_backquotes(&listed.stderr), "list");
    let (told, exit) = State::on(&bus).doctor(&of);
    assert_eq!(
        (exit, &told["backend"], &told["store"]["persistence"]),
        (0, &"keyutils".into(), &"until_reboot".into())
    );
    let moves = commands(&told);
    assert!(moves[0].contains("move --to secret-service"), "{moves:?}");
    State::on(&bus).all_work(&moves, "doctor");
    let (told, exit) = State::on(&bus).doctor(&of);
    assert_eq!(
        (exit, &told["backend"], &told["secret_count"]),
        (0, &"secret-service".into(), &1.into())
    );
    assert_eq!(told["findings"][0]["severity"], "fine");
    let first = on(&bus, &[&["doctor"], &of[..]].concat(), b"").ends_with(0).out();
    assert!(first.starts_with("Secrets of"), "{first}");
    assert!(!first.contains("secrets are kept by"), "{first}");
}

#[test]
fn a_vault_that_is_gone_from_a_keyring_has_a_way_out_that_works() {
    let Some((bus, _keyring)) = started() else {
        return;
    };
    let of = ["--service", "advice-gone"];
    on(&bus, &[&["set", "A"], &of[..]].concat(), b"value").ends_with(0);
    let (backup, passphrase) = (bus.sandbox().path().join("b.age"), bus.sandbox().path().join("p"));
    private_file(&passphrase, "correct horse battery");
    let [backup, passphrase] = [backup, passphrase].map(|path| path.display().to_string());
    let make = ["backup", &backup, "--passphrase-file", &passphrase];
    on(&bus, &[&make[..], &of[..]].concat(), b"").ends_with(0);
    assert!(secret_tool::clear(&bus, "advice-gone", "vault"));
    let state =
        State { file: format!("{backup} --passphrase-file {passphrase}"), ..State::on(&bus) };
    let (told, exit) = state.doctor(&of);
    assert_eq!((exit, &told["secret_findings"][0]["code"]), (8, &"gone".into()), "{told}");
    state.advises(&[&["list"], &of[..]].concat(), b"", 8);
    assert_eq!(on(&bus, &[&["get", "A"], &of[..]].concat(), b"").ends_with(0).out(), "value");
}

#[test]
fn an_entry_of_another_program_in_the_vaults_place_is_told_by_the_doctor() {
    let Some((bus, _keyring)) = started() else {
        return;
    };
    secret_tool::store(&bus, "advice-foreign", "vault", "hello");
    let of = ["--service", "advice-foreign"];
    let listed = on(&bus, &[&["list"], &of[..]].concat(), b"");
    assert_ne!(listed.exit, 0);
    let state = State::on(&bus);
    let (told, exit) = state.doctor(&of);
    assert_eq!((exit, &told["readable"]), (listed.exit, &false.into()), "{told}");
    state.all_work(&in_backquotes(&listed.stderr), &listed.stderr);
}

#[test]
fn a_locked_keyring_ends_the_doctor_as_it_ends_the_commands() {
    let Some((bus, keyring)) = started() else {
        return;
    };
    on(&bus, &["set", "A"], b"value").ends_with(0);
    keyring.lock();
    let state = State::on(&bus);
    let (told, exit) = state.doctor(&[]);
    assert_eq!((exit, &told["findings"][0]["code"]), (4, &"locked".into()), "{told}");
    state.advises(&["list", "--no-prompt"], b"", 4);
}

#[test]
fn a_passphrase_that_nobody_can_be_asked_for_ends_the_doctor_as_it_ends_the_commands() {
    let sandbox = Sandbox::new();
    let passphrase = sandbox.path().join("passphrase");
    private_file(&passphrase, "correct horse battery");
    let mut keyed = sandbox.command(PROGRAM);
    keyed.env("STRONGROOM_PASSPHRASE_FILE", &passphrase);
    run(keyed, &["set", "A", "--backend", "file"], b"value").ends_with(0);
    let state = State::alone(&sandbox);
    state.run(&["list"], b"").ends_with(8);
    let (told, exit) = state.doctor(&[]);
    assert_eq!((exit, &told["secret_findings"][0]["code"]), (8, &"key_missing".into()), "{told}");

    let terminal = Terminal::start(sandbox.command("setsid"), &["doctor"]);
    let (shown, exit) = terminal.finish();
    assert_eq!(exit, 0, "{shown}");
    assert!(shown.contains("passphrase is asked for at each use"), "{shown}");
}

#[test]
fn the_passphrase_that_the_doctor_has_made_opens_a_new_file() {
    let sandbox = Sandbox::new();
    let state = State::alone(&sandbox);
    let told = state.run(&["doctor"], b"").ends_with(5).json_of(&state);
    let all: Vec<_> = told["findings"].as_array().unwrap().to_vec();
    let file =
        all.iter().find(|finding| finding["backend"] == "file").expect("it may be the way out");
    let commands: Vec<_> = file["fixes"][0]["commands"].as_array().unwrap().iter().collect();
    let script: Vec<_> = commands.iter().map(|command| command.as_str().unwrap()).collect();
    let script = format!("{}\n{PROGRAM} set A && {PROGRAM} doctor", script.join("\n"));
    let ran = run(sandbox.command("bash"), &["-ec", &script], b"value").ends_with(0);
    ran.says("1 secret is kept in file").says("until you delete them");
}

impl Ran {
    /// The same command's answer in JSON.
    #[track_caller]
    fn json_of(&self, state: &State<'_>) -> Value {
        state.run(&["doctor", "--json"], b"").json()
    }
}

#[test]
fn a_program_on_the_path_is_named_and_one_that_is_not_is_shown_by_its_path() {
    let service = KeyutilsService::new();
    let command = |path: Option<&Path>| {
        let mut command = service.sandbox.command(PROGRAM);
        if let Some(directory) = path {
            command.env("PATH", directory);
        }
        run(command, &["get", "A", "--service", &service.name, "--backend", "keyutils"], b"")
    };
    let directory = Path::new(PROGRAM).parent();
    command(directory).ends_with(3).says("`strongroom set A --service");
    command(None).ends_with(3).says(&format!("`{PROGRAM} set A --service"));
}

#[test]
fn what_is_said_of_a_file_is_told_with_its_name() {
    let service = KeyutilsService::new();
    let state = State::alone(&service.sandbox);
    let file = service.sandbox.path().join("it's.env");
    private_file(&file, "API_KEY=ghp_abcdefghijklmnopqrstuvwxyz0123456789\n");
    let arguments = [
        "config",
        "status",
        file.to_str().unwrap(),
        "-v",
        "--service",
        &service.name,
        "--backend",
        "keyutils",
    ];
    let said = state.run(&arguments, b"").stderr;
    let commands = in_backquotes(&said);
    assert!(commands.iter().any(|it| it.contains("config secure")), "{said}");
    // It asks whether secrets may go into a store that forgets.
    let refused =
        run((state.start)("sh"), &["-c", &format!("{} --yes --session-store", commands[0])], b"");
    refused.ends_with(0);
}
