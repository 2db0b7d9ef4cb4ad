//! A second user of the machine, for tests that run as root.

use std::io::{self, Write as _};

use rustix::process::geteuid;

/// The id of the user `daemon`, which exists on every system and has no session.
pub const OTHER_USER: u32 = 1;

/// Returns whether this process can start processes as [`OTHER_USER`]. Prints a message to stderr if it
/// can't.
pub fn other_user_or_skip() -> bool {
    if geteuid().is_root() {
        return true;
    }
    // Not `eprintln!`: the test harness captures it and drops it for a test that passes.
    writeln!(io::stderr(), "skipped: only root can be a second user").ok();
    false
}
