//! Who else may have read a file's secrets.

use std::fmt;
use std::path::Path;

use crate::git;
use crate::source::Source;

/// Why a value in a file is no secret any more. Moving it doesn't help: it has to be replaced at its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exposure {
    /// git tracks the file: the value is in the repository's history, and wherever that went.
    TrackedByGit,
    /// The file lies in a git repository, and git can't be asked whether it tracks it.
    MaybeTrackedByGit,
    /// Other users of the machine can read the file, whose permissions these are.
    ReadableByOthers {
        /// The permissions, as in `chmod`.
        mode: u32,
    },
    /// The file has other names, under which the values stay.
    HasOtherNames {
        /// How many names it has.
        names: u64,
    },
}

/// What is known about a file.
pub(crate) fn of(source: &Source) -> Vec<Exposure> {
    let access = source.access();
    let readable = access.mode.filter(|mode| mode & 0o077 != 0);
    let names = access.names.filter(|names| *names > 1);
    [
        tracked(&source.path),
        readable.map(|mode| Exposure::ReadableByOthers { mode }),
        names.map(|names| Exposure::HasOtherNames { names }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn tracked(path: &Path) -> Option<Exposure> {
    match git::tracks(path) {
        git::Answer::Yes => Some(Exposure::TrackedByGit),
        git::Answer::No => None,
        git::Answer::Unknown => Some(Exposure::MaybeTrackedByGit),
    }
}

impl Exposure {
    /// What to do about it, in a sentence for the user.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TrackedByGit => "Replace the secrets at their providers: git keeps the old ones.",
            Self::MaybeTrackedByGit => {
                "Run `git ls-files` on the file; if it is tracked, replace the secrets at their providers."
            }
            Self::ReadableByOthers { .. } => {
                "Replace the secrets at their providers if others use this machine, and `chmod 600` the file."
            }
            Self::HasOtherNames { .. } => {
                "Find the other names with `find -samefile`, and delete them."
            }
        }
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrackedByGit => {
                f.write_str("git tracks the file, so its secrets have been exposed")
            }
            Self::MaybeTrackedByGit => f.write_str("the file may be tracked by git"),
            Self::ReadableByOthers { mode } => {
                write!(
                    f,
                    "others can read the file (mode {mode:o}), so its secrets have been exposed"
                )
            }
            Self::HasOtherNames { names } => {
                write!(f, "the file has {names} names; the secrets stay readable under the others")
            }
        }
    }
}
