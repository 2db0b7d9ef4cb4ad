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
use strongroom_testkit::{PATIENCE, PageSession, wait_until};
use support::KeyutilsService;

const VALUE: &str = "marker-of-a-value";

/// The page of a vault with one secret, served by the program.
struct Page {
    program: Child,
    address: String,
    /// The page's directory, with a slash at both ends.
    path: String,
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
        let (page, token) = line.trim_end().split_once("#token=").unwrap();
        let (address, path) = page.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let (address, path) = (address.to_owned(), format!("/{path}"));
        Self { program, address, path, token: token.to_owned(), _service: service }
    }

    fn send(&self, request: &str, session: Option<&PageSession>, body: &[u8]) -> String {
        let (here, directory, length) = (&self.address, &self.path, body.len());
        let (method, path) = request.split_once(' ').unwrap();
        let bearer = session.map(|session| format!("Authorization: Bearer {}\r\n", session.bearer));
        let head = format!(
            "{method} {directory}{path} HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\n{}\
             Content-Length: {length}\r\n\r\n",
            bearer.unwrap_or_default()
        );
        let mut stream = TcpStream::connect(here).unwrap();
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str, session: &PageSession) -> String {
        self.send(&format!("GET {path}"), Some(session), b"")
    }

    fn post(&self, path: &str, session: &PageSession, body: &str) -> String {
        let body = session.sealed(&format!("/{path}"), body);
        self.send(&format!("POST {path}"), Some(session), &body)
    }

    fn session(&self) -> PageSession {
        let token = format!("{{\"token\":\"{}\"}}", self.token);
        PageSession::in_answer(&self.send("POST api/session", None, token.as_bytes()))
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
    let session = page.session();
    let secrets = page.get("api/secrets", &session);
    assert!(secrets.contains("API_KEY") && !secrets.contains(VALUE), "{secrets}");
    let about = page.get("api/about", &session);
    assert!(about.contains("\"keyutils\""), "{about}");
    let health = page.get("api/health", &session);
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
    let session = page.session();
    let plan = page.get("api/migration", &session);
    assert!(plan.contains("API_TOKEN") && !plan.contains(VALUE), "{plan}");
    assert!(plan.contains("Nothing moves: keyutils forgets"), "{plan}");
    let refused = page.post("api/migration/secure", &session, "{}");
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

/// A browser that notes how it was started: in `said` its argument and what it was given, once it is all there.
fn browser_that_tells(sandbox: &Path, command: &mut Command) {
    let programs = sandbox.join("bin");
    fs::create_dir(&programs).unwrap();
    let opener = programs.join("xdg-open");
    let script = "#!/bin/sh\n\
        { stat -c '%a %n' \"$1\"; ls /proc/self/fd; env; } > \"$SAID.part\"\n\
        cp \"$1\" \"$SAID.html\"\nmv \"$SAID.part\" \"$SAID\"\n";
    fs::write(&opener, script).unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o700)).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    command.env("PATH", path).env("SAID", sandbox.join("said")).env("DISPLAY", ":none");
}

/// A page whose browser was started, and the notes of that.
fn page_in_browser(change: impl FnOnce(&Path, &mut Command)) -> (Page, Vec<String>, String) {
    let mut said = PathBuf::new();
    let page = Page::open_with(&[], |sandbox, command| {
        browser_that_tells(sandbox, command);
        said = sandbox.join("said");
        change(sandbox, command);
    });
    wait_until("the browser is started", PATIENCE, || said.exists());
    let document = fs::read_to_string(said.with_extension("html")).unwrap();
    let notes = fs::read_to_string(said).unwrap().lines().map(str::to_owned).collect();
    (page, notes, document)
}

#[test]
fn a_browser_opens_the_page_by_a_file_that_only_its_user_reads() {
    let (page, notes, document) = page_in_browser(|_, _| ());
    let file = PathBuf::from(notes[0].strip_prefix("600 ").unwrap());
    assert!(!notes.join(" ").contains(&page.token), "an argument is seen by other users");
    let field = format!("name=\"token\" value=\"{}\"", page.token);
    assert!(document.contains(&field) && !document.contains("#token"), "{document}");
    let entered = page.send("POST ", None, format!("token={}", page.token).as_bytes());
    assert!(entered.starts_with("HTTP/1.1 200"), "{entered}");
    page.signal(Signal::INT);
    page.ends_with(0);
    assert!(!file.exists(), "it goes with the page");
}

#[test]
fn a_browser_is_given_no_way_to_a_key() {
    let (_page, notes, _) = page_in_browser(|sandbox, command| {
        let marker = sandbox.join("marker");
        fs::write(&marker, VALUE).unwrap();
        for name in ["STRONGROOM_PASSPHRASE_FILE", "CREDENTIALS_DIRECTORY", "STRONGROOM_OTHER"] {
            command.env(name, &marker);
        }
        command.env("KEPT", "kept");
        // A shell that passes descriptors on: a small one, and one that few shells can close.
        let program = command.get_program().to_owned();
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        let mut shell = Command::new("bash");
        shell.args(["-c", "exec 3<\"$0\" 42<\"$0\"; exec \"$@\""]).arg(&marker);
        shell.arg(program).args(arguments).env_clear().envs(environment);
        shell.stdin(Stdio::null()).stdout(Stdio::piped());
        *command = shell;
    });
    let environment = notes.join("\n");
    assert!(environment.contains("KEPT=kept"), "{environment}");
    assert!(!environment.contains("marker"), "{environment}");
    // The descriptor of `ls` itself is one more.
    let descriptors: Vec<_> = notes.iter().filter(|it| it.parse::<u32>().is_ok()).collect();
    assert_eq!(descriptors, ["0", "1", "2", "3"]);
}

#[test]
fn the_file_for_the_browser_is_in_no_directory_of_others() {
    for runtime_dir in ["", "relative", "open"] {
        let mut working = PathBuf::new();
        let (_page, notes, _) = page_in_browser(|sandbox, command| {
            working = sandbox.join("working");
            for directory in ["", "relative", "open"] {
                fs::create_dir(working.join(directory)).unwrap();
            }
            fs::set_permissions(working.join("open"), fs::Permissions::from_mode(0o777)).unwrap();
            let runtime_dir = match runtime_dir {
                "open" => working.join("open"),
                other => PathBuf::from(other),
            };
            command.current_dir(&working).env("XDG_RUNTIME_DIR", runtime_dir);
        });
        let file = PathBuf::from(notes[0].strip_prefix("600 ").unwrap());
        assert!(file.is_absolute() && !file.starts_with(&working), "{}", file.display());
    }
}

#[test]
fn a_launcher_that_fails_is_no_browser() {
    let mut said = PathBuf::new();
    let page = Page::open_with(&[], |sandbox, command| {
        said = sandbox.join("stderr");
        browser_that_tells(sandbox, command);
        fs::write(sandbox.join("bin/xdg-open"), "#!/bin/sh\nexit 3\n").unwrap();
        command.env("PATH", sandbox.join("bin")).stderr(fs::File::create(&said).unwrap());
    });
    wait_until("it says so", PATIENCE, || {
        fs::read_to_string(&said).unwrap().contains("no browser could be started")
    });
    assert!(page.get("api/secrets", &page.session()).contains("API_KEY"));
}

/// With as many descriptors as a process has by the usual limit, the page and the vault's files still open.
#[test]
fn many_connections_of_others_keep_its_user_out_of_nothing() {
    let page = Page::open_with(&["--no-browser"], |_, command| {
        let limited = format!("ulimit -n 256; exec {} \"$@\"", command.get_program().display());
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        let mut shell = Command::new("sh");
        shell.args(["-c", &limited, "sh"]).args(arguments).env_clear().envs(environment);
        shell.stdin(Stdio::null()).stdout(Stdio::piped());
        *command = shell;
    });
    let half = |_| {
        let mut stream = TcpStream::connect(&page.address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: ").ok();
        stream
    };
    let _held: Vec<_> = (0..800).map(half).collect();
    let session = page.session();
    let added = page.post("api/secrets/add", &session, r#"{"name":"NEW","value":"djE="}"#);
    assert!(added.starts_with("HTTP/1.1 204"), "{added}");
    assert!(page.get("api/secrets", &session).contains("\"NEW\""));
}

#[test]
fn an_export_is_a_file_of_its_user_alone() {
    let mut home = PathBuf::new();
    let page = Page::open_with(&["--no-browser"], |_, command| {
        let of_home = |(name, value): (&std::ffi::OsStr, Option<&std::ffi::OsStr>)| {
            (name == "HOME").then(|| PathBuf::from(value.unwrap()))
        };
        home = command.get_envs().find_map(of_home).unwrap();
    });
    let session = page.session();
    let export = |body| page.post("api/export", &session, body);
    let written = export(r#"{"label":"JSON"}"#);
    let (_, path) = written.split_once("{\"file\":\"").unwrap_or_else(|| panic!("{written}"));
    let path = PathBuf::from(path.split_once('"').unwrap().0);
    assert_eq!(path.parent(), Some(home.as_path()));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&path).unwrap().contains(VALUE));
    fs::write(&path, "mine").unwrap();
    assert!(export(r#"{"label":"JSON"}"#).starts_with("HTTP/1.1 409"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    assert!(export(r#"{"label":"JSON","replace":true}"#).starts_with("HTTP/1.1 200"));
    assert!(fs::read_to_string(&path).unwrap().contains(VALUE));
}
