//! Whether git tracks a file.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long git may take to answer.
const DEADLINE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// There is a repository, and git is not there, or doesn't say.
    Unknown,
}

/// Asks git about a file, without a network, if the file lies in a repository.
pub(crate) fn tracks(path: &Path) -> Answer {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Answer::No;
    };
    if !directory.ancestors().any(|directory| directory.join(".git").symlink_metadata().is_ok()) {
        return Answer::No;
    }
    let mut git = Command::new("git");
    git.current_dir(directory)
        // The repository's own settings must not run a program.
        .args([
            "-c",
            "core.fsmonitor=false",
            "--literal-pathspecs",
            "ls-files",
            "--error-unmatch",
            "--",
        ])
        .arg(name)
        .envs([("GIT_OPTIONAL_LOCKS", "0"), ("GIT_TERMINAL_PROMPT", "0")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    // What these name would be another repository than the file's.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CEILING_DIRECTORIES"] {
        git.env_remove(variable);
    }
    git.spawn().map_or(Answer::Unknown, answer)
}

/// Waits until it has ended or is overdue.
fn answer(mut git: Child) -> Answer {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut stdout) = git.stdout.take() {
        thread::spawn(move || {
            let mut said = Vec::new();
            // Nobody listens any more where it was too late.
            sender.send(stdout.read_to_end(&mut said)).ok();
        });
    }
    if receiver.recv_timeout(DEADLINE).is_err() {
        // It may have ended by itself.
        git.kill().ok();
    }
    match git.wait().ok().and_then(|status| status.code()) {
        Some(0) => Answer::Yes,
        // What `--error-unmatch` says of a file that is not tracked.
        Some(1) => Answer::No,
        _ => Answer::Unknown,
    }
}
