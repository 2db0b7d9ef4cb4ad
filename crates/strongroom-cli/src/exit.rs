//! The exit codes of commands. No other module knows them.

use std::process::ExitCode;

use strongroom::ErrorKind;

/// A way to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    Usage,
    NotFound,
    Locked,
    NoBackend,
    Expired,
    TimedOut,
    Corrupt,
    /// 126 by the shell's convention, as 127 for `NoProgram`.
    NotExecutable,
    NoProgram,
    /// The exit code of a program that was waited for.
    #[cfg(windows)]
    Program(i32),
}

impl Exit {
    /// Every way to end but a program's, in the order of the numbers.
    const ALL: [Self; 11] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::Locked,
        Self::NoBackend,
        Self::Expired,
        Self::TimedOut,
        Self::Corrupt,
        Self::NotExecutable,
        Self::NoProgram,
    ];

    /// Returns the number that the shell sees.
    pub(crate) const fn code(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Locked => 4,
            Self::NoBackend => 5,
            Self::Expired => 6,
            Self::TimedOut => 7,
            Self::Corrupt => 8,
            Self::NotExecutable => 126,
            Self::NoProgram => 127,
            #[cfg(windows)]
            Self::Program(code) => code,
        }
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
            Self::NotExecutable => "`run`: the program can't be executed",
            Self::NoProgram => "`run`: there is no such program",
            #[cfg(windows)]
            Self::Program(_) => "`run`: as the program ended",
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
            Kind::Corrupt | Kind::Gone | Kind::KeyMissing | Kind::WrongKey => Self::Corrupt,
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
            // Kinds that a later version of the library adds.
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        u8::try_from(exit.code()).map_or_else(|_| end_with(exit.code()), Self::from)
    }
}

/// Ends the process at once, with a code that an [`ExitCode`] has no room for: a program's on Windows.
#[expect(clippy::exit, reason = "there is no other way; it is called by main, which is done")]
fn end_with(code: i32) -> ExitCode {
    std::process::exit(code)
}

/// Returns the table of exit codes, for help texts and the manual.
pub(crate) fn help() -> String {
    let rows = Exit::ALL.iter().map(|exit| format!("  {:<3}  {}", exit.code(), exit.meaning()));
    let rows: Vec<_> = rows.collect();
    format!("Exit codes:\n{}", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_complete() {
        let codes = Exit::ALL.map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 126, 127]);
        assert!(help().contains("  8    unreadable, or its key is missing\n"));
    }
}
