//! Files that are there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::platform::{self, check_links, is_at, rename_over, sync_dir};
use crate::refusal::check_regular;

/// The number of times that a file which other processes create and delete at the same time is created anew.
const TRIES: usize = 16;

/// The most processes that replace one file at the same time.
const MOST_WRITERS: usize = 16;

/// The most copies of one name that are kept.
const MOST_COPIES: usize = 100;

/// Writes a file for the user alone in place of the one that is there: the old one or the new one is there at any moment,
/// and the new one is on the disk when this returns.
///
/// # Errors
///
/// The system's own. The old file is then as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = NewFile::any(path)?;
    new.write(bytes)?;
    new.put_in_place()
}

/// Writes a file that holds no secret, which every user may read, as [`replace`] does.
///
/// # Errors
///
/// The system's own. The old file is then as it was.
pub fn replace_readable(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = NewFile::any(path)?;
    new.write(bytes)?;
    platform::let_all_read(&new.file)?;
    new.put_in_place()
}

/// Writes a new file for the user alone: whole and on the disk, or not at all.
///
/// # Errors
///
/// `AlreadyExists` if there is something at the path; the system's own.
pub fn create_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    if !platform::create_unnamed(path, bytes)? {
        let new = NewFile::beside(path)?;
        new.write(bytes)?;
        new.put_where_none_is()?;
    }
    sync_dir(directory(path))
}

/// Writes a new file for the user alone. Where the name is taken, a number is appended. Returns its path.
///
/// # Errors
///
/// As [`create_new`].
pub fn create_copy(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    for number in 1..=MOST_COPIES {
        let ending = if number == 1 { String::new() } else { format!("-{number}") };
        let copy = with_ending(path, &ending);
        match create_new(&copy, bytes) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| copy),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Returns the file that is to be replaced under a path that the user named: the path itself, or what a link leads to.
/// `None` if there is nothing.
///
/// # Errors
///
/// A [`Refusal`](crate::Refusal) if it is a link of another user, who chose what would be replaced, or no regular file; the
/// system's own.
pub fn replaceable(path: &Path) -> io::Result<Option<PathBuf>> {
    let found = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !found.is_symlink() {
        return check_regular(&found).map(|()| Some(path.to_owned()));
    }
    check_links(path)?;
    let target = path.canonicalize()?;
    check_regular(&target.symlink_metadata()?)?;
    Ok(Some(target))
}

/// A file in the making, beside its place, for the user alone.
///
/// It is locked, so that no other process takes it for one that a killed process left, and goes when it is dropped before
/// it was put in place. The next one for the same place takes away what a killed process left.
#[derive(Debug)]
pub struct NewFile {
    place: PathBuf,
    path: PathBuf,
    file: File,
    is_in_place: bool,
}

impl NewFile {
    /// Creates the only one beside a place.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` if another process has one; the system's own.
    pub fn beside(place: &Path) -> io::Result<Self> {
        Self::numbered(place, 0)
    }

    /// Creates one beside those of other processes.
    fn any(place: &Path) -> io::Result<Self> {
        for writer in 0..MOST_WRITERS {
            match Self::numbered(place, writer) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
                created => return created,
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    fn numbered(place: &Path, writer: usize) -> io::Result<Self> {
        let path = path_beside(place, writer)?;
        // Each round takes away what a dead process left.
        for _ in 0..TRIES {
            let file = match platform::create_to_move(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    take_away(&path)?;
                    continue;
                }
                created => created?,
            };
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => {
                    return Ok(Self { place: place.to_owned(), path, file, is_in_place: false });
                }
                // Another process took it away before it was locked.
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Writes the content, down to the disk.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Gives it the owner, the group and the permissions of the file that it replaces.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn take_access_of(&self, old: &Metadata) -> io::Result<()> {
        platform::copy_access(&self.file, old)?;
        self.file.sync_all()
    }

    /// Puts it in its place, over a file that is there. On the disk when this returns.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn put_in_place(mut self) -> io::Result<()> {
        rename_over(&self.path, &self.place)?;
        self.is_in_place = true;
        sync_dir(directory(&self.place))
    }

    fn put_where_none_is(mut self) -> io::Result<()> {
        let new = tempfile::TempPath::try_from_path(&self.path)?;
        new.persist_noclobber(&self.place).map_err(|error| error.error)?;
        self.is_in_place = true;
        Ok(())
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

/// Takes away a file that no process is writing.
///
/// # Errors
///
/// `ResourceBusy` if one is; the system's own.
fn take_away(path: &Path) -> io::Result<()> {
    let file = match platform::open_to_take_away(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    match file.try_lock() {
        Ok(()) if is_at(&file, path) => fs::remove_file(path),
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns `.config.json.strongroom-new` for `config.json`.
fn path_beside(place: &Path, writer: usize) -> io::Result<PathBuf> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name");
    let mut name = OsString::from(".");
    name.push(place.file_name().ok_or_else(no_name)?);
    name.push(".strongroom-new");
    if writer > 0 {
        name.push(format!("-{writer}"));
    }
    Ok(place.with_file_name(name))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let names =
            dir.read_dir().unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_stays_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        for content in ["one", "two"] {
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        drop(NewFile::beside(&path).unwrap());
        assert_eq!(names(dir.path()), ["a"]);
    }

    #[test]
    fn what_a_killed_process_left_is_taken_away_and_what_a_live_one_writes_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(dir.path().join(".a.strongroom-new"), "half of it").unwrap();
        let live = NewFile::beside(&path).unwrap();
        let error = NewFile::beside(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        replace(&path, b"by another").unwrap();
        live.write(b"by the first").unwrap();
        live.put_in_place().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "by the first");
        assert_eq!(names(dir.path()), ["a"]);
    }

    #[test]
    fn a_new_file_replaces_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        create_new(&path, b"one").unwrap();
        let error = create_new(&path, b"two").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let copy = create_copy(&path, b"two").unwrap();
        assert_eq!(copy, dir.path().join("a-2"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(names(dir.path()), ["a", "a-2"]);
    }

    #[test]
    fn where_files_have_names_from_the_start_a_new_one_replaces_none_either() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "one").unwrap();
        let new = NewFile::beside(&path).unwrap();
        let error = new.put_where_none_is().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(
            (fs::read_to_string(&path).unwrap(), names(dir.path()).len()),
            ("one".into(), 1)
        );
    }
}
