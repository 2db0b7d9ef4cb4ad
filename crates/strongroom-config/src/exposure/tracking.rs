//! The git repositories around a file.

use std::path::{Path, PathBuf};

use super::{Exposure, command};
use crate::git::{self, Tracking};

/// Returns the root of the git repository around a file, which need not exist yet.
///
/// Runs no program. A repository that can't be read counts, too.
pub fn repository_around(path: &Path) -> Option<PathBuf> {
    let repositories = git::repositories(&canonical_place(path)?);
    repositories.into_iter().next().map(|repository| repository.directory)
}

/// Returns the canonical place of a path that may be a symbolic link: that of the link, and not that of its target.
pub(super) fn canonical_place(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

/// Returns the exposures in the repositories around a file, and around a link that may have replaced it.
pub(super) fn in_repositories(file: &Path, link: Option<&Path>) -> Vec<Exposure> {
    let repositories = git::repositories(file);
    if repositories.iter().any(|repository| repository.tracking == Tracking::Tracked) {
        return vec![Exposure::TrackedByGit];
    }
    let (mut is_unclear, mut histories, mut exposures) = (false, Vec::new(), Vec::new());
    // A tracked link contains no values, but can have replaced a file that did.
    let around_link = link.into_iter().flat_map(git::repositories);
    for repository in repositories.into_iter().chain(around_link) {
        // Work trees can share their commits. A single command is then enough.
        if repository.tracking == Tracking::Unknown {
            is_unclear = true;
        } else if !histories.contains(&repository.history) {
            let command = command::history_search(&repository);
            exposures.push(Exposure::HistoryNotSearched { command });
            histories.push(repository.history);
        }
    }
    exposures.extend(is_unclear.then_some(Exposure::MaybeTrackedByGit));
    exposures
}
