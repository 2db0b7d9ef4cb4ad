//! Descriptions of the place of a vault's secrets, in words.

use std::borrow::Cow;

use serde::Serialize;
use strongroom::store::{Capabilities, Persistence};
use strongroom::{Backend, Layout, SecretManager};

/// The description of a way to store secrets, for the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Storage {
    /// The text of the badge.
    pub(crate) method: &'static str,
    /// The token for the badge's colour: `keychain`, `sealed`, `session` or `file`.
    pub(crate) kind: &'static str,
    /// A sentence about the protection of the secrets.
    pub(crate) protection: Cow<'static, str>,
    /// A sentence about the time for which the secrets last.
    pub(crate) lasts: &'static str,
}

/// The description for secrets in a file of the application.
pub(crate) const IN_A_FILE: Storage = Storage {
    method: "File",
    kind: "file",
    protection: Cow::Borrowed("Not protected: who can read the file can read what is in it."),
    lasts: STAYS,
};

const STAYS: &str = "Stays until you delete it.";

impl Storage {
    pub(crate) fn of(manager: &SecretManager) -> Self {
        Self::new(manager.backend(), manager.layout(), manager.store_capabilities())
    }

    fn new(backend: Backend, layout: Layout, can: Capabilities) -> Self {
        let (method, kind) = match (backend, layout) {
            (Backend::File, _) | (_, Layout::Sealed) => ("Sealed file", "sealed"),
            (Backend::PlaintextFile, _) => (IN_A_FILE.method, IN_A_FILE.kind),
            // Before the keyrings: a keyring that forgets must not look like a lasting keyring.
            _ if can.persistence != Persistence::Permanent => ("Session", "session"),
            _ if backend.is_custom() => ("Own store", "keychain"),
            _ => ("Keychain", "keychain"),
        };
        let lasts = match can.persistence {
            Persistence::Permanent => STAYS,
            Persistence::UntilReboot => "Gone when the machine restarts.",
            Persistence::UntilLogout => "Gone when you log out.",
            _ => "Gone when the program ends.",
        };
        Self { method, kind, protection: protection(backend, layout), lasts }
    }
}

fn protection(backend: Backend, layout: Layout) -> Cow<'static, str> {
    let by = backend.protection();
    match layout {
        _ if backend == Backend::PlaintextFile => IN_A_FILE.protection,
        Layout::Sealed if backend != Backend::File => {
            format!("In an encrypted file, whose key is protected by {by}.").into()
        }
        _ => format!("Protected by {by}.").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn badge(
        backend: Backend,
        layout: Layout,
        persistence: Persistence,
    ) -> (&'static str, &'static str) {
        let storage = Storage::new(backend, layout, Capabilities::new(persistence));
        (storage.method, storage.lasts)
    }

    #[test]
    fn each_way_to_store_has_its_badge_and_says_whether_it_lasts() {
        use Persistence::{Permanent, Session, UntilLogout, UntilReboot};

        let inline = |backend, persistence| badge(backend, Layout::Inline, persistence);
        assert_eq!(inline(Backend::SecretService, Permanent), ("Keychain", STAYS));
        assert_eq!(inline(Backend::Keychain, Permanent), ("Keychain", STAYS));
        let sealed = badge(Backend::SecretService, Layout::Sealed, Permanent);
        assert_eq!(sealed, ("Sealed file", STAYS));
        let entries = badge(Backend::SecretService, Layout::Entries, Permanent);
        assert_eq!(entries, ("Keychain", STAYS));
        assert_eq!(badge(Backend::File, Layout::Sealed, Permanent), ("Sealed file", STAYS));
        let until_restart = ("Session", "Gone when the machine restarts.");
        assert_eq!(inline(Backend::Keyutils, UntilReboot), until_restart);
        let until_logout = ("Session", "Gone when you log out.");
        assert_eq!(inline(Backend::SecretService, UntilLogout), until_logout);
        assert_eq!(inline(Backend::Memory, Session), ("Session", "Gone when the program ends."));
        assert_eq!(inline(Backend::PlaintextFile, Permanent), ("File", STAYS));
        assert_eq!(inline(Backend::custom("acme"), Permanent), ("Own store", STAYS));
    }

    #[test]
    fn the_words_for_what_protects_them_are_those_of_the_store() {
        let said = |backend, layout| protection(backend, layout).into_owned();
        for backend in Backend::ALL.iter().filter(|backend| backend.is_supported_here()) {
            let expected = format!("Protected by {}.", backend.protection());
            assert_eq!(said(*backend, Layout::Inline), expected);
        }
        let own = said(Backend::custom("acme"), Layout::Inline);
        assert!(own.contains("the application's own store"), "{own}");
        let sealed = said(Backend::Memory, Layout::Sealed);
        assert!(sealed.starts_with("In an encrypted file"), "{sealed}");
    }
}
