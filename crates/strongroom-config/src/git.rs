//! The git repositories around a file, and their tracking of it.
//!
//! The files of a repository are read directly. git itself obeys the repository's settings, which can name programs to run.
//! Anything that can't be read with certainty is [`Tracking::Unknown`]. git's environment variables are ignored.

mod bitmap;
#[cfg(any(test, fuzzing))]
pub(crate) mod check;
mod config;
mod cursor;
mod index;
mod layout;
mod paths;

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use index::{Index, Match, has_valid_checksum};
use layout::Layout;
use paths::{device, is_same_file, os_name, path_in_index};

use crate::untrusted;

/// The largest index to read, in bytes. Enough for about a million files.
const MAX_INDEX: u64 = 128 << 20;

/// A repository with a file in its work tree.
#[derive(Debug)]
pub(crate) struct Repository {
    /// The directory that contains `.git`.
    pub(crate) directory: PathBuf,
    /// The directory with the commits, which several work trees can share. `None` if unknown.
    pub(crate) history: Option<PathBuf>,
    /// The file's path in the work tree.
    pub(crate) file: PathBuf,
    pub(crate) tracking: Tracking,
}

/// The tracking of a file by a repository: its index lists the file or doesn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracking {
    Tracked,
    Untracked,
    /// The index can't be read with certainty.
    Unknown,
}

/// Returns all repositories around a file, the nearest first. The path must not go through symbolic links.
pub(crate) fn repositories(file: &Path) -> Vec<Repository> {
    let Some(directory) = file.parent() else { return Vec::new() };
    let own = device(directory);
    // Like git, stop at a mount point: the parent may be an automounter, which waits for another machine.
    let directories = directory.ancestors().take_while(|directory| device(directory) == own);
    directories.filter_map(|directory| repository(directory, file)).collect()
}

fn repository(directory: &Path, file: &Path) -> Option<Repository> {
    let layout = match layout::find(directory) {
        Ok(Some(layout)) => layout,
        Ok(None) => return None,
        Err(_) => {
            let file = file.strip_prefix(directory).unwrap_or(file).to_owned();
            let directory = directory.to_owned();
            return Some(Repository {
                directory,
                history: None,
                file,
                tracking: Tracking::Unknown,
            });
        }
    };
    let (path, tracking) = match file.strip_prefix(&layout.work_tree) {
        Ok(path) => (path, tracking_of(&layout, path)),
        // The work tree is named by another path, which could still lead here.
        Err(_) => (file, Tracking::Unknown),
    };
    let (directory, file) = (directory.to_owned(), path.to_owned());
    Some(Repository { directory, history: Some(layout.history), file, tracking })
}

fn tracking_of(layout: &Layout, file: &Path) -> Tracking {
    let Some(path) = path_in_index(file) else { return Tracking::Unknown };
    let Some(matches) = matches(layout, &path) else { return Tracking::Unknown };
    if matches.iter().any(|entry| !entry.is_directory && entry.name == path) {
        return Tracking::Tracked;
    }
    // A failed comparison counts as the same file, because a doubt must not become a no.
    match matches.iter().any(|entry| names_same_file(layout, file, entry).unwrap_or(true)) {
        true => Tracking::Unknown,
        false => Tracking::Untracked,
    }
}

/// Returns the index entries that could stand for the file. `None` if the index can't be read.
fn matches(layout: &Layout, path: &[u8]) -> Option<Vec<Match>> {
    let bytes = match read_index(layout, "index") {
        Ok(bytes) if has_valid_checksum(&bytes, layout.hash) => bytes,
        // A repository without an index tracks nothing yet.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Some(Vec::new()),
        _ => return None,
    };
    let Index { mut matches, shared, .. } = Index::read(&bytes, layout.hash, path)?;
    if let Some(shared) = shared {
        let name: String = shared.checksum.iter().map(|byte| format!("{byte:02x}")).collect();
        let bytes = read_index(layout, &format!("sharedindex.{name}")).ok()?;
        let base = Index::read(&bytes, layout.hash, path)?;
        let is_named_one =
            base.checksum == shared.checksum && has_valid_checksum(&bytes, layout.hash);
        // git doesn't split a shared index again.
        if base.shared.is_some() || !is_named_one {
            return None;
        }
        for entry in base.matches {
            if !shared.deleted.has(entry.number)? {
                matches.push(entry);
            }
        }
    }
    Some(matches)
}

fn read_index(layout: &Layout, name: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    untrusted::read(&layout.git.join(name), MAX_INDEX, &[untrusted::current_user()])
}

/// Returns whether an entry with another spelling names the same file on this file system, or a directory above it.
fn names_same_file(layout: &Layout, file: &Path, entry: &Match) -> Option<bool> {
    let name = entry.name.strip_suffix(b"/").unwrap_or(&entry.name);
    let name = Path::new(os_name(name)?);
    // An entry for a directory is compared with the directory above the file.
    let above = file.components().count().checked_sub(name.components().count())?;
    let own = layout.work_tree.join(file.ancestors().nth(above)?);
    let entry = layout.work_tree.join(name);
    Some(entry == own || is_same_file(&entry, &own))
}
