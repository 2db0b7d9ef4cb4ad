//! The places of a repository's parts: index, commits and work tree.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf, Prefix, PrefixComponent};

use super::config::Config;
use super::paths::{device, os_name};
use crate::untrusted;

/// The largest file of settings to read, in bytes.
const MAX_LEN: u64 = 1 << 20;

/// The places of a repository that concern a work tree.
#[derive(Debug)]
pub(super) struct Layout {
    /// The directory with the index.
    pub(super) git: PathBuf,
    /// The directory with the commits, which all work trees share.
    pub(super) history: PathBuf,
    pub(super) work_tree: PathBuf,
    /// The size of a hash, in bytes.
    pub(super) hash: usize,
}

/// A `.git` that can't be read with certainty.
pub(super) struct Unclear;

/// Returns the repository with its `.git` in this directory, if there is one.
pub(super) fn find(directory: &Path) -> Result<Option<Layout>, Unclear> {
    let dot_git = directory.join(".git");
    let found = match dot_git.symlink_metadata() {
        Ok(found) => found,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err(Unclear),
    };
    if found.is_dir() && is_empty(&dot_git) {
        return Ok(None);
    }
    layout(directory, &dot_git, &found).map(Some).ok_or(Unclear)
}

/// Returns the repository of a `.git` that is there. `None` if it can't be read with certainty.
fn layout(directory: &Path, dot_git: &Path, found: &Metadata) -> Option<Layout> {
    let git = match found.is_dir() {
        true => Some(dot_git.to_owned()),
        // A submodule, or one of several work trees.
        false => linked_directory(directory, read(dot_git)?.strip_prefix(b"gitdir: ")?),
    };
    let git = git.filter(|git| is_own(git) && git.join("HEAD").symlink_metadata().is_ok())?;
    let history = match read_if_there(&git.join("commondir"))? {
        Some(common) => Some(linked_directory(&git, &common)?),
        None => None,
    };
    let (is_main, history) = (history.is_none(), history.unwrap_or_else(|| git.clone()));
    let config = config(&git, &history, is_main)?;
    let work_tree = match &config.work_tree {
        Some(path) => resolve(&git, Path::new(os_name(path)?))?,
        None => directory.to_owned(),
    };
    let hash = if config.is_sha256 { 32 } else { 20 };
    (is_own(&history)).then_some(Layout { git, history, work_tree, hash })
}

/// Reads the settings of a work tree. Those of `history` are shared by all work trees.
fn config(git: &Path, history: &Path, is_main: bool) -> Option<Config> {
    let mut config = Config::default();
    if let Some(text) = read_if_there(&history.join("config"))? {
        config = config.with(&text)?;
    }
    if !is_main {
        // git applies this setting of the common file only to the main work tree.
        config.work_tree = None;
    }
    if config.has_worktree_config
        && let Some(text) = read_if_there(&git.join("config.worktree"))?
    {
        config = config.with(&text)?;
    }
    Some(config)
}

/// Returns whether a directory contains no part of a repository. git then searches further up.
fn is_empty(git: &Path) -> bool {
    ["HEAD", "commondir", "config", "index", "objects"].iter().all(|name| {
        let found = git.join(name).symlink_metadata();
        found.is_err_and(|cause| cause.kind() == io::ErrorKind::NotFound)
    })
}

/// Returns the directory that a file of a repository names, relative to `from`.
///
/// A path that goes through a link or to another file system is not opened: a hostile repository could name an automounter or
/// another machine.
fn linked_directory(from: &Path, named: &[u8]) -> Option<PathBuf> {
    let end = named.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let path = resolve(from, Path::new(os_name(&named[..=end])?))?;
    let steps: Vec<_> = path.ancestors().take_while(|step| !from.starts_with(step)).collect();
    let own = device(from);
    // From the top, so that nothing under a link is looked at.
    let is_plain = steps.iter().rev().all(|step| {
        step.symlink_metadata().is_ok_and(|found| found.is_dir()) && device(step) == own
    });
    is_plain.then_some(path)
}

/// Joins a path to a directory, without `..`. `None` if the result would depend on links, or lies on another disk.
fn resolve(from: &Path, path: &Path) -> Option<PathBuf> {
    let (mut resolved, mut has_names) = (from.to_owned(), false);
    for component in path.components() {
        match component {
            Component::Prefix(prefix)
                if disk(prefix).is_some() && disk(prefix) == disk_of(from) => {}
            Component::Prefix(_) => return None,
            Component::RootDir => resolved = from.ancestors().last()?.to_owned(),
            Component::CurDir => {}
            Component::ParentDir => {
                // After a name, the meaning of `..` depends on whether the name is a link.
                if has_names || !resolved.pop() {
                    return None;
                }
            }
            Component::Normal(name) => {
                has_names = true;
                resolved.push(name);
            }
        }
    }
    Some(resolved)
}

/// Returns the letter of a path's disk, on Windows.
fn disk_of(path: &Path) -> Option<u8> {
    match path.components().next()? {
        Component::Prefix(prefix) => disk(prefix),
        _ => None,
    }
}

fn disk(prefix: PrefixComponent<'_>) -> Option<u8> {
    match prefix.kind() {
        Prefix::Disk(disk) | Prefix::VerbatimDisk(disk) => Some(disk.to_ascii_uppercase()),
        _ => None,
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    read_if_there(path)?
}

/// Reads a file that may be missing. `None` if it exists and can't be read.
fn read_if_there(path: &Path) -> Option<Option<Vec<u8>>> {
    match untrusted::read(path, MAX_LEN, &[untrusted::current_user()]) {
        Ok(bytes) => Some(Some(bytes.to_vec())),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Some(None),
        Err(_) => None,
    }
}

/// Returns whether a directory belongs to the user.
fn is_own(directory: &Path) -> bool {
    fs::symlink_metadata(directory).is_ok_and(|found| {
        found.is_dir() && untrusted::belongs_to(&found, &[untrusted::current_user()])
    })
}
