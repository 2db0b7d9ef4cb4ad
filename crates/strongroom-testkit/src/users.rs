//! Other users of the machine, for tests that run as root.

use rustix::process::geteuid;

use crate::skip;

/// The id of the user `daemon`, which exists on every system and has no session.
pub const OTHER_USER: u32 = 1;

/// Returns whether this process is root.
#[must_use]
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// Returns whether this process is root, and can start processes of other users. Prints a message to stderr if it is
/// not.
///
/// # Panics
///
/// If it is not, and `STRONGROOM_REQUIRE_PROVIDERS=1` is set, as for [`skip()`].
#[must_use]
pub fn root_or_skip() -> bool {
    if !is_root() {
        skip("only root can become another user");
    }
    is_root()
}
