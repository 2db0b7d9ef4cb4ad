//! Keys in the user keyring, by description: the kernel's own errors, nothing of entries.

use std::mem;

use linux_keyutils::{
    Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, KeySerialId, Permission,
};
use zeroize::Zeroizing;

use crate::error::is_gone;
use crate::sys;

/// The most that `KEYCTL_UPDATE` takes: the smallest page. The kernel refuses more than one page
/// (`keyctl_update_key` in `security/keys/keyctl.c`); the manual page says nothing of it.
const UPDATE_MAX_BYTES: usize = 4096;

/// What a search found.
#[derive(Debug)]
pub(crate) enum Found {
    /// A key that can be used.
    Live(Key),
    /// Only a key that was revoked or invalidated, or has expired. It holds its name for up to five
    /// minutes (`kernel.keys.gc_delay`).
    Dead,
    /// None.
    Missing,
}

/// Looks up the user keyring, which the kernel makes for every user who asks.
pub(crate) fn reach() -> Result<(), KeyError> {
    user_keyring().map(drop)
}

/// Finds a key by its description.
pub(crate) fn find(description: &str) -> Result<Found, KeyError> {
    match sys::search(KeyRingIdentifier::User, description) {
        Ok(key) => Ok(Found::Live(key)),
        Err(KeyError::KeyDoesNotExist) => Ok(Found::Missing),
        Err(error) if is_gone(error) => Ok(Found::Dead),
        Err(error) => Err(error),
    }
}

/// Makes a key; `EEXIST` if one of this description is there, alive or dead.
///
/// A new key gives its permissions to who possesses it, and in the user keyring that depends on the
/// session. So it is made in the thread keyring, which always is possessed, given to the user, and
/// then moved: others see it whole or not at all.
pub(crate) fn create(description: &str, payload: &[u8]) -> Result<(), KeyError> {
    with_quota_that_was_freed(|| {
        let thread = thread_keyring()?;
        let key = thread.add_key(description, payload)?;
        let permissions = KeyPermissionsBuilder::builder()
            .posessor(Permission::ALL)
            .user(Permission::ALL)
            .build();
        let (from, to) = (KeyRingIdentifier::Thread, KeyRingIdentifier::User);
        let moved = key.set_perms(permissions).and_then(|()| sys::move_exclusively(key, from, to));
        if moved.is_err() {
            // What matters is why it could not be moved; the rest goes with the thread.
            let _ = thread.unlink_key(key);
        }
        moved
    })
}

/// Replaces a key's payload, or leaves it as it is.
pub(crate) fn update(key: Key, description: &str, payload: &[u8]) -> Result<(), KeyError> {
    with_quota_that_was_freed(|| {
        as_possessor(|| match payload.len() {
            ..=UPDATE_MAX_BYTES => key.update(&payload),
            _ => update_by_adding(key, description, payload),
        })
    })
}

/// Reads a key's payload into a vector without spare capacity.
pub(crate) fn read(key: Key) -> Result<Vec<u8>, KeyError> {
    as_possessor(|| {
        let mut payload = Zeroizing::new(Vec::new());
        loop {
            // Into an empty buffer the kernel reads nothing, and says how much there is.
            let len = key.read(&mut *payload)?;
            if len == payload.len() {
                return Ok(mem::take(&mut *payload));
            }
            payload = Zeroizing::new(vec![0u8; len]);
        }
    })
}

/// Takes a key out of the user keyring and says whether it was there.
pub(crate) fn unlink(key: Key) -> Result<bool, KeyError> {
    match user_keyring()?.unlink_key(key) {
        Ok(()) => Ok(true),
        Err(KeyError::MissingFileOrDirectory) => Ok(false),
        Err(error) if is_gone(error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes what is dead out of the user keyring, as the kernel itself does some minutes later and
/// `keyctl reap` on request. Dead keys don't tell their description, so it can't be one alone.
pub(crate) fn reap() -> Result<(), KeyError> {
    for key in links()? {
        if sys::describe(key).is_err_and(is_gone) {
            unlink(key)?;
        }
    }
    Ok(())
}

/// The descriptions of the `user` keys in the user keyring, without the dead ones and those that
/// can't be looked at.
pub(crate) fn descriptions() -> Result<Vec<String>, KeyError> {
    let mut descriptions = Vec::new();
    for key in links()? {
        match sys::describe(key) {
            Ok(description) => descriptions.extend(of_user_key(&description)),
            Err(KeyError::AccessDenied) => {}
            Err(error) if is_gone(error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(descriptions)
}

/// `add_key(2)` takes a whole payload and updates the key of that description in the keyring given.
/// In the user keyring it would make a new key where the old one went away; so it is done in the
/// thread keyring.
fn update_by_adding(key: Key, description: &str, payload: &[u8]) -> Result<(), KeyError> {
    let thread = thread_keyring()?;
    thread.link_key(key)?;
    let updated = thread.add_key(description, payload);
    // What can't be unlinked goes with the thread.
    let _ = thread.unlink_key(*updated.as_ref().unwrap_or(&key));
    // A key that died meanwhile was displaced by a new one, which nobody else can see.
    (updated? == key).then_some(()).ok_or(KeyError::KeyRevoked)
}

/// Tries again as the possessor of all that is in the user keyring, where others made a key that
/// leaves its user without permissions: the default of `add_key(2)`.
fn as_possessor<T>(work: impl Fn() -> Result<T, KeyError>) -> Result<T, KeyError> {
    match work() {
        Err(KeyError::AccessDenied) => {}
        done => return done,
    }
    let thread = thread_keyring()?;
    thread.link_keyring_id(KeyRingIdentifier::User)?;
    let done = work();
    // It fails only if the link is gone.
    let _ = thread.unlink_keyring_id(KeyRingIdentifier::User);
    done
}

/// Tries again once the kernel has taken back what was deleted before. That takes it some 20 ms, and
/// until then deleted keys count.
fn with_quota_that_was_freed<T>(work: impl Fn() -> Result<T, KeyError>) -> Result<T, KeyError> {
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

/// All keys and keyrings that the user keyring links.
fn links() -> Result<Vec<Key>, KeyError> {
    let keyring = Key::from_id(KeySerialId::new(KeyRingIdentifier::User as i32));
    let mut buffer = vec![0u8; 4096];
    loop {
        // In bytes. Where the buffer is too small this is what is needed, and nothing was read.
        let len = keyring.read(&mut buffer)?;
        if let Some(numbers) = buffer.get(..len) {
            let (numbers, _) = numbers.as_chunks();
            let keys = numbers.iter().map(|number| i32::from_ne_bytes(*number));
            return Ok(keys.map(|number| Key::from_id(KeySerialId::new(number))).collect());
        }
        buffer = vec![0u8; len];
    }
}

/// The last of the five fields that `KEYCTL_DESCRIBE` returns, if the first is `user`.
fn of_user_key(described: &[u8]) -> Option<String> {
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
        assert_eq!(of_user_key(described).as_deref(), Some("a;b"));
    }

    #[test]
    fn other_types_and_what_is_not_text_have_no_description() {
        assert_eq!(of_user_key(b"keyring;0;0;3f3f0000;a"), None);
        assert_eq!(of_user_key(b"user;0;0;3f3f0000;\xff"), None);
        assert_eq!(of_user_key(b"user;0;0"), None);
    }
}
