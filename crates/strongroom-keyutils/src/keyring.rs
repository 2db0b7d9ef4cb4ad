//! Keys in the user keyring, by description. Errors are the kernel's own, and entries are not known here.

use std::mem;

use linux_keyutils::{
    Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, KeySerialId, Permission,
};
use zeroize::Zeroizing;

use crate::error::is_gone;
use crate::sys;

/// The largest payload that `KEYCTL_UPDATE` takes, in bytes: the smallest page. The kernel refuses more than
/// a page (`keyctl_update_key` in `security/keys/keyctl.c`); the manual page does not mention the limit.
const UPDATE_MAX_BYTES: usize = 4096;

/// The state of the key that a search found.
#[derive(Debug)]
pub(crate) enum KeyState {
    /// A key that can be used.
    Live(Key),
    /// Only a key that was revoked or invalidated, or has expired. It occupies its description for up to five
    /// minutes (`kernel.keys.gc_delay`).
    Dead,
    /// No key.
    Missing,
}

/// Looks up the user keyring, which the kernel creates on demand.
pub(crate) fn look_up() -> Result<(), KeyError> {
    user_keyring().map(drop)
}

/// Finds a key by its description.
pub(crate) fn find(description: &str) -> Result<KeyState, KeyError> {
    match sys::search(KeyRingIdentifier::User, description) {
        Ok(key) => Ok(KeyState::Live(key)),
        Err(KeyError::KeyDoesNotExist) => Ok(KeyState::Missing),
        Err(error) if is_gone(error) => Ok(KeyState::Dead),
        Err(error) => Err(error),
    }
}

/// Creates a key. Fails with `EEXIST` if a key of this description exists, alive or dead.
///
/// A new key gives its permissions to its possessor, and possession of the user keyring depends on the
/// session. So the key is created in the thread keyring, which is always possessed. Then the user gets its
/// permissions, and it is moved: other processes see it complete or not at all.
pub(crate) fn create(description: &str, payload: &[u8]) -> Result<(), KeyError> {
    retry_with_freed_quota(|| {
        let thread = thread_keyring()?;
        let key = thread.add_key(description, payload)?;
        let permissions = KeyPermissionsBuilder::builder()
            .posessor(Permission::ALL)
            .user(Permission::ALL)
            .build();
        let (from, to) = (KeyRingIdentifier::Thread, KeyRingIdentifier::User);
        let moved = key.set_perms(permissions).and_then(|()| sys::move_exclusively(key, from, to));
        if moved.is_err() {
            // The error of the move is returned. A key that can't be unlinked ends with the thread.
            let _ = thread.unlink_key(key);
        }
        moved
    })
}

/// Replaces a key's payload. On failure the old payload stays.
pub(crate) fn update(key: Key, description: &str, payload: &[u8]) -> Result<(), KeyError> {
    retry_with_freed_quota(|| {
        run_as_possessor(|| match payload.len() {
            ..=UPDATE_MAX_BYTES => key.update(&payload),
            _ => update_by_adding(key, description, payload),
        })
    })
}

/// Reads a key's payload into a vector without spare capacity.
pub(crate) fn read(key: Key) -> Result<Vec<u8>, KeyError> {
    run_as_possessor(|| {
        let mut payload = Zeroizing::new(Vec::new());
        loop {
            // For an empty buffer the kernel copies nothing and returns the payload's length. The length is
            // compared each time, since another process may replace the payload between two reads.
            let len = key.read(&mut *payload)?;
            if len == payload.len() {
                return Ok(mem::take(&mut *payload));
            }
            payload = Zeroizing::new(vec![0u8; len]);
        }
    })
}

/// Unlinks a key from the user keyring and returns whether it was linked.
pub(crate) fn unlink(key: Key) -> Result<bool, KeyError> {
    match user_keyring()?.unlink_key(key) {
        Ok(()) => Ok(true),
        Err(KeyError::MissingFileOrDirectory) => Ok(false),
        Err(error) if is_gone(error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Unlinks all dead keys from the user keyring, as the kernel itself does some minutes later and
/// `keyctl reap` on request. Dead keys don't reveal their description, so a single key can't be picked.
pub(crate) fn reap() -> Result<(), KeyError> {
    for key in links()? {
        if sys::describe(key).is_err_and(is_gone) {
            unlink(key)?;
        }
    }
    Ok(())
}

/// Returns the descriptions of the `user` keys in the user keyring, without dead keys and keys that this
/// process may not view.
pub(crate) fn descriptions() -> Result<Vec<String>, KeyError> {
    let mut descriptions = Vec::new();
    for key in links()? {
        match sys::describe(key) {
            Ok(description) => descriptions.extend(parse_description(&description)),
            Err(KeyError::AccessDenied) => {}
            Err(error) if is_gone(error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(descriptions)
}

/// Replaces a payload of any length by `add_key(2)`, which updates the key of that description in a keyring.
///
/// In the user keyring it would create a new key if the old key went away meanwhile. So the key is linked to
/// the thread keyring and updated there.
fn update_by_adding(key: Key, description: &str, payload: &[u8]) -> Result<(), KeyError> {
    let thread = thread_keyring()?;
    thread.link_key(key)?;
    let updated = thread.add_key(description, payload);
    // A key that can't be unlinked ends with the thread.
    let _ = thread.unlink_key(*updated.as_ref().unwrap_or(&key));
    // A key that died meanwhile was displaced by a new key, which no other thread can see.
    (updated? == key).then_some(()).ok_or(KeyError::KeyRevoked)
}

/// Runs `work`, and once more as the possessor of all keys in the user keyring if access is denied. Another
/// program's key may leave its user without permissions, which is the default of `add_key(2)`.
fn run_as_possessor<T>(work: impl Fn() -> Result<T, KeyError>) -> Result<T, KeyError> {
    match work() {
        Err(KeyError::AccessDenied) => {}
        done => return done,
    }
    let thread = thread_keyring()?;
    thread.link_keyring_id(KeyRingIdentifier::User)?;
    let done = work();
    // Unlinking fails only if the link is gone.
    let _ = thread.unlink_keyring_id(KeyRingIdentifier::User);
    done
}

/// Runs `work`, and again after the kernel has released keys that were deleted before. That takes some 20 ms,
/// and until then deleted keys count towards the quota.
fn retry_with_freed_quota<T>(work: impl Fn() -> Result<T, KeyError>) -> Result<T, KeyError> {
    const GRACE_PERIODS: usize = 5;
    for _ in 0..GRACE_PERIODS {
        match work() {
            Err(KeyError::QuotaExceeded) => sys::wait_for_grace_period(),
            done => return done,
        }
    }
    work()
}

fn user_keyring() -> Result<KeyRing, KeyError> {
    KeyRing::from_special_id(KeyRingIdentifier::User, false)
}

fn thread_keyring() -> Result<KeyRing, KeyError> {
    KeyRing::from_special_id(KeyRingIdentifier::Thread, true)
}

/// Returns all keys and keyrings that the user keyring links.
fn links() -> Result<Vec<Key>, KeyError> {
    let keyring = Key::from_id(KeySerialId::new(KeyRingIdentifier::User as i32));
    let mut buffer = vec![0u8; 4096];
    loop {
        // The length is in bytes. If the buffer is too small, it is the length needed, and nothing was read.
        let len = keyring.read(&mut buffer)?;
        if let Some(numbers) = buffer.get(..len) {
            let (numbers, _) = numbers.as_chunks();
            let keys = numbers.iter().map(|number| i32::from_ne_bytes(*number));
            return Ok(keys.map(|number| Key::from_id(KeySerialId::new(number))).collect());
        }
        buffer = vec![0u8; len];
    }
}

/// Returns the description, the last of the five fields that `KEYCTL_DESCRIBE` returns, if the first field is
/// `user`.
fn parse_description(described: &[u8]) -> Option<String> {
    let mut fields = std::str::from_utf8(described).ok()?.splitn(5, ';');
    (fields.next()? == "user").then_some(())?;
    fields.nth(3).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_keeps_its_semicolons() {
        let described = b"user;1000;1000;3f3f0000;a;b";
        assert_eq!(parse_description(described).as_deref(), Some("a;b"));
    }

    #[test]
    fn other_types_and_what_is_not_text_have_no_description() {
        assert_eq!(parse_description(b"keyring;0;0;3f3f0000;a"), None);
        assert_eq!(parse_description(b"user;0;0;3f3f0000;\xff"), None);
        assert_eq!(parse_description(b"user;0;0"), None);
    }
}
