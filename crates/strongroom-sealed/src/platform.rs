//! Who may read a file, and which file it is.

#[cfg(unix)]
pub(crate) use unix::{check_dir, check_file, check_private_file, create_dir, new_file, sync_dir};
#[cfg(windows)]
pub(crate) use windows::{
    check_dir, check_file, check_private_file, create_dir, new_file, sync_dir,
};

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

#[cfg(unix)]
pub(crate) use unix::Stamp;
#[cfg(windows)]
pub(crate) use windows::Stamp;

/// Opens a file to read it. What is no file, a pipe for instance, could wait for ever.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    File::open(path)
}

/// Writes a file that must not exist, for the user alone, and makes it last.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = new_file().open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// The path as one word of a shell command.
pub(crate) fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
    use std::path::Path;

    use strongroom_core::Result;

    use crate::error;

    /// Which file it is: while it is open, no other has its number.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Stamp {
        device: u64,
        inode: u64,
    }

    impl Stamp {
        /// The file at this path, which is not followed if it is a symbolic link.
        pub(crate) fn at(path: &Path) -> io::Result<Self> {
            let metadata = fs::symlink_metadata(path)?;
            Ok(Self { device: metadata.dev(), inode: metadata.ino() })
        }
    }

    pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    /// Makes a change of the directory's names last.
    pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        File::open(path)?.sync_all()
    }

    pub(crate) fn new_file() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options
    }

    /// Checks that a directory is the user's, and nobody else's to look into.
    pub(crate) fn check_dir(path: &Path) -> Result<()> {
        let metadata = fs::metadata(path).map_err(|cause| error::opening(path, cause))?;
        check(path, &metadata, "700")
    }

    /// Checks that a sealed file is a file, the user's, and nobody else's to read.
    ///
    /// It is not opened: closing it again would drop the locks that SQLite holds on it in this
    /// process (`fcntl(2)`).
    pub(crate) fn check_file(path: &Path) -> Result<()> {
        let metadata = fs::symlink_metadata(path).map_err(|cause| error::opening(path, cause))?;
        if !metadata.is_file() {
            return Err(error::not_a_file(path, metadata.is_symlink()));
        }
        check(path, &metadata, "600")
    }

    /// Checks that an open file is the user's, and nobody else's to read.
    pub(crate) fn check_private_file(path: &Path, file: &File) -> Result<()> {
        let metadata = file.metadata().map_err(|cause| error::opening(path, cause))?;
        check(path, &metadata, "600")
    }

    fn check(path: &Path, metadata: &Metadata, mode: &str) -> Result<()> {
        let user = rustix::process::geteuid().as_raw();
        if metadata.uid() != user {
            return Err(error::owner(path, metadata.uid(), user));
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(error::permissions(path, metadata.mode() & 0o7777, mode));
        }
        Ok(())
    }
}

/// Where files take the access list of their directory.
///
/// That of a user's profile, in which all files are unless the caller says otherwise, admits the user,
/// the administrators and the system: those whom mode 0600 admits elsewhere. A list of our own, or a look
/// at the one that is there, takes calls that are `unsafe`, which only stores of a platform may make. So
/// a directory outside the profile is as private as who made it has made it, and is not checked.
#[cfg(windows)]
mod windows {
    use std::fs::{self, DirBuilder, File, OpenOptions};
    use std::io;
    use std::path::Path;

    use strongroom_core::Result;

    use crate::error;

    /// Nothing: SQLite keeps files open in a way that nobody can delete or replace them.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Stamp;

    impl Stamp {
        pub(crate) fn at(path: &Path) -> io::Result<Self> {
            fs::symlink_metadata(path).map(|_| Self)
        }
    }

    pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).create(path)
    }

    pub(crate) fn sync_dir(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn new_file() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        options
    }

    pub(crate) fn check_dir(path: &Path) -> Result<()> {
        fs::metadata(path).map(drop).map_err(|cause| error::opening(path, cause))
    }

    pub(crate) fn check_file(path: &Path) -> Result<()> {
        let metadata = fs::symlink_metadata(path).map_err(|cause| error::opening(path, cause))?;
        if metadata.is_file() {
            return Ok(());
        }
        Err(error::not_a_file(path, metadata.is_symlink()))
    }

    pub(crate) fn check_private_file(_: &Path, _: &File) -> Result<()> {
        Ok(())
    }
}
