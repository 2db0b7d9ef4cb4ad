//! The processes that a key signals: those in the foreground, which are this process's group.

use rustix::io::Errno;
use rustix::process::{Pid, getpgid, getpgrp, getppid, test_kill_process};

/// The most ancestors that are looked at.
const ANCESTORS: usize = 64;

/// Returns whether an ancestor of this process in its group belongs to another user, as below `sudo -u`. Only the kernel
/// can send a key's signal to such a group.
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

/// Returns `None`, since no function tells the parent of another process.
#[cfg(not(target_os = "linux"))]
fn parent(_process: Pid) -> Option<Pid> {
    None
}
