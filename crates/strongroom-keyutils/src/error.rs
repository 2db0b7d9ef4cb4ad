//! Maps the kernel's errors to faults.

use linux_keyutils::KeyError;
use strongroom_core::{ErrorKind, Fault};

use crate::quota::Quota;
use crate::sys;

/// Returns whether a key does not exist, or is dead.
pub(crate) fn is_gone(cause: KeyError) -> bool {
    use KeyError::{KeyDoesNotExist, KeyExpired, KeyRevoked};
    matches!(cause, KeyDoesNotExist | KeyExpired | KeyRevoked)
}

/// Returns whether another process changed the keyring between two calls of the store.
pub(crate) fn is_lost_race(cause: KeyError) -> bool {
    is_gone(cause) || cause == KeyError::Unknown(libc::EEXIST)
}

/// Creates the fault for an error of the kernel.
pub(crate) fn from_kernel(cause: KeyError) -> Fault {
    let (kind, message, hint) = texts(cause);
    let mut fault = Fault::new(kind).with_source(cause);
    if let Some(message) = message {
        fault = fault.with_message(message);
    }
    if kind == ErrorKind::QuotaExceeded {
        let user = sys::user_id();
        fault = fault.with_hint(quota_hint(user, Quota::of_user(user)));
    } else if let Some(hint) = hint {
        fault = fault.with_hint(hint);
    }
    fault
}

/// Creates the fault for a kernel that can't move keys.
pub(crate) fn kernel_too_old() -> Fault {
    from_kernel(KeyError::OperationNotSupported)
}

/// Creates the fault for a value that is longer than a key's payload.
pub(crate) fn too_large(len: usize, max: usize) -> Fault {
    Fault::new(ErrorKind::TooLarge)
        .with_message(format!("the value takes {len} bytes; a key takes at most {max}"))
}

/// Creates the fault for an entry that other processes changed during each attempt.
pub(crate) fn busy() -> Fault {
    Fault::new(ErrorKind::Busy).with_message("other processes keep changing this entry")
}

/// Returns the kind for a cause, with the message and the hint if they differ from the kind's own.
fn texts(cause: KeyError) -> (ErrorKind, Option<&'static str>, Option<&'static str>) {
    match cause {
        KeyError::AccessDenied => (
            ErrorKind::AccessDenied,
            Some("the key's permissions don't allow it"),
            Some("Look at them with `keyctl rdescribe`; another program made this key."),
        ),
        KeyError::QuotaExceeded => {
            (ErrorKind::QuotaExceeded, Some("the kernel's key quota of this user is used up"), None)
        }
        KeyError::PermissionDenied | KeyError::Unknown(libc::ENOSYS) => (
            ErrorKind::NoBackend,
            Some("the system calls of the kernel keyring are forbidden or missing here"),
            Some(
                "In a container, its seccomp policy forbids them: allow add_key and keyctl there, \
                 or choose another backend.",
            ),
        ),
        KeyError::OperationNotSupported => (
            ErrorKind::NoBackend,
            Some("the kernel can't move keys between keyrings"),
            Some("Use Linux 5.3 or later, or choose another backend."),
        ),
        KeyError::OutOfMemory => (ErrorKind::Other, Some("the kernel is out of memory"), None),
        _ => (ErrorKind::Other, None, None),
    }
}

fn quota_hint(user: u32, quota: Option<Quota>) -> String {
    let prefix = if user == 0 { "root_" } else { "" };
    let advice = format!(
        "Delete entries that are not needed any more, raise the limits with \
         `sysctl kernel.keys.{prefix}maxkeys=…` and `kernel.keys.{prefix}maxbytes=…`, or use \
         another backend."
    );
    let Some(quota) = quota else {
        return advice;
    };
    format!(
        "User {user} has {} of {} keys and {} of {} bytes in the kernel. {advice}",
        quota.keys, quota.max_keys, quota.bytes, quota.max_bytes
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_calls_are_a_missing_backend_and_say_why() {
        for cause in [KeyError::PermissionDenied, KeyError::Unknown(libc::ENOSYS)] {
            let fault = from_kernel(cause);
            assert_eq!(fault.kind(), ErrorKind::NoBackend);
            assert!(fault.hint().contains("seccomp"), "{}", fault.hint());
        }
    }

    #[test]
    fn a_quota_hint_names_the_numbers_and_the_right_limits() {
        let quota = Quota { keys: 200, max_keys: 200, bytes: 4171, max_bytes: 20_000 };
        let hint = quota_hint(1000, Some(quota));
        assert!(hint.contains("200 of 200 keys and 4171 of 20000 bytes"), "{hint}");
        assert!(hint.contains("kernel.keys.maxkeys"), "{hint}");
        assert!(quota_hint(0, None).contains("kernel.keys.root_maxbytes"));
    }
}
