//! The agent as a process: its keys move out of its file, and all of it works before and after.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use support::api::{ANSWER, Api, REFUSED};
use support::{ANTHROPIC, Machine, OPENAI, OTHER, config};

const QUESTION: &str = "Why is the sky blue?";

const ASK: [&str; 2] = ["ask", QUESTION];

/// A machine with keys in the configuration file.
fn with_keys(machine: Machine) -> (Machine, Api) {
    let api = Api::start();
    machine.configure(&config(&api, ANTHROPIC, OPENAI));
    (machine, api)
}

#[track_caller]
fn answers(machine: &Machine) -> String {
    let ran = machine.run(&ASK).ends_with(0);
    assert_eq!(ran.stdout.trim_end(), ANSWER);
    ran.stderr
}

#[track_caller]
fn was_asked_with(api: &Api, key: &str) {
    // Compared here, so that no failure prints it.
    assert!(api.last() == (key.to_owned(), QUESTION.to_owned()), "another key or question");
}

#[test]
fn the_first_run_moves_the_keys_and_touches_nothing_else_in_the_file() {
    for machine in Machine::all() {
        let (machine, api) = with_keys(machine);
        let said = answers(&machine);
        let file = machine.config().display().to_string();
        let moved = format!(
            "2 keys moved from {file} into {}: ANTHROPIC_API_KEY, OPENAI_API_KEY.\n",
            machine.store()
        );
        assert_eq!(said, moved);
        was_asked_with(&api, ANTHROPIC);
        let text = config(&api, "strongroom:ANTHROPIC_API_KEY", "strongroom:OPENAI_API_KEY");
        let end = "\r\n\t}\r\n}";
        let marker = ",\r\n\t\"credentialStorage\": \"keychain\"";
        let expected = text.strip_suffix(end).unwrap().to_owned() + "\r\n\t}" + marker + "\r\n}";
        assert_eq!(machine.configured(), expected);
        machine.holds_no_key();
    }
}

#[test]
fn the_second_run_says_nothing_and_writes_nothing() {
    for machine in Machine::all() {
        let (machine, api) = with_keys(machine);
        machine.run(&[]).ends_with(0);
        let state = || {
            let state = |file: &std::path::PathBuf| {
                let written = fs::metadata(file).unwrap().modified().unwrap();
                (file.clone(), written)
            };
            machine.files().iter().map(state).collect::<Vec<_>>()
        };
        let before = state();
        let shown = machine.run(&[]).ends_with(0);
        assert_eq!(shown.stderr, "");
        let places = format!(
            "model: anthropic/claude-test\nAnthropic API key: Store ({0})\nOpenAI API key: Store ({0})\n",
            machine.store()
        );
        assert_eq!(shown.stdout, places);
        assert_eq!(state(), before);
        assert_eq!(answers(&machine), "");
        was_asked_with(&api, ANTHROPIC);
    }
}

#[test]
fn a_second_run_opens_no_store() {
    let (machine, _api) = with_keys(Machine::with_file());
    machine.run(&[]).ends_with(0);
    fs::remove_file(machine.sandbox().path().join("key")).unwrap();
    let asked = machine.run(&ASK).ends_with(1);
    assert!(!asked.stderr.contains("stay in"), "{}", asked.stderr);
}

#[test]
fn each_provider_gets_its_own_key() {
    let (machine, api) = with_keys(Machine::with_file());
    let text = machine.configured().replace("anthropic/claude-test", "openai/gpt-test");
    machine.configure(&text);
    answers(&machine);
    was_asked_with(&api, OPENAI);
}

#[test]
fn different_keys_in_file_and_store_are_for_the_user_to_choose_between() {
    for (choice, chosen) in [("store", ANTHROPIC), ("file", OTHER)] {
        for machine in Machine::all() {
            let (machine, api) = with_keys(machine);
            answers(&machine);
            let changed = config(&api, OTHER, "strongroom:OPENAI_API_KEY");
            machine.configure(&changed);
            let said = answers(&machine);
            assert!(said.contains("hold different keys, and the file's is used now"), "{said}");
            assert!(said.contains("  ANTHROPIC_API_KEY, file written 20"), "{said}");
            assert!(said.contains("store written 20"), "{said}");
            assert!(said.contains("agent config:secure --prefer file"), "{said}");
            was_asked_with(&api, OTHER);
            assert_eq!(machine.configured(), changed);

            let secure = ["config:secure", "--prefer", choice, "--yes"];
            machine.run(&secure).ends_with(0).says("ANTHROPIC_API_KEY");
            assert_eq!(answers(&machine), "");
            was_asked_with(&api, chosen);
            machine.holds_no_key();
        }
    }
}

#[test]
fn without_a_store_the_keys_stay_in_the_file_and_work() {
    let (machine, api) = with_keys(Machine::bare());
    let before = machine.configured();
    for _ in 0..2 {
        let said = answers(&machine);
        let file = machine.config().display().to_string();
        assert!(said.starts_with(&format!("Your keys stay in {file}")), "{said}");
        assert!(said.contains("`agent secrets doctor`"), "{said}");
        was_asked_with(&api, ANTHROPIC);
        let shown = machine.run(&[]).ends_with(0);
        assert!(
            shown.stdout.contains(&format!("Anthropic API key: File ({file})")),
            "{}",
            shown.stdout
        );
    }
    assert_eq!(machine.configured(), before);
}

#[cfg(target_os = "linux")]
#[test]
fn keys_that_git_has_seen_are_to_be_replaced() {
    let (machine, _api) = with_keys(Machine::with_file());
    let git = |arguments: &[&str]| {
        let mut git = machine.sandbox().command("git");
        git.current_dir(machine.sandbox().home()).args(arguments).output()
    };
    if git(&["init", "--quiet"]).is_err() {
        return assert!(std::env::var_os("CI").is_none(), "git is not there");
    }
    assert!(git(&["add", ".agent/config.json"]).unwrap().status.success());
    let said = answers(&machine);
    assert!(said.contains("2 keys moved"), "{said}");
    assert!(said.contains("warning: git tracks the file"), "{said}");
    assert!(said.contains("Replace the secrets at their providers"), "{said}");
}

#[test]
fn what_was_exported_is_secured_again_as_it_was() {
    for machine in Machine::all() {
        let (machine, api) = with_keys(machine);
        answers(&machine);
        let place = |name: &str| machine.sandbox().path().join(name).display().to_string();
        let [first, second] = ["first.json", "second.json"].map(place);
        machine.run(&["config:export", &first]).ends_with(2).says("--plaintext");
        machine.run(&["config:export", &first, "--plaintext"]).ends_with(0);
        let exported = fs::read(&first).unwrap();
        machine.run(&["secrets", "purge", "--yes"]).ends_with(0);
        machine.run(&ASK).ends_with(1).says("`agent secrets setup ANTHROPIC_API_KEY`");

        machine.run(&["config:secure", &first, "--yes"]).ends_with(0);
        machine.holds_no_key();
        machine.run(&["config:export", &second, "--plaintext"]).ends_with(0);
        assert!(fs::read(&second).unwrap() == exported, "another vault");
        answers(&machine);
        was_asked_with(&api, ANTHROPIC);
    }
}

#[test]
fn a_key_that_never_was_in_a_file_is_asked_for_and_used() {
    for machine in Machine::all() {
        let api = Api::start();
        machine.configure(&config(&api, "", ""));
        machine.run(&ASK).ends_with(1).says("`agent secrets setup ANTHROPIC_API_KEY`");
        let set_up = machine.give(&["secrets", "setup", "ANTHROPIC_API_KEY"], ANTHROPIC);
        set_up.ends_with(0).says("secrets get ANTHROPIC_API_KEY");
        assert_eq!(answers(&machine), "");
        was_asked_with(&api, ANTHROPIC);
        machine.run(&["secrets", "list"]).ends_with(0).says("ANTHROPIC_API_KEY");
        machine.holds_no_key();
    }
}

#[test]
fn a_refused_key_is_not_shown() {
    let api = Api::start();
    let machine = Machine::with_file();
    machine.configure(&config(&api, REFUSED, OPENAI));
    let refused = machine.run(&ASK).ends_with(1);
    refused.says("anthropic refuses the key").says("`agent secrets set ANTHROPIC_API_KEY`");
}

#[test]
fn a_broken_file_is_shown_by_its_place_and_stays() {
    let machine = Machine::with_file();
    let (first, second) = (
        format!("{{\n  \"providers\": {{ \"openai\": {{ \"apiKey\": \"{OPENAI}\n"),
        format!("{{\n  \"providers\": {{ \"anthropic\": \"{ANTHROPIC}\" }}\n}}"),
    );
    for text in [first, second] {
        machine.configure(&text);
        for arguments in [&ASK[..], &[]] {
            machine.run(arguments).ends_with(1).says("line 2, column");
        }
        assert_eq!(machine.configured(), text);
    }
}

#[test]
fn another_file_is_named_by_a_flag_or_the_environment() {
    let (machine, _api) = with_keys(Machine::with_file());
    let other = machine.sandbox().path().join("other.json");
    fs::rename(machine.config(), &other).unwrap();
    let other = other.display().to_string();
    machine
        .run(&["config:secure", "--dry-run", "--config", &other])
        .ends_with(0)
        .says("OPENAI_API_KEY");
    machine.run(&["--config", &other]).ends_with(0).says("2 keys moved");
    let shown = machine.command().env("AGENT_CONFIG", &other).output().unwrap();
    assert!(String::from_utf8(shown.stdout).unwrap().contains("anthropic/claude-test"));
}
