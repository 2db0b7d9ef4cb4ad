//! Where a user's files lie, by platform: for every process of the user at the same place, whatever
//! session it runs in.
//!
//! The home directory alone decides. `XDG_STATE_HOME` and its kin are not asked: `cron` and `ssh` may
//! not have them, and would meet elsewhere. Nor is Windows asked for the known folder LocalAppData: it
//! is this one in every profile, can't be redirected, and does not roam, as a lock must not.

use std::env;
use std::path::PathBuf;

/// What processes meet at, and what is remembered.
const STATE: &str = if cfg!(windows) {
    "AppData/Local/strongroom"
} else if cfg!(target_os = "macos") {
    "Library/Application Support/strongroom"
} else {
    ".local/state/strongroom"
};

/// Encrypted files. Elsewhere than on XDG's platforms there is one place for both.
#[cfg(feature = "sealed")]
const DATA: &str =
    if cfg!(any(windows, target_os = "macos")) { STATE } else { ".local/share/strongroom" };

/// Where processes meet; `None` if the user has no home.
pub(crate) fn state() -> Option<PathBuf> {
    below_home(STATE)
}

/// Where encrypted files lie; `None` if the user has no home.
#[cfg(feature = "sealed")]
pub(crate) fn data() -> Option<PathBuf> {
    below_home(DATA)
}

fn below_home(path: &str) -> Option<PathBuf> {
    let home = env::home_dir().filter(|home| home.is_absolute())?;
    // Part by part, so that all of them are separated alike.
    Some(path.split('/').fold(home, |directory, part| directory.join(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_depends_on_home_alone() {
        let home = env::home_dir().expect("tests run with a home");
        assert!(state().expect("there is a home").starts_with(home));
    }
}
