//! The backends by name, and which of them this build has.

use std::fmt;
use std::str::FromStr;

use strongroom_core::{Error, ErrorKind, Operation, Result};

/// A kind of store, by name.
///
/// Every backend has its name on every platform, so that a configuration can be read anywhere;
/// [`is_supported_here`](Self::is_supported_here) says which of them this build can open.
///
/// ```
/// use strongroom::Backend;
///
/// let backend: Backend = "secret-service".parse()?;
/// assert_eq!(backend, Backend::SecretService);
/// assert_eq!(backend.to_string(), "secret-service");
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// The Windows Credential Manager.
    CredentialManager,
    /// An encrypted file.
    File,
    /// The macOS Keychain.
    Keychain,
    /// The Linux kernel's keyring, which forgets at a restart.
    Keyutils,
    /// The memory of this process.
    Memory,
    /// A file without encryption. No name chooses it, and it is in no list:
    /// [`Config::dangerous`](crate::Config::dangerous) does.
    PlaintextFile,
    /// The Secret Service of a Linux desktop.
    SecretService,
}

impl Backend {
    /// Every backend that can be chosen by name, in this build or not: the platforms' own first, then
    /// what works anywhere.
    pub const ALL: &[Self] = &[
        Self::Keychain,
        Self::CredentialManager,
        Self::SecretService,
        Self::Keyutils,
        Self::File,
        Self::Memory,
    ];

    /// The stable name, such as `secret-service`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CredentialManager => "credential-manager",
            Self::File => "file",
            Self::Keychain => "keychain",
            Self::Keyutils => "keyutils",
            Self::Memory => "memory",
            Self::PlaintextFile => "plaintext-file",
            Self::SecretService => "secret-service",
        }
    }

    /// Whether this build for this platform has it. Whether it can be used now is what
    /// [`inspect`](crate::inspect()) finds out.
    pub const fn is_supported_here(self) -> bool {
        match self {
            Self::CredentialManager => cfg!(all(feature = "credential-manager", windows)),
            Self::Keychain => cfg!(all(feature = "keychain", target_os = "macos")),
            Self::Keyutils => cfg!(all(feature = "keyutils", target_os = "linux")),
            Self::Memory | Self::PlaintextFile => true,
            Self::SecretService => cfg!(all(feature = "secret-service", target_os = "linux")),
            Self::File => cfg!(feature = "sealed"),
        }
    }

    /// The backend of this name, those included that no name chooses.
    pub(crate) fn remembered(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().chain(&[Self::PlaintextFile]).copied();
        all.find(|backend| backend.name() == name)
    }

    /// The backend that this platform's applications use, in this build or not.
    pub const fn platform_default() -> Option<Self> {
        if cfg!(target_os = "linux") {
            Some(Self::SecretService)
        } else if cfg!(target_os = "macos") {
            Some(Self::Keychain)
        } else if cfg!(windows) {
            Some(Self::CredentialManager)
        } else {
            None
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Backend {
    type Err = Error;

    /// Reads a backend's name.
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

/// Its name.
#[cfg(feature = "serde")]
impl serde::Serialize for Backend {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A name that can be chosen, as `parse` reads it: `plaintext-file` is refused.
#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Backend {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|error: Error| serde::de::Error::custom(error.problem()))
    }
}

/// The backends that this build for this platform has.
pub(crate) fn supported() -> Vec<Backend> {
    let all = Backend::ALL.iter().copied();
    all.filter(|backend| backend.is_supported_here()).collect()
}

/// Names in a row, for a sentence.
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
    fn no_variant_is_missing_in_all() {
        let mut seen = Backend::ALL.to_vec();
        seen.sort_by_key(|backend| backend.name());
        // Alphabetical, as the variants are; the match makes a new variant fail to compile here.
        let place = |backend: &Backend| match backend {
            Backend::CredentialManager => 0,
            Backend::File => 1,
            Backend::Keychain => 2,
            Backend::Keyutils => 3,
            Backend::Memory => 4,
            Backend::SecretService => 5,
            Backend::PlaintextFile => unreachable!("no name chooses it"),
        };
        let places: Vec<_> = seen.iter().map(place).collect();
        assert_eq!(places, [0, 1, 2, 3, 4, 5]);
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
