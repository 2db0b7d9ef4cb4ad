//! The lifetime of entries.

use std::fmt;

/// The lifetime of acknowledged entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Persistence {
    /// Until the process or the login session ends.
    Session,
    /// Until the user logs out.
    UntilLogout,
    /// Until the machine restarts.
    UntilReboot,
    /// Until it is deleted.
    Permanent,
}

impl Persistence {
    /// Returns a stable token, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::UntilLogout => "until_logout",
            Self::UntilReboot => "until_reboot",
            Self::Permanent => "permanent",
        }
    }
}

impl fmt::Display for Persistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "until the session ends",
            Self::UntilLogout => "until you log out",
            Self::UntilReboot => "until reboot",
            Self::Permanent => "permanent",
        })
    }
}
