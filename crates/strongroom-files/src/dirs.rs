//! The directories of a user.
//!
//! The home directory alone decides where they lie, for every process of the user at the same place. `XDG_STATE_HOME` and
//! its kin are not asked: `cron` and `ssh` may not have them, and would meet elsewhere. Nor is Windows asked for the
//! known folder LocalAppData: it is this one in every profile, can't be redirected, and does not roam, as a lock must not.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use strongroom_core::{Error, ErrorKind, Operation, Result};

use crate::Refusal;
use crate::platform::{self, WRITABLE_BY_OTHERS};
use crate::report::{error, quoted};

/// The place of locks and of what is remembered, below the home directory.
const STATE: &str = if cfg!(windows) {
    "AppData/Local/strongroom"
} else if cfg!(target_os = "macos") {
    "Library/Application Support/strongroom"
} else {
    ".local/state/strongroom"
};

/// The place of sealed files. On platforms without XDG's there is one place for both.
const DATA: &str =
    if cfg!(any(windows, target_os = "macos")) { STATE } else { ".local/share/strongroom" };

/// Bits that let other users in.
const OTHERS: u32 = 0o077;

/// Returns the directory of locks and of what is remembered, which need not exist; `None` for a user without a home directory.
///
/// # Errors
///
/// `AccessDenied` if the home directory, or a directory on the way from there, belongs to another user; `Io`.
pub fn state_dir() -> Result<Option<PathBuf>> {
    below_home(STATE)
}

/// Returns the directory of sealed files, which need not exist; `None` for a user without a home directory.
///
/// # Errors
///
/// As [`state_dir`].
pub fn data_dir() -> Result<Option<PathBuf>> {
    below_home(DATA)
}

/// Creates a directory that no other user may write to, with those above it, or checks the one that is there.
///
/// # Errors
///
/// A [`Refusal`] if it belongs to another user, or lets others write; the system's own.
pub fn create_dir(path: &Path) -> io::Result<()> {
    platform::create_dir(path)?;
    platform::check_dir(&path.metadata()?, WRITABLE_BY_OTHERS)
}

/// Checks that a directory, if there is one, belongs to the effective user, and that no other user may write to it.
///
/// # Errors
///
/// A [`Refusal`]. What is no directory, or can't be looked at, passes: nothing below it can be used.
pub fn check_dir(path: &Path) -> io::Result<()> {
    let checked = path.metadata().and_then(|it| platform::check_dir(&it, WRITABLE_BY_OTHERS));
    checked.or_else(|error| if Refusal::of(&error).is_some() { Err(error) } else { Ok(()) })
}

/// Creates a directory that no other user may look into, with those above it, or checks the one that is there.
///
/// # Errors
///
/// As [`check_private_dir`]; the system's own.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    platform::create_dir(path)?;
    check_private_dir(path)
}

/// Checks that a directory belongs to the effective user, and that no other user may look into it.
///
/// # Errors
///
/// A [`Refusal`]; `NotFound`; the system's own.
pub fn check_private_dir(path: &Path) -> io::Result<()> {
    platform::check_dir(&path.metadata()?, OTHERS)
}

/// Whether something is at this path. What may not be looked at is an error: taken for nothing, it would be an empty
/// vault.
///
/// # Errors
///
/// `AccessDenied`, `Io`.
pub fn is_there(path: &Path) -> Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(cause) if is_absent(&cause) => Ok(false),
        Err(cause) => Err(error(Operation::Exists, path, cause)),
    }
}

/// Whether an error says that there is no file: `ENOTDIR` is as clear a no as `ENOENT`.
pub fn is_absent(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn below_home(path: &str) -> Result<Option<PathBuf>> {
    match env::home_dir() {
        Some(home) => below(&home, path),
        None => Ok(None),
    }
}

/// Returns a directory below a home. Each directory on the way must be the user's or root's, so that no other user can
/// put another one in its place.
fn below(home: &Path, path: &str) -> Result<Option<PathBuf>> {
    if !home.is_absolute() || !home.is_dir() {
        return Ok(None);
    }
    let metadata = home.metadata().map_err(|cause| error(Operation::Choose, home, cause))?;
    platform::check_trusted_owner(&metadata).map_err(|cause| foreign_home(home, &cause))?;
    let mut directory = home.to_owned();
    // Part by part, so that all of them are separated alike on Windows.
    for part in path.split('/') {
        directory.push(part);
        // One that can't be looked at can't be used, either, and its user learns so then.
        if let Ok(found) = directory.metadata() {
            platform::check_trusted_owner(&found)
                .map_err(|cause| error(Operation::Choose, &directory, cause))?;
        }
    }
    Ok(Some(directory))
}

fn foreign_home(home: &Path, cause: &io::Error) -> Error {
    Error::new(ErrorKind::AccessDenied, Operation::Choose)
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
            assert_eq!(below(&home, STATE).unwrap(), None, "{}", home.display());
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
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(state.parent().unwrap())), (0o700, 0o700));
        for (mode, may_read) in [(0o755, true), (0o777, false), (0o770, false), (0o1777, false)] {
            std::fs::set_permissions(&state, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(create_dir(&state).is_ok(), may_read, "{mode:o}");
            assert!(create_private_dir(&state).is_err(), "{mode:o}");
        }
    }
}
