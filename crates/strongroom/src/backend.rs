//! The backends by name, with those that this build has.

use std::env::consts::OS;
use std::fmt;
use std::str::FromStr;

use strongroom_core::{Error, ErrorKind, MockKeyringStore, Operation, Result, StoreKind};

use crate::kinds::{HIDDEN, KINDS};

/// A kind of store, by its name.
///
/// Every backend has its name on every platform, so that a configuration can be read anywhere.
/// [`is_supported_here`](Self::is_supported_here) tells the backends that this build can open.
///
/// ```
/// use strongroom::Backend;
///
/// let backend: Backend = "secret-service".parse()?;
/// assert_eq!(backend, Backend::SecretService);
/// assert_eq!(backend.to_string(), "secret-service");
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backend {
    name: &'static str,
}

#[allow(non_upper_case_globals, reason = "they are used as the variants of an enum")]
impl Backend {
    /// The Windows Credential Manager.
    pub const CredentialManager: Self = Self::custom("credential-manager");
    /// An encrypted file.
    pub const File: Self = Self::custom("file");
    /// The macOS Keychain.
    pub const Keychain: Self = Self::custom("keychain");
    /// The Linux kernel's keyring, which forgets at a restart.
    pub const Keyutils: Self = Self::custom("keyutils");
    /// The memory of this process.
    pub const Memory: Self = Self::custom("memory");
    /// A file without encryption. It can't be chosen by name, and it is in no list: see
    /// [`Config::dangerous`](crate::Config::dangerous).
    pub const PlaintextFile: Self = Self::custom("plaintext-file");
    /// The Secret Service of a Linux desktop.
    pub const SecretService: Self = Self::custom("secret-service");
}

impl Backend {
    /// Every backend that can be chosen by name, in this build or not: the platforms' own first, then those
    /// that work anywhere.
    pub const ALL: &[Self] = &{
        // A constant can't be made by an iterator.
        let mut all = [Self::Memory; KINDS.len()];
        let mut number = 0;
        while number < KINDS.len() {
            all[number] = Self::custom(KINDS[number].0);
            number += 1;
        }
        all
    };

    /// Returns the backend of a store by its [`name`](strongroom_core::Store::name): a store that
    /// [`Config::store`](crate::Config::store) was given, or a backend of those above.
    pub const fn custom(name: &'static str) -> Self {
        Self { name }
    }

    /// Returns the stable name, such as `secret-service`.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Returns whether this is a store of the application's own, and none of the backends above.
    pub fn is_custom(self) -> bool {
        Self::remembered(self.name).is_none()
    }

    /// Returns the name that is shown to users, such as "the kernel's keyring".
    pub fn label(self) -> &'static str {
        self.kind().map_or(self.name, StoreKind::label)
    }

    /// Returns the description of the protection of secrets there, as an answer to "Protected by …".
    pub fn protection(self) -> &'static str {
        self.kind().map_or(
            "the application's own store; its documentation says how",
            StoreKind::protection,
        )
    }

    /// Returns whether this build for this platform has the backend. [`inspect`](crate::Config::inspect)
    /// finds out if it can be used now.
    pub fn is_supported_here(self) -> bool {
        self.kind().is_some()
    }

    /// Returns the default backend of this platform, if this build has it.
    pub fn platform_default() -> Option<Self> {
        let mut kinds = KINDS.iter().filter_map(|(_, kind)| *kind);
        kinds.find(|kind| kind.default_on() == Some(OS)).map(|kind| Self::custom(kind.name()))
    }

    /// Returns the kind of store, if this build has it.
    pub(crate) fn kind(self) -> Option<&'static StoreKind> {
        let mut all = KINDS.iter().chain(HIDDEN);
        all.find(|(name, _)| *name == self.name).and_then(|(_, kind)| *kind)
    }

    /// Returns the backend of this name, including those that can't be chosen by name.
    pub(crate) fn remembered(name: &str) -> Option<Self> {
        let known = KINDS.iter().chain(HIDDEN).find(|(known, _)| *known == name);
        known.map(|(name, _)| Self::custom(name))
    }

    /// Returns whether its entries belong to this process alone, and need neither a lock nor a binding.
    pub(crate) fn is_of_this_process(self) -> bool {
        self == Self::Memory || self.name == MockKeyringStore::NAME
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backend").field(&self.name).finish()
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Backend {
    type Err = Error;

    /// Parses a backend's name.
    ///
    /// # Errors
    ///
    /// `Invalid`, with the valid names, for any other text.
    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.iter().find(|backend| backend.name() == name);
        known.copied().ok_or_else(|| {
            Error::new(ErrorKind::Invalid, Operation::Choose)
                .with_message(format!(
                    "there is no backend \"{}\"; there are {}",
                    name.escape_debug(),
                    names(Self::ALL)
                ))
                .with_hint("Use one of these names.")
        })
    }
}

/// Serializes the backend's name.
#[cfg(feature = "serde")]
impl serde::Serialize for Backend {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Deserializes a name that can be chosen, as `parse` does: `plaintext-file` is refused.
#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Backend {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|error: Error| serde::de::Error::custom(error.problem()))
    }
}

/// Returns the backends that this build for this platform has.
pub(crate) fn supported() -> Vec<Backend> {
    let all = Backend::ALL.iter().copied();
    all.filter(|backend| backend.is_supported_here()).collect()
}

/// Returns the names in a row, for a sentence.
pub(crate) fn names(backends: &[Backend]) -> String {
    let names: Vec<_> = backends.iter().map(|backend| backend.name()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for &backend in Backend::ALL {
            assert_eq!(backend.name().parse::<Backend>().unwrap(), backend);
            assert_eq!(backend.to_string(), backend.name());
        }
    }

    #[test]
    fn an_unknown_name_is_invalid_and_the_names_are_listed() {
        for name in ["", "Memory", "secret_service", "sealed", "plaintext-file", "x\u{1b}[31m"] {
            let error = name.parse::<Backend>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            for backend in Backend::ALL {
                assert!(error.to_string().contains(backend.name()), "{error}");
            }
            assert!(!error.to_string().contains('\u{1b}'));
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_backend_is_serialized_by_its_name() {
        for &backend in Backend::ALL {
            let text = format!("\"{backend}\"");
            assert_eq!(serde_json::to_string(&backend).unwrap(), text);
            assert_eq!(serde_json::from_str::<Backend>(&text).unwrap(), backend);
        }
        for text in [r#""plaintext-file""#, r#""nonsense""#] {
            let error = serde_json::from_str::<Backend>(text).unwrap_err();
            assert!(error.to_string().contains("there are keychain"), "{error}");
        }
    }

    #[test]
    fn a_width_is_respected() {
        assert_eq!(format!("{:8}|", Backend::Memory), "memory  |");
    }
}
