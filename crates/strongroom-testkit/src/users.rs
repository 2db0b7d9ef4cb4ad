//! Another user of the machine, where tests run as root.

use std::io::{self, Write as _};

use rustix::process::geteuid;

/// A user that is on every system and owns no session: `daemon`.
pub const OTHER_USER: u32 = 1;

/// Says whether this process may start others as [`OTHER_USER`], and tells the person who runs the
/// tests when it may not.
pub fn other_user_or_skip() -> bool {
    if geteuid().is_root() {
        return true;
    }
    // Not `eprintln!`, which the test harness swallows for a test that passes.
    writeln!(io::stderr(), "skipped: only root can be a second user").ok();
    false
}
