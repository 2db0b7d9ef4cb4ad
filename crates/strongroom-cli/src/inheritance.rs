//! Keeps the variables and descriptors that open the vault from programs that this process starts.
//!
//! A started program gets the environment and the descriptors that the user gave this process, without these. From the
//! descriptor of a file it could read the key or the passphrase again, from the start.

use std::env;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use strongroom_files::{Source, open};

use crate::credential::credential;
use crate::program::Program;

/// Opens a descriptor of this process for reading, and keeps it from programs that are started later.
///
/// # Errors
///
/// The system's error.
pub(crate) fn open_privately(descriptor: u32) -> io::Result<File> {
    let file = open(&path_of(descriptor), Source::Given)?;
    keep(descriptor)?;
    Ok(file)
}

/// Keeps from a program the parts that open the vault: this program's variables that name keys, the descriptors that such
/// a variable names, and the credentials of a service if the vault's key is among them.
///
/// # Errors
///
/// The system's error.
pub(crate) fn strip_keys(started: &mut Command, program: &Program) -> io::Result<()> {
    for name in ["KEY_FILE", "PASSPHRASE_FILE"] {
        let variable = program.variable(name);
        if let Some(descriptor) = env::var_os(&variable).and_then(|it| descriptor(Path::new(&it))) {
            keep(descriptor)?;
        }
        started.env_remove(variable);
    }
    // Without the vault's key among them, the credentials are the program's own affair.
    if credential().is_some() {
        started.env_remove("CREDENTIALS_DIRECTORY");
    }
    Ok(())
}

/// Keeps from a program everything that it has no use for: this program's variables, the credentials of a service, and
/// every descriptor but the first three.
#[cfg(feature = "settings")]
pub(crate) fn strip_all_keys(started: &mut Command, program: &Program) {
    for name in env::vars_os().map(|(name, _)| name) {
        if name == "CREDENTIALS_DIRECTORY" || program.has_variable(&name) {
            started.env_remove(name);
        }
    }
    // Rust opens files for this process alone, but a shell passes descriptors on: `3< FILE`.
    #[cfg(unix)]
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
}

fn path_of(descriptor: u32) -> PathBuf {
    PathBuf::from(format!("/dev/fd/{descriptor}"))
}

/// Returns the number of the descriptor that a path names.
fn descriptor(path: &Path) -> Option<u32> {
    if path == Path::new("/dev/stdin") {
        return Some(0);
    }
    let of_process = ["/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"].map(Path::new);
    let parent = path.parent().filter(|parent| of_process.contains(parent))?;
    path.strip_prefix(parent).ok()?.to_str()?.parse().ok()
}

/// Keeps a descriptor from programs that are started later.
#[cfg(unix)]
pub(crate) fn keep(descriptor: u32) -> io::Result<()> {
    // Programs expect a standard input, so it is replaced and not closed.
    if descriptor == 0 {
        let nothing = open(Path::new("/dev/null"), Source::Given)?;
        return rustix::stdio::dup2_stdin(nothing).map_err(io::Error::from);
    }
    let Ok(number) = i32::try_from(descriptor) else { return Ok(()) };
    // `cloexecfrom` marks all descriptors from a number on, so those above it are exempted.
    let others: Vec<i32> = Path::new("/dev/fd")
        .read_dir()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|other| *other > number)
        .collect();
    close_fds::CloseFdsBuilder::new().keep_fds(&others).cloexecfrom(number);
    Ok(())
}

/// Does nothing: a handle has no number here, and is inherited by no program that does not name it.
#[cfg(not(unix))]
pub(crate) fn keep(_: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_descriptor_has_its_number() {
        for (path, number) in [
            ("/dev/fd/3", Some(3)),
            ("/proc/self/fd/12", Some(12)),
            ("/dev/stdin", Some(0)),
            ("/dev/fd/x", None),
            ("/home/a/fd/3", None),
            ("3", None),
        ] {
            assert_eq!(descriptor(Path::new(path)), number, "{path}");
        }
    }
}
