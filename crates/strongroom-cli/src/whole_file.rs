//! A file that is written whole or not at all, and that only its owner may read.

use std::io;
use std::path::{Path, PathBuf};

use strongroom::ErrorKind;
use strongroom_files::Refusal;

use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// The place of such a file, checked before there is content for it.
pub(crate) struct WholeFile {
    path: PathBuf,
    replaces: bool,
}

impl WholeFile {
    /// Checks that the file can be written: the place is free, or has a file that may be replaced.
    pub(crate) fn at(path: &Path, may_replace: bool) -> Result<Self> {
        match strongroom_files::replaceable(path) {
            Ok(None) => Ok(Self { path: path.to_owned(), replaces: false }),
            Ok(Some(_)) if !may_replace => Err(exists(path)),
            // The target of a link is replaced, and not the link.
            Ok(Some(target)) => Ok(Self { path: target, replaces: true }),
            Err(cause) if Refusal::of(&cause).is_some() => {
                Err(failed(path, cause).ending(Exit::Usage))
            }
            Err(cause) => Err(failed(path, cause)),
        }
    }

    /// Writes the file. It gets its name once all of it is on the disk.
    pub(crate) fn write(&self, content: &[u8]) -> Result<()> {
        let write =
            if self.replaces { strongroom_files::replace } else { strongroom_files::create_new };
        write(&self.path, content).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.path),
            _ => failed(&self.path, cause),
        })
    }
}

fn exists(path: &Path) -> Failure {
    let message = format!("there is a file {} already; nothing was written", path.display());
    Failure::new(
        Exit::Failed,
        ErrorKind::AlreadyExists.code(),
        message,
        "Name another one, or replace it: --force.",
    )
}

fn failed(path: &Path, cause: io::Error) -> Failure {
    Failure::file("write the file", path, cause)
}
