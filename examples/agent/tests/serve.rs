//! The agent's server as a process, and the settings in it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use serde_json::json;
use support::api::Api;
use support::http::Browser;
use support::{ANTHROPIC, Machine, OPENAI, config, tells};

/// A server that runs, and is killed when it goes.
struct Server {
    process: Child,
    address: SocketAddr,
    token: String,
}

impl Server {
    #[track_caller]
    fn start(machine: &Machine) -> Self {
        let log = fs::File::create(machine.sandbox().path().join("server.log")).unwrap();
        let mut command = machine.command();
        let command = command.arg("serve").stdout(Stdio::piped()).stderr(log);
        let mut process = command.spawn().unwrap();
        let mut link = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut link).unwrap();
        let (base, token) = link.trim_end().split_once("/settings/#token=").unwrap();
        let address = base.strip_prefix("http://").unwrap().parse().unwrap();
        Self { process, address, token: token.to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A server of somebody whose keys are in the file, and a browser that its link let in.
fn opened(machine: &Machine) -> (Server, Browser) {
    machine.configure(&config(&Api::start(), ANTHROPIC, OPENAI));
    let server = Server::start(machine);
    let mut browser = Browser::at(server.address);
    assert_eq!(browser.open(&server.token), 200);
    (server, browser)
}

#[test]
fn its_own_page_is_for_everybody_and_the_settings_are_not() {
    let machine = Machine::with_file();
    let server = Server::start(&machine);
    let browser = Browser::at(server.address);
    let page = browser.get("/");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("href=\"/settings/\""), "{}", page.body);
    assert_eq!(browser.get("/settings/").status, 200);
    assert_eq!(browser.get("/settings/api/secrets").status, 401);
    assert_eq!(browser.get("/settings/api/migration").status, 401);
}

#[test]
fn the_link_lets_in_once() {
    let machine = Machine::with_file();
    let (server, browser) = opened(&machine);
    assert_eq!(browser.get("/settings/api/about").json()["title"], "Agent");
    assert_eq!(Browser::at(server.address).open(&server.token), 401);
}

#[test]
fn the_keys_of_the_file_are_shown_moved_and_listed_without_their_values() {
    for machine in Machine::all() {
        let (_server, browser) = opened(&machine);
        let plan = browser.get("/settings/api/migration").json();
        let first = &plan["plan"]["secrets"][0];
        let (file, path) = (machine.config(), "providers.anthropic.apiKey");
        assert_eq!(
            (&first["name"], &first["file"], &first["path"]),
            (&json!("ANTHROPIC_API_KEY"), &json!(file), &json!(path))
        );
        assert_eq!(plan["plan"]["badge"]["method"], "File");

        let done = browser.post("/settings/api/migration/secure", &json!({})).json();
        let moved = format!("2 secrets were moved into {}", machine.store());
        assert_eq!(done["message"], moved);
        assert_eq!(browser.get("/settings/api/migration").json()["plan"], json!(null));

        let list = browser.get("/settings/api/secrets");
        let listed = list.json()["secrets"].as_array().unwrap().clone();
        let named =
            |name: &str| listed.iter().find(|secret| secret["name"] == name).unwrap().clone();
        assert_eq!(listed.len(), 2);
        assert_eq!(named("ANTHROPIC_API_KEY")["provider"], "anthropic");
        assert_eq!(named("OPENAI_API_KEY")["provider"], "openai");
        assert!(!tells(list.body.as_bytes()), "the list tells a key");
        machine.holds_no_key();
    }
}

#[test]
fn what_differs_is_said_and_not_touched() {
    let machine = Machine::with_file();
    machine.configure(&config(&Api::start(), ANTHROPIC, OPENAI));
    machine.give(&["secrets", "set", "OPENAI_API_KEY"], "another").ends_with(0);
    let before = machine.configured();
    let server = Server::start(&machine);
    let mut browser = Browser::at(server.address);
    browser.open(&server.token);
    let plan = browser.get("/settings/api/migration").json();
    let warning = plan["plan"]["notes"][0].as_str().unwrap();
    assert!(warning.contains("different values of \"OPENAI_API_KEY\""), "{warning}");
    assert_eq!(browser.post("/settings/api/migration/secure", &json!({})).status, 409);
    assert_eq!(machine.configured(), before);
}

#[test]
fn the_export_is_the_one_of_the_command() {
    let machine = Machine::with_file();
    let (_server, browser) = opened(&machine);
    browser.post("/settings/api/migration/secure", &json!({})).json();
    for (label, format) in [("JSON", "json"), ("TOML", "toml"), ("YAML", "yaml"), ("dotenv", "env")]
    {
        let export = browser.post("/settings/api/export", &json!({ "label": label })).json();
        let export = fs::read_to_string(export["file"].as_str().unwrap()).unwrap();
        let file = machine.sandbox().path().join(format!("export.{format}"));
        let place = file.display().to_string();
        machine.run(&["config:export", &place, "--plaintext"]).ends_with(0);
        assert!(tells(export.as_bytes()), "that is what it is for");
        assert!(fs::read_to_string(&file).unwrap() == export, "another {format}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn it_ends_with_ctrl_c_though_a_page_listens() {
    use rustix::process::{Pid, Signal, kill_process};
    use strongroom_testkit::{PATIENCE, wait_until};

    let machine = Machine::with_file();
    let (mut server, browser) = opened(&machine);
    let mut events = BufReader::new(browser.start("GET /settings/api/events HTTP/1.1\r\n", b""));
    let mut status = String::new();
    events.read_line(&mut status).unwrap();
    assert!(status.contains("200"), "{status}");
    kill_process(Pid::from_child(&server.process), Signal::INT).unwrap();
    wait_until("the server ends", PATIENCE, || server.process.try_wait().unwrap().is_some());
    assert!(server.process.wait().unwrap().success());
}
