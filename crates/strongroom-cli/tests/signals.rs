//! Signals at hidden prompts, below programs that go on afterwards.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs;
use std::process::Command;

use strongroom_testkit::{PATIENCE, provider_or_skip, root_or_skip, wait_until};
use support::session::Session;

const INTERRUPT: &str = "\u{3}";
const QUIT: &str = "\u{1c}";

/// A script that looks at the terminal before and after a question. It does not end by a signal.
const SCRIPT: &str = "\
    stty -a > before
    keep set KEY
    ended=$?
    stty -a > after
    echo \"ended $ended.\"";

/// Looks at the terminal as the next command found it.
#[track_caller]
fn is_as_before(session: &Session, what: &str) {
    let [before, after] = ["before", "after"].map(|file| session.read(file));
    assert!(before.contains(" icanon ") && before.contains(" echo "), "{before}");
    assert_eq!(after, before, "{what}");
}

/// A question below such a script, which catches the interrupt in this way.
fn below(shell: &[&str], trap: &str) -> Session {
    let script = format!("{trap}\n{SCRIPT}");
    let mut session = Session::of(&[shell, &["-c", &script]].concat());
    session.wait_for_question();
    session
}

#[test]
fn every_signal_finds_the_terminal_restored_and_ends_the_process_by_itself() {
    if !provider_or_skip("python3") {
        return;
    }
    // All that end a process by default, come from outside and can be caught.
    let signals = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ABRT", 6),
        ("USR1", 10),
        ("USR2", 12),
        ("ALRM", 14),
        ("TERM", 15),
        ("STKFLT", 16),
        ("XCPU", 24),
        ("VTALRM", 26),
        ("PROF", 27),
        ("POLL", 29),
        ("PWR", 30),
    ];
    for (name, number) in signals {
        let mut session = Session::of(&["python3", "-c", WRAPPER]);
        session.wait_for_question();
        session.signal(name);
        // Python has a negative code for a process that a signal ended.
        session.terminal.wait_for_next(&format!("ended {}.", -number));
        is_as_before(&session, name);
    }
}

/// As the script, in a program that catches the interrupt and looks at how its child ended.
const WRAPPER: &str = "
import signal, subprocess
signal.signal(signal.SIGINT, lambda *_: None)
def settings(file):
    subprocess.run(['stty', '-a'], stdout=open(file, 'w'))
settings('before')
code = subprocess.run(['keep', 'set', 'KEY']).returncode
settings('after')
print(f'ended {code}.', flush=True)
";

#[test]
fn keys_below_a_program_that_catches_the_interrupt() {
    if !provider_or_skip("python3") {
        return;
    }
    let mut session = Session::of(&["python3", "-c", WRAPPER]);
    session.wait_for_question();
    session.terminal.press(INTERRUPT);
    session.terminal.wait_for_next("ended -2.");
    is_as_before(&session, "an interrupt");
}

#[test]
fn keys_below_scripts_that_go_on() {
    for shell in [&["sh"][..], &["bash"], &["dash"], &["zsh", "-f"], &["fish"]] {
        if !provider_or_skip(shell[0]) {
            continue;
        }
        let is_fish = shell[0] == "fish";
        let script = SCRIPT.replace("ended=$?", "set ended $status");
        let mut session = match is_fish {
            true => {
                let script = format!("trap true INT QUIT\n{script}");
                let mut session = Session::of(&["fish", "-c", &script]);
                session.wait_for_question();
                session
            }
            false => below(shell, "trap 'echo caught' INT QUIT"),
        };
        session.terminal.press(INTERRUPT);
        session.terminal.wait_for_next("ended 130.");
        is_as_before(&session, shell[0]);
        if !is_fish {
            assert!(session.terminal.shown().contains("caught"), "the whole group has it");
            let mut session = below(shell, "trap 'echo caught' INT QUIT");
            session.terminal.press(QUIT);
            session.terminal.wait_for_next("ended 131.");
            is_as_before(&session, shell[0]);
        }
    }
}

#[test]
fn an_interrupt_ends_the_script_that_does_not_catch_it() {
    for shell in ["sh", "bash", "dash"] {
        let mut session = below(&[shell], "");
        session.terminal.press(INTERRUPT);
        session.wait_until_idle();
        let after = session.terminal.settings();
        let (shown, _) = session.terminal.end();
        assert!(!shown.contains("ended"), "{shown}");
        assert!(after.contains(" icanon ") && after.contains(" echo "), "{after}");
    }
}

#[test]
fn a_signal_that_was_ignored_before_stays_ignored() {
    let mut session = below(&["sh"], "trap '' INT TERM");
    session.terminal.press(INTERRUPT);
    session.signal("TERM");
    session.terminal.press("value\r");
    session.terminal.wait_for_next("ended 0.");
    is_as_before(&session, "an answer");
}

#[test]
fn an_interrupt_below_make() {
    if !provider_or_skip("make") {
        return;
    }
    let recipe = "printf 'all:\\n\\tkeep set KEY\\n\\techo goes on\\n' > Makefile";
    let script = format!(
        "{recipe}\nstty -a > before\ntrap true INT\nmake\nstty -a > after\necho \"ended $?.\""
    );
    let mut session = Session::of(&["sh", "-c", &script]);
    session.wait_for_question();
    session.terminal.press(INTERRUPT);
    session.terminal.wait_for_next("ended 0.");
    is_as_before(&session, "make");
    assert!(!session.terminal.shown().contains("\ngoes on"), "{}", session.terminal.shown());
}

/// Runs the question below another program in a script that goes on.
fn below_program(program: &str) -> Session {
    let script = SCRIPT.replace("keep set KEY", program);
    Session::of(&["sh", "-c", &format!("trap true INT TERM\n{script}")])
}

#[test]
fn a_session_without_the_terminal_has_its_keys() {
    for key in [INTERRUPT, QUIT] {
        let mut session = below_program("setsid --wait keep set KEY");
        session.wait_for_question();
        session.terminal.press(key);
        session.terminal.wait_for_next("ended ");
        is_as_before(&session, &format!("{key:?}"));
    }
    let mut session = below_program("setsid --wait keep set KEY");
    session.wait_for_question();
    // No shell could bring it back, so it does not stop.
    session.terminal.press("dropped\u{1a}");
    session.wait_for_question();
    session.terminal.press("value\r");
    session.terminal.wait_for_next("ended 0.");
    is_as_before(&session, "an answer");
}

#[test]
fn a_terminal_of_its_own_below_script() {
    for (keys, ends) in [(INTERRUPT, "ended 130."), ("value\r", "ended 0.")] {
        let mut session = below_program("script -qec 'keep set KEY' /dev/null");
        session.wait_for_question();
        session.terminal.press(keys);
        session.terminal.wait_for_next(ends);
        is_as_before(&session, "script");
    }
}

#[test]
fn a_time_limit_ends_the_question() {
    // With --foreground the process has the terminal, without it has not and stops.
    for flag in ["--foreground", ""] {
        let mut session = below_program(&format!("timeout {flag} 1 keep set KEY"));
        session.terminal.wait_for_next("ended 124.");
        is_as_before(&session, flag);
    }
}

#[test]
fn another_users_process_is_interrupted_with_its_group() {
    if !root_or_skip() {
        return;
    }
    // The user `nobody` can't signal root's script. The kernel can.
    let program = "setpriv --reuid 65534 --clear-groups keep set KEY";
    let script = SCRIPT.replace("keep set KEY", program);
    let mut session = Session::of(&[
        "sh",
        "-c",
        &format!("chmod 777 . .. pid ../..\ntrap 'echo caught' INT\n{script}"),
    ]);
    session.wait_for_question();
    session.terminal.press(INTERRUPT);
    session.terminal.wait_for_next("caught");
    session.terminal.wait_for_next("ended 130.");
    is_as_before(&session, "another user's");
}

#[test]
fn a_terminal_that_goes_away_ends_the_question() {
    let below = "trap \"\" HUP; keep set KEY; echo $? > ended";
    let script = format!("echo $$ > terminal; exec script -qc '{below}' /dev/null");
    let mut session = Session::of(&["sh", "-c", &script]);
    session.wait_for_question();
    let terminal = session.read("terminal");
    assert!(Command::new("kill").args(["-s", "KILL", terminal.trim()]).status().unwrap().success());
    let ended = session.home().join("ended");
    wait_until("it ends", PATIENCE, || fs::read_to_string(&ended).is_ok_and(|code| code == "4\n"));
}
