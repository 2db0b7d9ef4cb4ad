//! Owners, permissions and links on Unix.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};

use crate::open::read_open;
use crate::refusal::check_regular;
use crate::{Refusal, Source, Stamp};

/// The largest allowed permissions of a private file.
const PRIVATE_FILE: u32 = 0o600;

/// The permission bits of the group and of all other users.
const OTHERS: u32 = 0o077;

/// The permission bits that let the group and all other users write.
pub(crate) const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The largest `/etc/passwd` that is read, in bytes.
const LARGEST_USER_TABLE: u64 = 1 << 20;

pub(crate) fn open(path: &Path, source: Source) -> io::Result<File> {
    match source {
        Source::Own => {
            let file = open_flags(path, OFlags::RDONLY | OFlags::NOFOLLOW)?;
            check_state(&file.metadata()?)?;
            Ok(file)
        }
        Source::Private => {
            // The kernel makes the links of descriptors, not a user.
            if !is_descriptor(path) {
                check_links(path)?;
            }
            let file = open_regular(path)?;
            check_permissions(&file.metadata()?, OTHERS)?;
            Ok(file)
        }
        Source::Given if is_descriptor(path) => open_descriptor(path),
        Source::Given if path == Path::new("/dev/null") => open_flags(path, OFlags::RDONLY),
        Source::Given | Source::System => open_regular(path),
        Source::Neighbour => {
            // Checked before and after opening: opening a device can have effects, and the path may change in between.
            check_regular(&path.symlink_metadata()?)?;
            let file = open_flags(path, OFlags::RDONLY | OFlags::NOFOLLOW)?;
            check_regular(&file.metadata()?)?;
            Ok(file)
        }
    }
}

/// Opens a state file for reading and writing that stays open, such as a lock file. Its directory must have been created by
/// [`create_private_dir`](crate::create_private_dir).
///
/// # Errors
///
/// A [`Refusal`] if it is not a regular file of the effective user with a single name, or if other users can write it;
/// otherwise the operating system's error.
pub fn open_state(path: &Path, create: bool) -> io::Result<File> {
    let create = if create { OFlags::CREATE } else { OFlags::empty() };
    let file = open_flags(path, OFlags::RDWR | OFlags::NOFOLLOW | create)
        .map_err(|error| explain_denial(path, error))?;
    check_state(&file.metadata()?)?;
    Ok(file)
}

/// Checks a private file without opening it: closing it would drop the locks that another library holds on it in this process
/// (`fcntl(2)`).
///
/// # Errors
///
/// A [`Refusal`] if it is not a regular file of the effective user, or has permissions for other users; otherwise the operating
/// system's error.
pub fn check_own(path: &Path) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    check_regular(&metadata)?;
    check_permissions(&metadata, OTHERS)
}

/// Reads from the start of an open file.
///
/// # Errors
///
/// Returns the operating system's error.
pub fn read_at(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    file.read_at(buffer, 0)
}

/// Writes all bytes at the start of an open file.
///
/// # Errors
///
/// Returns the operating system's error.
pub fn write_at(file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, 0)
}

/// Syncs a directory to disk, so that new, renamed and deleted names in it survive a power failure.
///
/// # Errors
///
/// Returns the operating system's error.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    open_flags(path, OFlags::RDONLY | OFlags::DIRECTORY)?.sync_all()
}

/// Returns whether a file could not be moved or deleted because a program has it open. Never the case on Unix.
pub const fn is_in_use(_: &io::Error) -> bool {
    false
}

/// Checks that no open handle prevents moving or deleting the file. Always succeeds on Unix.
///
/// # Errors
///
/// None.
pub const fn check_free(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns the name and id of a user for messages: `anna (uid 1000)`. Users of a directory service have only the id.
pub fn user_name(user: u32) -> String {
    match login_name(user) {
        Some(name) => format!("{name} (uid {user})"),
        None => format!("uid {user}"),
    }
}

/// Returns the name of a user in `/etc/passwd` (`passwd(5)`), if it can be used in a shell command without quotes.
pub fn login_name(user: u32) -> Option<String> {
    let table = open_regular(Path::new("/etc/passwd"))
        .and_then(|table| read_open(&table, LARGEST_USER_TABLE))
        .ok()?;
    find_name(&String::from_utf8_lossy(&table), user)
}

fn find_name(table: &str, user: u32) -> Option<String> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(user) && needs_no_quotes(name)).then(|| name.to_owned())
    })
}

/// Returns whether a shell takes a user name as a single word that is not an option.
fn needs_no_quotes(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// Creates a file that only the user can read. It is moved while it is open.
pub(crate) fn create_to_move(path: &Path) -> io::Result<File> {
    open_flags(path, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW)
}

/// Opens the possible leftover of a killed process.
pub(crate) fn open_leftover(path: &Path) -> io::Result<File> {
    let file = open_flags(path, OFlags::RDONLY | OFlags::NOFOLLOW)?;
    check_regular(&file.metadata()?).map(|()| file)
}

/// Creates a file that gets its name only after its content is synced to disk, so that a killed process leaves no leftover.
/// Returns false if the file system has no unnamed files.
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
        // The errors of file systems and kernels without support for the flag.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    (&file).write_all(bytes)?;
    file.sync_all()?;
    // As open(2) documents for `O_TMPFILE`. The other way, `AT_EMPTY_PATH`, needs a capability.
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(CWD, unnamed.as_str(), CWD, path, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(true),
        // `/proc` is not mounted, or the file system has no links.
        Err(Errno::NOENT | Errno::PERM | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Returns false: the platform has no unnamed files.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn create_unnamed(_: &Path, _: &[u8]) -> io::Result<bool> {
    Ok(false)
}

/// Lets every user read a file.
pub(crate) fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

/// Copies the owner, the group and the permissions of another file.
pub(crate) fn copy_access(file: &File, of: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::fchown;
    let new = file.metadata()?;
    // Before the permissions: the kernel clears the set-user-ID bits when the owner changes.
    if (new.uid(), new.gid()) != (of.uid(), of.gid()) {
        fchown(file, Some(of.uid()), Some(of.gid()))?;
    }
    // File systems of other platforms have the same mode for all files, and may refuse a change.
    if file.metadata()?.mode() == of.mode() {
        return Ok(());
    }
    file.set_permissions(of.permissions())
}

pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Checks that a directory belongs to the effective user and has none of the forbidden permissions.
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

/// Checks that each symbolic link in the chain from the path to its target belongs to the effective user or to root. Links among
/// the parent directories and the target itself are not checked.
pub(crate) fn check_links(path: &Path) -> io::Result<()> {
    /// The number of links that Linux follows in a path: `MAXSYMLINKS`.
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

/// Returns whether the path still names this open file.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (Stamp::of_file(file), Stamp::at(path)) {
        (Ok(file), Ok(there)) => file.is_same_file(&there),
        _ => false,
    }
}

fn open_flags(path: &Path, flags: OFlags) -> io::Result<File> {
    // `NONBLOCK`: opening a pipe without a writer does not block. `NOCTTY`: a terminal does not become the controlling terminal.
    let flags = flags | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(CWD, path, flags, mode) {
        Ok(file) => Ok(File::from(file)),
        // `LOOP`, or `MLINK` on FreeBSD: `O_NOFOLLOW` on a symbolic link. `NXIO`: opening a socket.
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

/// Opens a regular file. The type is checked before opening, because opening a device can have effects, and again after, because
/// the path may change in between.
fn open_regular(path: &Path) -> io::Result<File> {
    check_regular(&fs::metadata(path)?)?;
    let file = open_flags(path, OFlags::RDONLY)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Returns whether a path names a descriptor of this process.
fn is_descriptor(path: &Path) -> bool {
    let of_process = ["/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"];
    path == Path::new("/dev/stdin")
        || path.parent().is_some_and(|parent| of_process.iter().any(|it| parent == Path::new(it)))
}

/// Opens a file or a pipe by its descriptor path. Reads from the pipe wait for its writer.
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

/// Replaces `PermissionDenied` by the refusal that names the owner, if the file belongs to another user.
fn explain_denial(path: &Path, error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::PermissionDenied || Refusal::of(&error).is_some() {
        return error;
    }
    path.symlink_metadata().and_then(|found| check_owner(&found)).err().unwrap_or(error)
}

fn check_state(metadata: &Metadata) -> io::Result<()> {
    check_regular(metadata)?;
    // State files hold no secrets, and in a restored home directory they may be readable by other users.
    check_permissions(metadata, WRITABLE_BY_OTHERS)?;
    // Not `!= 1`: a file that was deleted since it was opened has no name.
    if metadata.nlink() > 1 {
        return Err(Refusal::Names(metadata.nlink()).into());
    }
    Ok(())
}

/// Checks that a file belongs to the effective user and has none of the forbidden permissions.
fn check_permissions(metadata: &Metadata, forbidden: u32) -> io::Result<()> {
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
        assert_eq!(find_name(passwd, 1001).as_deref(), Some("vic"));
        assert_eq!(find_name(passwd, 0).as_deref(), Some("root"));
        for unnamed in [7, 8, 1] {
            assert_eq!(find_name(passwd, unnamed), None);
        }
    }
}
