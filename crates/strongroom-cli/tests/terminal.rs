//! On a terminal: hidden prompts, colour, and where a newline helps.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs;

use strongroom_testkit::provider_or_skip;
use support::terminal::Terminal;
use support::{KEYUTILS, KeyutilsService, gnome_keyring, private_file};

const MARKER: &str = "marker-of-a-secret";

/// A terminal for the kernel's keyring.
fn terminal(service: &KeyutilsService, arguments: &[&str]) -> Terminal {
    let arguments = [&KEYUTILS[..], arguments].concat();
    Terminal::start(service.sandbox.command("setsid"), &arguments)
}

/// A terminal for the service's vault.
fn vault(service: &KeyutilsService, arguments: &[&str]) -> Terminal {
    terminal(service, &[&["--service", service.name.as_str()], arguments].concat())
}

#[test]
fn setup_asks_for_each_secret_and_shows_none() {
    let service = KeyutilsService::new();
    let mut terminal =
        terminal(&service, &["setup", "--service", &service.name, "first", "second"]);
    for name in ["first", "second"] {
        terminal.wait_for(&format!("Value for \"{name}\""));
        terminal.type_hidden(&format!("{MARKER}-{name}"));
        terminal.wait_for(&format!("Stored \"{name}\""));
    }
    let (shown, exit) = terminal.finish();
    assert_eq!(exit, 0, "{shown}");
    assert!(!shown.contains(MARKER), "{shown}");
    assert!(shown.contains("until reboot") && shown.contains("strongroom get first"), "{shown}");
    for name in ["first", "second"] {
        let read = service.vault(&["get", name], b"").ends_with(0).out();
        assert_eq!(read, format!("{MARKER}-{name}"));
    }
}

#[test]
fn setup_asks_for_the_name_that_is_missing() {
    let service = KeyutilsService::new();
    let mut terminal = terminal(&service, &["setup", "--service", &service.name]);
    terminal.wait_for("What shall the secret be called");
    terminal.type_line("token");
    terminal.wait_for("Value for \"token\"");
    terminal.type_hidden(MARKER);
    let (shown, exit) = terminal.finish();
    assert_eq!(exit, 0, "{shown}");
    assert_eq!(service.vault(&["get", "token"], b"").ends_with(0).out(), MARKER);
}

#[test]
fn an_empty_answer_stores_nothing() {
    let service = KeyutilsService::new();
    let mut terminal = terminal(&service, &["entry", "set", &service.name, "u"]);
    for _ in 0..3 {
        terminal.wait_for_next("Value for");
        terminal.type_hidden("");
    }
    let (shown, exit) = terminal.finish();
    assert_eq!(exit, 2, "{shown}");
    assert!(shown.contains("nothing was typed; nothing was stored"), "{shown}");
    service.entry(&["exists", &service.name, "u"], b"").ends_with(3);
}

#[test]
fn end_of_file_is_an_answer_not_given() {
    let service = KeyutilsService::new();
    let mut terminal = terminal(&service, &["entry", "set", &service.name, "u"]);
    terminal.wait_for("Value for");
    terminal.type_hidden("\u{4}");
    let (shown, exit) = terminal.finish();
    assert_eq!(exit, 4, "{shown}");
    assert!(shown.contains("nothing was stored"), "{shown}");
}

#[test]
fn no_prompt_asks_nothing_here_either() {
    let service = KeyutilsService::new();
    for arguments in [
        &["entry", "set", &service.name, "u"][..],
        &["setup", "u", "--service", &service.name],
        &["set", "u", "--service", &service.name],
    ] {
        let arguments = [&["--no-prompt"], arguments].concat();
        let (shown, exit) = terminal(&service, &arguments).finish();
        assert_eq!(exit, 2, "{shown}");
        assert!(shown.contains("--no-prompt forbids asking"), "{shown}");
    }
}

#[test]
fn a_value_is_followed_by_a_newline_on_a_terminal_alone() {
    let service = KeyutilsService::new();
    service.set("u", b"value");
    let (shown, exit) = terminal(&service, &["entry", "get", &service.name, "u"]).finish();
    assert_eq!((shown.as_str(), exit), ("value\r\n", 0));
    assert_eq!(service.get("u"), b"value");
    service.set("u", b"two\nlines\n");
    let (shown, _) = terminal(&service, &["entry", "get", &service.name, "u"]).finish();
    assert_eq!(shown, "two\r\nlines\r\n");
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let service = KeyutilsService::new();
    let doctor = |no_color: Option<&str>| {
        let mut command = service.sandbox.command("setsid");
        command.env("TERM", "xterm-256color");
        no_color.map(|value| command.env("NO_COLOR", value));
        Terminal::start(command, &["doctor"]).finish().0
    };
    assert!(doctor(None).contains("\u{1b}["));
    assert!(!doctor(Some("1")).contains('\u{1b}'));
}

#[test]
fn a_hidden_prompt_works_with_a_keyring_too() {
    if !provider_or_skip("gnome-keyring-daemon") {
        return;
    }
    let (bus, _keyring) = gnome_keyring();
    let mut terminal = Terminal::start(bus.command("setsid"), &["entry", "set", "app", "u"]);
    terminal.wait_for("Value for \"u\" of service \"app\"");
    terminal.type_hidden(MARKER);
    terminal.wait_for("Stored \"u\" of service \"app\" in secret-service.");
    let (shown, exit) = terminal.finish();
    assert_eq!(exit, 0, "{shown}");
    assert!(!shown.contains(MARKER), "{shown}");
}

#[test]
fn set_and_update_ask_for_the_value_and_say_what_they_did() {
    let service = KeyutilsService::new();
    for (verb, more, done) in [("set", &[][..], "Stored"), ("update", &["--ask"], "Updated")] {
        let arguments = [&[verb, "KEY", "--target", "t", "--expires", "90d"], more].concat();
        let mut terminal = vault(&service, &arguments);
        terminal.wait_for("Value for \"KEY\" for target \"t\" (not shown): ");
        terminal.type_hidden(&format!("{MARKER}-{verb}"));
        let (shown, exit) = terminal.finish();
        assert_eq!(exit, 0, "{shown}");
        let said = format!("{done} \"KEY\" for target \"t\" in keyutils, valid until 2");
        assert!(shown.contains(&said) && !shown.contains(MARKER), "{shown}");
        let read = service.vault(&["get", "KEY", "--target", "t"], b"").ends_with(0).out();
        assert_eq!(read, format!("{MARKER}-{verb}"));
    }
}

#[test]
fn update_asks_for_no_value_where_it_changes_what_is_known_beside_it() {
    let service = KeyutilsService::new();
    service.set_expired("KEY", &[]);
    let (shown, exit) = vault(&service, &["update", "KEY", "--expires", "90d"]).finish();
    assert_eq!(exit, 0, "{shown}");
    assert!(!shown.contains("Value for"), "{shown}");
    assert_eq!(service.vault(&["get", "KEY"], b"").ends_with(0).out(), "old value");
}

#[test]
fn nobody_is_asked_for_a_value_that_will_not_be_taken() {
    let service = KeyutilsService::new();
    service.vault(&["set", "KEY"], b"value").ends_with(0);
    service.set_expired("OVER", &[]);
    for (arguments, exit) in [
        (&["set", "KEY", "--create-new"][..], 1),
        (&["set", "NEW", "--expires", "2020-01-01"], 2),
        (&["update", "NONE"], 3),
        (&["update", "OVER"], 6),
    ] {
        let (shown, ended) = vault(&service, arguments).finish();
        assert_eq!(ended, exit, "{shown}");
        assert!(!shown.contains("Value for"), "{shown}");
    }
}

#[test]
fn list_is_a_table_that_fits_and_tells_of_expiry_without_colour_too() {
    let service = KeyutilsService::new();
    let long = "A_NAME_THAT_IS_LONGER_THAN_MANY_A_TERMINAL_IS_WIDE";
    service.vault(&["set", long, "--provider", "openai"], b"value").ends_with(0);
    service.vault(&["set", "KEY", "--target", "staging", "--expires", "90d"], b"v").ends_with(0);
    service.set_expired("OVER", &[]);
    let list = |columns, no_color: &str| {
        let mut command = service.sandbox.command("setsid");
        command.env("TERM", "xterm-256color").env("NO_COLOR", no_color);
        let arguments = [&KEYUTILS[..], &["list", "--service", &service.name]].concat();
        Terminal::start_sized(command, &arguments, columns).finish().0
    };
    let table = list(120, "1");
    for part in ["NAME", "TARGET", "AGE", "just now", "in 90 days", long, "never"] {
        assert!(table.contains(part), "no {part} in: {table}");
    }
    assert!(!table.contains("SCOPE"), "no secret has one: {table}");
    let over = table.lines().find(|line| line.starts_with("OVER")).unwrap();
    assert!(over.trim_end().ends_with("expired less than a minute ago"), "{over}");
    for columns in [40, 70] {
        let table = list(columns, "1");
        assert!(table.contains(long) && table.contains("expired less than"), "{table}");
        let limit = usize::from(columns).max(long.len());
        let wide = table.lines().find(|line| line.trim_end().chars().count() > limit);
        assert_eq!(wide, None, "{table}");
    }
    assert!(list(70, "").contains("31mexpired"), "red, where there is colour");
    assert!(!table.contains('\u{1b}'), "{table}");
}

#[test]
fn an_empty_vault_says_how_to_fill_it() {
    let service = KeyutilsService::new();
    let (shown, exit) = vault(&service, &["list"]).finish();
    assert_eq!(exit, 0);
    assert!(
        shown.contains("is empty. `") && shown.contains("strongroom setup NAME --service"),
        "{shown}"
    );
    service.vault(&["set", "KEY"], b"value").ends_with(0);
    let (shown, _) = vault(&service, &["list", "--provider", "openai"]).finish();
    assert!(shown.contains("holds 1 secret, and none like that"), "{shown}");
}

#[test]
fn purge_names_what_goes_and_takes_the_services_name_for_an_answer() {
    let service = KeyutilsService::new();
    service.vault(&["set", "KEY"], b"value").ends_with(0);
    service.set("single", b"value");
    for (answer, exit, left) in [("y", 4, 0), ("", 4, 0), (service.name.as_str(), 0, 3)] {
        let mut terminal = vault(&service, &["purge"]);
        terminal.wait_for("Type the name of the service");
        terminal.type_line(answer);
        let (shown, ended) = terminal.finish();
        assert_eq!(ended, exit, "{shown}");
        assert!(shown.contains("  single") && shown.contains("  \"KEY\""), "{shown}");
        service.vault(&["exists", "KEY"], b"").ends_with(left);
    }
    service.entry(&["exists", &service.name, "single"], b"").ends_with(3);
}

/// A file in the service's sandbox.
fn place(service: &KeyutilsService, name: &str) -> String {
    service.sandbox.path().join(name).display().to_string()
}

#[test]
fn a_backups_passphrase_is_asked_for_twice_and_three_times_at_a_restore() {
    let service = KeyutilsService::new();
    service.vault(&["set", "KEY"], MARKER.as_bytes()).ends_with(0);
    let file = place(&service, "backup.age");
    let mut terminal = vault(&service, &["backup", &file, "--passphrase"]);
    for [once, again] in [["correct horse", "corect horse"], ["correct horse", "correct horse"]] {
        terminal.wait_for_next("New passphrase for the backup (not shown): ");
        terminal.type_hidden(once);
        terminal.wait_for_next("The same again: ");
        terminal.type_hidden(again);
    }
    let (shown, exit) = terminal.finish();
    assert_eq!(exit, 0, "{shown}");
    assert!(shown.contains("They differ."), "{shown}");
    assert!(shown.contains("Wrote 1 secret of") && !shown.contains("horse"), "{shown}");

    service.vault(&["delete", "KEY"], b"").ends_with(0);
    for (passphrases, ends) in
        [(&["wrong", "correct horse"][..], 0), (&["wrong", "wrong", "wrong"], 8)]
    {
        let mut terminal = vault(&service, &["restore", &file]);
        for passphrase in passphrases {
            terminal.wait_for_next("Passphrase of the backup (not shown): ");
            terminal.type_hidden(passphrase);
        }
        let (shown, exit) = terminal.finish();
        assert_eq!(exit, ends, "{shown}");
        assert!(!shown.contains(MARKER) && !shown.contains("horse"), "{shown}");
    }
    assert_eq!(service.vault(&["get", "KEY"], b"").ends_with(0).out(), MARKER);
}

#[test]
fn a_vault_is_replaced_once_its_service_was_typed() {
    let service = KeyutilsService::new();
    service.vault(&["set", "KEY"], b"old").ends_with(0);
    let (file, passphrase) = (place(&service, "backup.age"), place(&service, "passphrase"));
    private_file(&passphrase, "correct horse\n");
    let from = ["--passphrase-file", &passphrase];
    service.vault(&[&["backup", &file][..], &from].concat(), b"").ends_with(0);
    service.vault(&["set", "KEY"], b"new").ends_with(0);
    service.vault(&["set", "LATER"], b"new").ends_with(0);
    for (answer, exit, value) in [("y", 4, "new"), (service.name.as_str(), 0, "old")] {
        let mut terminal = vault(&service, &[&["restore", &file, "--replace"][..], &from].concat());
        terminal.wait_for("Type the name of the service");
        terminal.type_line(answer);
        let (shown, ended) = terminal.finish();
        assert_eq!(ended, exit, "{shown}");
        let row =
            |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        assert!(row("KEY").contains("replace") && row("LATER").contains("remove"), "{shown}");
        assert_eq!(service.vault(&["get", "KEY"], b"").ends_with(0).out(), value);
    }
    service.vault(&["exists", "LATER"], b"").ends_with(3);
}

#[test]
fn rage_opens_a_backup_by_its_passphrase_and_makes_one() {
    if !provider_or_skip("rage") {
        return;
    }
    let service = KeyutilsService::new();
    service.vault(&["set", "KEY"], MARKER.as_bytes()).ends_with(0);
    let [file, passphrase, opened, theirs] =
        ["backup.age", "passphrase", "opened.json", "theirs.age"].map(|name| place(&service, name));
    private_file(&passphrase, "correct horse\n");
    let from = ["--passphrase-file", &passphrase];
    service.vault(&[&["backup", &file][..], &from].concat(), b"").ends_with(0);
    for (arguments, asks) in
        [(&["-d", "-o", &opened, &file][..], 1), (&["-p", "-o", &theirs, &opened], 2)]
    {
        let mut command = service.sandbox.command("setsid");
        command.args(["--ctty", "--wait", "rage"]).args(arguments).env("PINENTRY_PROGRAM", "");
        let mut terminal = Terminal::of(command, 80);
        for _ in 0..asks {
            terminal.wait_for_next("passphrase");
            terminal.type_hidden("correct horse");
        }
        let (shown, exit) = terminal.finish();
        assert_eq!(exit, 0, "{shown}");
    }
    assert!(fs::read_to_string(&opened).unwrap().contains(MARKER));
    service.vault(&["delete", "KEY"], b"").ends_with(0);
    service.vault(&[&["restore", &theirs][..], &from].concat(), b"").ends_with(0);
    assert_eq!(service.vault(&["get", "KEY"], b"").ends_with(0).out(), MARKER);
}

/// A terminal for the encrypted file.
fn file(service: &KeyutilsService, arguments: &[&str]) -> Terminal {
    let arguments = [&["--backend", "file"], arguments].concat();
    Terminal::start(service.sandbox.command("setsid"), &arguments)
}

#[test]
fn an_encrypted_file_asks_twice_for_a_new_passphrase_and_once_for_all_later() {
    let service = KeyutilsService::new();
    let mut terminal = file(&service, &["setup", "KEY"]);
    terminal.wait_for_next("Value for \"KEY\"");
    terminal.type_hidden(MARKER);
    for [once, again] in [["correct horse", "corect horse"], ["correct horse", "correct horse"]] {
        terminal.wait_for_next("New passphrase for the encrypted file (not shown): ");
        terminal.type_hidden(once);
        terminal.wait_for_next("The same again: ");
        terminal.type_hidden(again);
    }
    let (shown, exit) = terminal.finish();
    assert_eq!(exit, 0, "{shown}");
    assert!(shown.contains("They differ.") && shown.contains("read back"), "{shown}");
    assert!(!shown.contains(MARKER) && !shown.contains("horse"), "{shown}");

    let mut terminal = file(&service, &["entry", "get", "strongroom", "KEY"]);
    terminal.wait_for_next("Passphrase of the encrypted file (not shown): ");
    terminal.type_hidden("correct horse");
    let (shown, exit) = terminal.finish();
    assert!(exit == 0 && shown.contains(MARKER), "{shown}");

    for (passphrases, ends) in
        [(&["wrong", "correct horse"][..], 0), (&["wrong", "wrong", "wrong"], 8), (&["\u{4}"], 4)]
    {
        let mut terminal = file(&service, &["get", "KEY"]);
        for (number, passphrase) in passphrases.iter().enumerate() {
            if number > 0 {
                terminal.wait_for_next(&format!("this is try {} of 3", number + 1));
            }
            terminal.wait_for_next("Passphrase of the encrypted file (not shown): ");
            terminal.type_hidden(passphrase);
        }
        let (shown, exit) = terminal.finish();
        assert_eq!(exit, ends, "{shown}");
        assert_eq!(shown.contains(MARKER), ends == 0, "{shown}");
    }
    let (shown, exit) = file(&service, &["get", "KEY", "--no-prompt"]).finish();
    assert!(exit == 8 && shown.contains("STRONGROOM_KEY_FILE"), "{shown}");
}

#[test]
fn a_passphrase_is_removed_once_another_one_was_typed() {
    let service = KeyutilsService::new();
    let recovery = place(&service, "recovery.txt");
    private_file(&recovery, "recovery battery");
    let mut terminal = file(&service, &["set", "KEY"]);
    terminal.wait_for_next("Value for \"KEY\"");
    terminal.type_hidden(MARKER);
    for question in ["New passphrase for the encrypted file (not shown): ", "The same again: "] {
        terminal.wait_for_next(question);
        terminal.type_hidden("correct horse");
    }
    assert_eq!(terminal.finish().1, 0);
    // The list asks nobody.
    let (listed, _) = file(&service, &["key", "list"]).finish();
    let id = listed.lines().find(|line| line.contains("passphrase"));
    let id = id.unwrap().split_whitespace().next().unwrap().to_owned();
    let asks = |arguments: &[&str], answers: &[&str]| {
        let mut terminal = file(&service, arguments);
        let questions =
            ["Passphrase of the encrypted file", "A passphrase of the encrypted file that stays"];
        for (question, answer) in questions.into_iter().zip(answers) {
            terminal.wait_for_next(question);
            terminal.wait_for_next("(not shown): ");
            terminal.type_hidden(answer);
        }
        terminal.finish()
    };
    let add = ["key", "add", "--passphrase-file", &recovery];
    assert_eq!(asks(&add, &["correct horse"]).1, 0);
    for (another, ends) in [("wrong", 8), ("correct horse", 8), ("recovery battery", 0)] {
        let (shown, exit) = asks(&["key", "remove", &id], &["correct horse", another]);
        assert_eq!(exit, ends, "{shown}");
        assert!(!shown.contains("battery"), "{shown}");
    }
    assert_eq!(asks(&["get", "KEY"], &["recovery battery"]).1, 0);
}

#[test]
fn without_a_keyring_setup_offers_the_encrypted_file_or_the_kernel() {
    for (answer, place) in [("2", "until reboot"), ("1", "KEY --service")] {
        let service = KeyutilsService::new();
        let mut terminal = Terminal::start(
            service.sandbox.command("setsid"),
            &["setup", "KEY", "--service", &service.name],
        );
        for answer in ["7", answer] {
            terminal.wait_for_next("Which (1 or 2)? ");
            terminal.type_line(answer);
        }
        terminal.wait_for_next("Value for \"KEY\"");
        terminal.type_hidden(MARKER);
        if answer == "1" {
            terminal.wait_for_next("New passphrase");
            terminal.type_hidden("correct horse");
            terminal.wait_for_next("The same again: ");
            terminal.type_hidden("correct horse");
        }
        let (shown, exit) = terminal.finish();
        assert!(exit == 0 && shown.contains(place), "{shown}");
        assert_eq!(shown.contains("--backend file"), answer == "1", "{shown}");
        let again = service.sandbox.command("setsid");
        let mut again = Terminal::start(again, &["setup", "KEY", "--service", &service.name]);
        if answer == "1" {
            again.wait_for_next("Passphrase of the encrypted file");
            again.type_hidden("correct horse");
        }
        again.wait_for_next("Value for \"KEY\""); // The vault is there: nobody asks where.
        again.type_hidden(MARKER);
        assert_eq!(again.finish().1, 0);
    }
}
