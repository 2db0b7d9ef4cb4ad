//! Maps the errors of Windows to faults.

use std::io;

use strongroom_core::{ErrorKind, Fault};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BAD_USERNAME, ERROR_INVALID_PARAMETER, ERROR_NO_SUCH_LOGON_SESSION,
    ERROR_NOT_ENOUGH_QUOTA, ERROR_NOT_FOUND, ERROR_SERVICE_DISABLED, ERROR_SERVICE_NOT_ACTIVE,
    RPC_X_BAD_STUB_DATA,
};

/// `RPC_X_BAD_STUB_DATA` in the type of the other codes: the bindings declare it in the type of another list.
const BAD_STUB_DATA: u32 = RPC_X_BAD_STUB_DATA.cast_unsigned();

/// Returns whether the error says that no credential has this name.
pub(crate) fn is_missing(cause: &io::Error) -> bool {
    code(cause) == Some(ERROR_NOT_FOUND)
}

/// Returns whether the error says that no credential can have this name.
pub(crate) fn is_refused_name(cause: &io::Error) -> bool {
    matches!(code(cause), Some(ERROR_INVALID_PARAMETER | ERROR_BAD_USERNAME))
}

/// Creates the fault for an error of Windows.
pub(crate) fn from_windows(cause: io::Error) -> Fault {
    let (kind, message, hint) = code(&cause).map_or((ErrorKind::Io, None, None), texts);
    let mut fault = Fault::new(kind).with_source(cause);
    if let Some(message) = message {
        fault = fault.with_message(message);
    }
    if let Some(hint) = hint {
        fault = fault.with_hint(hint);
    }
    fault
}

/// Creates the fault for a logon session that keeps no credentials, or not for the lifetime that is wanted.
pub(crate) fn no_logon_session() -> Fault {
    from_windows(io::Error::from_raw_os_error(ERROR_NO_SUCH_LOGON_SESSION as i32))
}

/// Creates the error that Windows returns for a value over 2,560 bytes, and Wine doesn't.
pub(crate) fn too_large() -> io::Error {
    io::Error::from_raw_os_error(RPC_X_BAD_STUB_DATA)
}

/// Creates the fault for a lock that another process holds.
pub(crate) fn busy() -> Fault {
    Fault::new(ErrorKind::Busy)
        .with_message("another process holds the lock of the user's credentials")
        .with_hint("End the process that hangs, or wait for it, and try again.")
}

/// Returns the kind for a code, with the message and the hint if they differ from the kind's own.
fn texts(code: u32) -> (ErrorKind, Option<&'static str>, Option<&'static str>) {
    match code {
        ERROR_NOT_FOUND => (ErrorKind::NotFound, None, None),
        ERROR_NO_SUCH_LOGON_SESSION => (
            ErrorKind::NoLogonSession,
            Some("this logon has no credentials that it could keep"),
            Some(
                "Windows gives none to network logons, such as SSH with a key: log on at the desktop, \
                 or choose another backend, such as the encrypted file. At the desktop, see whether a \
                 policy forbids to store credentials.",
            ),
        ),
        ERROR_ACCESS_DENIED => (
            ErrorKind::AccessDenied,
            Some("Windows refuses this process the user's credentials"),
            Some("Run it as the user who owns them, outside of a sandbox."),
        ),
        BAD_STUB_DATA => {
            (ErrorKind::TooLarge, Some("Windows refuses a credential of this size"), None)
        }
        ERROR_INVALID_PARAMETER => {
            (ErrorKind::Invalid, Some("Windows refuses the credential's name or value"), None)
        }
        ERROR_BAD_USERNAME => {
            (ErrorKind::Invalid, Some("Windows refuses the credential's user name"), None)
        }
        ERROR_NOT_ENOUGH_QUOTA => (ErrorKind::QuotaExceeded, None, None),
        ERROR_SERVICE_DISABLED | ERROR_SERVICE_NOT_ACTIVE => (
            ErrorKind::NoBackend,
            Some("the Credential Manager does not run"),
            Some("Start its service with `net start VaultSvc`, or choose another backend."),
        ),
        _ => (ErrorKind::Other, Some("Windows refused the call"), None),
    }
}

fn code(cause: &io::Error) -> Option<u32> {
    cause.raw_os_error().map(i32::cast_unsigned)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn fault(code: i32) -> Fault {
        from_windows(io::Error::from_raw_os_error(code))
    }

    #[test]
    fn each_code_of_windows_has_its_kind() {
        for (code, kind) in [
            (5, ErrorKind::AccessDenied),
            (8, ErrorKind::Other),
            (87, ErrorKind::Invalid),
            (1004, ErrorKind::Other),
            (1058, ErrorKind::NoBackend),
            (1062, ErrorKind::NoBackend),
            (1168, ErrorKind::NotFound),
            (1312, ErrorKind::NoLogonSession),
            (1783, ErrorKind::TooLarge),
            (1816, ErrorKind::QuotaExceeded),
            (2202, ErrorKind::Invalid),
        ] {
            assert_eq!(fault(code).kind(), kind, "{code}");
        }
    }

    #[test]
    fn the_cause_is_the_code_and_what_windows_says_of_it() {
        let cause = fault(1004).source().map(ToString::to_string).unwrap();
        assert!(cause.contains("(os error 1004)") && cause.contains("flags"), "{cause}");
    }

    #[test]
    fn without_a_logon_session_the_hint_names_ssh_and_another_way() {
        let fault = no_logon_session();
        assert_eq!(fault.kind(), ErrorKind::NoLogonSession);
        for word in ["SSH", "desktop", "encrypted file", "policy"] {
            assert!(fault.hint().contains(word), "{}", fault.hint());
        }
    }

    #[test]
    fn what_is_missing_is_told_from_what_cannot_be() {
        let [missing, no_logon, invalid] = [1168, 1312, 87].map(io::Error::from_raw_os_error);
        assert!(is_missing(&missing) && !is_missing(&no_logon) && !is_missing(&invalid));
        assert!(is_refused_name(&invalid) && !is_refused_name(&no_logon));
        assert!(!is_missing(&io::Error::other("no code")));
    }
}
