//! The application with a home, a bus and a screen of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::json;
use strongroom_testkit::{Bus, Display, Sandbox, provider_or_skip};

use super::webdriver::WebDriver;

const PROGRAM: &str = env!("CARGO_BIN_EXE_time-tracker");

/// A user's desktop, on which the application is started and closed.
pub(crate) struct Desktop {
    pub(crate) bus: Bus,
    _display: Display,
}

impl Desktop {
    /// A desktop without a keyring; `None`, which is told, where what it takes is not installed.
    pub(crate) fn start() -> Option<Self> {
        let needed = ["Xvfb", "WebKitWebDriver", "dbus-daemon", "gnome-keyring-daemon"];
        if !needed.into_iter().all(provider_or_skip) {
            return None;
        }
        let display = Display::start();
        let bus = Bus::start(&Sandbox::new().with_env("DISPLAY", display.name()));
        Some(Self { bus, _display: display })
    }

    /// Starts the application, light or dark, and logs everything.
    pub(crate) fn open(&self, theme: &str) -> WebDriver {
        let log = File::options().append(true).create(true).open(self.log()).unwrap();
        let mut driver = self.bus.command("WebKitWebDriver");
        driver
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("TIME_TRACKER_LOG", "trace")
            .env("GTK_THEME", theme)
            .env("NO_AT_BRIDGE", "1")
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        WebDriver::start(driver, Path::new(PROGRAM))
    }

    /// What the application and the driver have written to their output.
    pub(crate) fn log(&self) -> PathBuf {
        self.bus.sandbox().path().join("application.log")
    }

    /// The files in which a text stands, of all that the application and the keyring have written.
    pub(crate) fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut directories = vec![self.bus.sandbox().path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    directories.push(entry.path());
                } else if entry.file_type().unwrap().is_file() {
                    let content = fs::read(entry.path()).unwrap();
                    if content.windows(text.len()).any(|part| part == text.as_bytes()) {
                        found.push(entry.path());
                    }
                }
            }
        }
        found
    }
}

/// Where a text can be reached in the page, from its global object on: in the DOM, its fields, its
/// storage, and what scripts keep.
pub(crate) fn places_of(text: &str, page: &WebDriver) -> Vec<String> {
    // Backwards, so that the search does not find itself.
    let backwards: String = text.chars().rev().collect();
    let found = page.run(include_str!("search.js"), json!([backwards]));
    serde_json::from_value(found).unwrap()
}
