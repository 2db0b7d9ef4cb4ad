//! The program and a kit, beside a program without commands.

use std::sync::Arc;

use strongroom::advice::Neutral;
use strongroom::error::{Operation, Reason};
use strongroom::keys::{KeySource, SealingKey};
use strongroom::store::{Capabilities, EntryName, Persistence, secret_copy};
use strongroom::{
    Config, Error, ErrorKind, ExposeSecret as _, KeyringStore as _, MockKeyringStore, Secret,
};
use strongroom_testkit::Sandbox;

use super::*;
use crate::args::{self, STANDALONE};
use crate::failure::advice;
use crate::secrets_command::SecretsCommand;

fn voice(program: Program, service: &str, backend: Option<Backend>) -> ProgramVoice {
    ProgramVoice {
        typed: program.name.clone(),
        program,
        service: service.to_owned(),
        backend,
        allows_unencrypted_bus: false,
    }
}

#[test]
fn commands_lead_to_the_same_vault() {
    let elsewhere = voice(Program::standalone(), "my app", Some(Backend::File));
    for (command, typed) in [
        (Command::new("list"), "strongroom list --service 'my app' --backend file"),
        (Command::new("move --to file"), "strongroom move --to file --service 'my app'"),
        (
            Command::new("entry list").value("app", "SERVICE"),
            "strongroom entry list app --backend file",
        ),
        (
            Command::new("set").value("a < b", "NAME").then("< FILE"),
            "strongroom set 'a < b' --service 'my app' --backend file < FILE",
        ),
        (
            Command::new("run").then("-- env"),
            "strongroom run --service 'my app' --backend file -- env",
        ),
        (Command::new("list").on("other"), "strongroom list --service other --backend file"),
        (Command::new("list").on(STANDALONE), "strongroom list --backend file"),
        (
            Command::new("setup NAME --backend keyutils"),
            "strongroom setup NAME --backend keyutils --service 'my app'",
        ),
        (Command::new("man"), "strongroom man"),
    ] {
        assert_eq!(elsewhere.command(&command).as_deref(), Some(typed));
    }
    let here = voice(Program::standalone(), STANDALONE, None);
    let command = Command::new("list").on(STANDALONE);
    assert_eq!(here.command(&command).as_deref(), Some("strongroom list"));
}

#[test]
fn an_embedding_program_has_its_commands_and_its_service_alone() {
    let app = voice(Program::embedded("app secrets", "app"), "app", None);
    let said = |command: Command| app.command(&command);
    assert_eq!(said(Command::new("doctor")).as_deref(), Some("app secrets doctor"));
    let merge = Command::new("repair --merge").on("app");
    assert_eq!(said(merge).as_deref(), Some("app secrets repair --merge"));
    for command in [
        Command::new("entry set").value("app", "SERVICE"),
        Command::new("man"),
        Command::new("list").on("other"),
    ] {
        assert_eq!(said(command), None);
    }
}

#[test]
fn a_program_that_is_not_on_the_path_is_typed_by_its_path() {
    let started_by = |path: &str| typed("tracker secrets", Some(OsStr::new(path)));
    assert_eq!(started_by("target/debug/tracker"), "target/debug/tracker secrets");
    assert_eq!(started_by("/my apps/tracker"), "'/my apps/tracker' secrets");
    assert_eq!(started_by("tracker"), "tracker secrets");
    assert_eq!(started_by("/usr/bin/wrapper"), "tracker secrets");
    assert_eq!(typed("tracker", None), "tracker");
}

/// A program of the service `app`, with directories of its own.
struct App {
    sandbox: Sandbox,
    store: MockKeyringStore,
}

impl App {
    fn new() -> Self {
        Self { sandbox: Sandbox::new(), store: MockKeyringStore::new() }
    }

    fn config(&self) -> Config {
        Config::new("app")
            .env_prefix("TRACKER")
            .environment(|_| None)
            .state_dir(self.sandbox.state_dir())
            .data_dir(self.sandbox.data_dir())
    }

    fn on_store(&self) -> Config {
        self.config().store(Arc::new(self.store.clone()))
    }

    fn in_file(&self, key: &SealingKey) -> Config {
        self.config().backend(Backend::File).key(KeySource::key(key.clone()))
    }
}

fn refused(config: Config) -> Error {
    config.open_blocking().and_then(|vault| vault.list()).expect_err("it does not open")
}

fn corrupt() -> Error {
    let app = App::new();
    app.on_store().open_blocking().unwrap().set("A", &Secret::new("v")).unwrap();
    let whole = app.store.get_bytes("app", "vault").unwrap().unwrap();
    let half = &whole.expose_secret()[..whole.expose_secret().len() / 2];
    app.store.set_bytes("app", "vault", &secret_copy(half)).unwrap();
    refused(app.on_store())
}

fn ambiguous_vault() -> Error {
    let app = App::new();
    app.on_store().open_blocking().unwrap().set("A", &Secret::new("v")).unwrap();
    app.store.fail(Operation::Get, ErrorKind::Ambiguous);
    refused(app.on_store())
}

fn gone() -> Error {
    let (app, key) = (App::new(), SealingKey::generate().unwrap());
    app.in_file(&key).open_blocking().unwrap().set("A", &Secret::new("v")).unwrap();
    std::fs::remove_dir_all(app.sandbox.data_dir()).unwrap();
    refused(app.in_file(&key))
}

fn too_large() -> Error {
    let app = App::new();
    // A store that forgets: for one that lasts, the vault becomes an encrypted file.
    let small = Capabilities::new(Persistence::Session).with_max_secret_len(64);
    app.store.set_capabilities(small);
    let vault = app.on_store().open_blocking().unwrap();
    vault.set("A", &Secret::new("v".repeat(99))).expect_err("it is too large")
}

fn bound_elsewhere() -> Error {
    let (app, key) = (App::new(), SealingKey::generate().unwrap());
    app.in_file(&key).open_blocking().unwrap().set("A", &Secret::new("v")).unwrap();
    refused(app.in_file(&key).backend(Backend::SecretService))
}

fn missing_key() -> Error {
    let (app, key) = (App::new(), SealingKey::generate().unwrap());
    app.in_file(&key).open_blocking().unwrap().set("A", &Secret::new("v")).unwrap();
    refused(app.config().backend(Backend::File))
}

fn wrong_key() -> Error {
    let (app, key) = (App::new(), SealingKey::generate().unwrap());
    app.in_file(&key).open_blocking().unwrap().set("A", &Secret::new("v")).unwrap();
    refused(app.in_file(&SealingKey::generate().unwrap()))
}

fn missing_secret() -> Error {
    let (app, key) = (App::new(), SealingKey::generate().unwrap());
    let vault = app.in_file(&key).open_blocking().unwrap();
    vault.require(("A", "b c")).expect_err("there is no secret")
}

fn of_entry(kind: ErrorKind) -> Error {
    Error::new(kind, Operation::Get).with_entry(&EntryName::new("app", "token").unwrap())
}

/// An error, and its advice in the words of the program, of a kit, and of a program without commands: a settings page, a
/// desktop application.
type Row = (fn() -> Error, &'static str, &'static str, &'static str);

const ROWS: [Row; 13] = [
    (
        corrupt,
        "Nothing was changed. `strongroom repair --service app` shows what is left of it.",
        "Nothing was changed. `tracker repair` shows what is left of it.",
        "Nothing was changed.",
    ),
    (
        ambiguous_vault,
        "Look at them, and make one vault of them. `strongroom repair --service app` shows them. \
         `strongroom repair --merge --service app` makes one of them.",
        "Look at them, and make one vault of them. `tracker repair` shows them. `tracker repair --merge` makes one of \
         them.",
        "Look at them, and make one vault of them.",
    ),
    (
        || of_entry(ErrorKind::Ambiguous),
        "Look at them, keep one and delete the others. `strongroom entry repair app token` shows the items; with \
         `--keep ID` it keeps one and deletes the others.",
        "Look at them, keep one and delete the others.",
        "Look at them, keep one and delete the others.",
    ),
    (
        gone,
        "Was a keyring replaced, a disk not mounted, a home restored without it? Bring it back, or begin anew and \
         restore a backup. `strongroom repair --reset --service app` begins anew. `strongroom restore FILE --service \
         app` then brings a backup's secrets back.",
        "Was a keyring replaced, a disk not mounted, a home restored without it? Bring it back, or begin anew and \
         restore a backup. `tracker repair --reset` begins anew. `tracker restore FILE` then brings a backup's \
         secrets back.",
        "Was a keyring replaced, a disk not mounted, a home restored without it? Bring it back, or begin anew and \
         restore a backup.",
    ),
    (
        too_large,
        "An encrypted file has no such limit. `strongroom move --to file --service app` moves the vault into one.",
        "An encrypted file has no such limit. `tracker move --to file` moves the vault into one.",
        "An encrypted file has no such limit.",
    ),
    (
        bound_elsewhere,
        "They can be used in file alone. `strongroom move --to secret-service --service app` moves them there.",
        "They can be used in file alone. `tracker move --to secret-service` moves them there.",
        "They can be used in file alone.",
    ),
    (
        missing_key,
        "Name a file with the passphrase in TRACKER_PASSPHRASE_FILE, or one with a key in TRACKER_KEY_FILE.",
        "Name a file with the passphrase in TRACKER_PASSPHRASE_FILE, or one with a key in TRACKER_KEY_FILE.",
        "Name a file with the passphrase in TRACKER_PASSPHRASE_FILE, or one with a key in TRACKER_KEY_FILE.",
    ),
    (
        wrong_key,
        "Use a passphrase or key that it was sealed with, or another one that was added to it. `strongroom key list \
         --service app` shows what opens it.",
        "Use a passphrase or key that it was sealed with, or another one that was added to it. `tracker key list` \
         shows what opens it.",
        "Use a passphrase or key that it was sealed with, or another one that was added to it.",
    ),
    (
        missing_secret,
        "Store it first. Run `strongroom set A --target 'b c' --backend file --service app`.",
        "Store it first. Run `tracker set A --target 'b c' --backend file`.",
        "Store it first.",
    ),
    (
        || of_entry(ErrorKind::NotFound),
        "Store it first. `strongroom entry list app` shows what is there; `strongroom entry set app token` stores it.",
        "Store it first.",
        "Store it first.",
    ),
    (
        || Error::new(ErrorKind::Locked, Operation::Get),
        "Unlock it, or allow a prompt, and try again. `strongroom doctor --service app` shows the commands.",
        "Unlock it, or allow a prompt, and try again. `tracker doctor` shows the commands.",
        "Unlock it, or allow a prompt, and try again.",
    ),
    (
        || {
            Error::new(ErrorKind::NoBackend, Operation::Choose)
                .with_reason(Reason::SessionNotEncrypted)
                .with_hint("Use a keyring that does.")
        },
        "Use a keyring that does. Or take it as it is, for one command, with `--allow-unencrypted-bus`.",
        "Use a keyring that does. Or take it as it is, for one command, with `--allow-unencrypted-bus`.",
        "Use a keyring that does.",
    ),
    (
        || Error::new(ErrorKind::AlreadyExists, Operation::Set),
        "Leave out `--create-new` to replace it, or choose another name.",
        "Leave out `--create-new` to replace it, or choose another name.",
        "Overwrite it on purpose, or choose another name.",
    ),
];

fn program() -> ProgramVoice {
    voice(Program::standalone(), "app", None)
}

fn kit() -> ProgramVoice {
    voice(Program::embedded("tracker", "app"), "app", None)
}

#[test]
fn each_program_gives_advice_in_its_own_words() {
    for (error, in_program, in_kit, without_commands) in ROWS {
        let error = error();
        let said = advice(&error);
        assert_eq!(said.spoken_by(&program()), in_program, "{error:?}");
        assert_eq!(said.spoken_by(&kit()), in_kit, "{error:?}");
        assert_eq!(error.hint(), without_commands, "{error:?}");
        assert_eq!(error.advice().spoken_by(&Neutral), without_commands, "{error:?}");
    }
}

#[test]
fn each_advised_command_is_a_command_of_the_program_that_says_it() {
    for (error, ..) in ROWS {
        for command in advice(&error()).commands() {
            let typed = program().command(command).expect("it has all commands");
            assert_is_parsed(args::command(), &typed);
            if let Some(typed) = kit().command(command) {
                let tracker = clap::Command::new("tracker").subcommand_required(true);
                assert_is_parsed(
                    <SecretsCommand as clap::Subcommand>::augment_subcommands(tracker),
                    &typed,
                );
            }
        }
    }
}

fn assert_is_parsed(command: clap::Command, typed: &str) {
    // No value in these commands has a quote.
    let (mut words, mut is_quoted) = (vec![String::new()], false);
    for c in typed.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().expect("there is a word").push(c),
        }
    }
    if let Err(error) = command.try_get_matches_from(words) {
        panic!("{typed}: {error}");
    }
}
