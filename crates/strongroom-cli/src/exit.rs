//! How a command ends for the shell. The one place that knows exit codes.

use std::process::ExitCode;

use strongroom::ErrorKind;

/// A way to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    Locked = 4,
    NoBackend = 5,
    Expired = 6,
    TimedOut = 7,
    Corrupt = 8,
}

impl Exit {
    /// Every way to end, in the order of its number.
    const ALL: [Self; 9] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::Locked,
        Self::NoBackend,
        Self::Expired,
        Self::TimedOut,
        Self::Corrupt,
    ];

    /// The number that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed for another reason",
            Self::Usage => "wrong usage",
            Self::NotFound => "not found",
            Self::Locked => "locked, denied or dismissed",
            Self::NoBackend => "no store to keep secrets in",
            Self::Expired => "expired",
            Self::TimedOut => "timed out, or busy",
            Self::Corrupt => "unreadable, or its key is missing",
        }
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        use ErrorKind as Kind;
        match kind {
            Kind::AccessDenied | Kind::Dismissed | Kind::InteractionNotAllowed | Kind::Locked => {
                Self::Locked
            }
            Kind::BoundElsewhere
            | Kind::NoBackend
            | Kind::NoDefaultCollection
            | Kind::NoLogonSession => Self::NoBackend,
            Kind::Busy | Kind::TimedOut => Self::TimedOut,
            Kind::Corrupt | Kind::KeyMissing | Kind::WrongKey => Self::Corrupt,
            Kind::Expired => Self::Expired,
            Kind::Invalid => Self::Usage,
            Kind::NotFound => Self::NotFound,
            Kind::AlreadyExists
            | Kind::Ambiguous
            | Kind::Conflict
            | Kind::Io
            | Kind::Other
            | Kind::QuotaExceeded
            | Kind::TooLarge
            | Kind::Unsupported => Self::Failed,
            // Kinds that the library gets later.
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// The table of exit codes, for help texts and the manual.
pub(crate) fn help() -> String {
    let rows = Exit::ALL.iter().map(|exit| format!("  {}  {}", exit.code(), exit.meaning()));
    let rows: Vec<_> = rows.collect();
    format!("Exit codes:\n{}", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_complete() {
        for (place, exit) in Exit::ALL.iter().enumerate() {
            assert_eq!(usize::from(exit.code()), place);
        }
        assert!(help().ends_with("8  unreadable, or its key is missing"));
    }
}
