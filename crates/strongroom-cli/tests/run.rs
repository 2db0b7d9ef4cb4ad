//! `run`: a program gets the secrets in its environment, and everything else as without us.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use strongroom_testkit::Sandbox;
use support::{KeyutilsService, PROGRAM, private_file, run};

/// A service with values with and without a target.
fn service() -> KeyutilsService {
    let service = KeyutilsService::new();
    for (name, target, value) in [
        ("API_KEY", None, "plain"),
        ("TOKEN", None, "token"),
        ("API_KEY", Some("production"), "for production"),
        ("ONLY_THERE", Some("production"), "there"),
    ] {
        let target: Vec<_> = target.into_iter().flat_map(|it| ["--target", it]).collect();
        service.vault(&[&["set", name], &target[..]].concat(), value.as_bytes()).ends_with(0);
    }
    service
}

/// The variables that a program got, whose names hold one of these words.
#[track_caller]
fn variables(service: &KeyutilsService, flags: &[&str]) -> Vec<String> {
    let arguments = [&["run"], flags, &["--", "env"]].concat();
    let printed = service.vault(&arguments, b"").ends_with(0).out();
    let ours = |line: &&str| ["API_KEY", "TOKEN", "ONLY_THERE"].iter().any(|it| line.contains(it));
    let mut variables: Vec<_> = printed.lines().filter(ours).map(str::to_owned).collect();
    variables.sort_unstable();
    variables
}

#[test]
fn a_program_gets_the_values_that_were_asked_for() {
    let service = service();
    assert_eq!(variables(&service, &[]), ["API_KEY=plain", "TOKEN=token"]);
    assert_eq!(
        variables(&service, &["--target", "production"]),
        ["API_KEY=for production", "ONLY_THERE=there", "TOKEN=token"]
    );
    assert_eq!(variables(&service, &["--only", "TOKEN"]), ["TOKEN=token"]);
    assert_eq!(
        variables(&service, &["--only", "TOKEN,API_KEY", "--prefix", "APP_"]),
        ["APP_API_KEY=plain", "APP_TOKEN=token"]
    );
    let only = ["--only", "TOKEN", "--only", "API_KEY", "--target", "production"];
    assert_eq!(variables(&service, &only), ["API_KEY=for production", "TOKEN=token"]);
}

#[test]
fn the_rest_of_the_environment_the_input_and_the_output_are_the_programs() {
    let service = service();
    let mut program = service.program();
    program.env("OTHER", "other").env("TOKEN", "old");
    let script = "cat; echo $OTHER $TOKEN \"$@\"; echo said >&2";
    let arguments = ["run", "--", "sh", "-c", script, "sh", "--json", "a b"];
    let ran = run(program, &arguments, b"input\n").ends_with(0);
    assert_eq!(ran.out(), "input\nother token --json a b\n");
    assert_eq!(ran.stderr, "said\n");
}

#[test]
fn the_dashes_can_be_left_out() {
    let service = service();
    let ran = service.vault(&["run", "printenv", "-0", "TOKEN"], b"").ends_with(0);
    assert_eq!(ran.out(), "token\0");
    service.vault(&["run", "--onyl", "TOKEN", "--", "true"], b"").ends_with(2).says("--only");
    service.vault(&["run"], b"").ends_with(2);
}

/// Runs a command that leaves a trace, and says whether it was started.
#[track_caller]
fn refused(service: &KeyutilsService, flags: &[&str], exit: i32) -> support::Ran {
    let trace = service.sandbox.path().join("started");
    let command = ["--", "touch", trace.to_str().unwrap()];
    let ran = service.vault(&[&["run"], flags, &command].concat(), b"").ends_with(exit);
    assert!(!trace.exists(), "it was started: {}", ran.stderr);
    ran
}

#[test]
fn a_missing_secret_is_an_error_before_the_program_starts() {
    let service = service();
    let missing = refused(&service, &["--only", "API_KEY,NONE"], 3);
    missing.says("no secret \"NONE\"").says("strongroom set NONE");
    refused(&service, &["--only", "ONLY_THERE"], 3).says("--target production");
    refused(&service, &["--target", "prod"], 3).says("\"production\"");
    refused(&service, &["--only", ""], 2).says("name is empty");
}

#[test]
fn an_expired_secret_is_an_error_only_where_it_is_needed() {
    let service = service();
    service.set_expired("OVER", &[]);
    refused(&service, &[], 6).says("\"OVER\"").says("strongroom update OVER --expires");
    refused(&service, &["--only", "TOKEN,OVER"], 6);
    assert_eq!(variables(&service, &["--only", "TOKEN"]), ["TOKEN=token"]);
    // A value for the target that has expired is not silently replaced by another.
    service.set_expired("TOKEN", &["--target", "production"]);
    service.vault(&["delete", "OVER"], b"").ends_with(0);
    refused(&service, &["--target", "production"], 6).says("\"TOKEN\" for target");
}

#[test]
fn what_can_be_no_variable_is_named() {
    let service = service();
    service.set_by_library("a=b", "value");
    refused(&service, &[], 2).says("\"a=b\"");
    refused(&service, &["--only", "TOKEN", "--prefix", "A="], 2).says("\"TOKEN\"");
    service.vault(&["set", "NUL"], b"a\0b").ends_with(0);
    refused(&service, &["--only", "NUL"], 2).says("\"NUL\"").says("base64");
    assert_eq!(variables(&service, &["--only", "TOKEN"]), ["TOKEN=token"]);
}

#[test]
fn a_value_that_the_system_does_not_pass_on_is_named_with_the_limit() {
    let sandbox = Sandbox::new();
    let key = sandbox.path().join("key");
    private_file(&key, format!("strongroom-key-1:{}\n", "0a".repeat(32)));
    let from = |mut command: Command, arguments: &[&str], input: &[u8]| {
        command.env("STRONGROOM_KEY_FILE", &key);
        run(command, &[&["--backend", "file"], arguments].concat(), input)
    };
    let vault = |arguments: &[&str], input: &[u8]| from(sandbox.command(PROGRAM), arguments, input);
    let fits = 131_072 - "BIG=".len() - 1;
    vault(&["set", "BIG"], &vec![b'x'; fits + 1]).ends_with(0);
    let refused = vault(&["run", "--", "true"], b"").ends_with(2);
    let refused = refused.says("\"BIG\"").says("131,072 bytes").says("--only");
    assert!(!refused.stderr.contains("xxx"));
    let json = vault(&["--json", "run", "--", "true"], b"").ends_with(2);
    assert_eq!(json.error()["code"], "invalid");
    vault(&["set", "BIG"], &vec![b'x'; fits]).ends_with(0);
    vault(&["run", "--", "true"], b"").ends_with(0);
    for name in ["MORE", "MOST"] {
        vault(&["set", name], &vec![b'x'; fits - 1]).ends_with(0);
    }
    let mut small = sandbox.command("sh");
    small.args(["-c", "ulimit -s 1024; exec \"$0\" \"$@\"", PROGRAM]);
    let refused = from(small, &["run", "--", "true"], b"").ends_with(126);
    refused.says("together").says("--only");
}

#[test]
fn names_that_shells_do_not_pass_on_are_warned_of() {
    let service = service();
    service.vault(&["set", "my-key"], b"value").ends_with(0);
    let ran = service.vault(&["run", "--", "true"], b"").ends_with(0);
    ran.says("warning").says("\"my-key\"").says("strongroom rename my-key");
    let ran = service.vault(&["run", "--only", "TOKEN", "--", "true"], b"").ends_with(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_program_that_is_nowhere_is_not_found_whatever_the_path_holds() {
    let service = service();
    let closed = service.sandbox.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join("program"), "not executable").unwrap();
    let mut program = service.program();
    program.env("PATH", format!("{}:/root:/proc/1/cwd", closed.display()));
    run(program, &["run", "--", "nosuch-program"], b"").ends_with(127).says("PATH");
    let mut program = service.program();
    program.env("PATH", &closed);
    run(program, &["run", "--", "program"], b"").ends_with(126).says("execute");
}

#[test]
fn an_empty_vault_is_worth_a_warning() {
    let service = KeyutilsService::new();
    let ran = service.vault(&["run", "--", "echo", "started"], b"").ends_with(0);
    assert_eq!(ran.out(), "started\n");
    ran.says("warning: ").says("is empty");
}

#[test]
fn the_exit_code_is_the_programs_or_what_shells_say() {
    let service = service();
    service.vault(&["run", "--", "sh", "-c", "exit 42"], b"").ends_with(42);
    let missing = service.vault(&["run", "--", "no-such-program"], b"").ends_with(127);
    missing.says("cannot start no-such-program").says("PATH");
    service.vault(&["run", "--", "/etc/passwd"], b"").ends_with(126).says("execute");
    let json = service.vault(&["--json", "run", "--", "no-such-program"], b"").ends_with(127);
    assert_eq!(json.error()["code"], "io");

    let mut shell = service.sandbox.command("sh");
    shell.env("STRONGROOM", PROGRAM).env("STRONGROOM_SERVICE", &service.name);
    let script = r#""$STRONGROOM" --backend keyutils run -- sh -c 'kill -TERM $$'; echo $?"#;
    assert_eq!(run(shell, &["-c", script], b"").ends_with(0).out(), "143\n");
}

/// A program that waits, and what it prints.
fn waiting(service: &KeyutilsService, script: &str) -> (Child, BufReader<ChildStdout>) {
    let mut program = service.program();
    program.args(["run", "--", "sh", "-c", script]);
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let printed = BufReader::new(child.stdout.take().unwrap());
    (child, printed)
}

fn next_line(printed: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[test]
fn signals_reach_the_program_and_nothing_of_ours_is_left() {
    let service = service();
    for (name, signal) in [
        ("TERM", Signal::TERM),
        ("INT", Signal::INT),
        ("HUP", Signal::HUP),
        ("QUIT", Signal::QUIT),
        ("USR1", Signal::USR1),
    ] {
        let script =
            format!("trap 'echo got {name}; exit 5' {name}; echo $$; read line; echo not killed");
        let (mut child, mut printed) = waiting(&service, &script);
        assert_eq!(next_line(&mut printed), child.id().to_string(), "it is this very process");
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(next_line(&mut printed), format!("got {name}"));
        assert_eq!(child.wait().unwrap().code(), Some(5));
    }
    let (mut child, mut printed) = waiting(&service, "echo ready; read line");
    assert_eq!(next_line(&mut printed), "ready");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(15), "it ends by the signal itself");
}

#[test]
fn the_program_may_dump_core_as_without_us() {
    let service = service();
    let mut shell = service.sandbox.command("sh");
    shell.env("STRONGROOM", PROGRAM).env("STRONGROOM_SERVICE", &service.name);
    let limits = "ulimit -Sc; ulimit -Hc";
    // Whatever the limit here is: another than ours, if it can be.
    let script = format!(
        "ulimit -Sc 4 2>/dev/null; {limits}; \
         exec \"$STRONGROOM\" --backend keyutils run -- sh -c '{limits}'"
    );
    let printed = run(shell, &["-c", &script], b"").ends_with(0).out();
    let limits: Vec<_> = printed.lines().collect();
    assert_eq!(limits[..2], limits[2..], "{printed}");
}

#[test]
fn a_value_is_in_the_environment_of_the_program_alone() {
    let service = service();
    let (mut child, mut printed) = waiting(&service, "echo ready; read line");
    assert_eq!(next_line(&mut printed), "ready");
    let file = |name: &str| fs::read(format!("/proc/{}/{name}", child.id())).unwrap();
    let holds = |bytes: &[u8]| bytes.windows(9).any(|it| it == b"KEY=plain");
    assert!(holds(&file("environ")));
    assert!(!String::from_utf8_lossy(&file("cmdline")).contains("plain"));
    drop(child.stdin.take());
    child.wait().unwrap();
}
