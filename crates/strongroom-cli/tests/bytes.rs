//! The bytes that are stored for what comes in, and passphrases by their first line.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use strongroom_testkit::{Sandbox, provider_or_skip};
use support::session::{Session, file, question};
use support::{KeyutilsService, alone, run};

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
    // A person types its line.
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
