//! The system calls that `linux-keyutils` lacks, or makes in a way that won't do here.
//!
//! - It has no `KEYCTL_MOVE`.
//! - It searches a keyring by its serial number. Only under its special number does the kernel treat the
//!   caller as the keyring's possessor, and finds keys that give permissions to possessors alone.
//! - Its `Metadata` and `get_links` panic at descriptions of some 500 bytes, cut them at a semicolon,
//!   and read beyond the buffer when a keyring has many links (version 0.2.5).

#![expect(unsafe_code, reason = "system calls")]

use std::ffi::{CStr, CString};

use linux_keyutils::{Key, KeyError, KeyRingIdentifier, KeySerialId};

/// `KEYCTL_DESCRIBE`, `KEYCTL_SEARCH`, `KEYCTL_MOVE` and `KEYCTL_CAPABILITIES` of `linux/keyctl.h`.
const DESCRIBE: libc::c_ulong = 6;
const SEARCH: libc::c_ulong = 10;
const MOVE: libc::c_ulong = 30;
const CAPABILITIES: libc::c_ulong = 31;
/// `KEYCTL_MOVE_EXCL`: fail with `EEXIST` rather than displace a key.
const MOVE_EXCL: libc::c_ulong = 1;
/// `KEYCTL_CAPS0_MOVE`.
const CAPS0_MOVE: u8 = 0x80;
/// `MEMBARRIER_CMD_GLOBAL` of `membarrier(2)`.
const MEMBARRIER_GLOBAL: libc::c_int = 1;

/// Finds a `user` key by its description, in a keyring and in the keyrings that it links.
pub(crate) fn search(keyring: KeyRingIdentifier, description: &str) -> Result<Key, KeyError> {
    let description = CString::new(description).or(Err(KeyError::InvalidDescription))?;
    let kind: &CStr = c"user";
    let arguments =
        [keyring_number(keyring), address(kind.as_ptr()), address(description.as_ptr()), 0];
    // SAFETY: both strings are NUL-terminated and outlive the call, which only reads them.
    let id = unsafe { keyctl(SEARCH, arguments) }?;
    Ok(Key::from_id(number(id)))
}

/// Moves a key's link to another keyring. Fails with `EEXIST` if that keyring links a key of this description
/// already.
pub(crate) fn move_exclusively(
    key: Key,
    from: KeyRingIdentifier,
    to: KeyRingIdentifier,
) -> Result<(), KeyError> {
    let arguments = [key_number(key), keyring_number(from), keyring_number(to), MOVE_EXCL];
    // SAFETY: the arguments are numbers.
    unsafe { keyctl(MOVE, arguments) }.map(drop)
}

/// Returns the result of `KEYCTL_DESCRIBE` for a key, without the final NUL: `TYPE;UID;GID;PERM;DESCRIPTION`.
pub(crate) fn describe(key: Key) -> Result<Vec<u8>, KeyError> {
    // Most results fit at once; for a longer result, the kernel returns the length that it needs.
    let mut buffer = vec![0u8; 256];
    loop {
        let arguments = [key_number(key), address(buffer.as_mut_ptr()), size(buffer.len()), 0];
        // SAFETY: the kernel writes at most `buffer.len()` bytes, into memory that is ours.
        let len = length(unsafe { keyctl(DESCRIBE, arguments) }?);
        if len <= buffer.len() {
            buffer.truncate(len.saturating_sub(1));
            return Ok(buffer);
        }
        buffer.resize(len, 0);
    }
}

/// Returns whether the kernel can move keys. Linux before 5.3 has neither that call nor this query.
pub(crate) fn can_move() -> Result<bool, KeyError> {
    let mut flags = [0u8; 1];
    let arguments = [address(flags.as_mut_ptr()), size(flags.len()), 0, 0];
    // SAFETY: the kernel writes at most `flags.len()` bytes, into memory that is ours.
    match unsafe { keyctl(CAPABILITIES, arguments) } {
        Ok(_) => Ok(flags[0] & CAPS0_MOVE != 0),
        Err(KeyError::OperationNotSupported) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Checks that keys may be added: containers often allow `keyctl` and forbid `add_key`.
///
/// Adds nothing: without a key type the kernel stops with `EFAULT`.
pub(crate) fn can_add() -> Result<(), KeyError> {
    let nothing: libc::c_ulong = 0;
    // SAFETY: null pointers are refused, and the other arguments are numbers.
    unsafe { libc::syscall(libc::SYS_add_key, nothing, nothing, nothing, nothing, nothing) };
    match KeyError::from_errno() {
        KeyError::BadAddress => Ok(()),
        error => Err(error),
    }
}

/// Waits until the kernel has released keys that were unlinked before. Does nothing if the call is not
/// available.
pub(crate) fn wait_for_grace_period() {
    // The call lasts for an RCU grace period, as the kernel's release of keys does.
    let no_flags: libc::c_int = 0;
    // SAFETY: the arguments are numbers; this command changes nothing.
    unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_GLOBAL, no_flags, no_flags) };
}

/// Returns the real user id, by which the kernel picks the user keyring.
pub(crate) fn user_id() -> u32 {
    // SAFETY: it takes nothing and can't fail.
    unsafe { libc::getuid() }
}

/// # Safety
///
/// If the operation takes an address, the argument must be an address that it may use.
unsafe fn keyctl(
    operation: libc::c_ulong,
    arguments: [libc::c_ulong; 4],
) -> Result<libc::c_long, KeyError> {
    let [a, b, c, d] = arguments;
    // SAFETY: the caller vouches for the arguments.
    let result = unsafe { libc::syscall(libc::SYS_keyctl, operation, a, b, c, d) };
    if result < 0 {
        return Err(KeyError::from_errno());
    }
    Ok(result)
}

/// Special keyrings have negative numbers; the kernel reads the low 32 bits of them.
fn keyring_number(keyring: KeyRingIdentifier) -> libc::c_ulong {
    keyring as libc::c_ulong
}

fn key_number(key: Key) -> libc::c_ulong {
    key.get_id().as_raw_id() as libc::c_ulong
}

fn address<T>(pointer: *const T) -> libc::c_ulong {
    pointer as libc::c_ulong
}

fn size(len: usize) -> libc::c_ulong {
    len as libc::c_ulong
}

fn number(result: libc::c_long) -> KeySerialId {
    // The kernel's key numbers are positive `int`s.
    KeySerialId::new(result as i32)
}

fn length(result: libc::c_long) -> usize {
    // Negative results are errors and were sorted out before.
    result as usize
}
