//! Clean-up after a test process that could not do it itself.
//!
//! `Drop` does not run for a `static`, nor in a process that was killed. The kernel's parent-death
//! signal does not help: it is sent when the *thread* that started the child ends, and each test is
//! a thread. Therefore a shell in a process group of its own reads the processes and directories from a
//! pipe. It cleans up when the pipe closes, which happens in whichever way this process ends.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{ChildStdin, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};

/// The watchdog's script. There is no message for a directory that was removed, since its random name is not used again.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
pids=
while read -r what which; do
    case $what in
        started) pids="$pids $which" ;;
        ended)
            rest=
            for pid in $pids; do [ "$pid" = "$which" ] || rest="$rest $pid"; done
            pids=$rest ;;
        directory) set -- "$@" "$which" ;;
    esac
done
for pid in $pids; do kill -KILL "$pid"; done
[ $# -eq 0 ] || rm -rf -- "$@"
"#;

/// Registers a process to be killed when this process ends.
pub(crate) fn process_started(pid: u32) {
    tell(&format!("started {pid}\n"));
}

/// Reverts [`process_started`]. Must be called before the process is waited for, because its process id
/// may then be reused.
pub(crate) fn process_ended(pid: u32) {
    tell(&format!("ended {pid}\n"));
}

/// Registers a directory to be removed when this process ends.
pub(crate) fn directory_created(path: &Path) {
    tell(&format!("directory {}\n", path.display()));
}

fn tell(line: &str) {
    static WATCHDOG: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
    let watchdog = WATCHDOG.get_or_init(|| Mutex::new(start()));
    let mut pipe = watchdog.lock().unwrap_or_else(PoisonError::into_inner);
    // A killed watchdog is no reason to fail a test.
    pipe.write_all(line.as_bytes()).ok();
}

/// Starts the shell. It is not waited for, because it outlives this process.
fn start() -> ChildStdin {
    let shell = Command::new("sh")
        .args(["-c", SCRIPT, "strongroom-watchdog"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        // A signal from the terminal to the test's process group must not reach the shell.
        .process_group(0)
        .spawn();
    shell.expect("a POSIX shell").stdin.expect("its stdin is a pipe")
}
