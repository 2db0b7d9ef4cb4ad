//! Pastes and keys at hidden prompts, and what is stored of them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::thread;
use std::time::Duration;

use strongroom_testkit::{PATIENCE, provider_or_skip, wait_until};
use support::KeyutilsService;
use support::session::{Session, environment, file, question};

const PEM: &str = "-----BEGIN KEY-----\nmarker-second-line\n-----END KEY-----\n";

#[test]
fn several_lines_that_are_pasted_end_with_a_newline() {
    let cases = [
        ("", PEM, PEM),
        ("", PEM.trim_end(), PEM),
        ("", "token\n", "token"),
        ("", "token", "token"),
        ("", "\u{feff}token", "token"),
        ("--exact", PEM.trim_end(), PEM.trim_end()),
        ("--exact", "token\n", "token\n"),
        ("--exact", "\u{feff}token", "\u{feff}token"),
    ];
    for (flag, pasted, stored) in cases {
        for verb in ["set KEY", "setup KEY"] {
            let mut session = question(&format!("keep {verb} {flag}"));
            session.terminal.paste(pasted);
            session.terminal.press("\r");
            session.ends_with(0);
            session.holds("KEY", stored);
        }
    }
}

#[test]
fn more_than_a_terminal_queues_comes_in_whole() {
    let lines: String = (0..100).map(|line| format!("{line:0>59}\n")).collect();
    let mut session = question("keep set KEY");
    session.terminal.paste(&lines);
    session.terminal.wait_for_next("(100 lines, 6,000 bytes) ");
    session.terminal.press("\r");
    session.ends_with(0);
    session.holds("KEY", &lines);

    let line = "x".repeat(5_000);
    let mut session = question("keep set KEY");
    session.terminal.press(&format!("{line}\r"));
    session.ends_with(0);
    session.holds("KEY", &line);
}

#[test]
fn pastes_and_typing_make_one_line() {
    let mut session = question("keep set KEY");
    session.terminal.press("gr\u{fc}\u{df}x\u{7f}e\u{1b}[D\u{1b}OH ");
    session.terminal.paste("and");
    session.terminal.press(" wrong\u{17}");
    session.terminal.paste("more");
    session.terminal.press("\r");
    session.ends_with(0);
    session.holds("KEY", "gr\u{fc}\u{df}e and more");
}

#[test]
fn a_paste_that_could_do_something_is_refused() {
    // The end of a paste in what is pasted, and control characters.
    for paste in [
        "marker\u{1b}[201~more",
        "marker\u{1b}[201~\n",
        "marker\u{1b}[201~\necho marker\n",
        "marker\u{1b}[201~\n\u{1b}[200~more",
        "marker\0",
        "marker\u{4}",
        "marker\u{1b}[31m",
    ] {
        let mut session = question("keep set KEY");
        session.terminal.paste(paste);
        session.terminal.press("\r");
        let shown = session.ends_with(2);
        assert!(shown.contains("; nothing was stored"), "{shown}");
        assert!(shown.contains("strongroom set KEY --from-file PATH"), "{shown}");
        session.holds_nothing("KEY");
    }
}

#[test]
fn a_key_within_a_paste_takes_the_rest_of_it_along() {
    for key in ["\u{3}", "\u{1c}"] {
        for brackets in [["\u{1b}[200~", "\u{1b}[201~"], ["", ""]] {
            let rest = "echo marker\r".repeat(1000);
            let mut session = Session::of(&["bash", "--norc", "-i"]);
            session.run("true");
            session.ask("keep set KEY");
            session.terminal.press(&format!("{}a{key}{rest}{}", brackets[0], brackets[1]));
            session.wait_until_idle();
            session.holds_nothing("KEY");
            let (shown, written) = session.end();
            assert!(!shown.contains("marker") && !written.contains("marker"), "{shown}");
        }
    }
}

#[test]
fn lines_that_a_program_types_are_refused_too() {
    let mut session = question("keep set KEY");
    for key in "marker-1\rmarker-2\rmarker-3\r".chars() {
        session.terminal.press(&key.to_string());
        // As xdotool types: its pauses are part of the input.
        thread::park_timeout(Duration::from_millis(12));
    }
    let shown = session.ends_with(2);
    assert!(shown.contains("more than one line came at once; nothing was stored"), "{shown}");
    session.holds_nothing("KEY");
}

#[test]
fn an_interrupt_right_after_the_answer_counts_and_a_key_without_a_meaning_does_not() {
    let mut session = question("keep set KEY");
    session.terminal.press("marker\r\u{3}");
    session.terminal.wait_for_next("\n");
    session.wait_until_idle();
    session.holds_nothing("KEY");
    // The terminal says that it lost the focus.
    let mut session = question("keep set KEY");
    session.terminal.press("marker\r\u{1b}[O");
    session.ends_with(0);
    session.holds("KEY", "marker");
}

#[test]
fn the_newline_of_a_clipboard_answers_no_other_question() {
    for [first, second] in [["marker-1\r", "\r"], ["marker-1\r\r", ""]] {
        let mut session = question("keep setup ONE TWO");
        session.terminal.press(first);
        session.terminal.wait_for_next("Stored \"ONE\".");
        session.wait_for_question();
        if !second.is_empty() {
            session.terminal.press(second);
            session.terminal.wait_for_next("Nothing was typed.");
            session.wait_for_question();
        }
        session.terminal.press("marker-2\r");
        session.ends_with(0);
        session.holds("ONE", "marker-1");
        session.holds("TWO", "marker-2");
    }
}

#[test]
fn no_line_of_a_paste_answers_another_question() {
    let mut session = question("keep setup ONE TWO");
    session.terminal.paste(PEM);
    session.terminal.press("\r");
    session.terminal.wait_for_next("Stored \"ONE\".");
    session.wait_for_question();
    session.terminal.press("marker-2\r");
    session.ends_with(0);
    session.holds("ONE", PEM);
    session.holds("TWO", "marker-2");

    let mut session = question("keep setup ONE TWO");
    session.terminal.press(&PEM.replace('\n', "\r"));
    session.ends_with(2);
    session.holds_nothing("ONE");
    session.holds_nothing("TWO");
}

#[test]
fn setup_says_what_it_stored_before_a_question_was_given_up() {
    for (keys, exit) in [(&["\u{4}"][..], 4), (&["\r", "\r", "\r"], 2), (&["a\rb\r"], 2)] {
        let mut session = question("keep setup ONE TWO THREE");
        session.terminal.press("marker-1\r");
        for key in keys {
            session.wait_for_question();
            session.terminal.press(key);
        }
        let shown = session.ends_with(exit).to_owned();
        assert!(shown.contains("; stored: \"ONE\"; not stored: \"TWO\", \"THREE\"\r\n"), "{shown}");
        assert!(!shown.contains("nothing was stored"), "{shown}");
        session.holds("ONE", "marker-1");
    }
}

#[test]
fn end_of_input_puts_the_error_on_a_line_of_its_own() {
    let mut session = question("NO_COLOR=1 keep set KEY");
    session.terminal.press("\u{4}");
    let shown = session.ends_with(4);
    assert!(shown.contains("\r\nerror: nothing was answered; nothing was stored\r\n"), "{shown:?}");
}

#[test]
fn a_plain_terminal_gets_no_control_sequences() {
    for term in ["TERM=dumb", "TERM="] {
        let mut session = question(&format!("{term} NO_COLOR=1 keep set KEY"));
        session.terminal.press("marker\r");
        let shown = session.ends_with(0);
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}

#[test]
fn a_question_goes_to_the_terminal_and_not_into_a_pipe() {
    let mut session = question("keep set KEY --json 2> errors | cat > results");
    session.terminal.press("marker\r");
    session.ends_with(0);
    assert!(session.read("results").starts_with('{'), "{}", session.read("results"));
    assert_eq!(session.read("errors"), "");
}

#[test]
fn a_passphrase_is_one_line() {
    let mut session = question("BACKEND=file keep set KEY");
    session.terminal.press("value\r");
    session.wait_for_question();
    session.terminal.paste("marker-1\nmarker-2\n");
    let shown = session.ends_with(2);
    assert!(shown.contains("a passphrase is one line"), "{shown}");

    let mut session = question("BACKEND=file keep set KEY");
    session.terminal.press("value\r");
    session.wait_for_question();
    session.terminal.paste("marker-1\n");
    session.terminal.press("\r");
    session.terminal.wait_for_next("The same again: ");
    session.terminal.press("marker-1\r");
    session.ends_with(0);
}

#[test]
fn a_multiplexers_buffer_is_taken_whole_or_not_at_all() {
    if !provider_or_skip("tmux") {
        return;
    }
    for (flags, shown, exit) in
        [(&["-p"][..], "(3 lines, 57 bytes) ", 0), (&[], "more than one line", 2)]
    {
        let service = KeyutilsService::new();
        let tmux = |arguments: &[&str]| {
            let mut command = environment(&service, "tmux");
            command.args(["-L", &service.name, "-f", "/dev/null"]).args(arguments);
            String::from_utf8(command.output().unwrap().stdout).unwrap()
        };
        let shows = |text: &str| {
            wait_until(text, PATIENCE, || tmux(&["capture-pane", "-p"]).contains(text.trim_end()));
        };
        let _server = Server(&tmux);
        tmux(&["new-session", "-d", "keep set KEY; echo \"ended $?.\"; exec cat"]);
        shows("(not shown): ");
        tmux(&["load-buffer", &file(&service, "buffer", PEM.as_bytes())]);
        tmux(&[&["paste-buffer"], flags].concat());
        shows(shown);
        if exit == 0 {
            tmux(&["send-keys", "Enter"]);
        }
        shows(&format!("ended {exit}."));
        assert!(!tmux(&["capture-pane", "-p"]).contains("marker"));
        let stored = service.vault(&["get", "KEY"], b"").out();
        assert_eq!(stored, if exit == 0 { PEM } else { "" });
    }
}

/// Ends a server of tmux, whatever happens.
struct Server<'a>(&'a dyn Fn(&[&str]) -> String);

impl Drop for Server<'_> {
    fn drop(&mut self) {
        (self.0)(&["kill-server"]);
    }
}

#[test]
fn nothing_that_was_typed_stays_in_memory_after_a_stop() {
    if !provider_or_skip("gcore") || fs::metadata("/proc/self").unwrap().uid() != 0 {
        return; // Only root can look into it.
    }
    let mut session = Session::of(&["bash", "--norc", "-i"]);
    session.run("true");
    session.ask("keep set KEY");
    // Longer than the first buffer, so that it grows.
    session.terminal.press(&"marker-of-a-secret-".repeat(100));
    session.terminal.paste("marker-of-a-paste-");
    session.terminal.press("\u{1a}");
    session.wait_until_idle();
    let dump = session.service.sandbox.path().join("core");
    let mut gcore = Command::new("gcore");
    let pid = session.pid().to_string();
    assert!(gcore.arg("-o").arg(&dump).arg(&pid).output().unwrap().status.success());
    let memory = fs::read(format!("{}.{pid}", dump.display())).unwrap();
    let has = |text: &[u8]| memory.windows(text.len()).any(|window| window == text);
    assert!(has(b"not shown"), "it is the program's memory");
    for text in [&b"marker-of-a-secret"[..], b"marker-of-a-paste", b"ker-of-a-sec"] {
        assert!(!has(text), "{}", String::from_utf8_lossy(text));
    }
}
