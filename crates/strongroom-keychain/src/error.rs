//! Maps the Keychain's statuses to faults. No other module does.

use std::fmt;
use std::time::Duration;

use strongroom_core::advice::Sentence;
use strongroom_core::{ErrorKind, Fault};

use crate::prompt_switch::{Mode, NoTurn};
use crate::status::Status;

/// The meaning of a status.
struct Row {
    status: i32,
    /// Its name in Apple's headers.
    name: &'static str,
    kind: ErrorKind,
    /// The message, if the kind's own clause is not precise enough.
    message: Option<&'static str>,
    hint: Option<Hint>,
}

/// The hint of a status.
#[derive(Clone, Copy)]
enum Hint {
    Text(&'static str),
    /// A hint with commands.
    Commands(fn() -> Sentence),
}

impl Status {
    fn row(self) -> Option<&'static Row> {
        ROWS.iter()
            .find(|row| row.status == self.0)
            .or(CODE_SIGNING.contains(&self.0).then_some(&SIGNATURE))
    }
}

/// Creates the fault for a status that a call of this mode returned.
pub(crate) fn from_status(status: Status, mode: Mode) -> Fault {
    if mode == Mode::Silent && status.is_unshown_prompt() {
        return Fault::new(ErrorKind::InteractionNotAllowed)
            .with_message("the Keychain would have to ask the user, and must not")
            .with_hint(SILENT)
            .with_source(status);
    }
    let Some(row) = status.row() else {
        return Fault::new(ErrorKind::Other)
            .with_message("the Keychain failed in a way that is not known here")
            .with_advice(
                Sentence::default()
                    .shell(format!("security error {}", status.0))
                    .text(" says what its status means."),
            )
            .with_source(status);
    };
    let mut fault = Fault::new(row.kind).with_source(status);
    if let Some(message) = row.message {
        fault = fault.with_message(message);
    }
    match row.hint {
        Some(Hint::Text(hint)) => fault.with_hint(hint),
        Some(Hint::Commands(hint)) => fault.with_advice(hint()),
        None => fault,
    }
}

/// Creates the fault for a locked keychain that must not prompt for its password.
pub(crate) fn locked() -> Fault {
    Fault::new(ErrorKind::Locked).with_message("the keychain is locked").with_advice(unlock())
}

/// Creates the fault for a call that got no turn at the switch for prompts within the limit.
pub(crate) fn no_turn(reason: NoTurn, limit: Duration) -> Fault {
    match reason {
        NoTurn::Busy => Fault::new(ErrorKind::Busy)
            .with_message(format!(
                "other calls of this program use the Keychain's switch for prompts the other way, for \
                 longer than {limit:?}; nothing was changed"
            ))
            .with_hint("Answer the Keychain's prompt that is open, and try again."),
        NoTurn::Stuck(status) => from_status(status, Mode::Asking),
    }
}

/// Creates the fault for an entry that other processes added and deleted during each attempt.
pub(crate) fn busy() -> Fault {
    Fault::new(ErrorKind::Busy).with_message("other processes keep changing this entry")
}

const fn row(status: i32, name: &'static str, kind: ErrorKind) -> Row {
    Row { status, name, kind, message: None, hint: None }
}

impl Row {
    const fn says(mut self, message: &'static str) -> Self {
        self.message = Some(message);
        self
    }

    const fn hints(mut self, hint: &'static str) -> Self {
        self.hint = Some(Hint::Text(hint));
        self
    }

    const fn advises(mut self, hint: fn() -> Sentence) -> Self {
        self.hint = Some(Hint::Commands(hint));
        self
    }
}

/// The statuses of `SecBase.h` and `Authorization.h` that the store's calls may return.
const ROWS: &[Row] = &[
    row(-34, "errSecDiskFull", ErrorKind::Io)
        .says("the disk is full")
        .hints("Make room and try again; the old value is still there."),
    row(-36, "errSecIO", ErrorKind::Io).says("the keychain's file can't be read or written"),
    row(-50, "errSecParam", ErrorKind::Invalid)
        .says("the Keychain does not take this name or value")
        .hints("Use another name; if it is an ordinary one, report this."),
    row(-61, "errSecWrPerm", ErrorKind::AccessDenied)
        .says("the keychain's file may not be written")
        .advises(permissions),
    row(Status::CANCELED.0, "errSecUserCanceled", ErrorKind::Dismissed)
        .says("the Keychain's prompt was answered with Deny or Cancel"),
    row(-25243, "errSecNoAccessForItem", ErrorKind::AccessDenied).hints(TRUST),
    row(-25244, "errSecInvalidOwnerEdit", ErrorKind::AccessDenied)
        .says("the entry belongs to another program")
        .hints(TRUST),
    row(-25291, "errSecNotAvailable", ErrorKind::NoBackend)
        .says("no keychain is available to this process")
        .hints("Run it in a login session of the user, or restart the computer."),
    row(-25292, "errSecReadOnly", ErrorKind::AccessDenied)
        .says("the keychain can't be modified")
        .advises(permissions),
    row(Status::AUTH_FAILED.0, "errSecAuthFailed", ErrorKind::AccessDenied)
        .says("the Keychain refused: a wrong password, or a program whose signature is broken")
        .advises(refused),
    row(-25294, "errSecNoSuchKeychain", ErrorKind::NoBackend)
        .says("the keychain's file is not there")
        .advises(default),
    row(-25295, "errSecInvalidKeychain", ErrorKind::Corrupt)
        .says("the keychain's file is damaged")
        .hints("Restore the files in ~/Library/Keychains from a backup; nothing was changed."),
    row(Status::DUPLICATE.0, "errSecDuplicateItem", ErrorKind::AlreadyExists),
    row(Status::NOT_FOUND.0, "errSecItemNotFound", ErrorKind::NotFound),
    row(-25302, "errSecDataTooLarge", ErrorKind::TooLarge),
    row(Status::DELETED.0, "errSecInvalidItemRef", ErrorKind::NotFound),
    row(-25307, "errSecNoDefaultKeychain", ErrorKind::NoDefaultCollection)
        .says("the user has no default keychain")
        .advises(default),
    row(Status::NO_INTERACTION.0, "errSecInteractionNotAllowed", ErrorKind::InteractionNotAllowed)
        .says("the Keychain would have to ask the user, and can't show a prompt here")
        .advises(no_screen),
    row(-25310, "errSecWrongSecVersion", ErrorKind::Corrupt)
        .says("the keychain was made by another version of the system"),
    row(-25312, "errSecNoStorageModule", ErrorKind::NoBackend).hints("Restart the computer."),
    row(-25315, "errSecInteractionRequired", ErrorKind::InteractionNotAllowed).advises(no_screen),
    row(-25320, "errSecInDarkWake", ErrorKind::InteractionNotAllowed)
        .says("the computer sleeps, and the Keychain can't show a prompt")
        .hints("Try again when it is awake."),
    row(-26275, "errSecDecode", ErrorKind::Corrupt),
    row(-34018, "errSecMissingEntitlement", ErrorKind::NoBackend)
        .says("this program has no entitlement to the data-protection keychain")
        .advises(entitlements),
    row(-60005, "errAuthorizationDenied", ErrorKind::AccessDenied).hints(TRUST),
    row(-60006, "errAuthorizationCanceled", ErrorKind::Dismissed),
    row(-60007, "errAuthorizationInteractionNotAllowed", ErrorKind::InteractionNotAllowed)
        .advises(no_screen),
    row(-67585, "errSecServiceNotAvailable", ErrorKind::NoBackend)
        .says("the system's security daemon does not answer")
        .hints("Run it in a login session of the user, or restart the computer."),
    row(-67596, "errSecQuotaExceeded", ErrorKind::QuotaExceeded),
    row(-67673, "errSecInvalidData", ErrorKind::Corrupt),
    row(-67808, "errSecVerifyFailed", ErrorKind::Corrupt)
        .says("the entry does not pass the Keychain's own check"),
    row(-67869, "errSecDatabaseLocked", ErrorKind::Locked)
        .says("the keychain is locked")
        .advises(unlock),
];

/// The range of the statuses of `CSCommon.h`: "assigned range 0xFFFE_FAxx". The status met in practice is
/// `errSecCSReqFailed` (-67050).
const CODE_SIGNING: std::ops::RangeInclusive<i32> = -67_072..=-66_817;

const SIGNATURE: Row = row(-67050, "errSecCS…", ErrorKind::AccessDenied)
    .says("the system does not recognise this program by its signature")
    .advises(sign);

const SILENT: &str = "Allow prompts; or run the program once on the desktop with prompts and answer \
                      \"Always Allow\", as each new build has to be.";
const TRUST: &str = "Let the program use the entry in Keychain Access, under Access Control, or delete \
                     the entry and store it again.";

fn default() -> Sentence {
    Sentence::from("Look with ")
        .shell("security default-keychain")
        .text(", and choose one with ")
        .shell("security default-keychain -s login.keychain-db")
        .text(".")
}

fn entitlements() -> Sentence {
    Sentence::from(
        "Sign it with a keychain access group, or use the login keychain. See what it has with ",
    )
    .shell("codesign -d --entitlements - PROGRAM")
    .text(".")
}

fn no_screen() -> Sentence {
    Sentence::from("Over SSH, first run ").shell("security unlock-keychain").text(
        ". A job of launchd has to be a LaunchAgent of the user's desktop session. If the program was \
         built anew, run it once on the desktop and answer \"Always Allow\".",
    )
}

fn permissions() -> Sentence {
    Sentence::from("See who may write the keychain's file with ")
        .shell("ls -le ~/Library/Keychains")
        .text(".")
}

fn refused() -> Sentence {
    Sentence::from(
        "Try again with the password of the login keychain. If none was asked for, and the program was \
         built or replaced while it ran, start it again; look with ",
    )
    .shell("codesign --verify PROGRAM")
    .text(".")
}

fn sign() -> Sentence {
    Sentence::from(
        "If the program was built or replaced while it ran, start it again; sign it with ",
    )
    .shell("codesign --force --sign - PROGRAM")
    .text(", and look with ")
    .shell("codesign --verify PROGRAM")
    .text(".")
}

fn unlock() -> Sentence {
    Sentence::from("Unlock it with ")
        .shell("security unlock-keychain")
        .text(", or allow a prompt, and try again.")
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some(row) => write!(f, "{} ({})", row.name, self.0),
            None => write!(f, "status {}", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::error::Error as _;

    use super::*;

    fn kind(status: i32) -> ErrorKind {
        from_status(Status(status), Mode::Asking).kind()
    }

    #[test]
    fn each_status_has_its_kind() {
        for (status, expected) in [
            (-36, ErrorKind::Io),
            (-50, ErrorKind::Invalid),
            (-61, ErrorKind::AccessDenied),
            (-128, ErrorKind::Dismissed),
            (-25291, ErrorKind::NoBackend),
            (-25292, ErrorKind::AccessDenied),
            (-25293, ErrorKind::AccessDenied),
            (-25294, ErrorKind::NoBackend),
            (-25295, ErrorKind::Corrupt),
            (-25299, ErrorKind::AlreadyExists),
            (-25300, ErrorKind::NotFound),
            (-25307, ErrorKind::NoDefaultCollection),
            (-25308, ErrorKind::InteractionNotAllowed),
            (-34018, ErrorKind::NoBackend),
            (-67050, ErrorKind::AccessDenied),
            (-67062, ErrorKind::AccessDenied),
            (-67869, ErrorKind::Locked),
        ] {
            assert_eq!(kind(status), expected, "{status}");
        }
    }

    #[test]
    fn no_status_has_two_rows() {
        let statuses: BTreeSet<i32> = ROWS.iter().map(|row| row.status).collect();
        assert_eq!(statuses.len(), ROWS.len());
        assert!(ROWS.iter().all(|row| !CODE_SIGNING.contains(&row.status)));
    }

    #[test]
    fn the_named_statuses_are_those_of_the_table() {
        for (status, name) in [
            (Status::CANCELED, "errSecUserCanceled (-128)"),
            (Status::AUTH_FAILED, "errSecAuthFailed (-25293)"),
            (Status::DUPLICATE, "errSecDuplicateItem (-25299)"),
            (Status::NOT_FOUND, "errSecItemNotFound (-25300)"),
            (Status::DELETED, "errSecInvalidItemRef (-25304)"),
            (Status::NO_INTERACTION, "errSecInteractionNotAllowed (-25308)"),
        ] {
            assert_eq!(status.to_string(), name);
        }
    }

    #[test]
    fn hints_say_what_can_be_done() {
        for (status, command) in [
            (-25308, "security unlock-keychain"),
            (-25308, "LaunchAgent"),
            (-25293, "codesign"),
            (-67050, "codesign"),
            (-34018, "access group"),
            (-25307, "security default-keychain"),
            (-67869, "security unlock-keychain"),
            (-9999, "security error -9999"),
        ] {
            let fault = from_status(Status(status), Mode::Asking);
            assert!(fault.hint().contains(command), "{status}: {}", fault.hint());
        }
        assert!(locked().hint().contains("security unlock-keychain"));
    }

    #[test]
    fn commands_are_data() {
        let lines = locked().advice().lines();
        assert_eq!(lines, ["security unlock-keychain".into()]);
        for row in ROWS.iter().chain([&SIGNATURE]) {
            if let Some(Hint::Text(hint)) = row.hint {
                assert!(!hint.contains('`'), "{hint}");
            }
        }
    }

    #[test]
    fn an_unknown_status_is_told_by_its_number() {
        let fault = from_status(Status(-9999), Mode::Asking);
        assert_eq!(fault.kind(), ErrorKind::Other);
        assert_eq!(fault.source().expect("it has one").to_string(), "status -9999");
    }

    #[test]
    fn where_nobody_was_asked_nobody_dismissed_or_mistyped() {
        for status in [Status::CANCELED, Status::AUTH_FAILED, Status::NO_INTERACTION] {
            let fault = from_status(status, Mode::Silent);
            assert_eq!(fault.kind(), ErrorKind::InteractionNotAllowed);
            assert_eq!(fault.source().expect("it has one").to_string(), status.to_string());
        }
        let missing = from_status(Status::NOT_FOUND, Mode::Silent);
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }
}
