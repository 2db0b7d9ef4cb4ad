//! A test program that runs again, as another process.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{self, ChildStdout, Command, Stdio};
use std::thread;

use super::{Counter, Home, PATIENT, open};

/// How often a child of kind `count` does.
pub(super) const COUNT: u64 = 50;

const HOME: &str = "STRONGROOM_TEST_COHERENCE_HOME";
const WORK: &str = "STRONGROOM_TEST_COHERENCE_WORK";
const TEST: &str = "vault::coherence::tests::child::work_of_a_child";

/// Killed on drop.
pub(super) struct Child {
    process: process::Child,
    stdout: BufReader<ChildStdout>,
}

impl Child {
    pub(super) fn start(home: &Home, work: &str) -> Self {
        let program = env::current_exe().expect("a test program has a path");
        let mut process = Command::new(program)
            .args(["--exact", TEST, "--nocapture", "--ignored"])
            .env(HOME, home.path())
            .env(WORK, work)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a test program can be started");
        let stdout = BufReader::new(process.stdout.take().expect("it is piped"));
        Self { process, stdout }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it says that it is where it was sent.
    pub(super) fn line(&mut self) {
        let mut line = String::new();
        while !line.contains("ready") {
            line.clear();
            let length = self.stdout.read_line(&mut line).expect("a pipe can be read");
            assert_ne!(length, 0, "the child ended early");
        }
    }

    /// By SIGKILL.
    pub(super) fn kill(mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it is ours");
    }

    pub(super) fn succeed(mut self) {
        assert!(self.process.wait().expect("it is ours").success());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only where it was waited for.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
#[ignore = "run by other tests, in a process of its own"]
fn work_of_a_child() {
    let (Some(home), Some(work)) = (env::var_os(HOME), env::var_os(WORK)) else { return };
    let home = Path::new(&home);
    let coherence = open(home, "service");
    let mut counter = Counter::new(&coherence, home);
    if work == "count" {
        for _ in 0..COUNT {
            assert!(counter.increment().seen.is_some());
        }
        return;
    }
    let commit = coherence.lock(PATIENT).expect("the lock comes");
    let next = counter.read_if_needed(commit.base()) + 1;
    commit.begin().expect("the mark can be made");
    fs::write(&counter.store, next.to_string()).expect("the store can be written");
    writeln!(std::io::stdout(), "ready").expect("a pipe can be written");
    // Until it is killed; whoever started it has 60 seconds for that.
    thread::park_timeout(PATIENT);
    drop(commit);
}
