//! The company's program, run as a process against a server of its own.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;

use strongroom::{Config, ExposeSecret as _, Layout};
use strongroom_testkit::Sandbox;
use support::{Server, TOKEN};

/// The value that must be shown by `get` alone.
const VALUE: &str = "m4rk3r-v4lu3";

/// A machine of the company with the program on it.
struct Machine {
    server: Server,
    sandbox: Sandbox,
}

impl Machine {
    fn new() -> Self {
        Self { server: Server::start(), sandbox: Sandbox::new() }
    }

    /// Runs the program with this token. Returns the code of its end, its output, and its errors.
    fn run(&self, token: &str, arguments: &[&str], input: &str) -> (i32, String, String) {
        let mut command = self.sandbox.command(env!("CARGO_BIN_EXE_http-store"));
        command.env("ACME_SECRETS_URL", &self.server.url).env("ACME_SECRETS_TOKEN", token);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().unwrap();
        program.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        let output = program.wait_with_output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
        assert!(!(out.clone() + &err).contains(TOKEN), "the token is shown: {out}{err}");
        (output.status.code().unwrap(), out, err)
    }

    /// Runs a command that succeeds, and returns its output and its errors.
    #[track_caller]
    fn done(&self, arguments: &[&str], input: &str) -> (String, String) {
        let (code, out, err) = self.run(TOKEN, arguments, input);
        assert_eq!(code, 0, "{arguments:?}: {err}");
        (out, err)
    }
}

#[test]
fn a_secret_from_a_pipe_is_on_the_server_and_other_processes_see_it() {
    let machine = Machine::new();
    machine.done(&["setup", "API_KEY"], VALUE);
    assert_eq!(machine.server.users("acme"), ["API_KEY"]);
    assert_eq!(machine.done(&["get", "API_KEY"], ""), (VALUE.to_owned(), String::new()));
    let (list, _) = machine.done(&["list"], "");
    assert!(list.starts_with("API_KEY\t") && !list.contains(VALUE), "{list}");

    let config = Config::new("acme").environment(|_| None).state_dir(machine.sandbox.state_dir());
    let store = Arc::new(machine.server.store());
    let secrets = config.store(store).layout(Layout::Entries).open_blocking().unwrap();
    assert_eq!(secrets.get_value("API_KEY").unwrap().unwrap().expose_secret(), VALUE);
    secrets.set_api_key("SECOND", "2", None).unwrap();
    assert_eq!(machine.done(&["get", "SECOND"], "").0, "2");
}

#[test]
fn what_the_commands_say_of_the_store_is_so() {
    let machine = Machine::new();
    let provider = format!("the secret server at {}", machine.server.url);
    let (setup, warnings) = machine.done(&["setup", "API_KEY"], VALUE);
    assert!(setup.contains(&format!("acme-secrets: {provider}")), "{setup}");
    assert!(setup.contains("On the way    in the clear"), "{setup}");
    assert!(setup.contains("acme get API_KEY"), "{setup}");
    let (doctor, _) = machine.done(&["doctor"], "");
    assert!(doctor.contains(&format!("kept in acme-secrets ({provider})")), "{doctor}");
    assert!(doctor.contains(&format!("acme-secrets ({provider}) can keep secrets")), "{doctor}");
    let (backends, _) = machine.done(&["backends"], "");
    assert!(backends.contains(&format!("usable: {provider}")), "{backends}");
    assert!(backends.contains("Chosen now: acme-secrets, as this program says."), "{backends}");
    // Nothing is said of what has no part in it.
    for told in [setup, warnings, doctor] {
        for wrong in ["operating system", "Secret Service", "bus", VALUE] {
            assert!(!told.contains(wrong), "{wrong:?} in {told}");
        }
    }
}

#[test]
fn a_server_that_is_away_or_refuses_is_no_empty_vault() {
    let mut machine = Machine::new();
    machine.done(&["setup", "API_KEY"], VALUE);
    let (refused, out, err) = machine.run("another", &["get", "API_KEY"], "");
    assert_eq!(out, "");
    assert!(err.contains("refuses the token") && err.contains("Get a token"), "{err}");

    machine.server.stop();
    let (away, out, err) = machine.run(TOKEN, &["get", "API_KEY"], "");
    assert_eq!(out, "");
    assert!(err.contains("(acme-secrets): the secret server can't be reached"), "{err}");
    let (missing, ..) = Machine::new().run(TOKEN, &["get", "API_KEY"], "");
    assert!(![0, missing].contains(&refused) && ![0, missing].contains(&away));
    let (code, doctor, _) = machine.run(TOKEN, &["doctor"], "");
    assert_eq!(code, away);
    assert!(doctor.contains("the secret server can't be reached"), "{doctor}");
    assert!(!doctor.contains("bus"), "{doctor}");
}
