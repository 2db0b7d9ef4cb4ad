//! The real agent, run in sandboxes, and a provider for it to ask.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

pub(crate) mod api;
pub(crate) mod http;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use strongroom::keys::SealingKey;
use strongroom_testkit::Sandbox;
#[cfg(target_os = "linux")]
use strongroom_testkit::{Bus, GnomeKeyring, provider_or_skip};

use api::Api;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_agent");

pub(crate) const ANTHROPIC: &str = "marker-anthropic-key";
pub(crate) const OPENAI: &str = "marker-openai-key";
pub(crate) const OTHER: &str = "marker-other-anthropic-key";

/// A user's machine, with a store that lasts or without one.
pub(crate) enum Machine {
    /// With a keyring on this bus.
    #[cfg(target_os = "linux")]
    Keyring(Bus, #[allow(dead_code, reason = "it runs")] GnomeKeyring),
    /// With the encrypted file, which a key file opens.
    File(Sandbox),
    /// With nothing.
    Bare(Sandbox),
}

impl Machine {
    /// One of each kind that has a store, as far as they can be had here.
    pub(crate) fn all() -> Vec<Self> {
        [Some(Self::with_file()), Self::with_keyring()].into_iter().flatten().collect()
    }

    #[cfg(target_os = "linux")]
    fn with_keyring() -> Option<Self> {
        provider_or_skip("gnome-keyring-daemon").then(|| {
            let bus = Bus::start(&Sandbox::new());
            let keyring = GnomeKeyring::start(&bus, Some("password"));
            Self::Keyring(bus, keyring)
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn with_keyring() -> Option<Self> {
        None
    }

    pub(crate) fn with_file() -> Self {
        let sandbox = Sandbox::new();
        SealingKey::generate().unwrap().create_file(key_file(&sandbox)).unwrap();
        Self::File(sandbox)
    }

    pub(crate) fn bare() -> Self {
        Self::Bare(Sandbox::new())
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        match self {
            #[cfg(target_os = "linux")]
            Self::Keyring(bus, _) => bus.sandbox(),
            Self::File(sandbox) | Self::Bare(sandbox) => sandbox,
        }
    }

    /// What its store is called.
    pub(crate) fn store(&self) -> &'static str {
        match self {
            #[cfg(target_os = "linux")]
            Self::Keyring(..) => "secret-service",
            Self::File(_) => "file",
            Self::Bare(_) => "none",
        }
    }

    /// The agent, as its user starts it.
    pub(crate) fn command(&self) -> Command {
        match self {
            #[cfg(target_os = "linux")]
            Self::Keyring(bus, _) => bus.command(PROGRAM),
            Self::File(sandbox) => {
                let mut command = sandbox.command(PROGRAM);
                command.env("AGENT_BACKEND", "file").env("AGENT_KEY_FILE", key_file(sandbox));
                command
            }
            Self::Bare(sandbox) => {
                let mut command = sandbox.command(PROGRAM);
                if !cfg!(target_os = "linux") {
                    // The system's own is always there.
                    command.env("AGENT_BACKEND", "memory");
                }
                command
            }
        }
    }

    /// Runs it. Nothing that it says may tell a key.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.give(arguments, "")
    }

    #[track_caller]
    pub(crate) fn give(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // One that doesn't read it has closed its end.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
        let ran = Ran { exit: output.status.code().unwrap(), stdout, stderr };
        assert!(!tells(ran.said().as_bytes()), "{arguments:?} tells a key");
        ran
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.sandbox().home().join(".agent").join("config.json")
    }

    /// Writes the configuration file, which only its owner can read.
    pub(crate) fn configure(&self, text: &str) {
        fs::create_dir_all(self.config().parent().unwrap()).unwrap();
        fs::write(self.config(), text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    pub(crate) fn configured(&self) -> String {
        fs::read_to_string(self.config()).unwrap()
    }

    /// Every file that is there, the keyring's and the logs among them.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(self.sandbox().path(), &mut files);
        files
    }

    #[track_caller]
    pub(crate) fn holds_no_key(&self) {
        for file in self.files() {
            assert!(!tells(&fs::read(&file).unwrap_or_default()), "{} tells a key", file.display());
        }
    }
}

/// A configuration file as somebody wrote it, who asks this provider for Anthropic's models.
pub(crate) fn config(api: &Api, anthropic: &str, openai: &str) -> String {
    let url = api.url();
    format!(
        "{{\r\n\t\"model\" : \"anthropic/claude-test\",  \"theme\":\"☾ dark\",\r\n\t\"providers\": {{\r\n\t\t\
         \"openai\":{{\"apiKey\":\"{openai}\" , \"baseUrl\": \"{url}/v1\"}},\r\n\t\t\"anthropic\": {{ \"apiKey\": \
         \"{anthropic}\", \"baseUrl\": \"{url}\" }}\r\n\t}}\r\n}}"
    )
}

/// How it ended.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn ends_with(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "{}", self.said());
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.said().contains(text), "no {text:?} in {}", self.said());
        self
    }

    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Whether a key is in there, as it is, or as a vault holds it: in base64.
pub(crate) fn tells(bytes: &[u8]) -> bool {
    let encoded = ["bWFya2VyLWFudGhyb3BpYy1r", "bWFya2VyLW9wZW5haS1r", "bWFya2VyLW90aGVyLWFu"];
    let all = [ANTHROPIC, OPENAI, OTHER].into_iter().chain(encoded);
    let mut all = all.map(str::as_bytes);
    all.any(|key| bytes.windows(key.len()).any(|window| window == key))
}

fn key_file(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("key")
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            collect(&entry.path(), files);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
}
