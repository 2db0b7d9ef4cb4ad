//! This test program started again, as another process.
//!
//! A program of tests can't have a `main` of its own: it runs only tests. So the functions that children run are
//! declared by [`children!`](crate::children), which makes one test of them all. In a child, this test runs the
//! function that the child was started for. On its own it is a test like any other: it starts a child, which must
//! know all the functions.
//!
//! ```no_run
//! use strongroom_testkit::child::{self, Child};
//!
//! strongroom_testkit::children!(greets);
//!
//! fn greets() {
//!     let name = std::env::var("NAME").unwrap();
//!     child::say(&format!("hello {name}"));
//! }
//!
//! # fn test() {
//! let mut command = child::command("greets");
//! command.env("NAME", "Ada");
//! let child = Child::start(command);
//! assert_eq!(child.next(), "hello Ada");
//! child.finish();
//! # }
//! ```
//!
//! Arguments are variables of the command. A child in a sandbox is started by the sandbox's command for
//! [`program`], after [`enter`].

use std::env;
#[cfg(unix)]
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::mem;
use std::path::PathBuf;
use std::process::{self, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::start;

/// The variable with the name of the function that a child runs.
const FUNCTION: &str = "STRONGROOM_TEST_CHILD";

/// The test that [`children!`](crate::children) makes.
const ENTRY: &str = "children_start";

/// The name for which a child says the names of all functions.
const NAMES: &str = "names";

/// The variable by which the runner of the tests says that their kernel keyring is their own. A child has the same
/// one.
const KEYRING: &str = "STRONGROOM_TEST_KEYRING";

/// The start of each line for the parent. The test harness writes lines, too.
const SAYS: &str = "says: ";

/// The first line that a child says. Without it, the harness has found no test to run, and has succeeded at that.
const RUNS: &str = "says: runs";

const NOTHING_RAN: &str = "the program has no such function: declare it by `children!`";

/// The longest time that a child may neither say anything nor end. Chosen for a heavily loaded machine.
const SILENCE: Duration = Duration::from_secs(120);

/// Declares the functions that children of this program run, once in a program.
#[macro_export]
macro_rules! children {
    ($($(#[$attribute:meta])* $function:ident),+ $(,)?) => {
        /// Runs the function that this process was started for. Otherwise checks that children start.
        #[test]
        fn children_start() {
            $crate::child::run(&[
                $($(#[$attribute])* (stringify!($function), $function as fn())),+
            ]);
        }
    };
}

/// A child that runs a function of this program. Killed by its process id on drop.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    stdin: Option<ChildStdin>,
    said: Receiver<String>,
    runs: Arc<AtomicBool>,
}

impl Child {
    /// Starts a child by the command of [`command`] or [`enter`]. Its standard error is this process's.
    ///
    /// # Panics
    ///
    /// If the child does not start.
    #[track_caller]
    pub fn start(mut command: Command) -> Self {
        let mut process = spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let stdin = process.stdin.take();
        let runs = Arc::default();
        let said = lines(process.stdout.take().expect("it is piped"), Arc::clone(&runs));
        Self { process, stdin, said, runs }
    }

    /// Returns the process id of the child.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a line, for [`told`].
    ///
    /// # Panics
    ///
    /// If the child does not read it because it has ended.
    #[track_caller]
    pub fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("its input is open");
        writeln!(stdin, "{line}").expect("the child still runs");
    }

    /// Ends the input of the child: [`told`] returns `None` from then on.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Returns the next line that the child says.
    ///
    /// # Panics
    ///
    /// If the child ends without it, or says nothing for too long.
    #[track_caller]
    pub fn next(&self) -> String {
        self.line().expect("the child ended and said nothing more")
    }

    /// Returns the next line, or `None` if there is none within this time.
    pub fn next_within(&self, limit: Duration) -> Option<String> {
        self.said.recv_timeout(limit).ok()
    }

    /// Returns the lines that the child says until it ends.
    ///
    /// # Panics
    ///
    /// If the child says nothing for too long.
    pub fn rest(&self) -> Vec<String> {
        std::iter::from_fn(|| self.line()).collect()
    }

    /// Passes the lines to a function, in a thread of its own, and `None` once the child has ended.
    pub fn hear(&mut self, mut hear: impl FnMut(Option<String>) + Send + 'static) {
        let (_, none) = mpsc::channel();
        let said = mem::replace(&mut self.said, none);
        thread::spawn(move || {
            said.iter().for_each(|line| hear(Some(line)));
            hear(None);
        });
    }

    /// Kills the child.
    pub fn kill(&mut self) {
        self.process.kill().expect("it is a child of this process");
        self.reap();
    }

    /// Ends the input, and waits until the child ends. Returns what [`rest`](Self::rest) does, and whether the child
    /// succeeded.
    ///
    /// # Panics
    ///
    /// If the child says nothing for too long, or there is no such function.
    #[track_caller]
    pub fn wait(mut self) -> (Vec<String>, bool) {
        self.end_input();
        let said = self.rest();
        // The child has closed its output, so that it is about to end.
        let succeeded = self.reap().success();
        assert!(!succeeded || self.runs.load(Ordering::SeqCst), "{NOTHING_RAN}");
        (said, succeeded)
    }

    /// Waits as [`wait`](Self::wait) does for a child that succeeds.
    ///
    /// # Panics
    ///
    /// If the child fails or says nothing for too long.
    #[track_caller]
    pub fn finish(self) -> Vec<String> {
        let (said, succeeded) = self.wait();
        assert!(succeeded, "the child failed, after {said:?}");
        said
    }

    #[track_caller]
    fn line(&self) -> Option<String> {
        match self.said.recv_timeout(SILENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("the child neither says anything nor ends for {SILENCE:?}")
            }
        }
    }

    fn reap(&mut self) -> ExitStatus {
        forget(&self.process);
        self.process.wait().expect("it is a child of this process")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both do nothing for a child that has been waited for.
        self.process.kill().ok();
        forget(&self.process);
        self.process.wait().ok();
    }
}

/// Returns the path of this program.
///
/// # Panics
///
/// If the system does not know it.
pub fn program() -> PathBuf {
    env::current_exe().expect("a test has a program")
}

/// Returns a command that runs a function of this program, in the environment of this process.
#[must_use]
pub fn command(function: &str) -> Command {
    let mut command = Command::new(program());
    enter(&mut command, function);
    command
}

/// Makes a command, whose program is this one or a copy, run a function.
pub fn enter(command: &mut Command, function: &str) {
    command.args(arguments()).env(FUNCTION, function);
    command.envs(env::var_os(KEYRING).map(|value| (KEYRING, value)));
}

/// Returns program and arguments of [`command`], for a program that starts the child itself.
#[cfg(unix)]
pub fn command_line(function: &str) -> Vec<OsString> {
    let variable = format!("{FUNCTION}={function}");
    let program = ["env".into(), variable.into(), program().into_os_string()];
    program.into_iter().chain(arguments().map(OsString::from)).collect()
}

/// Runs a child to its end, without input, and returns what it printed and how it ended.
///
/// # Panics
///
/// If the child does not start, or runs for too long.
#[track_caller]
pub fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = spawn(command);
    let stdout = read(process.stdout.take().expect("it is piped"));
    let stderr = read(process.stderr.take().expect("it is piped"));
    let read =
        stdout.recv_timeout(SILENCE).and_then(|out| Ok((out, stderr.recv_timeout(SILENCE)?)));
    if read.is_err() {
        process.kill().ok();
    }
    forget(&process);
    let status = process.wait().expect("it is a child of this process");
    let (stdout, stderr) =
        read.unwrap_or_else(|_| panic!("the child runs longer than {SILENCE:?}"));
    Output { status, stdout, stderr }
}

/// Runs a child as [`output`] does. It must succeed.
///
/// # Panics
///
/// If the child fails. The message is what it printed.
#[track_caller]
pub fn succeeds(command: &mut Command) {
    assert_success(&output(command));
}

/// Checks that a child has run its function, and succeeded.
///
/// # Panics
///
/// If it has not. The message is what it printed.
#[track_caller]
pub fn assert_success(output: &Output) {
    let printed = [&output.stdout[..], &output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains(RUNS), "{NOTHING_RAN}: {printed}");
}

/// Says a line to the parent.
///
/// # Panics
///
/// If the parent does not read it because it has ended.
pub fn say(line: &str) {
    // The harness may have left its own line unfinished.
    let mut stdout = io::stdout().lock();
    let said = stdout.write_all(format!("\n{SAYS}{line}\n").as_bytes());
    said.and_then(|()| stdout.flush()).expect("the parent reads");
}

/// Returns the next line of the parent, or `None` at the end of the input.
///
/// # Panics
///
/// If the line is not text.
pub fn told() -> Option<String> {
    io::stdin().lines().next().map(|line| line.expect("a line of text"))
}

/// Runs the function that this process was started for. If it is no child, it starts one that must know the
/// functions.
///
/// # Panics
///
/// If there is no such function, or the child does not start.
#[doc(hidden)]
pub fn run(functions: &[(&str, fn())]) {
    let names: Vec<_> = functions.iter().map(|(name, _)| *name).collect();
    let Ok(name) = env::var(FUNCTION) else {
        return assert_eq!(Child::start(command(NAMES)).finish(), names);
    };
    writeln!(io::stdout(), "\n{RUNS}").expect("the parent reads");
    if name == NAMES {
        return names.into_iter().for_each(say);
    }
    let function = functions.iter().find(|(known, _)| *known == name);
    let (_, function) = function.unwrap_or_else(|| panic!("{name} is not in {names:?}"));
    function();
}

fn arguments() -> [&'static str; 2] {
    [ENTRY, "--nocapture"]
}

#[track_caller]
fn spawn(command: &mut Command) -> process::Child {
    let process = start(command);
    #[cfg(target_os = "linux")]
    crate::watchdog::process_started(process.id());
    process
}

/// Must be called before the process is waited for, because its process id may then be reused.
fn forget(process: &process::Child) {
    #[cfg(target_os = "linux")]
    crate::watchdog::process_ended(process.id());
    #[cfg(not(target_os = "linux"))]
    let _ = process;
}

/// Reads the lines for the parent in a thread, because reading a pipe has no deadline.
fn lines(stdout: ChildStdout, runs: Arc<AtomicBool>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line == RUNS {
                runs.store(true, Ordering::SeqCst);
            } else if let Some(line) = line.strip_prefix(SAYS) {
                // Sending fails if the test has failed. The child must be able to write all the same.
                sender.send(line.to_owned()).ok();
            }
        }
    });
    receiver
}

fn read(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).ok();
        sender.send(bytes).ok();
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    // This program has no `children!`, so that the harness runs no test in a child, and succeeds.

    #[test]
    #[should_panic(expected = "has no such function")]
    fn a_child_of_a_program_without_functions_fails() {
        succeeds(&mut command("any"));
    }

    #[test]
    #[should_panic(expected = "has no such function")]
    fn waiting_for_a_child_of_a_program_without_functions_fails() {
        Child::start(command("any")).wait();
    }
}
