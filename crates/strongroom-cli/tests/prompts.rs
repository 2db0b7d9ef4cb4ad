//! Hidden prompts below real shells: pastes, keys and signals, and the terminal afterwards.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs;

use strongroom_testkit::provider_or_skip;
use support::session::{BASH, DASH, FISH, Session, Shell, ZSH};

/// A pasted file. No line of it may turn up anywhere.
const PEM: &str = "-----BEGIN KEY-----\nmarker-second-line\nmarker-third-line\n-----END KEY-----\n";

const INTERRUPT: &str = "\u{3}";
const END: &str = "\u{4}";
const QUIT: &str = "\u{1c}";
const SUSPEND: &str = "\u{1a}";

/// Each promise for each shell.
macro_rules! in_each_shell {
    ($($promise:ident)*) => {
        mod bash { $(#[test] fn $promise() { super::$promise(super::BASH); })* }
        mod dash { $(#[test] fn $promise() { super::$promise(super::DASH); })* }
        mod fish { $(#[test] fn $promise() { super::$promise(super::FISH); })* }
        mod zsh { $(#[test] fn $promise() { super::$promise(super::ZSH); })* }
    };
}

in_each_shell! {
    a_key_that_ends_the_question_leaves_the_terminal_as_it_was
    a_question_is_asked_again_after_a_stop
    a_question_below_another_program_is_asked_again_after_a_stop
    a_question_below_a_program_that_ends_first_gives_the_terminal_back
    a_question_in_the_background_waits_for_the_foreground
    a_signal_that_stops_it_leaves_the_terminal_as_it_was
    a_bracketed_paste_is_taken_whole
    several_lines_without_brackets_are_refused_and_go_nowhere
    text_that_was_typed_before_the_question_is_no_answer
}

/// Starts a shell, where it is installed, and looks at its terminal.
fn session(shell: Shell) -> Option<(Session, String)> {
    if !provider_or_skip(shell.name) {
        return None;
    }
    let mut session = Session::start(shell);
    let before = session.settings();
    assert!(before.contains(" icanon ") && before.contains(" echo "), "{before}");
    Some((session, before))
}

/// Ends a shell, and looks whether a pasted line went anywhere.
#[track_caller]
fn nothing_leaked(shell: Shell, session: Session) {
    let (shown, written) = session.end();
    for text in [&shown, &written] {
        assert!(!text.contains("marker"), "{text}");
        assert!(!text.contains("not found") && !text.contains("Unknown command"), "{text}");
    }
    assert_eq!(written.contains("keep set"), shell.history, "it does write down what is typed");
}

fn a_key_that_ends_the_question_leaves_the_terminal_as_it_was(shell: Shell) {
    let Some((mut session, before)) = session(shell) else { return };
    for keys in [INTERRUPT, QUIT, END, "value\r", "half a val\u{3}"] {
        session.ask("keep set KEY");
        session.terminal.press(keys);
        session.wait_until_idle();
        assert_eq!(session.settings(), before, "after {keys:?}");
    }
    assert_eq!(session.value("KEY"), "value");
    let (shown, _) = session.end();
    assert!(shown.contains("nothing was answered; nothing was stored"), "{shown}");
    assert!(!shown.contains("half a val"), "{shown}");
}

fn a_question_is_asked_again_after_a_stop(shell: Shell) {
    let Some((mut session, before)) = session(shell) else { return };
    session.ask("keep set KEY");
    session.terminal.press(&format!("dropped{SUSPEND}"));
    session.wait_until_idle();
    assert_eq!(session.settings(), before);
    session.run("stty -ixon");
    let changed = session.settings();
    session.ask("fg");
    session.terminal.press("value\r");
    session.wait_until_idle();
    assert_eq!(session.value("KEY"), "value");
    // Shells differ in whether they keep what a command sets, and that is theirs.
    assert!([before, changed].contains(&session.settings()));
}

/// A program that runs the question's, and has the same keys: it stops and ends at once.
const BELOW: &str = "python3 -c 'import signal, subprocess; signal.signal(signal.SIGINT, signal.SIG_DFL); \
     subprocess.run([\"keep\", \"set\", \"KEY\"])'";

/// Brings the question to the foreground and answers it.
#[track_caller]
fn answered_in_the_foreground(mut session: Session, before: &str) {
    session.ask("fg");
    session.terminal.press("value\r");
    session.wait_until_idle();
    assert_eq!(session.settings(), before);
    assert_eq!(session.value("KEY"), "value");
}

fn a_question_below_another_program_is_asked_again_after_a_stop(shell: Shell) {
    if !provider_or_skip("python3") {
        return;
    }
    let Some((mut session, before)) = session(shell) else { return };
    session.ask(BELOW);
    session.terminal.press(&format!("dropped{SUSPEND}"));
    session.wait_until_idle();
    assert_eq!(session.settings(), before);
    answered_in_the_foreground(session, &before);
}

fn a_question_below_a_program_that_ends_first_gives_the_terminal_back(shell: Shell) {
    if !provider_or_skip("python3") {
        return;
    }
    let Some((mut session, before)) = session(shell) else { return };
    session.ask(BELOW);
    session.terminal.press(INTERRUPT);
    session.wait_until_idle();
    assert_eq!(session.settings(), before);
}

fn a_question_in_the_background_waits_for_the_foreground(shell: Shell) {
    let Some((mut session, before)) = session(shell) else { return };
    session.run("keep set KEY & true");
    session.wait_until_stopped();
    assert_eq!(session.settings(), before);
    answered_in_the_foreground(session, &before);
}

fn a_signal_that_stops_it_leaves_the_terminal_as_it_was(shell: Shell) {
    let Some((mut session, before)) = session(shell) else { return };
    for signal in ["TSTP", "TTIN", "TTOU"] {
        session.ask("keep set KEY");
        session.signal(signal);
        session.wait_until_idle();
        assert_eq!(session.settings(), before, "after SIG{signal}");
        session.ask("fg");
        session.terminal.press("value\r");
        session.wait_until_idle();
        assert_eq!(session.settings(), before, "after SIG{signal} and an answer");
    }
    assert_eq!(session.value("KEY"), "value");
}

/// A stop that no process can catch leaves the terminal hidden, in shells that set no modes of their own.
#[test]
fn a_process_that_ends_after_such_a_stop_gives_the_terminal_back() {
    let Some((mut session, before)) = session(DASH) else { return };
    session.ask("keep set KEY");
    session.signal("STOP");
    session.wait_until_idle();
    assert!(session.terminal.settings().contains(" -echo "));
    session.signal("TERM");
    session.signal("CONT");
    session.wait_until_idle();
    assert_eq!(session.settings(), before);
}

#[test]
fn a_process_that_goes_on_after_such_a_stop_asks_again() {
    let Some((mut session, before)) = session(DASH) else { return };
    session.ask("keep set KEY");
    session.signal("STOP");
    session.wait_until_idle();
    // Enter is no newline in these modes.
    session.terminal.press("fg\n");
    session.wait_for_question();
    session.terminal.press("value\r");
    session.wait_until_idle();
    assert_eq!(session.settings(), before);
    assert_eq!(session.value("KEY"), "value");
}

fn a_bracketed_paste_is_taken_whole(shell: Shell) {
    let Some((mut session, before)) = session(shell) else { return };
    session.ask("keep set PEM");
    session.terminal.paste(PEM);
    session.terminal.wait_for_next("(4 lines, 75 bytes) ");
    session.terminal.press("\r");
    session.terminal.wait_for_next("Stored \"PEM\"");
    session.wait_until_idle();
    assert_eq!(session.settings(), before);
    session.run("keep get PEM | cksum > sum");
    session.run("keep delete PEM");
    let sum = session.read("sum");
    assert!(sum.ends_with(" 75\n"), "{sum}");
    nothing_leaked(shell, session);
}

fn several_lines_without_brackets_are_refused_and_go_nowhere(shell: Shell) {
    let Some((mut session, before)) = session(shell) else { return };
    // Less than the terminal's queue holds, and much more.
    for lines in [PEM.replace('\n', "\r"), PEM.replace('\n', "\r").repeat(500)] {
        session.ask("keep set PEM");
        session.terminal.press(&lines);
        session.terminal.wait_for_next("more than one line came at once; nothing was stored");
        session.wait_until_idle();
        assert_eq!(session.settings(), before);
    }
    session.run("keep exists PEM || echo no''ne");
    let shown = session.terminal.shown().to_owned();
    assert!(
        shown.contains("none") && shown.contains("strongroom set PEM --from-file PATH"),
        "{shown}"
    );
    nothing_leaked(shell, session);
}

fn text_that_was_typed_before_the_question_is_no_answer(shell: Shell) {
    let Some((mut session, _)) = session(shell) else { return };
    // It starts only once there is more than the queue holds.
    let wait = "until test -e go; do sleep 0.01; done";
    let wait = if shell.name == "fish" { "while not test -e go; sleep 0.01; end" } else { wait };
    session.run("stty -echo");
    session.terminal.type_line(&format!("{wait}; keep set KEY"));
    session.terminal.press(&"early\r".repeat(100));
    fs::write(session.home().join("go"), "").unwrap();
    session.wait_for_question();
    session.terminal.press("value\r");
    session.terminal.wait_for_next("Stored \"KEY\"");
    session.wait_until_idle();
    assert_eq!(session.value("KEY"), "value");
}
