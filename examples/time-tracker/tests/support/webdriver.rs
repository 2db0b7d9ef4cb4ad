//! A client of WebKit's driver: as much of the protocol as these tests speak.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use strongroom_testkit::{PATIENCE, wait_until};
use ureq::Agent;

/// By what a reference to an element is known, says the standard.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A driver with one application in it. Both end with it.
pub(crate) struct WebDriver {
    driver: Child,
    agent: Agent,
    address: String,
    session: Option<String>,
}

impl WebDriver {
    /// Starts the driver by this command, to which it adds a port, and the application by the driver.
    pub(crate) fn start(mut command: Command, application: &Path) -> Self {
        let port = unused_port();
        command.arg(format!("--port={port}"));
        // Of its own, so that the application ends with the driver, whatever happened to the session.
        let driver = command.process_group(0).spawn().unwrap();
        let config = Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(2 * PATIENCE)).build().new_agent();
        let address = format!("http://127.0.0.1:{port}/session");
        let mut this = Self { driver, agent, address, session: None };
        wait_until("WebKitWebDriver listens", PATIENCE, || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        let options = json!({ "binary": application, "args": [] });
        let always = json!({ "alwaysMatch": { "webkitgtk:browserOptions": options } });
        let session = this.post("", json!({ "capabilities": always }));
        this.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        this
    }

    /// Closes the application as a user would.
    pub(crate) fn quit(mut self) {
        self.send(self.agent.delete(self.url("")).call());
        self.session = None;
    }

    /// Runs a function's body in the page, and returns what it returns.
    pub(crate) fn run(&self, body: &str, arguments: Value) -> Value {
        self.post("/execute/sync", json!({ "script": body, "args": arguments }))
    }

    /// Types into a field, in place of what is in it.
    pub(crate) fn fill(&self, field: &str, text: &str) {
        let element = self.element(field);
        self.post(&format!("/element/{element}/clear"), json!({}));
        self.post(&format!("/element/{element}/value"), json!({ "text": text }));
    }

    pub(crate) fn click(&self, button: &str) {
        let element = self.element(button);
        self.post(&format!("/element/{element}/click"), json!({}));
    }

    /// The text that shows in the first element of a selector; empty if it is hidden.
    pub(crate) fn text(&self, selector: &str) -> String {
        let body = "return document.querySelector(arguments[0])?.innerText ?? ''";
        self.run(body, json!([selector])).as_str().unwrap().trim().to_owned()
    }

    pub(crate) fn shows(&self, selector: &str) -> bool {
        let body = "return document.querySelector(arguments[0])?.checkVisibility() ?? false";
        self.run(body, json!([selector])) == json!(true)
    }

    /// Waits until an element shows.
    #[track_caller]
    pub(crate) fn wait_for(&self, selector: &str) {
        wait_until(&format!("{selector} shows"), PATIENCE, || self.shows(selector));
    }

    /// What the window shows, once it has painted what it knows, as a PNG.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        let body = "const [done] = arguments
            requestAnimationFrame(() => requestAnimationFrame(() => done()))";
        self.post("/execute/async", json!({ "script": body, "args": [] }));
        let picture = self.send(self.agent.get(self.url("/screenshot")).call());
        STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    #[track_caller]
    fn element(&self, selector: &str) -> String {
        let query = json!({ "using": "css selector", "value": selector });
        self.post("/element", query)[ELEMENT].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn post(&self, path: &str, body: Value) -> Value {
        self.send(self.agent.post(self.url(path)).send_json(body))
    }

    fn url(&self, path: &str) -> String {
        let session = self.session.as_ref().map_or_else(String::new, |id| format!("/{id}"));
        format!("{}{session}{path}", self.address)
    }

    #[track_caller]
    fn send(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
        let mut answer = answer.unwrap();
        let mut body: Value = answer.body_mut().read_json().unwrap();
        assert!(answer.status().is_success(), "{}", body["value"]);
        body["value"].take()
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        // It has not been waited for, so that its id is still its own.
        let group = i32::try_from(self.driver.id()).ok().and_then(Pid::from_raw);
        kill_process_group(group.unwrap(), Signal::KILL).ok();
        self.driver.wait().ok();
    }
}

/// The driver takes no port 0.
fn unused_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
