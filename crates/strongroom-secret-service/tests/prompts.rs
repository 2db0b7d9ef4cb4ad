//! A real prompt on a real screen: answered, dismissed, left alone.
#![cfg(target_os = "linux")]

mod support;

use std::thread;
use std::time::Duration;

use strongroom_core::{Deadlines, ErrorKind, ExposeSecret, KeyringStore, PromptPolicy};
use strongroom_secret_service::SecretServiceStore;
use strongroom_testkit::{Bus, Display, GnomeKeyring, Sandbox, provider_or_skip};
use support::{PASSWORD, PATIENT, config, prompting_store, secret, store};

const PROGRAMS: [&str; 4] = ["Xvfb", "gcr-prompter", "gnome-keyring-daemon", "xdotool"];
/// The class of the prompt's window.
const PROMPT: &str = "gcr-prompter";

struct Desktop {
    display: Display,
    bus: Bus,
    keyring: GnomeKeyring,
}

/// A desktop with a keyring, locked if there is a password.
fn desktop(password: Option<&str>) -> Option<Desktop> {
    if !PROGRAMS.iter().all(|program| provider_or_skip(program)) {
        return None;
    }
    let display = Display::start();
    let bus = Bus::start_with_activation(&Sandbox::new().with_env("DISPLAY", display.name()));
    let keyring = GnomeKeyring::start(&bus, password);
    if password.is_some() {
        let store = store(&bus);
        store.set_password("app", "u", &secret("v")).expect("it stores");
        keyring.lock();
    }
    Some(Desktop { display, bus, keyring })
}

#[test]
fn the_right_password_opens_the_keyring_for_the_waiting_call() {
    let Some(desktop) = desktop(Some(PASSWORD)) else {
        return;
    };
    let store = prompting_store(&desktop.bus, PATIENT);
    let read = thread::scope(|scope| {
        let reading = scope.spawn(|| store.get_password("app", "u"));
        let window = desktop.display.wait_for_window(PROMPT);
        desktop.display.type_text(PASSWORD);
        desktop.display.key("Return");
        desktop.display.wait_for_close(&window);
        reading.join().unwrap()
    });
    assert_eq!(read.unwrap().unwrap().expose_secret(), "v");
}

#[test]
fn escape_is_dismissed() {
    let Some(desktop) = desktop(Some(PASSWORD)) else {
        return;
    };
    let store = prompting_store(&desktop.bus, PATIENT);
    let read = thread::scope(|scope| {
        let reading = scope.spawn(|| store.get_password("app", "u"));
        desktop.display.wait_for_window(PROMPT);
        desktop.display.key("Escape");
        reading.join().unwrap()
    });
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Dismissed);
}

#[test]
fn a_prompt_that_is_left_alone_stays_for_the_next_call_and_breaks_nothing() {
    let Some(desktop) = desktop(Some(PASSWORD)) else {
        return;
    };
    let store = prompting_store(&desktop.bus, Duration::from_secs(3));
    let first = thread::scope(|scope| {
        let reading = scope.spawn(|| store.get_password("app", "u"));
        desktop.display.wait_for_window(PROMPT);
        reading.join().unwrap()
    });
    let error = first.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains("still on the screen"), "{error}");
    let owner = desktop.bus.name_owner_pid("org.freedesktop.secrets");
    assert_eq!(owner, Some(desktop.keyring.pid()), "the daemon that was asked still runs");

    let patient = prompting_store(&desktop.bus, PATIENT);
    let second = thread::scope(|scope| {
        let reading = scope.spawn(|| patient.get_password("app", "u"));
        let window = desktop.display.wait_for_window(PROMPT);
        desktop.display.type_text(PASSWORD);
        desktop.display.key("Return");
        desktop.display.wait_for_close(&window);
        reading.join().unwrap()
    });
    assert_eq!(desktop.display.find_window(PROMPT), None, "there was one prompt, not two");
    assert_eq!(second.unwrap().unwrap().expose_secret(), "v");
}

#[test]
fn never_shows_no_prompt() {
    let Some(desktop) = desktop(Some(PASSWORD)) else {
        return;
    };
    let error = store(&desktop.bus).get_password("app", "u").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert_eq!(desktop.display.find_window(PROMPT), None);
    assert_eq!(desktop.keyring.is_locked(), Some(true));
}

#[test]
fn the_first_write_on_a_fresh_machine_creates_the_default_collection() {
    let Some(desktop) = desktop(None) else { return };
    let deadlines = Deadlines::both(PATIENT);
    let config = config(&desktop.bus).with_prompt(PromptPolicy::Always).with_deadlines(deadlines);
    let store = SecretServiceStore::new(config);
    let written = thread::scope(|scope| {
        let value = secret("v");
        let store = &store;
        let writing = scope.spawn(move || store.set_password("app", "u", &value));
        let window = desktop.display.wait_for_window(PROMPT);
        desktop.display.type_text(PASSWORD);
        desktop.display.key("Tab");
        desktop.display.type_text(PASSWORD);
        desktop.display.key("Return");
        desktop.display.wait_for_close(&window);
        writing.join().unwrap()
    });
    written.unwrap();
    assert_eq!(store.get_password("app", "u").unwrap().unwrap().expose_secret(), "v");
}
