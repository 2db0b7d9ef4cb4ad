//! The directories of a user.
//!
//! Their paths depend on the home directory alone, so that every process of the user finds the same files. `XDG_STATE_HOME` and
//! similar variables are not read: processes of `cron` and `ssh` may lack them, and would use other files. Windows is not asked
//! for the known folder LocalAppData: it is at this path in every profile, can't be redirected, and does not roam, which a lock
//! file must not do.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use strongroom_core::{ErrorKind, Fault};

use crate::Refusal;
use crate::platform::{self, WRITABLE_BY_OTHERS};
use crate::report::{fault, quoted};

/// The directory of lock files and remembered state, below the home directory.
const STATE: &str = if cfg!(windows) {
    "AppData/Local/strongroom"
} else if cfg!(target_os = "macos") {
    "Library/Application Support/strongroom"
} else {
    ".local/state/strongroom"
};

/// The directory of sealed files, below the home directory. The same as [`STATE`] on platforms without XDG directories.
const DATA: &str =
    if cfg!(any(windows, target_os = "macos")) { STATE } else { ".local/share/strongroom" };

/// The permission bits of the group and of all other users.
const OTHERS: u32 = 0o077;

/// Returns the directory of lock files and remembered state, or `None` for a user without a home directory. The directory
/// need not exist.
///
/// # Errors
///
/// `AccessDenied` if the home directory, or a directory between it and the result, belongs to another user; `Io`.
pub fn state_dir() -> Result<Option<PathBuf>, Fault> {
    directory_of_user(STATE)
}

/// Returns the directory of sealed files, or `None` for a user without a home directory. The directory need not exist.
///
/// # Errors
///
/// As [`state_dir`].
pub fn data_dir() -> Result<Option<PathBuf>, Fault> {
    directory_of_user(DATA)
}

/// Creates a directory that no other user can write to, with its parents, or checks the existing directory.
///
/// # Errors
///
/// A [`Refusal`] if the directory belongs to another user, or is writable by other users; otherwise the operating system's error.
pub fn create_dir(path: &Path) -> io::Result<()> {
    platform::create_dir(path)?;
    platform::check_dir(&path.metadata()?, WRITABLE_BY_OTHERS)
}

/// Checks that a directory, if it exists, belongs to the effective user and is not writable by other users.
///
/// # Errors
///
/// A [`Refusal`]. A path that is not a directory, or that can't be inspected, passes: no file below it can be used.
pub fn check_dir(path: &Path) -> io::Result<()> {
    let checked = path.metadata().and_then(|it| platform::check_dir(&it, WRITABLE_BY_OTHERS));
    checked.or_else(|error| if Refusal::of(&error).is_some() { Err(error) } else { Ok(()) })
}

/// Creates a directory without permissions for other users, with its parents, or checks the existing directory.
///
/// # Errors
///
/// As [`check_private_dir`]; otherwise the operating system's error.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    platform::create_dir(path)?;
    check_private_dir(path)
}

/// Checks that a directory belongs to the effective user and has no permissions for other users.
///
/// # Errors
///
/// A [`Refusal`]; `NotFound`; otherwise the operating system's error.
pub fn check_private_dir(path: &Path) -> io::Result<()> {
    platform::check_dir(&path.metadata()?, OTHERS)
}

/// Returns whether a path exists. A path that can't be inspected is an error: if it counted as absent, the result would be an
/// empty vault.
///
/// # Errors
///
/// `AccessDenied`, `Io`.
pub fn is_there(path: &Path) -> Result<bool, Fault> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(cause) if is_absent(&cause) => Ok(false),
        Err(cause) => Err(fault(path, cause)),
    }
}

/// Returns whether an error means that the file does not exist: `ENOENT` or `ENOTDIR`.
pub fn is_absent(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn directory_of_user(path: &str) -> Result<Option<PathBuf>, Fault> {
    match env::home_dir() {
        Some(home) => directory_below(&home, path),
        None => Ok(None),
    }
}

/// Returns a directory below a home directory. Each directory between them must belong to the user or to root, so that no
/// other user can replace it.
fn directory_below(home: &Path, path: &str) -> Result<Option<PathBuf>, Fault> {
    if !home.is_absolute() || !home.is_dir() {
        return Ok(None);
    }
    let metadata = home.metadata().map_err(|cause| fault(home, cause))?;
    platform::check_trusted_owner(&metadata).map_err(|cause| foreign_home(home, &cause))?;
    let mut directory = home.to_owned();
    // Pushed component by component, so that all separators are the same on Windows.
    for part in path.split('/') {
        directory.push(part);
        // A directory that can't be inspected can't be used, either: the error comes from its first use.
        if let Ok(found) = directory.metadata() {
            platform::check_trusted_owner(&found).map_err(|cause| fault(&directory, cause))?;
        }
    }
    Ok(Some(directory))
}

fn foreign_home(home: &Path, cause: &io::Error) -> Fault {
    Fault::new(ErrorKind::AccessDenied)
        .with_message(format!("the home directory {} is another user's: {cause}", quoted(home)))
        .with_hint(
            "Run this as that user, or with a home of your own: `sudo -H`, `su -`, or another HOME.",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_depend_on_home_alone() {
        let home = env::home_dir().expect("tests run with a home");
        assert!(state_dir().unwrap().expect("there is a home").starts_with(home));
    }

    #[test]
    fn a_home_that_is_relative_or_no_directory_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        for home in ["relative", ".", ""].map(PathBuf::from).into_iter().chain([
            file.clone(),
            file.join("below"),
            dir.path().join("absent"),
        ]) {
            assert_eq!(directory_below(&home, STATE).unwrap(), None, "{}", home.display());
        }
        assert_eq!(dir.path().read_dir().unwrap().count(), 1, "nothing was created");
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_others_can_write_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/b");
        create_dir(&state).unwrap();
        for path in [&state, state.parent().unwrap()] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
        for (mode, may_read) in [(0o755, true), (0o777, false), (0o770, false), (0o1777, false)] {
            std::fs::set_permissions(&state, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(create_dir(&state).is_ok(), may_read, "{mode:o}");
            assert!(create_private_dir(&state).is_err(), "{mode:o}");
        }
    }
}
