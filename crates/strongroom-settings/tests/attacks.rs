//! Another account's server on the same machine, which a real browser meets.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]
#![allow(clippy::print_stdout, reason = "the other process tells its link")]

mod support;

use std::io::Read as _;
use std::net::Ipv4Addr;

use serde_json::json;
use strongroom::{Backend, Config};
use strongroom_settings::Settings;
use strongroom_testkit::{Sandbox, children};
use support::browser::{another_process, browser_or_skip, drive};

#[test]
fn a_page_of_another_port_gets_nothing() {
    run("other_port.mjs");
}

#[test]
fn a_server_that_takes_the_place_of_a_killed_one_gets_nothing() {
    run("takeover.mjs");
}

#[test]
fn nothing_that_was_planted_at_the_address_before_is_met() {
    run("planted.mjs");
}

#[test]
fn the_token_is_not_left_in_the_browser() {
    run("entry.mjs");
}

/// Runs a script, which starts the server itself.
fn run(script: &str) {
    if browser_or_skip() {
        let sandbox = Sandbox::new();
        let input = json!({ "serve": another_process("server"), "directory": sandbox.path() });
        drive(&mut sandbox.command("node"), script, input);
    }
}

children!(server);

/// Serves a page until its standard input ends. The first line tells its link, the second one its entry page.
fn server() {
    let manager = Config::new("app").backend(Backend::Memory).open_blocking().unwrap();
    manager.set_api_key("STORED_KEY", "stored-value", None).unwrap();
    let settings = Settings::builder(manager.to_async()).title("Tracker").build().unwrap();
    // The worst address that it can have: the one that all other pages of this machine have, too.
    let server = match std::env::var("PAGE_ADDRESS").ok() {
        Some(fresh) if fresh == "fresh" => settings.bind_fresh().unwrap(),
        Some(port) => settings.bind((Ipv4Addr::LOCALHOST, port.parse().unwrap())).unwrap(),
        None => settings.bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
    };
    println!("\nlink {}", server.link());
    println!("entry {}", json!(server.entry_page()));
    let (sender, stop) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        std::io::stdin().read_to_end(&mut Vec::new()).ok();
        sender.send(()).ok();
    });
    server.run_blocking(async { drop(stop.await) }).unwrap();
}
