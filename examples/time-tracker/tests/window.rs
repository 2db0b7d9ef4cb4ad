//! The application as its user has it: in a window, on a real keyring, across restarts.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::json;
use strongroom_testkit::{GnomeKeyring, PATIENCE, wait_until};
use support::app::{Desktop, places_of};
use support::server::{EMAIL, Server, basic};
use support::webdriver::WebDriver;

/// It stands nowhere else.
const TOKEN: &str = "ATATT3xFfGF0zebraQUARTZ4711";

const LIGHT: &str = "Adwaita";
const DARK: &str = "Adwaita:dark";

/// Where the pictures of the window go.
const SCREENSHOTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/time-tracker");

fn enter(page: &WebDriver, server: &Server, token: &str) {
    page.wait_for("#settings");
    page.fill("#base-url", server.address());
    page.fill("#email", EMAIL);
    page.fill("#token", token);
}

#[track_caller]
fn wait_for_text(page: &WebDriver, selector: &str, text: &str) {
    wait_until(&format!("{selector} says {text}"), PATIENCE, || page.text(selector).contains(text));
}

/// The code of the error with which a function of the plugin ends, as a script of the page gets it.
fn refusal(page: &WebDriver, call: &str, name: &str) -> String {
    let body = "const [call, name] = arguments
        return window.__TAURI__.strongroom[call](name).then(() => 'none', ({ code }) => code)";
    page.run(body, json!([call, name])).as_str().unwrap().to_owned()
}

fn take_picture(page: &WebDriver, name: &str) {
    fs::create_dir_all(SCREENSHOTS).unwrap();
    fs::write(Path::new(SCREENSHOTS).join(name), page.screenshot()).unwrap();
}

#[test]
fn a_token_survives_a_restart_until_it_is_deleted_and_no_page_or_file_has_it() {
    let Some(desktop) = Desktop::start() else { return };
    let _keyring = GnomeKeyring::start(&desktop.bus, Some("password"));
    let server = Server::start(TOKEN);

    let page = desktop.open(LIGHT);
    enter(&page, &server, TOKEN);
    assert!(!places_of(TOKEN, &page).is_empty(), "the search finds what is there");
    take_picture(&page, "settings-light.png");
    page.click("#settings [type=submit]");
    wait_for_text(&page, "#issues", "The date picker opens behind the dialog");
    assert_eq!(places_of(TOKEN, &page), [""; 0]);
    take_picture(&page, "issues-light.png");
    page.quit();

    let page = desktop.open(DARK);
    wait_for_text(&page, "#issues", "WEB-12 · In Progress");
    for (call, code) in [("reveal", "not_allowed"), ("describe", "not_allowed")] {
        assert_eq!(refusal(&page, call, "jira_api_token"), code);
    }
    assert_eq!(refusal(&page, "exists", "another"), "not_allowed");
    assert!(server.requests().iter().all(|sent| *sent == basic(TOKEN)));
    assert_eq!(places_of(TOKEN, &page), [""; 0]);
    take_picture(&page, "issues-dark.png");
    page.click("#open-settings");
    page.wait_for("#delete-token");
    take_picture(&page, "settings-dark.png");
    page.click("#delete-token");
    wait_for_text(&page, "#delete-token", "Really delete token?");
    page.click("#delete-token");
    wait_until("the page asks for a token", PATIENCE, || !page.shows("#delete-token"));
    page.wait_for("#token:required");
    page.quit();

    let page = desktop.open(LIGHT);
    page.wait_for("#token:required");
    assert!(!page.shows("#issues"));
    page.quit();

    for text in [TOKEN, &basic(TOKEN)["Basic ".len()..]] {
        assert_eq!(desktop.files_with(text), [""; 0].map(Path::new));
    }
    let log = fs::read_to_string(desktop.log()).unwrap();
    assert!(log.contains("chose a store"), "everything is logged: {log}");
}

#[test]
fn without_a_keyring_the_window_says_what_to_install_and_goes_on_once_it_is_there() {
    let Some(desktop) = Desktop::start() else { return };
    let server = Server::start(TOKEN);
    let page = desktop.open(LIGHT);
    wait_for_text(&page, "#problem", "Install and start one: gnome-keyring");
    enter(&page, &server, TOKEN);
    page.click("#settings [type=submit]");
    wait_for_text(&page, "#problem", "Install and start one: gnome-keyring");
    take_picture(&page, "no-keyring-light.png");
    assert_eq!(places_of(TOKEN, &page), [""; 0]);
    page.quit();
    assert_eq!(desktop.files_with(TOKEN), [""; 0].map(Path::new));

    let page = desktop.open(DARK);
    wait_for_text(&page, "#problem", "Install and start one: gnome-keyring");
    take_picture(&page, "no-keyring-dark.png");
    let _keyring = GnomeKeyring::start(&desktop.bus, Some("password"));
    page.click("#try-again");
    wait_until("the message goes", PATIENCE, || !page.shows("#problem"));
    page.fill("#token", TOKEN);
    page.click("#settings [type=submit]");
    wait_for_text(&page, "#issues", "WEB-12");
    page.quit();
}

#[test]
fn time_is_posted_to_the_issue_even_after_a_restart() {
    let Some(desktop) = Desktop::start() else { return };
    let _keyring = GnomeKeyring::start(&desktop.bus, Some("password"));
    let server = Server::start(TOKEN);
    let page = desktop.open(LIGHT);
    enter(&page, &server, TOKEN);
    page.click("#settings [type=submit]");
    page.wait_for("#issues button");
    page.click("[aria-label='Start API-7']");
    page.wait_for("#timer");
    assert!(page.shows("#issues button:disabled"));
    take_picture(&page, "timer-light.png");
    page.quit();

    let page = desktop.open(DARK);
    wait_for_text(&page, "#timer-issue", "API-7");
    wait_for_text(&page, "#issues", "API-7");
    take_picture(&page, "timer-dark.png");
    page.click("#stop");
    wait_for_text(&page, "#told", "Posted 1 min to API-7.");
    assert!(!page.shows("#timer"));
    page.quit();

    let worklogs = server.worklogs();
    assert_eq!(worklogs.len(), 1);
    let (issue, worklog) = &worklogs[0];
    assert_eq!((issue.as_str(), &worklog["timeSpentSeconds"]), ("API-7", &60.into()));
    let started = worklog["started"].as_str().unwrap();
    assert!(started.starts_with("20") && started.ends_with(".000+0000"), "{started}");
}

#[test]
fn a_token_stays_with_its_server() {
    let Some(desktop) = Desktop::start() else { return };
    let _keyring = GnomeKeyring::start(&desktop.bus, Some("password"));
    let (server, another) = (Server::start(TOKEN), Server::start("another"));
    let page = desktop.open(LIGHT);
    enter(&page, &server, "wrong");
    page.click("#settings [type=submit]");
    wait_for_text(&page, "#problem", "enter a new token");
    page.click("#open-settings");
    page.fill("#token", TOKEN);
    page.click("#settings [type=submit]");
    wait_for_text(&page, "#issues", "WEB-12");

    page.click("#open-settings");
    page.fill("#base-url", another.address());
    page.click("#settings [type=submit]");
    page.wait_for("#token:required");
    assert_eq!(another.requests(), [""; 0]);
    page.quit();
}

#[test]
fn a_forgotten_account_is_gone() {
    let Some(desktop) = Desktop::start() else { return };
    let _keyring = GnomeKeyring::start(&desktop.bus, Some("password"));
    let server = Server::start(TOKEN);
    let page = desktop.open(LIGHT);
    enter(&page, &server, TOKEN);
    page.click("#settings [type=submit]");
    page.wait_for("#issues button");
    page.click("#open-settings");
    page.click("#forget");
    page.click("#forget");
    page.wait_for("#token:required");
    page.quit();
    assert_eq!(desktop.files_with(EMAIL), [""; 0].map(Path::new));
}
