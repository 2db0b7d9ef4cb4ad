//! Hidden prompts of the kit in another program, which has threads and handlers of its own.
#![cfg(all(target_os = "linux", feature = "settings"))]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]
#![allow(clippy::print_stdout, reason = "the other program tells how it went")]
#![allow(clippy::exit, reason = "a program that ends itself is what is tried")]

mod support;

use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fs};

use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::raise;
use strongroom_cli::{Kit, SecretsCommand};
use strongroom_testkit::{PATIENCE, child, children, wait_until};
use support::session::Session;

const INTERRUPT: &str = "\u{3}";

/// The variable that makes this test program the other program.
const HANDLES: &str = "EMBEDDING_HANDLES";

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: SecretsCommand,
}

children!(program);

/// Asks twice, in a thread that is not the first, as test programs run their tests.
fn program() {
    fs::write("pid", process::id().to_string()).unwrap();
    let kind = env::var(HANDLES).expect("other tests start it");
    let handled = handler(&kind);
    let before = dispositions();
    let ended = ask();
    if kind != "nothing" && ended != ExitCode::SUCCESS {
        // Some have a thread for it.
        wait_until("the handler is called", PATIENCE, || handled.load(Ordering::SeqCst));
    }
    println!("asked: {ended:?}, handled: {}.", handled.load(Ordering::SeqCst));
    println!("dispositions {}.", if dispositions() == before { "as before" } else { "changed" });
    ask();
    // As an async runtime does once it listens.
    let late = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGTERM, Arc::clone(&late)).unwrap();
    raise(SIGTERM).unwrap();
    println!("late: {}.", late.load(Ordering::SeqCst));
}

/// A handler as programs have them, and the flag that it sets.
fn handler(kind: &str) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    match kind {
        "nothing" => {}
        // In the registry that async runtimes share.
        "by registry" => {
            for signal in [SIGINT, SIGTERM] {
                signal_hook::flag::register(signal, Arc::clone(&flag)).unwrap();
            }
        }
        // Past it.
        "by itself" => ctrlc::set_handler(move || set.store(true, Ordering::SeqCst)).unwrap(),
        "by its end" => ctrlc::set_handler(|| process::exit(9)).unwrap(),
        kind => panic!("{kind}"),
    }
    flag
}

fn ask() -> ExitCode {
    let arguments = ["program", "set", "KEY", "--backend", "memory"];
    Kit::new("embedding").run(Arguments::parse_from(arguments).command)
}

/// The signals that this process ignores and catches.
fn dispositions() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let lines =
        status.lines().filter(|line| line.starts_with("SigIgn") || line.starts_with("SigCgt"));
    lines.map(str::to_owned).collect()
}

/// The program at its first question, below a script that looks at the terminal.
fn program_that_handles(kind: &str) -> Session {
    let script = format!(
        "trap true INT TERM\nstty -a > before\n{HANDLES}='{kind}' {}\nended=$?\nstty -a > after\n\
         echo \"ended $ended.\"",
        program_line()
    );
    let mut session = Session::of(&["sh", "-c", &script]);
    session.wait_for_question();
    session
}

/// Returns the command of [`program`], for a shell.
fn program_line() -> String {
    let words = child::command_line("program").into_iter().map(|word| word.into_string().unwrap());
    words.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn ends_as_before(mut session: Session, ended: &str) {
    session.terminal.wait_for_next(ended);
    let [before, after] = ["before", "after"].map(|file| session.read(file));
    assert!(before.contains(" icanon ") && before.contains(" echo "), "{before}");
    assert_eq!(after, before);
}

#[test]
fn a_program_without_handlers_ends_by_the_signal_and_the_terminal_is_as_before() {
    let mut session = program_that_handles("nothing");
    session.terminal.press(INTERRUPT);
    ends_as_before(session, "ended 130.");
    for (signal, ended) in [("TERM", "ended 143."), ("HUP", "ended 129."), ("USR1", "ended 138.")] {
        let session = program_that_handles("nothing");
        session.signal(signal);
        ends_as_before(session, ended);
    }
}

#[test]
fn no_handler_is_left_after_an_answer() {
    let mut session = program_that_handles("nothing");
    session.terminal.press("value\r");
    session.terminal.wait_for_next("unix_exit_status(0)), handled: false.");
    session.terminal.wait_for_next("dispositions as before.");
    session.wait_for_question();
    session.terminal.press("value\r");
    session.terminal.wait_for_next("late: true.");
    ends_as_before(session, "ended 0.");

    let mut session = program_that_handles("nothing");
    session.terminal.press("value\r");
    session.wait_for_question();
    session.terminal.press(INTERRUPT);
    ends_as_before(session, "ended 130.");
}

#[test]
fn a_handler_of_the_program_is_called_and_the_question_ends() {
    for kind in ["by registry", "by itself"] {
        for by_key in [true, false] {
            let mut session = program_that_handles(kind);
            match by_key {
                true => session.terminal.press(INTERRUPT),
                false => session.signal("TERM"),
            }
            session.terminal.wait_for_next("unix_exit_status(4)), handled: true.");
            session.terminal.wait_for_next("dispositions as before.");
            session.wait_for_question();
            // The second question is guarded as the first.
            session.signal("INT");
            ends_as_before(session, "ended 0.");
        }
    }
}

#[test]
fn a_key_finds_the_terminal_restored_before_a_handler_can_end_the_program() {
    let mut session = program_that_handles("by its end");
    session.terminal.press(INTERRUPT);
    ends_as_before(session, "ended 9.");
}

#[test]
fn a_stop_and_an_answer_in_a_program_with_handlers() {
    let mut session = Session::of(&["bash", "--norc", "-i"]);
    let before = session.settings();
    session.ask(&format!("{HANDLES}='by itself' {}", program_line()));
    session.terminal.press("dropped\u{1a}");
    session.wait_until_idle();
    assert_eq!(session.settings(), before);
    session.ask("fg");
    session.terminal.press("value\r");
    session.terminal.wait_for_next("unix_exit_status(0)), handled: false.");
    session.wait_for_question();
    session.terminal.press(INTERRUPT);
    session.wait_until_idle();
    assert_eq!(session.settings(), before);
}
