//! Files on Windows, which take the access list of their directory.
//!
//! A list of our own, or a look at the one that is there, takes calls that are `unsafe`, which only stores of a platform
//! may make. So a directory outside the user's profile is as private as it was made, and is not checked.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::Source;
use crate::refusal::check_regular;

/// `FILE_SHARE_READ | FILE_SHARE_WRITE`, without `FILE_SHARE_DELETE`.
const SHARE_READ_AND_WRITE: u32 = 0x1 | 0x2;

/// `DELETE`, the right to move and delete a file.
const DELETE: u32 = 0x0001_0000;

/// `ERROR_SHARING_VIOLATION`.
const SHARING_VIOLATION: i32 = 32;

/// The number of times that a file is replaced anew while it is in use, and the pause in between.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(10);

/// No bits are looked at.
pub(crate) const WRITABLE_BY_OTHERS: u32 = 0;

pub(crate) fn open(path: &Path, source: Source) -> io::Result<File> {
    let metadata = match source {
        Source::Own | Source::Found => path.symlink_metadata()?,
        Source::Private | Source::Given | Source::System => fs::metadata(path)?,
    };
    check_regular(&metadata)?;
    let file = File::open(path)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Opens a file of this program's own that stays open, to read and write it. It can't be deleted meanwhile.
///
/// # Errors
///
/// A [`Refusal`] if it is no regular file; the system's own.
pub fn open_state(path: &Path, create: bool) -> io::Result<File> {
    if let Ok(there) = path.symlink_metadata() {
        check_regular(&there)?;
    }
    state_options().create(create).truncate(false).open(path)
}

/// Checks that a file of this program's own is a regular file.
///
/// # Errors
///
/// A [`Refusal`]; the system's own.
pub fn check_own(path: &Path) -> io::Result<()> {
    check_regular(&path.symlink_metadata()?)
}

/// Reads from the start of a file that stays open.
///
/// # Errors
///
/// The system's own.
pub fn read_at(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    file.seek_read(buffer, 0)
}

/// Writes all of it at the start of a file that stays open.
///
/// # Errors
///
/// The system's own.
pub fn write_at(file: &File, bytes: &[u8]) -> io::Result<()> {
    match file.seek_write(bytes, 0)? {
        written if written == bytes.len() => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}

/// Does nothing: NTFS logs changes of names by itself.
///
/// # Errors
///
/// None.
pub fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether a file could not be moved or deleted because a program has it open.
pub fn is_in_use(error: &io::Error) -> bool {
    error.raw_os_error() == Some(SHARING_VIOLATION)
}

/// Checks that no program, this one included, keeps the file where it is by having it open.
///
/// # Errors
///
/// The system's own; [`is_in_use`] knows it.
pub fn check_free(path: &Path) -> io::Result<()> {
    match OpenOptions::new().access_mode(DELETE).open(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns no name: users have no numbers here.
pub fn login_name(_: u32) -> Option<String> {
    None
}

/// Returns a user's number, for messages.
pub fn user_name(user: u32) -> String {
    format!("user {user}")
}

/// Creates a new file, which is moved while it is open.
pub(crate) fn create_to_move(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// Opens what may be a file in the making of a killed process.
pub(crate) fn open_to_take_away(path: &Path) -> io::Result<File> {
    open(path, Source::Own)
}

/// Does nothing: files get their names when they are created.
pub(crate) fn create_unnamed(_: &Path, _: &[u8]) -> io::Result<bool> {
    Ok(false)
}

/// Does nothing: the directory's access list decides.
pub(crate) fn let_all_read(_: &File) -> io::Result<()> {
    Ok(())
}

/// Gives a file the attributes of another one.
pub(crate) fn copy_access(file: &File, of: &Metadata) -> io::Result<()> {
    file.set_permissions(of.permissions())
}

pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).create(path)
}

pub(crate) fn check_dir(metadata: &Metadata, _: u32) -> io::Result<()> {
    if metadata.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

pub(crate) fn check_trusted_owner(_: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Checks that there is something at the path. Who made a link is not known here.
pub(crate) fn check_links(path: &Path) -> io::Result<()> {
    path.symlink_metadata().map(drop)
}

/// Whether there is a file: one that is open can't be replaced.
pub(crate) fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Moves a file over another one, which a process of ours or a virus scanner may just be reading: then the system refuses
/// it for a moment.
#[expect(clippy::disallowed_methods, reason = "no event tells when another program closes a file")]
pub(crate) fn rename_over(from: &Path, to: &Path) -> io::Result<()> {
    for _ in 1..TRIES {
        match fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied || is_in_use(&error) => {
                thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
    fs::rename(from, to)
}

fn state_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).share_mode(SHARE_READ_AND_WRITE);
    options
}
