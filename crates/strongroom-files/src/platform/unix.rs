//! Owners, permissions and links on Unix.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};

use crate::open::read_open;
use crate::refusal::check_regular;
use crate::{Refusal, Source, Stamp};

/// The permissions of a file of this program's own.
const PRIVATE_FILE: u32 = 0o600;

/// Bits that let other users in.
const OTHERS: u32 = 0o077;

/// Bits that let other users write.
pub(crate) const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The most that is read of `/etc/passwd`, in bytes.
const LARGEST_USER_TABLE: u64 = 1 << 20;

pub(crate) fn open(path: &Path, source: Source) -> io::Result<File> {
    match source {
        Source::Own => {
            let file = open_flags(path, OFlags::RDONLY | OFlags::NOFOLLOW)?;
            check_state(&file.metadata()?)?;
            Ok(file)
        }
        Source::Private => {
            // The system made the links of descriptors.
            if !is_descriptor(path) {
                check_links(path)?;
            }
            let file = open_regular(path)?;
            check_closed(&file.metadata()?, OTHERS)?;
            Ok(file)
        }
        Source::Given if is_descriptor(path) => open_descriptor(path),
        Source::Given if path == Path::new("/dev/null") => open_flags(path, OFlags::RDONLY),
        Source::Given | Source::System => open_regular(path),
        Source::Found => {
            check_regular(&path.symlink_metadata()?)?;
            let file = open_flags(path, OFlags::RDONLY | OFlags::NOFOLLOW)?;
            check_regular(&file.metadata()?)?;
            Ok(file)
        }
    }
}

/// Opens a file of this program's own that stays open, to read and write it: a lock for instance. Its directory must
/// have been made by [`create_private_dir`](crate::create_private_dir).
///
/// # Errors
///
/// A [`Refusal`] if it is not a regular file of the effective user, with one name, that no other user may write; the
/// system's own.
pub fn open_state(path: &Path, create: bool) -> io::Result<File> {
    let create = if create { OFlags::CREATE } else { OFlags::empty() };
    let file = open_flags(path, OFlags::RDWR | OFlags::NOFOLLOW | create)
        .map_err(|error| told_by_owner(path, error))?;
    check_state(&file.metadata()?)?;
    Ok(file)
}

/// Checks a file of this program's own without opening it: closing it would drop the locks of another library
/// (`fcntl(2)`).
///
/// # Errors
///
/// A [`Refusal`] if it is not a regular file of the effective user, closed to other users; the system's own.
pub fn check_own(path: &Path) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    check_regular(&metadata)?;
    check_closed(&metadata, OTHERS)
}

/// Reads from the start of a file that stays open.
///
/// # Errors
///
/// The system's own.
pub fn read_at(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    file.read_at(buffer, 0)
}

/// Writes all of it at the start of a file that stays open.
///
/// # Errors
///
/// The system's own.
pub fn write_at(file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, 0)
}

/// Makes a change of the names in a directory last.
///
/// # Errors
///
/// The system's own.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    open_flags(path, OFlags::RDONLY | OFlags::DIRECTORY)?.sync_all()
}

/// Whether a file could not be moved or deleted because a program has it open, which is no obstacle here.
pub const fn is_in_use(_: &io::Error) -> bool {
    false
}

/// Checks that no program keeps the file where it is by having it open. None can.
///
/// # Errors
///
/// None.
pub const fn check_free(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns a user's name and number, for messages: `anna (uid 1000)`. Users of a directory service have the number alone.
pub fn user_name(user: u32) -> String {
    match login_name(user) {
        Some(name) => format!("{name} (uid {user})"),
        None => format!("uid {user}"),
    }
}

/// Returns the name of a user by `passwd(5)`, if it can be typed in a command.
pub fn login_name(user: u32) -> Option<String> {
    let table = open_regular(Path::new("/etc/passwd"))
        .and_then(|table| read_open(&table, LARGEST_USER_TABLE))
        .ok()?;
    name_in(&String::from_utf8_lossy(&table), user)
}

fn name_in(table: &str, user: u32) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        let can_be_typed = !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain);
        (number.parse() == Ok(user) && can_be_typed).then(|| name.to_owned())
    })
}

/// Creates a new file for the user alone, which is moved while it is open.
pub(crate) fn create_to_move(path: &Path) -> io::Result<File> {
    open_flags(path, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW)
}

/// Opens what may be a file in the making of a killed process.
pub(crate) fn open_to_take_away(path: &Path) -> io::Result<File> {
    let file = open_flags(path, OFlags::RDONLY | OFlags::NOFOLLOW)?;
    check_regular(&file.metadata()?).map(|()| file)
}

/// Writes a new file that gets its name when it is on the disk: a killed process leaves nothing. False if this file system
/// has no files without a name.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn create_unnamed(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;

    use rustix::fs::{AtFlags, linkat};
    use rustix::io::Errno;

    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let file = match rustix::fs::openat(CWD, directory.unwrap_or(Path::new(".")), flags, mode) {
        Ok(file) => File::from(file),
        // What file systems and kernels say that don't know the flag.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    (&file).write_all(bytes)?;
    file.sync_all()?;
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(CWD, unnamed.as_str(), CWD, path, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(true),
        // Without `/proc`, or where files can't be linked.
        Err(Errno::NOENT | Errno::PERM | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Does nothing: files get their names when they are created.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn create_unnamed(_: &Path, _: &[u8]) -> io::Result<bool> {
    Ok(false)
}

/// Lets every user read a file.
pub(crate) fn let_all_read(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

/// Gives a file the owner, the group and the permissions of another one.
pub(crate) fn copy_access(file: &File, of: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::fchown;
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (of.uid(), of.gid()) {
        fchown(file, Some(of.uid()), Some(of.gid()))?;
    }
    // Some file systems of other platforms refuse a change, and have one mode for all files.
    if file.metadata()?.mode() == of.mode() {
        return Ok(());
    }
    file.set_permissions(of.permissions())
}

pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Checks that a directory belongs to the effective user, with at most these permissions.
pub(crate) fn check_dir(metadata: &Metadata, forbidden: u32) -> io::Result<()> {
    check_owner(metadata)?;
    if !metadata.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mode = metadata.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(Refusal::Mode { mode, allowed: 0o700 }.into());
    }
    Ok(())
}

/// Checks that a directory belongs to the effective user or to root.
pub(crate) fn check_trusted_owner(metadata: &Metadata) -> io::Result<()> {
    if metadata.uid() == 0 { Ok(()) } else { check_owner(metadata) }
}

/// Checks that each link on the way to a file was made by the effective user or by root. The file that is opened then
/// is checked by itself.
pub(crate) fn check_links(path: &Path) -> io::Result<()> {
    /// The number of links that Linux follows in a path.
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let metadata = path.symlink_metadata()?;
        if !metadata.is_symlink() {
            return Ok(());
        }
        if check_trusted_owner(&metadata).is_err() {
            return Err(Refusal::Link.into());
        }
        path = path.parent().map_or_else(PathBuf::new, Path::to_owned).join(fs::read_link(&path)?);
    }
    Err(Refusal::Link.into())
}

pub(crate) use fs::rename as rename_over;

/// Whether it is this file that has the name.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (Stamp::of_file(file), Stamp::at(path)) {
        (Ok(file), Ok(there)) => file.is_same_file(&there),
        _ => false,
    }
}

fn open_flags(path: &Path, flags: OFlags) -> io::Result<File> {
    // A pipe without a writer answers at once, and a terminal does not become this process's own.
    let flags = flags | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(CWD, path, flags, mode) {
        Ok(file) => Ok(File::from(file)),
        // What `O_NOFOLLOW` says of a link, and a socket of everything.
        Err(error) => Err(match error {
            rustix::io::Errno::LOOP | rustix::io::Errno::MLINK
                if flags.contains(OFlags::NOFOLLOW) =>
            {
                Refusal::Link.into()
            }
            rustix::io::Errno::NXIO => Refusal::Special.into(),
            rustix::io::Errno::ISDIR => Refusal::Directory.into(),
            error => error.into(),
        }),
    }
}

/// Opens a regular file. It is looked at before, since opening a device can have effects.
fn open_regular(path: &Path) -> io::Result<File> {
    check_regular(&fs::metadata(path)?)?;
    let file = open_flags(path, OFlags::RDONLY)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Whether a path names a descriptor of this process.
fn is_descriptor(path: &Path) -> bool {
    let of_process = ["/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"];
    path == Path::new("/dev/stdin")
        || path.parent().is_some_and(|parent| of_process.iter().any(|it| parent == Path::new(it)))
}

/// Opens a file or a pipe by the number that this process has it under. Its writer may be waited for.
fn open_descriptor(path: &Path) -> io::Result<File> {
    let metadata = fs::metadata(path)?;
    if !metadata.file_type().is_fifo() {
        check_regular(&metadata)?;
    }
    let file = open_flags(path, OFlags::RDONLY)?;
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags.difference(OFlags::NONBLOCK))?;
    Ok(file)
}

/// Says whose a file is, where that is why it can't be opened.
fn told_by_owner(path: &Path, error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::PermissionDenied || Refusal::of(&error).is_some() {
        return error;
    }
    path.symlink_metadata().and_then(|found| check_owner(&found)).err().unwrap_or(error)
}

fn check_state(metadata: &Metadata) -> io::Result<()> {
    check_regular(metadata)?;
    // Nothing in it is secret, and a restored home may let others read it.
    check_closed(metadata, WRITABLE_BY_OTHERS)?;
    // One that was deleted has none.
    if metadata.nlink() > 1 {
        return Err(Refusal::Names(metadata.nlink()).into());
    }
    Ok(())
}

/// Checks that a file belongs to the effective user, and has none of these permissions.
fn check_closed(metadata: &Metadata, forbidden: u32) -> io::Result<()> {
    check_owner(metadata)?;
    let mode = metadata.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(Refusal::Mode { mode, allowed: PRIVATE_FILE }.into());
    }
    Ok(())
}

fn check_owner(metadata: &Metadata) -> io::Result<()> {
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() == user {
        return Ok(());
    }
    Err(Refusal::Owner { owner: metadata.uid(), user }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\nbroken\nvic:x:1001:1001::/home/vic:/bin/sh\n\
                      -f:x:7:7::/:/bin/sh\n$(id):x:8:8::/:/bin/sh\n";
        assert_eq!(name_in(passwd, 1001).as_deref(), Some("vic"));
        assert_eq!(name_in(passwd, 0).as_deref(), Some("root"));
        for unnamed in [7, 8, 1] {
            assert_eq!(name_in(passwd, unnamed), None);
        }
    }
}
