//! Names of services, users and entries, valid by construction.

use std::fmt;

use crate::{Error, ErrorKind, Operation, Result};

/// The longest service or user name, in bytes.
///
/// Every store can hold two names of this length after its own escaping: a kernel key's
/// description takes 4,095 bytes (`add_key(2)`), a Windows user name 513
/// (`CRED_MAX_USERNAME_LENGTH`).
pub const MAX_NAME_BYTES: usize = 255;

/// The stable name of an application, which all of its entries carry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String"))]
pub struct ServiceName(String);

/// The name of an entry within its service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String"))]
pub struct UserName(String);

/// The name of an entry: a service and a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryName {
    service: ServiceName,
    user: UserName,
}

impl ServiceName {
    /// Checks a service name.
    ///
    /// # Errors
    ///
    /// `Invalid` if it is empty, holds a NUL character, starts with a byte order mark (which KWallet drops)
    /// or is longer than [`MAX_NAME_BYTES`].
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        check("service", &name)?;
        Ok(Self(name))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl UserName {
    /// Checks a user name.
    ///
    /// # Errors
    ///
    /// `Invalid` if it is empty, holds a NUL character, starts with a byte order mark (which KWallet drops)
    /// or is longer than [`MAX_NAME_BYTES`].
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        check("user", &name)?;
        Ok(Self(name))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl EntryName {
    /// Checks both parts of an entry's name.
    ///
    /// # Errors
    ///
    /// `Invalid` as for [`ServiceName::new`] and [`UserName::new`].
    pub fn new(service: impl Into<String>, user: impl Into<String>) -> Result<Self> {
        Ok(Self { service: ServiceName::new(service)?, user: UserName::new(user)? })
    }

    /// Creates an entry's name from two valid names.
    pub fn from_parts(service: ServiceName, user: UserName) -> Self {
        Self { service, user }
    }

    /// Returns the service's name.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// Returns the user's name.
    pub fn user(&self) -> &UserName {
        &self.user
    }
}

impl TryFrom<String> for ServiceName {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        Self::new(name)
    }
}

impl TryFrom<String> for UserName {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        Self::new(name)
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Control characters must not reach the terminal.
        write!(f, "{}", self.0.escape_debug())
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Control characters must not reach the terminal.
        write!(f, "{}", self.0.escape_debug())
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" of service \"{}\"", self.user, self.service)
    }
}

/// Checks a part of a name. `part` is the word for it in the error.
///
/// # Errors
///
/// `Invalid` as for [`ServiceName::new`].
pub(crate) fn check(part: &str, name: &str) -> Result<()> {
    let problem = if name.is_empty() {
        format!("the {part} name is empty")
    } else if name.contains('\0') {
        format!("the {part} name holds a NUL character")
    } else if name.starts_with('\u{feff}') {
        format!("the {part} name starts with a byte order mark, which some stores drop")
    } else if name.len() > MAX_NAME_BYTES {
        format!("the {part} name has {} bytes; at most {MAX_NAME_BYTES} are allowed", name.len())
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Invalid, Operation::Name).with_message(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(service: &str, user: &str) -> String {
        let error = EntryName::new(service, user).expect_err("the name must be refused");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    }

    #[test]
    fn a_refused_name_says_why() {
        assert!(refusal("", "u").contains("service name is empty"));
        assert!(refusal("s", "").contains("user name is empty"));
        assert!(refusal("s", "a\0b").contains("NUL"));
        assert!(refusal("\u{feff}s", "u").contains("byte order mark"));
        assert!(refusal(&"s".repeat(MAX_NAME_BYTES + 1), "u").contains("256 bytes"));
    }

    #[test]
    fn the_limit_counts_bytes() {
        let longest = format!("{}x", "é".repeat(MAX_NAME_BYTES / 2));
        assert_eq!(longest.len(), MAX_NAME_BYTES);
        assert!(UserName::new(longest.clone()).is_ok());
        assert!(UserName::new(longest + "y").is_err());
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let name = EntryName::new("s", "a\x1b[31m\n").expect("control characters are allowed");
        assert_eq!(name.to_string(), r#""a\u{1b}[31m\n" of service "s""#);
    }
}
