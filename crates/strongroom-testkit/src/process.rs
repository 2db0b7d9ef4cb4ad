//! Child processes that are killed when their owner is dropped.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::{
    wait::{PATIENCE, holds_within, wait_until},
    watchdog,
};

/// A child process that is killed by its process id and waited for on drop.
///
/// It is not waited for earlier, so that its process id is not reused before.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
}

impl Process {
    #[track_caller]
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let name = command.get_program().display().to_string();
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} doesn't start: {error}"));
        watchdog::process_started(child.id());
        Self { name, child }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn take_stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("stdin is piped")
    }

    pub(crate) fn take_stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("stdout is piped")
    }

    /// Returns the first line that the process writes to its piped stdout. Panics after [`PATIENCE`].
    #[track_caller]
    pub(crate) fn first_line(&mut self) -> String {
        let mut stdout = BufReader::new(self.take_stdout());
        let line = in_background(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).map(|_| line)
        });
        let line = line.recv_timeout(PATIENCE).ok().and_then(Result::ok);
        let line = line.filter(|line| line.ends_with('\n'));
        let line = line.unwrap_or_else(|| panic!("{} doesn't say that it's ready", self.name));
        line.trim_end().to_owned()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.is(WaitIdOptions::EXITED)
    }

    /// Stops the process, and returns when all its threads have stopped.
    #[track_caller]
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        wait_until("the process is stopped", PATIENCE, || self.is(WaitIdOptions::STOPPED));
    }

    pub(crate) fn cont(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks the process to end, so that it can clean up. Kills it after [`PATIENCE`].
    pub(crate) fn terminate(self) {
        self.signal(Signal::TERM);
        holds_within(PATIENCE, || self.has_ended());
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.handle(), signal).expect("an unreaped child takes signals");
    }

    fn is(&self, state: WaitIdOptions) -> bool {
        // `NOWAIT` leaves the child unreaped, so that its process id stays its own.
        let options = state | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.handle()), options);
        status.expect("it's our child").is_some()
    }

    fn handle(&self) -> Pid {
        i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a pid is a positive int")
    }

    fn reap(&mut self) -> Option<ExitStatus> {
        // Before the wait, after which the process id may belong to another process.
        watchdog::process_ended(self.pid());
        self.child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the child has been waited for already.
        self.child.kill().ok();
        self.reap();
    }
}

/// Runs `command` to its end with `input` as its stdin. Its stderr is discarded.
///
/// # Panics
///
/// If the command runs longer than `limit`.
#[track_caller]
pub(crate) fn output_within(
    limit: Duration,
    command: &mut Command,
    input: &[u8],
) -> (ExitStatus, Vec<u8>) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = Process::spawn(command.stderr(Stdio::null()));
    // Reading starts before writing: a child that is blocked on a full stdout would not read its input.
    let mut stdout = process.take_stdout();
    let output = in_background(move || {
        let mut output = Vec::new();
        stdout.read_to_end(&mut output).map(|_| output)
    });
    // A child may close the pipe before it has read all of the input.
    process.take_stdin().write_all(input).ok();
    let Ok(output) = output.recv_timeout(limit) else {
        panic!("{} still runs after {limit:?}", process.name);
    };
    let status = process.reap().expect("it's our child, waited for once");
    (status, output.expect("a pipe can be read"))
}

/// Reads in a thread, because reading a pipe has no deadline, and waiting for the result of a thread has.
fn in_background<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    // Sending fails if the receiver gave up at its deadline.
    thread::spawn(move || sender.send(read()).ok());
    receiver
}
