//! The processes that a key signals: those of the foreground, which are this process's group.

use rustix::io::Errno;
use rustix::process::{Pid, getpgid, getpgrp, getppid, test_kill_process};

/// The most ancestors that are looked at.
const ANCESTORS: usize = 64;

/// Returns whether a process above this one in its group is another user's, as below `sudo -u`. Such a group gets a key's
/// signal from the kernel alone.
pub(super) fn has_other_users() -> bool {
    let mut process = getppid();
    for _ in 0..ANCESTORS {
        match process {
            Some(pid) if getpgid(Some(pid)) == Ok(getpgrp()) => {
                if test_kill_process(pid) == Err(Errno::PERM) {
                    return true;
                }
                process = parent(pid);
            }
            _ => break,
        }
    }
    false
}

#[cfg(target_os = "linux")]
fn parent(process: Pid) -> Option<Pid> {
    let path = format!("/proc/{}/status", process.as_raw_pid());
    let status = std::fs::read_to_string(path).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    Pid::from_raw(parent.trim().parse().ok()?)
}

/// No function tells of other processes' parents.
#[cfg(not(target_os = "linux"))]
fn parent(_process: Pid) -> Option<Pid> {
    None
}
