//! gnome-keyring's own prompt, on a screen, answered as a user would.

#![cfg(target_os = "linux")]

use std::{fs, thread};

use strongroom_testkit::{Bus, Display, GnomeKeyring, Sandbox, provider_or_skip, secret_tool};

const PROGRAMS: &[&str] = &[
    "Xvfb",
    "dbus-daemon",
    "gcr-prompter",
    "gnome-keyring-daemon",
    "import",
    "secret-tool",
    "xdotool",
];

struct Desktop {
    keyring: GnomeKeyring,
    bus: Bus,
    display: Display,
}

impl Desktop {
    /// Not so if it crashed, as the bus would have activated another by now.
    fn still_runs(&self) -> bool {
        self.bus.name_owner_pid("org.freedesktop.secrets") == Some(self.keyring.pid())
    }
}

/// A desktop whose keyring holds a secret and is locked.
fn locked_desktop() -> Option<Desktop> {
    if !PROGRAMS.iter().all(|program| provider_or_skip(program)) {
        return None;
    }
    let display = Display::start();
    let sandbox = Sandbox::new().with_env("DISPLAY", display.name());
    let bus = Bus::start_with_activation(&sandbox);
    let keyring = GnomeKeyring::start(&bus, Some("hunter2"));
    secret_tool::store(&bus, "service", "ada", "lovelace");
    keyring.lock();
    Some(Desktop { keyring, bus, display })
}

#[test]
fn the_password_answers_a_prompt() {
    let Some(desktop) = locked_desktop() else {
        return;
    };
    let found = thread::scope(|scope| {
        let lookup = scope.spawn(|| secret_tool::lookup(&desktop.bus, "service", "ada"));
        let prompt = desktop.display.wait_for_window("gcr-prompter");
        desktop.display.type_text("hunter2");
        desktop.display.key("Return");
        desktop.display.wait_for_close(&prompt);
        lookup.join().expect("it doesn't panic")
    });
    assert_eq!(found.as_deref(), Some("lovelace"));
    assert!(desktop.still_runs());
    assert_eq!(desktop.keyring.is_locked(), Some(false));
}

#[test]
fn escape_dismisses_a_prompt() {
    let Some(desktop) = locked_desktop() else {
        return;
    };
    let screenshot = desktop.bus.sandbox().path().join("prompt.png");
    let found = thread::scope(|scope| {
        let lookup = scope.spawn(|| secret_tool::lookup(&desktop.bus, "service", "ada"));
        desktop.display.wait_for_window("gcr-prompter");
        desktop.display.screenshot(&screenshot);
        desktop.display.key("Escape");
        lookup.join().expect("it doesn't panic")
    });
    assert_eq!(found, None);
    assert!(desktop.still_runs());
    assert_eq!(desktop.keyring.is_locked(), Some(true));
    assert!(fs::metadata(&screenshot).is_ok_and(|file| file.len() > 0));
}
