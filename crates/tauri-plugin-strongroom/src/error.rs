//! The error type, for Rust and for the page.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use strongroom::json::ErrorView;

use crate::Access;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the plugin. The page gets it as an [`ErrorView`]. It never contains a value.
///
/// The application's own commands may return it, too: `?` converts the library's errors.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The page asked for more access than the application allows. No store was accessed.
    NotAllowed {
        /// The secret that the page named.
        name: String,
        /// The access that the command needs.
        needed: Access,
        /// The access that the page has. `None` if it may not name the secret at all.
        granted: Option<Access>,
    },
    /// An error of the library.
    Secrets(Arc<strongroom::Error>),
}

/// The only code that is not from the library.
const NOT_ALLOWED: &str = "not_allowed";

impl Error {
    /// Returns the stable code: the library's [`strongroom::Error::code`], or `not_allowed`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed { .. } => NOT_ALLOWED,
            Self::Secrets(error) => error.code(),
        }
    }

    /// Returns the next step, as a sentence: for the user, or for the developer if the page lacks the access.
    pub fn hint(&self) -> String {
        match self {
            Self::NotAllowed { name, needed, .. } => {
                format!("Where the plugin is built, say `.allow({name:?}, Access::{needed:?})`.")
            }
            Self::Secrets(error) => error.hint().to_owned(),
        }
    }

    /// Returns the error in the form that the page gets.
    pub fn view(&self) -> ErrorView {
        match self {
            Self::Secrets(error) => ErrorView::from(&**error),
            Self::NotAllowed { .. } => ErrorView::new(self.code(), self.to_string(), self.hint()),
        }
    }
}

impl From<strongroom::Error> for Error {
    fn from(error: strongroom::Error) -> Self {
        Self::Secrets(Arc::new(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed { name, granted: None, .. } => {
                write!(f, "the page may not name the secret {name:?}")
            }
            Self::NotAllowed { name, needed, granted: Some(granted) } => write!(
                f,
                "the page has the access {granted:?} to the secret {name:?}, and this takes {needed:?}"
            ),
            Self::Secrets(error) => error.fmt(f),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NotAllowed { .. } => None,
            Self::Secrets(error) => error.source(),
        }
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use strongroom::ErrorKind;
    use strongroom::error::Operation;

    use super::*;

    fn seen_by_the_page(error: &Error) -> Value {
        serde_json::to_value(error).unwrap()
    }

    #[test]
    fn the_page_is_told_the_cause() {
        let error = strongroom::Error::new(ErrorKind::Io, Operation::Set)
            .with_source(std::io::Error::other("the disk is full"));
        let message = &seen_by_the_page(&error.into())["message"];
        assert_eq!(message, "cannot store: reading or writing failed: the disk is full");
    }

    #[test]
    fn the_page_is_told_no_command_that_its_user_may_not_have() {
        let error = strongroom::Error::new(ErrorKind::Ambiguous, Operation::Get)
            .with_hint("Look at them.")
            .with_command("repair --merge", "makes one of them");
        assert_eq!(seen_by_the_page(&error.into())["hint"], "Look at them.");
    }

    #[test]
    fn a_refusal_says_what_to_write_and_where() {
        let refused = |granted| {
            let (name, needed) = ("token".to_owned(), Access::ReadWrite);
            seen_by_the_page(&Error::NotAllowed { name, needed, granted })
        };
        for granted in [None, Some(Access::WriteOnly)] {
            let seen = refused(granted);
            assert_eq!(seen["code"], "not_allowed");
            let hint = seen["hint"].as_str().unwrap();
            assert!(hint.contains(r#".allow("token", Access::ReadWrite)"#), "{hint}");
        }
    }
}
