//! Vaults on private stores, and this test program run again as another process.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

pub(crate) mod apart;
pub(crate) mod race;
pub(crate) mod site;
pub(crate) mod worker;

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

#[cfg(target_os = "linux")]
use strongroom::Backend;
#[cfg(target_os = "linux")]
use strongroom::store::secret_service;
use strongroom::{Config, blocking};
#[cfg(target_os = "linux")]
use strongroom_testkit::{Bus, GnomeKeyring, provider_or_skip};
use strongroom_testkit::{PATIENCE, Sandbox, start};

/// What stands before all that a test's other process says: the test harness says things, too.
const SAYS: &str = "says: ";

#[cfg(target_os = "linux")]
pub(crate) fn gnome_keyring() -> Option<(Bus, GnomeKeyring)> {
    provider_or_skip("gnome-keyring-daemon").then(|| {
        let bus = Bus::start(&Sandbox::new());
        let keyring = GnomeKeyring::start(&bus, Some("password"));
        (bus, keyring)
    })
}

#[cfg(target_os = "linux")]
pub(crate) fn on(bus: &Bus) -> Config {
    let sandbox = bus.sandbox();
    let settings = secret_service::Config::default().with_bus_address(bus.address());
    let config = Config::new("").backend(Backend::SecretService).store_settings(settings);
    config.state_dir(sandbox.state_dir()).data_dir(sandbox.data_dir())
}

/// A manager of the service of this name, with its files where the sandbox's processes have them.
pub(crate) fn builder(service: &str, config: Config, sandbox: &Sandbox) -> Config {
    let config = config.state_dir(sandbox.state_dir()).data_dir(sandbox.data_dir());
    config.service(service)
}

/// A manager of the service `app` on this bus.
#[cfg(target_os = "linux")]
pub(crate) fn manager(bus: &Bus) -> blocking::SecretManager {
    builder("app", on(bus), bus.sandbox()).open_blocking().unwrap()
}

/// Deletes what the kernel would keep, however the test ends.
pub(crate) struct Purged<'a>(pub(crate) &'a blocking::SecretManager);

impl Drop for Purged<'_> {
    fn drop(&mut self) {
        self.0.purge().ok();
    }
}

/// The path of this test program.
pub(crate) fn this_program() -> std::path::PathBuf {
    std::env::current_exe().unwrap()
}

/// One of this program's ignored tests in a process of its own, killed and waited for on drop.
pub(crate) struct Process {
    child: Child,
    stdin: ChildStdin,
}

/// What such a process says, line by line.
pub(crate) struct Said(Receiver<String>);

impl Process {
    /// Starts it by the command, whose program is this one.
    pub(crate) fn start(mut command: Command, test: &str) -> (Self, ChildStdout) {
        command.args(["--exact", test, "--ignored", "--nocapture"]);
        let mut child = start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        (Self { child, stdin }, stdout)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Says something to it.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Lets it end, and says whether it ended well. To be called once it has closed its output.
    pub(crate) fn succeeded(mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where it has been waited for already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Said {
    pub(crate) fn by(stdout: ChildStdout) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || lines(stdout).try_for_each(|line| sender.send(line)).ok());
        Self(receiver)
    }

    /// What it says next.
    #[track_caller]
    pub(crate) fn next(&self) -> String {
        self.0.recv_timeout(PATIENCE).expect("the other process says something")
    }
}

/// All that a process says, until it ends.
pub(crate) fn lines(stdout: ChildStdout) -> impl Iterator<Item = String> {
    let lines = BufReader::new(stdout).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix(SAYS).map(str::to_owned))
}

/// Says something to the test that started this process.
pub(crate) fn say(line: &str) {
    // The harness may have left its own line unfinished.
    let mut stdout = io::stdout().lock();
    stdout.write_all(format!("\n{SAYS}{line}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

/// What the test that started this process says next; `None` once it has nothing more to say.
pub(crate) fn told() -> Option<String> {
    io::stdin().lines().next().map(Result::unwrap)
}
