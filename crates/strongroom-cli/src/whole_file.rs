//! A file that is there whole or not at all, and that only its owner may read.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// A place for such a file.
pub(crate) struct WholeFile {
    path: PathBuf,
    replace: bool,
}

impl WholeFile {
    /// Checks that the file can stand there: nothing else does, or a file that may be replaced.
    pub(crate) fn at(path: &Path, replace: bool) -> Result<Self> {
        match fs::metadata(path) {
            Ok(found) if !found.is_file() => Err(Failure::usage(
                format!("{} is no file; nothing was written", path.display()),
                "Name another place.",
            )),
            Ok(_) if !replace => Err(exists(path)),
            // What a link leads to is replaced, and not the link.
            Ok(_) => Ok(Self { path: fs::canonicalize(path).map_err(failed(path))?, replace }),
            Err(_) => Ok(Self { path: path.to_owned(), replace }),
        }
    }

    /// Writes it: beside its place, down to the disk, and then under its name.
    pub(crate) fn write(&self, content: &[u8]) -> Result<()> {
        self.put(content).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.path),
            _ => failed(&self.path)(cause),
        })
    }

    fn put(&self, content: &[u8]) -> io::Result<()> {
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".strongroom-").tempfile_in(directory)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        let persisted = match self.replace {
            true => file.persist(&self.path),
            false => file.persist_noclobber(&self.path),
        };
        persisted.map_err(|error| error.error)?;
        if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
    }
}

fn exists(path: &Path) -> Failure {
    let message = format!("there is a file {} already; nothing was written", path.display());
    Failure::new(
        Exit::Failed,
        "already_exists",
        message,
        "Name another one, or replace it: --force.",
    )
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let message = format!("cannot write {}", path.display());
    move |cause| {
        Failure::io(
            message,
            &cause,
            "Check that its directory is there, and that you may write to it.",
        )
    }
}
