//! `settings` as a whole process: the page over a socket, its browser, and its end.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use strongroom_testkit::{PATIENCE, wait_until};
use support::KeyutilsService;

const VALUE: &str = "marker-of-a-value";

/// The page of a vault with one secret, served by the program.
struct Page {
    program: Child,
    address: String,
    token: String,
    _service: KeyutilsService,
}

impl Page {
    fn open(flags: &[&str]) -> Self {
        Self::open_with(flags, |_, _| ())
    }

    fn open_with(flags: &[&str], change: impl FnOnce(&Path, &mut Command)) -> Self {
        let service = KeyutilsService::new();
        service.vault(&["set", "API_KEY"], VALUE.as_bytes()).ends_with(0);
        let mut command = service.program();
        command.arg("settings").args(flags).stdin(Stdio::null()).stdout(Stdio::piped());
        change(service.sandbox.path(), &mut command);
        let mut program = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(program.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let (address, token) = line.trim_end().split_once("/#token=").unwrap();
        let address = address.strip_prefix("http://").unwrap().to_owned();
        Self { program, address, token: token.to_owned(), _service: service }
    }

    fn send(&self, request: &str, cookie: &str, body: &str) -> String {
        let here = &self.address;
        let mut stream = TcpStream::connect(here).unwrap();
        let length = body.len();
        let request = format!(
            "{request} HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\nCookie: {cookie}\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn session(&self) -> String {
        let token = format!("{{\"token\":\"{}\"}}", self.token);
        let answer = self.send("POST /api/session", "", &token);
        let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Whether the program has ended by itself, with this exit code.
    fn ends_with(mut self, exit: i32) {
        wait_until("the program ends", PATIENCE, || self.program.try_wait().unwrap().is_some());
        assert_eq!(self.program.wait().unwrap().code(), Some(exit));
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.program), signal).unwrap();
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.program.kill().ok();
        self.program.wait().ok();
    }
}

#[test]
fn the_link_opens_the_page_of_the_vault() {
    let page = Page::open(&["--no-browser"]);
    let cookie = page.session();
    let secrets = page.send("GET /api/secrets", &cookie, "");
    assert!(secrets.contains("API_KEY") && !secrets.contains(VALUE), "{secrets}");
    let about = page.send("GET /api/about", &cookie, "");
    assert!(about.contains("\"keyutils\""), "{about}");
    let health = page.send("GET /api/health", &cookie, "");
    assert!(health.contains("the kernel keyring"), "{health}");
}

#[test]
fn a_configuration_file_stays_where_its_secrets_would_be_forgotten() {
    let mut file = PathBuf::new();
    let page = Page::open_with(&["--no-browser", "--config", "app.json"], |sandbox, command| {
        file = sandbox.join("app.json");
        fs::write(&file, format!("{{\"api_token\": \"{VALUE}\"}}\n")).unwrap();
        command.current_dir(sandbox);
    });
    let cookie = page.session();
    let plan = page.send("GET /api/migration", &cookie, "");
    assert!(plan.contains("API_TOKEN") && !plan.contains(VALUE), "{plan}");
    assert!(plan.contains("Nothing moves: keyutils forgets"), "{plan}");
    let refused = page.send("POST /api/migration/secure", &cookie, "{}");
    assert!(refused.contains("forgets"), "{refused}");
    assert!(fs::read_to_string(file).unwrap().contains(VALUE), "the file is as it was");
}

#[test]
fn it_ends_with_its_terminal_and_when_it_is_told_to() {
    for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
        let page = Page::open(&["--no-browser"]);
        page.signal(signal);
        page.ends_with(0);
    }
}

#[test]
fn a_browser_is_told_the_link_by_a_file_that_only_its_user_reads() {
    let mut said = PathBuf::new();
    let page = Page::open_with(&[], |sandbox, command| {
        let programs = sandbox.join("bin");
        said = sandbox.join("said");
        fs::create_dir(&programs).unwrap();
        let opener = programs.join("xdg-open");
        let script =
            "#!/bin/sh\nstat -c '%a %n' \"$@\" > \"$SAID.part\"\nmv \"$SAID.part\" \"$SAID\"\n";
        fs::write(&opener, script).unwrap();
        fs::set_permissions(&opener, fs::Permissions::from_mode(0o700)).unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("SAID", &said).env("DISPLAY", ":none");
    });
    wait_until("the browser is started", PATIENCE, || said.exists());
    let said = fs::read_to_string(said).unwrap();
    let file = PathBuf::from(said.trim_end().strip_prefix("600 ").unwrap());
    assert!(!said.contains(&page.token), "an argument is seen by other users");
    assert!(fs::read_to_string(&file).unwrap().contains(&page.token));
    page.signal(Signal::INT);
    page.ends_with(0);
    assert!(!file.exists(), "it goes with the page");
}
