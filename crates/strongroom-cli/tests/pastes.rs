//! Values as they come in, by a paste, a key, a file or a pipe, and the bytes that are stored.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;
use std::thread;
use std::time::Duration;

use strongroom_testkit::{PATIENCE, Sandbox, provider_or_skip, wait_until};
use support::session::{Session, environment};
use support::{KeyutilsService, alone, run};

const PEM: &str = "-----BEGIN KEY-----\nmarker-second-line\n-----END KEY-----\n";

/// The question of a command, and of no shell.
fn question(command: &str) -> Session {
    let mut session = Session::of(&["sh", "-c", &format!("{command}; echo \"ended $?.\"")]);
    session.wait_for_question();
    session
}

impl Session {
    /// Waits for the end of the question's command. Returns what was shown.
    #[track_caller]
    fn ends_with(&mut self, exit: i32) -> &str {
        self.terminal.wait_for_next(&format!("ended {exit}."));
        let shown = self.terminal.shown();
        assert!(!shown.contains("marker"), "{shown}");
        shown
    }

    #[track_caller]
    fn holds(&self, name: &str, value: &str) {
        assert_eq!(self.service.vault(&["get", name], b"").ends_with(0).out(), value);
    }

    #[track_caller]
    fn holds_nothing(&self, name: &str) {
        self.service.vault(&["exists", name], b"").ends_with(3);
    }
}

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
    let lines: String = (0..400).map(|line| format!("{line:0>59}\n")).collect();
    let mut session = question("keep set KEY");
    session.terminal.paste(&lines);
    session.terminal.wait_for_next("(400 lines, 24,000 bytes) ");
    session.terminal.press("\r");
    session.ends_with(0);
    session.holds("KEY", &lines);

    let line = "x".repeat(10_000);
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

/// A file in the service's sandbox.
fn file(service: &KeyutilsService, name: &str, content: &[u8]) -> String {
    let path = service.sandbox.path().join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

#[test]
fn openssh_takes_a_key_back_whichever_way_it_came() {
    if !provider_or_skip("ssh-keygen") {
        return;
    }
    let session = Session::of(&["true"]);
    let service = &session.service;
    let key = service.sandbox.path().join("id");
    let keygen = ["-q", "-t", "ed25519", "-N", "", "-f"];
    assert!(Command::new("ssh-keygen").args(keygen).arg(&key).status().unwrap().success());
    let content = fs::read(&key).unwrap();
    let path = key.display().to_string();

    service.vault(&["set", "FILE", "--from-file", &path], b"").ends_with(0);
    service.vault(&["set", "PIPE"], &content).ends_with(0);
    service.entry(&["set", &service.name, "entry", "--from-file", &path], b"").ends_with(0);
    opens(service, "FILE", service.vault(&["get", "FILE"], b"").stdout);
    opens(service, "PIPE", service.vault(&["get", "PIPE"], b"").stdout);
    opens(service, "entry", service.get("entry"));

    let text = String::from_utf8(content).unwrap();
    for pasted in [&text, text.trim_end()] {
        let mut session = question("keep set PASTE");
        session.terminal.paste(pasted);
        session.terminal.press("\r");
        session.terminal.wait_for_next("ended 0.");
        let stored = session.service.vault(&["get", "PASTE"], b"").stdout;
        opens(&session.service, "PASTE", stored);
    }
}

#[track_caller]
fn opens(service: &KeyutilsService, name: &str, key: Vec<u8>) {
    let path = file(service, "out", &key);
    let opened = Command::new("ssh-keygen").args(["-y", "-f", &path]).output().unwrap();
    assert!(opened.status.success(), "{name}: {}", String::from_utf8_lossy(&opened.stderr));
}

#[test]
fn the_same_value_comes_in_by_a_file_a_pipe_and_an_entry() {
    let service = KeyutilsService::new();
    for (content, plain) in [
        (&b"token\n"[..], &b"token"[..]),
        (b"token\r\n", b"token"),
        (b"one\ntwo\n", b"one\ntwo\n"),
        (b"one\ntwo", b"one\ntwo"),
        (b"one\n\n", b"one\n\n"),
        (b"\xef\xbb\xbftoken\n", b"token"),
    ] {
        let path = file(&service, "value", content);
        for (flag, stored) in [(&[][..], plain), (&["--exact"], content)] {
            let flags = |command: &[&'static str]| [command, flag].concat();
            let from_file = [&flags(&["set", "A"])[..], &["--from-file", &path]].concat();
            service.vault(&from_file, b"").ends_with(0);
            service.vault(&flags(&["set", "B"]), content).ends_with(0);
            service.vault(&flags(&["setup", "C"]), content).ends_with(0);
            service.vault(&["set", "D"], b"before").ends_with(0);
            service.vault(&flags(&["update", "D"]), content).ends_with(0);
            for name in ["A", "B", "C", "D"] {
                assert_eq!(service.vault(&["get", name], b"").ends_with(0).stdout, stored);
            }
            let entry = [&["set", service.name.as_str(), "entry"], flag].concat();
            service.entry(&entry, content).ends_with(0);
            assert_eq!(service.get("entry"), stored);
        }
    }
}

#[test]
fn a_passphrase_file_is_read_by_its_first_line_everywhere() {
    let sandbox = Sandbox::new();
    let path = sandbox.path().join("two-lines");
    fs::write(&path, "correct horse battery\nthe one in the safe\n").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let path = path.display().to_string();
    let add = ["--backend", "file", "key", "add", "--passphrase-file", &path];
    alone(&sandbox, &add, b"").ends_with(0);

    let keep = |variable: Option<&str>, script: &str, input: &[u8]| {
        let mut command = sandbox.command("sh");
        command.args(["-c", script, support::PROGRAM, &path]);
        variable.map(|variable| command.env(variable, &path));
        run(command, &[], input)
    };
    let set = "\"$0\" --backend file set KEY";
    keep(Some("STRONGROOM_PASSPHRASE_FILE"), set, b"value").ends_with(0);
    let get = "\"$0\" --backend file get KEY --passphrase-fd 3 3< \"$1\"";
    assert_eq!(keep(None, get, b"").ends_with(0).out(), "value");
    let get = "\"$0\" --backend file get KEY --passphrase-fd 0 < \"$1\"";
    assert_eq!(keep(None, get, b"").ends_with(0).out(), "value");

    let backup = sandbox.path().join("backup.age").display().to_string();
    let script = format!("\"$0\" --backend file backup {backup} --passphrase-file \"$1\"");
    keep(Some("STRONGROOM_PASSPHRASE_FILE"), &script, b"").ends_with(0);
    // Whoever types the passphrase types its line.
    let mut session = question(&format!("keep restore --any-service --dry-run {backup}"));
    session.terminal.press("correct horse battery\r");
    session.ends_with(0);
}

#[test]
fn a_weak_passphrase_is_taken_with_one_advice() {
    let advice = "fewer than 12 characters";
    for (passphrase, advised) in [("short", 1), ("four random words", 0)] {
        let mut session = question("BACKEND=file keep set KEY");
        session.terminal.press("marker\r");
        for again in ["mistyped", passphrase] {
            session.wait_for_hidden("New passphrase for the encrypted file (not shown): ");
            session.terminal.press(&format!("{passphrase}\r"));
            session.wait_for_hidden("The same again: ");
            session.terminal.press(&format!("{again}\r"));
        }
        let shown = session.ends_with(0);
        assert_eq!(shown.matches(advice).count(), advised, "{shown}");
    }
    let service = KeyutilsService::new();
    service.vault(&["set", "KEY"], b"value").ends_with(0);
    let (backup, short) = (
        service.sandbox.path().join("backup.age").display().to_string(),
        file(&service, "short", b"short\n"),
    );
    let made = service.vault(&["backup", &backup, "--passphrase-file", &short], b"").ends_with(0);
    assert_eq!(made.stderr.matches(advice).count(), 1, "{}", made.stderr);
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
