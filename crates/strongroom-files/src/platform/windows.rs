//! File access on Windows, where a file inherits the access list of its directory.
//!
//! Setting or reading an access list takes `unsafe` calls, which only the platform stores may make. The privacy of a
//! directory outside the user's profile is therefore not checked.

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

/// The number of attempts to replace a file that is in use.
const TRIES: u32 = 50;

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// No permission bits are checked.
pub(crate) const WRITABLE_BY_OTHERS: u32 = 0;

pub(crate) fn open(path: &Path, source: Source) -> io::Result<File> {
    let metadata = match source {
        Source::Own | Source::Neighbour => path.symlink_metadata()?,
        Source::Private | Source::Given | Source::System => fs::metadata(path)?,
    };
    check_regular(&metadata)?;
    let file = File::open(path)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Opens a state file for reading and writing that stays open. It can't be deleted while it is open.
///
/// # Errors
///
/// A [`Refusal`](crate::Refusal) if it is not a regular file; otherwise the operating system's error.
pub fn open_state(path: &Path, create: bool) -> io::Result<File> {
    if let Ok(there) = path.symlink_metadata() {
        check_regular(&there)?;
    }
    state_options().create(create).truncate(false).open(path)
}

/// Checks that a private file is a regular file.
///
/// # Errors
///
/// A [`Refusal`](crate::Refusal); otherwise the operating system's error.
pub fn check_own(path: &Path) -> io::Result<()> {
    check_regular(&path.symlink_metadata()?)
}

/// Reads from the start of an open file.
///
/// # Errors
///
/// Returns the operating system's error.
pub fn read_at(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    file.seek_read(buffer, 0)
}

/// Writes all bytes at the start of an open file.
///
/// # Errors
///
/// Returns the operating system's error.
pub fn write_at(file: &File, bytes: &[u8]) -> io::Result<()> {
    match file.seek_write(bytes, 0)? {
        written if written == bytes.len() => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}

/// Does nothing: NTFS journals changes of names.
///
/// # Errors
///
/// None.
pub fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns whether a file could not be moved or deleted because a program has it open.
pub fn is_in_use(error: &io::Error) -> bool {
    error.raw_os_error() == Some(SHARING_VIOLATION)
}

/// Checks that no open handle, also of this process, prevents moving or deleting the file.
///
/// # Errors
///
/// Returns the operating system's error, which [`is_in_use`] recognises.
pub fn check_free(path: &Path) -> io::Result<()> {
    match OpenOptions::new().access_mode(DELETE).open(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns `None`: users have no numeric ids on Windows.
pub fn login_name(_: u32) -> Option<String> {
    None
}

/// Returns the id of a user for messages.
pub fn user_name(user: u32) -> String {
    format!("user {user}")
}

/// Creates a file that is moved while it is open.
pub(crate) fn create_to_move(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// Opens the possible leftover of a killed process.
pub(crate) fn open_leftover(path: &Path) -> io::Result<File> {
    open(path, Source::Own)
}

/// Returns false: Windows has no unnamed files.
pub(crate) fn create_unnamed(_: &Path, _: &[u8]) -> io::Result<bool> {
    Ok(false)
}

/// Does nothing: the access list of the directory applies.
pub(crate) fn make_readable(_: &File) -> io::Result<()> {
    Ok(())
}

/// Copies the attributes of another file.
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

/// Checks that the path exists. The owner of a link is not checked.
pub(crate) fn check_links(path: &Path) -> io::Result<()> {
    path.symlink_metadata().map(drop)
}

/// Returns whether the path exists: it still names this file, because an open file can't be replaced.
pub(crate) fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Moves a file over another file. Retries while another process, such as a virus scanner, has the file open and the system
/// refuses the move.
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
    // Without `FILE_SHARE_DELETE`, so that the path keeps naming the open file: `Stamp` and `is_at` rely on it.
    let mut options = OpenOptions::new();
    options.read(true).write(true).share_mode(SHARE_READ_AND_WRITE);
    options
}
