//! A new text in the place of an old file, or as a new file: all of it is there, or nothing of it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use strongroom::Result;

use crate::error;
use crate::source::Source;

/// Puts a text in the place of a file, if that is still as it was read. Owner and permissions stay.
///
/// Who has the file open keeps the old one. A process that is killed leaves the old file or the new one, and
/// perhaps the new one's beginning beside it, which the next one takes away.
///
/// `written` is called when the new file lies ready.
///
/// # Errors
///
/// `Conflict` if the file was changed, `Busy` if another process is replacing it, `Io`, `AccessDenied`.
pub(crate) fn replace(source: &Source, text: &str, written: impl FnOnce()) -> Result<()> {
    let failed = |cause| error::writing(&source.path, cause);
    let new = NewFile::beside(&source.path)?;
    new.write(text).and_then(|()| new.take_access_of(source)).map_err(failed)?;
    written();
    // Somebody who writes between this look and the next line is not seen: no system offers more.
    if !source.is_current().map_err(failed)? {
        return Err(error::changed_meanwhile(&source.path));
    }
    new.become_file(&source.path).map_err(failed)
}

/// Writes a text that is a secret into a file that only its owner can read.
///
/// # Errors
///
/// `AlreadyExists` if there is a file and `may_replace` is not set; `Busy`, `Io`, `AccessDenied`.
pub(crate) fn write_private(path: &Path, text: &str, may_replace: bool) -> Result<()> {
    let failed = |cause| error::writing(path, cause);
    if may_replace {
        let new = NewFile::beside(path)?;
        return new.write(text).and_then(|()| new.become_file(path)).map_err(failed);
    }
    let mut file = match create(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            return Err(error::exists(path));
        }
        Err(cause) => return Err(failed(cause)),
    };
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.and_then(|()| sync_directory(path)).map_err(|cause| {
        // Half of it is of no use to anybody.
        fs::remove_file(path).ok();
        failed(cause)
    })
}

/// A file in the making, beside its place. It is locked, so that nobody takes it for a dead process's, and
/// goes when it is dropped before it took its place.
struct NewFile {
    path: PathBuf,
    file: File,
    is_in_place: bool,
}

impl NewFile {
    fn beside(place: &Path) -> Result<Self> {
        let path = path_beside(place).ok_or_else(|| {
            error::writing(place, io::Error::new(io::ErrorKind::InvalidInput, "it has no name"))
        })?;
        // Each round takes away what a dead process left; somebody alive makes it end.
        for _ in 0..16 {
            match create(&path) {
                Ok(file) => match file.try_lock() {
                    Ok(()) if is_at(&file, &path) => {
                        return Ok(Self { path, file, is_in_place: false });
                    }
                    // Taken away before it was locked.
                    Ok(()) | Err(TryLockError::WouldBlock) => {}
                    Err(TryLockError::Error(cause)) => return Err(error::writing(place, cause)),
                },
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                    if !take_away(&path).map_err(|cause| error::writing(place, cause))? {
                        return Err(error::busy(place));
                    }
                }
                Err(cause) => return Err(error::writing(place, cause)),
            }
        }
        Err(error::busy(place))
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut file = &self.file;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// Gives it the owner, the group and the permissions of the file that it replaces.
    fn take_access_of(&self, source: &Source) -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, fchown};
            let (new, old) = (self.file.metadata()?, &source.metadata);
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                fchown(&self.file, Some(old.uid()), Some(old.gid()))?;
            }
        }
        self.file.set_permissions(source.metadata.permissions())?;
        self.file.sync_all()
    }

    fn become_file(mut self, place: &Path) -> io::Result<()> {
        fs::rename(&self.path, place)?;
        self.is_in_place = true;
        sync_directory(place)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_in_place {
            // What stays is taken away by the next one.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// `.config.json.strongroom-new` for `config.json`.
fn path_beside(place: &Path) -> Option<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(place.file_name()?);
    name.push(".strongroom-new");
    Some(place.with_file_name(name))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Takes a file away that nobody is writing, and says whether it is gone.
fn take_away(path: &Path) -> io::Result<bool> {
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return Ok(false);
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(cause) => return Err(cause),
    };
    match file.try_lock() {
        Ok(()) if is_at(&file, path) => fs::remove_file(path).map(|()| true),
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

/// Whether it is this file that has the name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let there = path.symlink_metadata().map(|there| (there.dev(), there.ino())).ok();
    there.is_some() && there == file.metadata().map(|file| (file.dev(), file.ino())).ok()
}

/// Where no file has a number, it is taken for the one: nobody deletes one that is open.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Makes a change of names last.
#[cfg(unix)]
fn sync_directory(of: &Path) -> io::Result<()> {
    let directory = of.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
