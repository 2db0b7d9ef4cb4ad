//! The calls of Security.framework that `security-framework` lacks, or whose status it does not return.

#![expect(unsafe_code, reason = "calls of Security.framework")]

use core_foundation::base::{CFType, TCFType, ToVoid};
use core_foundation::dictionary::CFDictionary;
use core_foundation::string::CFString;
use security_framework::os::macos::keychain::SecKeychain;
use security_framework_sys::base::{SecKeychainRef, errSecSuccess};
use security_framework_sys::item::kSecAttrAccount;
use security_framework_sys::keychain::SecKeychainSetUserInteractionAllowed;

use crate::status::Status;

/// `kSecUnlockStateStatus` of `SecKeychain.h`.
const UNLOCKED: u32 = 1;
/// `callerSecuritySession` of `AuthSession.h`.
const CALLER: u32 = u32::MAX;
/// `sessionHasGraphicAccess` of `AuthSession.h`.
const GRAPHIC_ACCESS: u32 = 0x0010;

#[link(name = "Security", kind = "framework")]
unsafe extern "C" {
    fn SecKeychainGetStatus(keychain: SecKeychainRef, status: *mut u32) -> i32;
    fn SessionGetInfo(session: u32, id: *mut u32, attributes: *mut u32) -> i32;
}

/// Returns whether a keychain is unlocked. Fails if its file does not exist.
pub(crate) fn is_unlocked(keychain: &SecKeychain) -> Result<bool, Status> {
    let mut bits = 0;
    // SAFETY: the reference is valid as long as `keychain` lives, and the status is written to a number
    // of our own that outlives the call.
    let status = unsafe { SecKeychainGetStatus(keychain.as_concrete_TypeRef(), &raw mut bits) };
    check(status).map(|()| bits & UNLOCKED != 0)
}

/// Turns this process's switch for prompts on or off.
pub(crate) fn allow_prompts(allowed: bool) -> Result<(), Status> {
    // SAFETY: the argument is a number.
    check(unsafe { SecKeychainSetUserInteractionAllowed(allowed.into()) })
}

/// Returns whether the security session of this process can show windows.
pub(crate) fn has_graphic_access() -> bool {
    let (mut id, mut attributes) = (0, 0);
    // SAFETY: both results are written to numbers of our own that outlive the call.
    let status = unsafe { SessionGetInfo(CALLER, &raw mut id, &raw mut attributes) };
    status == errSecSuccess && attributes & GRAPHIC_ACCESS != 0
}

/// Returns the account in an item's attributes; `None` if it is missing or not text.
pub(crate) fn account(attributes: &CFDictionary) -> Option<String> {
    // SAFETY: it is a constant of Security.framework, which is there as long as the process.
    let key = unsafe { kSecAttrAccount };
    let value = attributes.find(key.to_void())?;
    // SAFETY: the values of a dictionary of attributes are Core Foundation objects, and the dictionary
    // keeps this one alive until it is retained here.
    let value = unsafe { CFType::wrap_under_get_rule(*value) };
    value.downcast::<CFString>().map(|account| account.to_string())
}

fn check(status: i32) -> Result<(), Status> {
    if status == errSecSuccess { Ok(()) } else { Err(Status(status)) }
}
