//! Where a vault's secrets are kept, in words.

use serde_json::{Value, json};
use strongroom::{Backend, Layout, SecretManager};

/// How secrets are stored, for the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    /// The badge.
    pub(crate) method: &'static str,
    /// A token for the badge's colour: `keychain`, `sealed`, `session`, `file`.
    pub(crate) kind: &'static str,
    /// What protects them.
    pub(crate) protection: &'static str,
    /// How long they last.
    pub(crate) lasts: &'static str,
}

/// How secrets in a file of the application are stored.
pub(crate) const IN_A_FILE: Storage = Storage {
    method: "File",
    kind: "file",
    protection: "Not protected: who can read the file can read what is in it.",
    lasts: STAYS,
};

const STAYS: &str = "Stays until you delete it.";

impl Storage {
    pub(crate) fn of(manager: &SecretManager) -> Self {
        Self::new(manager.backend(), manager.layout(), manager.is_persistent())
    }

    pub(crate) fn as_json(self) -> Value {
        let Self { method, kind, protection, lasts } = self;
        // The page lists warnings with a code and a message.
        let warnings: [Value; 0] = [];
        json!({
            "method": method,
            "kind": kind,
            "protection": protection,
            "lasts": lasts,
            "warnings": warnings,
        })
    }

    fn new(backend: Backend, layout: Layout, is_persistent: bool) -> Self {
        let (method, kind) = match (backend, layout) {
            (Backend::File, _) | (_, Layout::Sealed) => ("Sealed file", "sealed"),
            (Backend::PlaintextFile, _) => (IN_A_FILE.method, IN_A_FILE.kind),
            (Backend::Keyutils | Backend::Memory, _) => ("Session", "session"),
            _ => ("Keychain", "keychain"),
        };
        let lasts = match backend {
            _ if is_persistent => STAYS,
            Backend::Keyutils => "Gone when the machine restarts.",
            _ => "Gone when the program ends.",
        };
        Self { method, kind, protection: protection(backend, layout), lasts }
    }
}

const fn protection(backend: Backend, layout: Layout) -> &'static str {
    match (backend, layout) {
        (Backend::File, _) => "In an encrypted file, which a passphrase or a key file opens.",
        (Backend::PlaintextFile, _) => IN_A_FILE.protection,
        (_, Layout::Sealed) => "In an encrypted file, whose key is in the system's keychain.",
        (Backend::Keychain, _) => "Encrypted by the macOS Keychain, which your login opens.",
        (Backend::CredentialManager, _) => "Encrypted by Windows, for your login alone.",
        (Backend::SecretService, _) => {
            "Encrypted by your desktop's keyring, which your login opens."
        }
        (Backend::Keyutils, _) => "In the kernel's memory, for your account alone.",
        _ => "In the memory of this program.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn badge(
        backend: Backend,
        layout: Layout,
        is_persistent: bool,
    ) -> (&'static str, &'static str) {
        let storage = Storage::new(backend, layout, is_persistent);
        (storage.method, storage.lasts)
    }

    #[test]
    fn each_way_to_store_has_its_badge_and_says_whether_it_lasts() {
        let inline = |backend, is_persistent| badge(backend, Layout::Inline, is_persistent);
        assert_eq!(inline(Backend::SecretService, true), ("Keychain", STAYS));
        assert_eq!(inline(Backend::Keychain, true), ("Keychain", STAYS));
        assert_eq!(badge(Backend::SecretService, Layout::Sealed, true), ("Sealed file", STAYS));
        assert_eq!(badge(Backend::SecretService, Layout::Entries, true), ("Keychain", STAYS));
        assert_eq!(badge(Backend::File, Layout::Sealed, true), ("Sealed file", STAYS));
        let until_restart = ("Session", "Gone when the machine restarts.");
        assert_eq!(inline(Backend::Keyutils, false), until_restart);
        assert_eq!(inline(Backend::Memory, false), ("Session", "Gone when the program ends."));
        assert_eq!(inline(Backend::PlaintextFile, true), ("File", STAYS));
    }
}
