//! Other readers of a file's secrets, and other places with the same secrets.

use std::fmt;
use std::path::PathBuf;

use crate::error;

mod command;
mod comments;
mod copies;
mod readers;
mod search;
mod tracking;
mod values;

pub(crate) use search::{exposures_of_values, find_exposures};
pub use tracking::repository_around;

/// A reason to replace a secret at its provider, or a place that keeps the value after a move.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exposure {
    /// git tracks the file. Its values are in the history of the repository, and in all clones of it.
    TrackedByGit,
    /// The file is in a git repository that can't be read with certainty, or belongs to another user.
    MaybeTrackedByGit,
    /// The file is in a git repository that doesn't track it now. Older commits can contain it.
    ///
    /// They are not searched, because git runs programs that a repository's settings name.
    HistoryNotSearched {
        /// The command that searches the commits, quoted for a shell in the working directory of this process.
        command: String,
    },
    /// Other users of the machine can read the file.
    ReadableByOthers {
        /// The permissions, as in `chmod`.
        mode: u32,
    },
    /// The permissions of the file include other users, but a directory above it excludes them, or only its group is included.
    MaybeReadableByOthers {
        /// The permissions, as in `chmod`.
        mode: u32,
    },
    /// The file has other names (hard links), which keep the values.
    HasOtherNames {
        /// The number of names.
        names: u64,
    },
    /// Another file in the same directory contains values: an editor's copy, a backup.
    CopiedTo {
        /// The other file.
        path: PathBuf,
    },
    /// A file with the name of a copy can't be searched for values, or a directory has too many such files.
    CopiesNotSearched {
        /// The file, or the directory.
        path: PathBuf,
    },
    /// Comments or keys of the file contain text that looks like a secret. A move doesn't change them.
    InComments {
        /// The line numbers, from 1.
        lines: Vec<usize>,
    },
}

impl Exposure {
    /// Returns the kind as a stable name for programs, such as `tracked_by_git`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TrackedByGit => "tracked_by_git",
            Self::MaybeTrackedByGit => "maybe_tracked_by_git",
            Self::HistoryNotSearched { .. } => "history_not_searched",
            Self::ReadableByOthers { .. } => "readable_by_others",
            Self::MaybeReadableByOthers { .. } => "maybe_readable_by_others",
            Self::HasOtherNames { .. } => "has_other_names",
            Self::CopiedTo { .. } => "copied_to",
            Self::CopiesNotSearched { .. } => "copies_not_searched",
            Self::InComments { .. } => "in_comments",
        }
    }

    /// Returns whether the place keeps the values after they were moved out of the file.
    pub fn remains(&self) -> bool {
        matches!(
            self,
            Self::HasOtherNames { .. }
                | Self::CopiedTo { .. }
                | Self::CopiesNotSearched { .. }
                | Self::InComments { .. }
        )
    }

    /// Returns the advice for the user.
    pub fn hint(&self) -> String {
        let hint = match self {
            Self::TrackedByGit => "Replace the secrets at their providers: git keeps the old ones.",
            Self::MaybeTrackedByGit => {
                "If you trust the repository, run `git ls-files FILE` and `git log --all --oneline -- FILE`. If one of them \
                 prints anything, replace the secrets at their providers."
            }
            Self::HistoryNotSearched { command } => {
                return format!(
                    "If you trust the repository, run `{command}`. If it prints anything, replace the secrets at their \
                     providers."
                );
            }
            Self::ReadableByOthers { .. } => {
                "Replace the secrets at their providers if others use this machine, and `chmod 600` the file."
            }
            Self::MaybeReadableByOthers { .. } => {
                "`chmod 600` the file. If others had access, replace the secrets at their providers."
            }
            Self::HasOtherNames { .. } => {
                "Find the other names with `find -samefile`, and delete them."
            }
            Self::CopiedTo { .. } => {
                "Delete it if it is only a copy, else move its secrets, too. Close the editor first if it is a swap file."
            }
            Self::CopiesNotSearched { .. } => {
                "Look for copies of the secrets there, and delete them."
            }
            Self::InComments { .. } => "Delete them there, and replace them at their providers.",
        };
        hint.to_owned()
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrackedByGit => {
                f.write_str("git tracks the file, so its secrets have been exposed")
            }
            Self::MaybeTrackedByGit => f.write_str("the file may be tracked by git"),
            Self::HistoryNotSearched { .. } => f.write_str(
                "git doesn't track the file now, but its history was not searched for earlier versions",
            ),
            Self::ReadableByOthers { mode } => write!(
                f,
                "others can read the file (mode {mode:o}), so its secrets have been exposed"
            ),
            Self::MaybeReadableByOthers { mode } => write!(
                f,
                "others could read the file (mode {mode:o}) if they are in its group or have access to its directory"
            ),
            Self::HasOtherNames { names } => {
                write!(f, "the file has {names} names; the secrets stay readable under the others")
            }
            Self::CopiedTo { path } => {
                write!(f, "{} contains the same secrets", error::displayed(path))
            }
            Self::CopiesNotSearched { path } => {
                write!(f, "{} could not be searched for copies of the secrets", error::displayed(path))
            }
            Self::InComments { lines } => {
                let lines: Vec<_> = lines.iter().map(usize::to_string).collect();
                let word = if lines.len() == 1 { "line" } else { "lines" };
                let lines = lines.join(", ");
                write!(f, "comments or keys contain what looks like a secret, and stay: {word} {lines}")
            }
        }
    }
}
