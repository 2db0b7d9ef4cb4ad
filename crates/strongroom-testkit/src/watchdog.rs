//! Clears up after a test process that could not do it itself.
//!
//! `Drop` doesn't run for a `static`, nor in a process that was killed. The kernel's parent-death
//! signal would not help: it fires when the *thread* that started the child ends, and each test is
//! a thread. So one shell, in a process group of its own, keeps the books over a pipe, and acts
//! when the pipe closes, which it does however this process ends.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{ChildStdin, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};

/// A directory needs no line of its own once it's gone: its random name is not used again.
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

/// Has the process killed when this one ends.
pub(crate) fn process_started(pid: u32) {
    tell(&format!("started {pid}\n"));
}

/// Takes [`process_started`] back; to be called before the process is waited for, as its pid may
/// be another's from then on.
pub(crate) fn process_ended(pid: u32) {
    tell(&format!("ended {pid}\n"));
}

/// Has the directory removed when this process ends.
pub(crate) fn directory_created(path: &Path) {
    tell(&format!("directory {}\n", path.display()));
}

fn tell(line: &str) {
    static WATCHDOG: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
    let watchdog = WATCHDOG.get_or_init(|| Mutex::new(start()));
    let mut pipe = watchdog.lock().unwrap_or_else(PoisonError::into_inner);
    // A watchdog that somebody killed is no reason to fail a test.
    pipe.write_all(line.as_bytes()).ok();
}

/// Not waited for: it outlives this process.
fn start() -> ChildStdin {
    let shell = Command::new("sh")
        .args(["-c", SCRIPT, "strongroom-watchdog"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .process_group(0)
        .spawn();
    shell.expect("a POSIX shell").stdin.expect("its stdin is a pipe")
}
