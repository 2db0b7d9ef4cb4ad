//! The git repositories around a file, and their tracking of it.
//!
//! The files of a repository are read directly. git itself obeys the repository's settings, which can name programs to run.
//! Anything that can't be read with certainty is [`Tracks::Maybe`]. git's environment variables are ignored.

mod bitmap;
#[cfg(any(test, fuzzing))]
pub(crate) mod check;
mod config;
mod cursor;
mod index;
mod layout;

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use index::{Index, Match, is_whole};
use layout::{Layout, device};

use crate::open;

/// The largest index to read, in bytes. Enough for about a million files.
const LARGEST_INDEX: u64 = 128 << 20;

/// A repository with a file in its work tree.
#[derive(Debug)]
pub(crate) struct Repository {
    /// The directory that contains `.git`.
    pub(crate) directory: PathBuf,
    /// The directory with the commits, which several work trees can share. `None` if unknown.
    pub(crate) history: Option<PathBuf>,
    /// The file's path in the work tree.
    pub(crate) file: PathBuf,
    pub(crate) tracks: Tracks,
}

/// The answer to whether the index of a repository lists a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracks {
    Yes,
    No,
    Maybe,
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
            return Some(Repository { directory, history: None, file, tracks: Tracks::Maybe });
        }
    };
    let (path, tracks) = match file.strip_prefix(&layout.work_tree) {
        Ok(path) => (path, tracks(&layout, path)),
        // The work tree is named by another path, which could still lead here.
        Err(_) => (file, Tracks::Maybe),
    };
    let (directory, file) = (directory.to_owned(), path.to_owned());
    Some(Repository { directory, history: Some(layout.history), file, tracks })
}

fn tracks(layout: &Layout, file: &Path) -> Tracks {
    let Some(path) = path_in_index(file) else { return Tracks::Maybe };
    let Some(matches) = matches(layout, &path) else { return Tracks::Maybe };
    if matches.iter().any(|found| !found.is_directory && found.name == path) {
        return Tracks::Yes;
    }
    // A failed comparison counts as the same file, because a doubt must not become a no.
    match matches.iter().any(|found| is_same(layout, file, found).unwrap_or(true)) {
        true => Tracks::Maybe,
        false => Tracks::No,
    }
}

/// Returns the index entries that could stand for the file. `None` if the index can't be read.
fn matches(layout: &Layout, path: &[u8]) -> Option<Vec<Match>> {
    let read = |name: &str| open::read(&layout.git.join(name), LARGEST_INDEX, &[open::user()]);
    let bytes = match read("index") {
        Ok(bytes) if is_whole(&bytes, layout.hash) => bytes,
        // A repository without an index tracks nothing yet.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Some(Vec::new()),
        _ => return None,
    };
    let Index { mut matches, shared, .. } = Index::read(&bytes, layout.hash, path)?;
    if let Some(shared) = shared {
        let name: String = shared.checksum.iter().map(|byte| format!("{byte:02x}")).collect();
        let bytes = read(&format!("sharedindex.{name}")).ok()?;
        let base = Index::read(&bytes, layout.hash, path)?;
        let is_right = base.checksum == shared.checksum && is_whole(&bytes, layout.hash);
        // git doesn't split a shared index again.
        if base.shared.is_some() || !is_right {
            return None;
        }
        for found in base.matches {
            if !shared.deleted.has(found.number)? {
                matches.push(found);
            }
        }
    }
    Some(matches)
}

/// Returns whether an entry with another spelling names the same file on this file system, or a directory above it.
fn is_same(layout: &Layout, file: &Path, found: &Match) -> Option<bool> {
    let name = found.name.strip_suffix(b"/").unwrap_or(&found.name);
    let entry = Path::new(text(name)?);
    let above = file.components().count().checked_sub(entry.components().count())?;
    let own = layout.work_tree.join(file.ancestors().nth(above)?);
    Some(layout.work_tree.join(entry) == own || is_same_file(&layout.work_tree.join(entry), &own))
}

#[cfg(unix)]
fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path: &Path| fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()));
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(not(unix))]
fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// Returns a path in the form that the index uses: with slashes, and on Windows as UTF-8.
fn path_in_index(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for component in path.components() {
        let Component::Normal(name) = component else { return None };
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        // Outside of Unix, a name that isn't Unicode has no form in the index.
        let is_text = cfg!(unix) || name.to_str().is_some();
        bytes.extend_from_slice(is_text.then_some(name.as_encoded_bytes())?);
    }
    Some(bytes)
}

#[cfg(unix)]
fn text(bytes: &[u8]) -> Option<&std::ffi::OsStr> {
    Some(std::os::unix::ffi::OsStrExt::from_bytes(bytes))
}

#[cfg(not(unix))]
fn text(bytes: &[u8]) -> Option<&std::ffi::OsStr> {
    std::str::from_utf8(bytes).ok().map(std::ffi::OsStr::new)
}
