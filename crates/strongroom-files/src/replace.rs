//! Atomic creation and replacement of files.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::platform::{self, check_links, is_at, rename_over, sync_dir};
use crate::refusal::check_regular;

/// The number of attempts to create a file that other processes create and delete at the same time.
const TRIES: usize = 16;

/// The largest number of processes that replace the same file at the same time.
const MOST_WRITERS: usize = 16;

/// The largest number of copies that are kept of a file.
const MOST_COPIES: usize = 100;

/// Replaces a file atomically by a file that only the user can read.
///
/// The path holds either the old or the new file at any moment. The new file is synced to disk when the function returns.
///
/// # Errors
///
/// Returns the operating system's error. The old file is then unchanged.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = NewFile::any(path)?;
    new.write(bytes)?;
    new.put_in_place()
}

/// Replaces a file as [`replace`] does, by a file that every user can read. For files without secrets.
///
/// # Errors
///
/// Returns the operating system's error. The old file is then unchanged.
pub fn replace_readable(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = NewFile::any(path)?;
    new.write(bytes)?;
    platform::make_readable(&new.file)?;
    new.put_in_place()
}

/// Creates a file that only the user can read. The file is complete and synced to disk, or absent.
///
/// # Errors
///
/// `AlreadyExists` if the path is taken; otherwise the operating system's error.
pub fn create_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Saves writing the content where the path is taken. The check that counts is made when the file gets its name.
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    if !platform::create_unnamed(path, bytes)? {
        let new = NewFile::beside(path)?;
        new.write(bytes)?;
        new.put_in_free_place()?;
    }
    sync_dir(directory(path))
}

/// Creates a file that only the user can read, with a number appended where the name is taken. Returns its path.
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

/// Returns the file to replace for a path that the user names: the path itself, or the target of a symbolic link.
/// Returns `None` if the path does not exist.
///
/// # Errors
///
/// A [`Refusal`](crate::Refusal) if the path is a link of another user, since that user would choose the file to replace,
/// or if it is not a regular file; otherwise the operating system's error.
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

/// A temporary file beside its final place, which only the user can read.
///
/// The file is locked, so that other processes can tell it from the leftover of a killed process. Dropping it before it is
/// put in place deletes it. Creating a file for the same place deletes the leftover of a killed process.
#[derive(Debug)]
pub struct NewFile {
    place: PathBuf,
    path: PathBuf,
    file: File,
    is_in_place: bool,
}

impl NewFile {
    /// Creates the temporary file of a place, which at most a single process has at a time.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` if another process has it; otherwise the operating system's error.
    pub fn beside(place: &Path) -> io::Result<Self> {
        Self::numbered(place, 0)
    }

    /// Creates a temporary file beside those of other processes.
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
        // A round either creates the file or deletes the leftover of a killed process.
        for _ in 0..TRIES {
            let file = match platform::create_to_move(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    remove_leftover(&path)?;
                    continue;
                }
                created => created?,
            };
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => {
                    return Ok(Self { place: place.to_owned(), path, file, is_in_place: false });
                }
                // Another process took the file for a leftover before it was locked here.
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Writes the content and syncs it to disk.
    ///
    /// # Errors
    ///
    /// Returns the operating system's error.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Copies the owner, the group and the permissions from the file that is to be replaced.
    ///
    /// # Errors
    ///
    /// Returns the operating system's error.
    pub fn take_access_of(&self, old: &Metadata) -> io::Result<()> {
        platform::copy_access(&self.file, old)?;
        self.file.sync_all()
    }

    /// Moves the file to its place, over an existing file. The move is synced to disk when the function returns.
    ///
    /// # Errors
    ///
    /// Returns the operating system's error.
    pub fn put_in_place(mut self) -> io::Result<()> {
        rename_over(&self.path, &self.place)?;
        self.is_in_place = true;
        sync_dir(directory(&self.place))
    }

    /// Moves the file to its place, unless the place is taken.
    fn put_in_free_place(mut self) -> io::Result<()> {
        let new = tempfile::TempPath::try_from_path(&self.path)?;
        new.persist_noclobber(&self.place).map_err(|error| error.error)?;
        self.is_in_place = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_in_place {
            // After a failure the next process that creates this file deletes the leftover.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Deletes the leftover of a killed process.
///
/// # Errors
///
/// `ResourceBusy` if a process is writing the file; otherwise the operating system's error.
fn remove_leftover(path: &Path) -> io::Result<()> {
    let file = match platform::open_leftover(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    // A lock ends with its process, so a free lock means that the writer is gone.
    match file.try_lock() {
        Ok(()) if is_at(&file, path) => fs::remove_file(path),
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns the path of a temporary file: `.config.json.strongroom-new` for `config.json`.
fn path_beside(place: &Path, writer: usize) -> io::Result<PathBuf> {
    let Some(file_name) = place.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name"));
    };
    let mut name = OsString::from(".");
    name.push(file_name);
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
        let error = new.put_in_free_place().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(
            (fs::read_to_string(&path).unwrap(), names(dir.path()).len()),
            ("one".into(), 1)
        );
    }
}
