//! This test program run again as another process, which can be killed.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that anything may take: several times what it takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stands before all that the other process says: the test harness says things, too.
const SAYS: &str = "says: ";

/// One of this program's ignored tests in a process of its own, killed and waited for on drop.
pub(crate) struct Process {
    child: Child,
    stdin: ChildStdin,
    said: Receiver<String>,
}

impl Process {
    pub(crate) fn start(test: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--ignored", "--nocapture"]);
        command.envs(environment.iter().copied());
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = strongroom_testkit::start(piped);
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, said) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            let said = lines.filter_map(|line| line.strip_prefix(SAYS).map(str::to_owned));
            // Nobody listens any more where the test has failed.
            said.map(|line| sender.send(line)).take_while(Result::is_ok).count();
        });
        Self { child, stdin, said }
    }

    /// What it says next.
    #[track_caller]
    pub(crate) fn next(&self) -> String {
        self.said.recv_timeout(PATIENCE).expect("the other process says something")
    }

    /// Lets it go on.
    pub(crate) fn tell(&mut self) {
        writeln!(self.stdin, "go").unwrap();
    }

    /// How long it takes until it says this.
    pub(crate) fn time_until(&self, line: &str) -> Duration {
        let started = Instant::now();
        while self.next() != line {}
        started.elapsed()
    }

    /// Kills it after this time, and returns the last thing that it said.
    pub(crate) fn kill_after(mut self, time: Duration) -> Option<String> {
        let (at, mut last) = (Instant::now() + time, None);
        while let Ok(line) = self.said.recv_timeout(at.saturating_duration_since(Instant::now())) {
            last = Some(line);
        }
        self.kill();
        self.said.iter().last().or(last)
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where it has been waited for already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Says something to the test that started this process.
pub(crate) fn say(line: &str) {
    // The harness may have left its own line unfinished.
    let mut stdout = io::stdout().lock();
    stdout.write_all(format!("\n{SAYS}{line}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

/// Waits until the test that started this process lets it go on.
pub(crate) fn wait() {
    io::stdin().lines().next();
}
