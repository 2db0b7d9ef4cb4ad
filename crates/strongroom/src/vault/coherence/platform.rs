//! Files that stay open while other processes write, replace or delete them.

use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
pub(crate) use unix::is_private;
#[cfg(unix)]
pub(super) use unix::{Stamp, create_dir, options, read_at, sync_dir, write_at};
#[cfg(all(unix, feature = "sealed"))]
pub(crate) use unix::{check_free, is_in_use};
#[cfg(windows)]
pub(crate) use windows::is_private;
#[cfg(windows)]
pub(super) use windows::{Stamp, create_dir, options, read_at, sync_dir, write_at};
#[cfg(all(windows, feature = "sealed"))]
pub(crate) use windows::{check_free, is_in_use};

#[cfg(unix)]
use std::fs::rename as rename_over;
#[cfg(windows)]
use windows::rename_over;

/// Writes a new file for the user alone, on the disk when this returns. One that is there already
/// stays; the new one then gets a number.
pub(super) fn create_new(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    if let Some(dir) = path.parent() {
        create_dir(dir)?;
    }
    let numbered = (1..100).map(|number| {
        let mut numbered = path.to_path_buf().into_os_string();
        numbered.push(if number == 1 { String::new() } else { format!("-{number}") });
        PathBuf::from(numbered)
    });
    for path in numbered {
        match options().create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                write_at(&file, bytes)?;
                file.sync_all()?;
                return Ok(path);
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Writes a file for the user alone in place of the one that is there: the old one or the new one is
/// there at any moment, and the new one is on the disk when this returns.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = create_new(&path.with_extension(format!("new-{}", std::process::id())), bytes)?;
    rename_over(&new, path).inspect_err(|_| drop(std::fs::remove_file(&new)))?;
    path.parent().map_or(Ok(()), sync_dir)
}

#[cfg(unix)]
mod unix {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
    use std::path::Path;

    /// Which file it is, and when it was last changed.
    ///
    /// While a file is open its inode number is nobody else's, so the comparison with an open
    /// file's can't be fooled by a number that is used again.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(in super::super) struct Stamp {
        device: u64,
        inode: u64,
        changed: (i64, i64),
    }

    impl Stamp {
        pub(in super::super) fn of_file(file: &File) -> io::Result<Self> {
            file.metadata().map(|metadata| Self::of(&metadata))
        }

        pub(in super::super) fn at(path: &Path) -> io::Result<Self> {
            std::fs::metadata(path).map(|metadata| Self::of(&metadata))
        }

        pub(in super::super) const fn is_same_file(&self, other: &Self) -> bool {
            self.device == other.device && self.inode == other.inode
        }

        fn of(metadata: &Metadata) -> Self {
            Self {
                device: metadata.dev(),
                inode: metadata.ino(),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            }
        }

        /// A stamp of a file system that does not exist.
        #[cfg(test)]
        pub(in super::super) fn modelled(file: u8, changed: u8) -> Self {
            Self { device: 0, inode: file.into(), changed: (changed.into(), 0) }
        }
    }

    pub(in super::super) fn read_at(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
        file.read_at(buffer, 0)
    }

    pub(in super::super) fn write_at(file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, 0)
    }

    pub(in super::super) fn create_dir(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    /// Makes a change of the directory's names last.
    pub(in super::super) fn sync_dir(path: &Path) -> io::Result<()> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        File::open(path)?.sync_all()
    }

    /// Whether nobody but the owner may use the file.
    pub(crate) fn is_private(file: &File) -> io::Result<bool> {
        file.metadata().map(|metadata| metadata.mode() & 0o077 == 0)
    }

    pub(in super::super) fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600);
        options
    }

    /// Whether a file could not be moved or deleted because somebody has it open: that is no obstacle.
    #[cfg(feature = "sealed")]
    pub(crate) const fn is_in_use(_: &io::Error) -> bool {
        false
    }

    /// Checks that nobody has the file open in a way that keeps it where it is: nobody can.
    #[cfg(feature = "sealed")]
    pub(crate) const fn check_free(_: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(windows)]
mod windows {
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::io;
    use std::os::windows::fs::{FileExt, OpenOptionsExt};
    use std::path::Path;
    use std::thread;
    use std::time::Duration;

    /// `FILE_SHARE_READ | FILE_SHARE_WRITE`, without `FILE_SHARE_DELETE`.
    const SHARE_READ_AND_WRITE: u32 = 0x1 | 0x2;

    /// `DELETE`, the right to move and delete a file.
    #[cfg(feature = "sealed")]
    const DELETE: u32 = 0x0001_0000;

    /// `ERROR_SHARING_VIOLATION`.
    const SHARING_VIOLATION: i32 = 32;

    /// How often, and after which pause, a file that is to be replaced is tried again.
    const TRIES: u32 = 50;
    const PAUSE: Duration = Duration::from_millis(10);

    /// Nothing: a file that is open without `FILE_SHARE_DELETE` can't be deleted, replaced or moved,
    /// nor can a directory above it, so it stays the file at its path. What stands in it is told apart
    /// by the revision alone, which no two contents of one vault's entry share; a backup that writes an
    /// old record over the open file is not noticed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(in super::super) struct Stamp;

    impl Stamp {
        pub(in super::super) fn of_file(_: &File) -> io::Result<Self> {
            Ok(Self)
        }

        pub(in super::super) fn at(_: &Path) -> io::Result<Self> {
            Ok(Self)
        }

        pub(in super::super) const fn is_same_file(&self, _: &Self) -> bool {
            true
        }
    }

    pub(in super::super) fn read_at(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
        file.seek_read(buffer, 0)
    }

    pub(in super::super) fn write_at(file: &File, bytes: &[u8]) -> io::Result<()> {
        match file.seek_write(bytes, 0)? {
            written if written == bytes.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    pub(in super::super) fn create_dir(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).create(path)
    }

    /// Nothing: NTFS logs changes of names by itself.
    pub(in super::super) fn sync_dir(_: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Files take the permissions of their directory, and the user's are nobody else's.
    pub(crate) fn is_private(_: &File) -> io::Result<bool> {
        Ok(true)
    }

    pub(in super::super) fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true).share_mode(SHARE_READ_AND_WRITE);
        options
    }

    /// Whether a file could not be moved or deleted because somebody has it open.
    pub(crate) fn is_in_use(error: &io::Error) -> bool {
        error.raw_os_error() == Some(SHARING_VIOLATION)
    }

    /// Checks that nobody, this process included, has the file open in a way that keeps it where it is.
    /// One that is not there is free.
    #[cfg(feature = "sealed")]
    pub(crate) fn check_free(path: &Path) -> io::Result<()> {
        match OpenOptions::new().access_mode(DELETE).open(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Moves a file over another one, which somebody may just be reading: a process of ours, or a virus
    /// scanner. Depending on how they opened it, the system refuses that, or lets it happen.
    #[expect(clippy::disallowed_methods, reason = "nobody tells when another closes a file")]
    pub(super) fn rename_over(from: &Path, to: &Path) -> io::Result<()> {
        for _ in 1..TRIES {
            match std::fs::rename(from, to) {
                Err(error)
                    if error.kind() == io::ErrorKind::PermissionDenied || is_in_use(&error) =>
                {
                    thread::sleep(PAUSE);
                }
                done => return done,
            }
        }
        std::fs::rename(from, to)
    }
}
