//! The calls of Windows: generic credentials by target name, and the errors as Windows reports them.
//!
//! Strings that are passed to Windows hold no NUL: names don't, and neither do strings made of them. Several
//! credentials that are returned at once lie next to each other, under Wine without alignment.

#![expect(unsafe_code, reason = "system calls")]

use std::ptr::{self, NonNull};
use std::{io, slice};

use strongroom_core::{SecretBytes, secret_copy};
use windows_sys::Win32::Foundation::FILETIME;
use windows_sys::Win32::Security::Credentials::{
    CRED_MAX_CREDENTIAL_BLOB_SIZE, CRED_PERSIST, CRED_PERSIST_ENTERPRISE,
    CRED_PERSIST_LOCAL_MACHINE, CRED_PERSIST_NONE, CRED_PERSIST_SESSION, CRED_TYPE_GENERIC,
    CRED_TYPE_MAXIMUM, CREDENTIALW, CredDeleteW, CredEnumerateW, CredFree, CredGetSessionTypes,
    CredReadW, CredWriteW,
};
use zeroize::Zeroize;

use crate::Persist;
use crate::error::{is_missing, too_large};

/// The largest value in bytes.
pub(crate) const MAX_BLOB_BYTES: usize = CRED_MAX_CREDENTIAL_BLOB_SIZE as usize;

/// A credential that was read. Text that is not Unicode is `None`.
pub(crate) struct Credential {
    pub(crate) target: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) blob: SecretBytes,
}

/// A credential to write.
pub(crate) struct NewCredential<'a> {
    pub(crate) target: &'a str,
    pub(crate) user: &'a str,
    pub(crate) comment: &'a str,
    pub(crate) blob: &'a [u8],
    pub(crate) persist: Persist,
}

/// Reads a credential; `None` if it does not exist.
pub(crate) fn read(target: &str) -> io::Result<Option<Credential>> {
    let target = wide(target);
    let mut found = ptr::null_mut();
    // SAFETY: the target ends with a NUL and outlives the call, which writes one pointer.
    let result = unsafe { CredReadW(target.as_ptr(), CRED_TYPE_GENERIC, 0, &mut found) };
    let Some(()) = check_exists(result)? else {
        return Ok(None);
    };
    let found = ReadCredential(found);
    // SAFETY: the call succeeded, so this is a credential that Windows made; it is not freed yet.
    Ok(Some(unsafe { Credential::copy(found.0) }))
}

/// Writes a credential, in place of any credential of the same target.
pub(crate) fn write(new: &NewCredential<'_>) -> io::Result<()> {
    let size = u32::try_from(new.blob.len()).ok();
    let size = size.filter(|size| *size <= CRED_MAX_CREDENTIAL_BLOB_SIZE).ok_or_else(too_large)?;
    let (mut target, mut user, mut comment) = (wide(new.target), wide(new.user), wide(new.comment));
    let credential = CREDENTIALW {
        Flags: 0,
        Type: CRED_TYPE_GENERIC,
        TargetName: target.as_mut_ptr(),
        Comment: comment.as_mut_ptr(),
        LastWritten: FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 },
        CredentialBlobSize: size,
        CredentialBlob: new.blob.as_ptr().cast_mut(),
        Persist: lifetime(new.persist),
        AttributeCount: 0,
        Attributes: ptr::null_mut(),
        TargetAlias: ptr::null_mut(),
        UserName: user.as_mut_ptr(),
    };
    // SAFETY: the strings end with a NUL, the blob has the size that is told, all of them outlive the
    // call, and it only reads them.
    check(unsafe { CredWriteW(&credential, 0) })
}

/// Deletes a credential and returns whether it existed.
pub(crate) fn delete(target: &str) -> io::Result<bool> {
    let target = wide(target);
    // SAFETY: the target ends with a NUL and outlives the call, which only reads it.
    let result = unsafe { CredDeleteW(target.as_ptr(), CRED_TYPE_GENERIC, 0) };
    check_exists(result).map(|existing| existing.is_some())
}

/// Returns the targets of all generic credentials whose target starts with `beginning`.
pub(crate) fn targets(beginning: &str) -> io::Result<Vec<String>> {
    let filter = wide(&format!("{beginning}*"));
    let (mut count, mut first) = (0, ptr::null_mut());
    // SAFETY: the filter ends with a NUL and outlives the call, which writes a number and a pointer.
    let result = unsafe { CredEnumerateW(filter.as_ptr(), 0, &mut count, &mut first) };
    let Some(()) = check_exists(result)? else {
        return Ok(Vec::new());
    };
    let list = CredentialList { first, count };
    let targets = list.credentials().iter().filter_map(|&credential| {
        // SAFETY: the call succeeded, so each points to a credential that Windows made, whose target
        // is text that ends with a NUL; they are not freed yet.
        unsafe {
            let credential = credential.read_unaligned();
            (credential.Type == CRED_TYPE_GENERIC).then(|| text(credential.TargetName)).flatten()
        }
    });
    Ok(targets.collect())
}

/// Returns whether this logon session can keep generic credentials for this lifetime. Changes nothing.
pub(crate) fn can_keep(wanted: Persist) -> io::Result<bool> {
    // An element for each type of credential.
    let mut longest = [CRED_PERSIST_NONE; CRED_TYPE_MAXIMUM as usize];
    // SAFETY: the call writes as many numbers as it is told, into memory that is ours.
    check(unsafe { CredGetSessionTypes(CRED_TYPE_MAXIMUM, longest.as_mut_ptr()) })?;
    // Credentials that should roam are kept on this computer if roaming is off.
    let needed = lifetime(wanted).min(CRED_PERSIST_LOCAL_MACHINE);
    Ok(longest[CRED_TYPE_GENERIC as usize] >= needed)
}

impl Credential {
    /// # Safety
    ///
    /// The credential must be one that Windows made and that is not freed yet.
    unsafe fn copy(credential: *const CREDENTIALW) -> Self {
        // SAFETY: the caller vouches for the credential. Its strings end with a NUL, and its blob is
        // there as long as itself.
        unsafe {
            let credential = credential.read_unaligned();
            Self {
                target: text(credential.TargetName),
                user: text(credential.UserName),
                comment: text(credential.Comment),
                blob: secret_copy(blob(&credential).map_or(&[], |blob| blob.as_ref())),
            }
        }
    }
}

/// A credential of `CredReadW`: wiped and freed when dropped.
struct ReadCredential(*mut CREDENTIALW);

impl Drop for ReadCredential {
    fn drop(&mut self) {
        // SAFETY: it came from a call that succeeded, and nothing else points to it any more.
        unsafe {
            wipe(self.0);
            CredFree(self.0.cast());
        }
    }
}

/// The credentials of `CredEnumerateW`: wiped and freed when dropped.
struct CredentialList {
    first: *mut *mut CREDENTIALW,
    count: u32,
}

impl CredentialList {
    fn credentials(&self) -> &[*mut CREDENTIALW] {
        // SAFETY: the call that made it succeeded, and told how many there are; where there are none,
        // it fails.
        unsafe { slice::from_raw_parts(self.first, self.count as usize) }
    }
}

impl Drop for CredentialList {
    fn drop(&mut self) {
        for &credential in self.credentials() {
            // SAFETY: it came from a call that succeeded, and nothing else points to it any more.
            unsafe { wipe(credential) };
        }
        // SAFETY: one call made all of them, and one frees them.
        unsafe { CredFree(self.first.cast()) };
    }
}

/// # Safety
///
/// The credential must be one that Windows made and that is not freed yet, and nothing else point to
/// its blob.
unsafe fn wipe(credential: *const CREDENTIALW) {
    // SAFETY: the caller vouches for the credential, and so for its blob.
    unsafe {
        if let Some(mut blob) = blob(&credential.read_unaligned()) {
            blob.as_mut().zeroize();
        }
    }
}

fn blob(credential: &CREDENTIALW) -> Option<NonNull<[u8]>> {
    let start = NonNull::new(credential.CredentialBlob)?;
    Some(NonNull::slice_from_raw_parts(start, credential.CredentialBlobSize as usize))
}

/// Returns text that ends with a NUL; empty for a null pointer, `None` if it is not Unicode.
///
/// # Safety
///
/// The pointer must be null or point to text that ends with a NUL.
unsafe fn text(start: *const u16) -> Option<String> {
    if start.is_null() {
        return Some(String::new());
    }
    let mut units = Vec::new();
    loop {
        // SAFETY: the caller vouches for a NUL, and nothing behind it is read.
        match unsafe { start.add(units.len()).read_unaligned() } {
            0 => return String::from_utf16(&units).ok(),
            unit => units.push(unit),
        }
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

const fn lifetime(persist: Persist) -> CRED_PERSIST {
    match persist {
        Persist::LocalMachine => CRED_PERSIST_LOCAL_MACHINE,
        Persist::Enterprise => CRED_PERSIST_ENTERPRISE,
        Persist::Session => CRED_PERSIST_SESSION,
    }
}

/// Returns the outcome of a call, right after it: zero is an error, whose code the thread keeps.
fn check(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Returns the outcome of a call as `check` does; `None` if the credential does not exist.
fn check_exists(result: i32) -> io::Result<Option<()>> {
    match check(result) {
        Err(cause) if is_missing(&cause) => Ok(None),
        outcome => outcome.map(Some),
    }
}
