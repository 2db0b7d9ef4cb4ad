//! The real server, run in sandboxes, and an upstream for it.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

pub(crate) mod upstream;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use strongroom::keys::{KeySource, SealingKey};
use strongroom::store::secret_service;
use strongroom::{Backend, Config};
use strongroom_testkit::{Bus, GnomeKeyring, PATIENCE, Sandbox, provider_or_skip, wait_until};

use upstream::{CLIENT_SECRET, CREDENTIALS, TOKEN, Upstream};

const PROGRAM: &str = env!("CARGO_BIN_EXE_server");

const HOUR: Duration = Duration::from_secs(3600);

/// An upstream whose answers take this long.
pub(crate) async fn slow_upstream(delay: Duration) -> Arc<Upstream> {
    Upstream::start(([127, 0, 0, 1], 0).into(), HOUR, delay).await.unwrap()
}

pub(crate) async fn upstream() -> Arc<Upstream> {
    slow_upstream(Duration::ZERO).await
}

/// An upstream whose tokens last this long.
pub(crate) async fn short_lived_upstream(lifetime: Duration) -> Arc<Upstream> {
    Upstream::start(([127, 0, 0, 1], 0).into(), lifetime, Duration::ZERO).await.unwrap()
}

/// A user's machine, with a place for secrets that lasts.
pub(crate) enum Machine {
    /// With a keyring on this bus.
    Bus(Bus),
    /// Without a keyring, and with a key to the encrypted file.
    KeyFile(Sandbox, PathBuf),
}

impl Machine {
    pub(crate) fn with_keyring() -> Option<(Self, GnomeKeyring)> {
        if !provider_or_skip("gnome-keyring-daemon") {
            return None;
        }
        let bus = Bus::start(&Sandbox::new());
        let keyring = GnomeKeyring::start(&bus, Some("password"));
        Some((Self::Bus(bus), keyring))
    }

    pub(crate) fn with_key_file() -> Self {
        let sandbox = Sandbox::new();
        let path = sandbox.path().join("key");
        SealingKey::generate().unwrap().create_file(&path).unwrap();
        Self::KeyFile(sandbox, path)
    }

    /// One of each kind that can be had here.
    pub(crate) fn all() -> Vec<(Self, Option<GnomeKeyring>)> {
        let keyring = Self::with_keyring().map(|(machine, keyring)| (machine, Some(keyring)));
        keyring.into_iter().chain([(Self::with_key_file(), None)]).collect()
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        match self {
            Self::Bus(bus) => bus.sandbox(),
            Self::KeyFile(sandbox, _) => sandbox,
        }
    }

    /// The server, as its user starts it.
    pub(crate) fn command(&self) -> Command {
        match self {
            Self::Bus(bus) => bus.command(PROGRAM),
            Self::KeyFile(sandbox, key) => {
                let mut command = sandbox.command(PROGRAM);
                command.env("STRONGROOM_KEY_FILE", key);
                command
            }
        }
    }

    /// Stores the client secret, as the program `strongroom` does.
    pub(crate) async fn set_up(&self) {
        let config = Config::new("")
            .environment(|_| None)
            .state_dir(self.sandbox().state_dir())
            .data_dir(self.sandbox().data_dir());
        let config = match self {
            Self::Bus(bus) => config
                .backend(Backend::SecretService)
                .store_settings(secret_service::Config::default().with_bus_address(bus.address())),
            Self::KeyFile(_, key) => config.backend(Backend::File).key(KeySource::key_file(key)),
        };
        let vault = config.service("example-server").open().await.unwrap();
        vault.set_api_key("CLIENT_SECRET", CLIENT_SECRET, None).await.unwrap();
    }

    /// Starts the server, ready to answer from this upstream.
    pub(crate) async fn serve(&self, upstream: &Upstream) -> Server {
        self.set_up().await;
        Server::start(self.command(), upstream)
    }
}

/// The server without any place that lasts: with this backend, or what it finds.
pub(crate) fn without_storage(sandbox: &Sandbox, backend: &str) -> Command {
    let mut command = sandbox.command(PROGRAM);
    command.env("STRONGROOM_BACKEND", backend);
    command
}

/// A server that runs, and is killed when it goes.
pub(crate) struct Server {
    process: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    url: String,
}

impl Server {
    /// Starts one, which logs all that it can, and waits until it listens.
    #[track_caller]
    pub(crate) fn start(command: Command, upstream: &Upstream) -> Self {
        Self::start_at(command, &upstream.url())
    }

    #[track_caller]
    pub(crate) fn start_at(mut command: Command, upstream: &str) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--log", "trace", "--upstream", upstream]);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let (log, reader) = collect(&mut process);
        let mut server = Self { process, log, reader: Some(reader), url: String::new() };
        wait_until("the server listens", PATIENCE, || {
            let ended = server.process.try_wait().unwrap();
            assert!(ended.is_none(), "it has ended: {}", server.log());
            let log = server.log();
            let url = log.split("listening on ").nth(1).and_then(|rest| rest.split_once('\n'));
            server.url = url.map_or_else(String::new, |(url, _)| url.to_owned());
            !server.url.is_empty()
        });
        server
    }

    /// Waits until it has logged this.
    #[track_caller]
    pub(crate) fn logs(&self, text: &str) {
        wait_until(text, PATIENCE, || self.log().contains(text));
    }

    /// What is known of its log. The end may still be on its way.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The status and the body of an answer.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest_get(format!("{}{path}", self.url)).await;
        assert!(!tells(&answer.1), "a secret in the answer to {path}");
        answer
    }

    /// The same, for a test to wait for while it does something else.
    pub(crate) fn start_to_get(&self, path: &str) -> tokio::task::JoinHandle<(u16, String)> {
        tokio::spawn(reqwest_get(format!("{}{path}", self.url)))
    }

    pub(crate) fn terminate(&self) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits for its end, and returns all that it has logged.
    #[track_caller]
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let mut status = None;
        wait_until("the server ends", PATIENCE, || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        self.reader.take().unwrap().join().unwrap();
        (status.unwrap(), self.log())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Whether a secret is in there: as it is, as headers and vaults encode it, or as a log shows bytes.
pub(crate) fn tells(text: &str) -> bool {
    // `CLIENT_SECRET` and `TOKEN` in base64.
    let encoded = ["ZGVtby1jbGllbnQtc2VjcmV0", "ZGVtby1hY2Nlc3MtdG9rZW4t"];
    let all = [CLIENT_SECRET, CREDENTIALS, TOKEN].into_iter().chain(encoded);
    all.into_iter().any(|secret| {
        let as_numbers = format!("{:?}", secret.as_bytes());
        text.contains(secret) || text.contains(as_numbers.trim_matches(['[', ']']))
    })
}

async fn reqwest_get(url: String) -> (u16, String) {
    // It wants one even where nothing is encrypted.
    rustls::crypto::ring::default_provider().install_default().ok();
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Reads what it logs, all the time, so that it never waits for a reader.
fn collect(process: &mut Child) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let log = Arc::new(Mutex::new(String::new()));
    let lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let all = Arc::clone(&log);
    let reader = thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            *all.lock().unwrap() += &format!("{line}\n");
        }
    });
    (log, reader)
}
