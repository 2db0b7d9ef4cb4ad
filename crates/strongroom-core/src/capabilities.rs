//! The features of a store and the protection of its entries, as plain data.

use crate::{Persistence, Warning};

/// The features of a store, and the protection of its entries. Available without contacting the store.
///
/// Start from [`Capabilities::new`], which grants nothing, and add features.
///
/// Some facts depend on the program that serves the store: the lifetime of its collection, the encryption of
/// the session, the treatment of written and deleted values. They are known once the store was used or
/// [probed](crate::Store::probe). Before that they have the values of a well-behaved program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
#[non_exhaustive]
pub struct Capabilities {
    /// The lifetime of entries.
    pub persistence: Persistence,
    /// The largest secret in bytes; `None` if the store sets no limit.
    #[cfg_attr(feature = "serde", serde(rename = "max_secret_bytes"))]
    pub max_secret_len: Option<usize>,
    /// `true` if any bytes are returned unchanged, not only text.
    pub binary_safe: bool,
    /// `true` if the entries of a service can be listed.
    pub can_list: bool,
    /// `true` if an operation may prompt the user.
    pub may_prompt: bool,
    /// `true` if values are encrypted between this process and the program that serves the store. `None` if
    /// they cross no connection, or no connection was made yet.
    pub session_encrypted: Option<bool>,
    /// `true` if other programs of the same user may read entries without a prompt.
    pub read_by_user_programs: bool,
    /// `true` if containers on this machine that run under the same user id may read entries.
    pub read_by_containers: bool,
    /// `true` if entries are in a file without encryption.
    pub plaintext: bool,
    /// `true` if a write is acknowledged seconds before it is on disk.
    pub writes_late: bool,
    /// `true` if replaced and deleted values stay in the store's own history or recycle bin.
    pub keeps_deleted: bool,
}

impl Capabilities {
    /// Creates the capabilities of a store that keeps text of any length, for the calling process alone,
    /// without further features.
    pub const fn new(persistence: Persistence) -> Self {
        Self {
            persistence,
            max_secret_len: None,
            binary_safe: false,
            can_list: false,
            may_prompt: false,
            session_encrypted: None,
            read_by_user_programs: false,
            read_by_containers: false,
            plaintext: false,
            writes_late: false,
            keeps_deleted: false,
        }
    }

    /// Sets the largest secret, in bytes.
    pub const fn with_max_secret_len(mut self, bytes: usize) -> Self {
        self.max_secret_len = Some(bytes);
        self
    }

    /// Declares that any bytes are returned unchanged.
    pub const fn with_binary_safe(mut self) -> Self {
        self.binary_safe = true;
        self
    }

    /// Declares that the entries of a service can be listed.
    pub const fn with_list(mut self) -> Self {
        self.can_list = true;
        self
    }

    /// Declares that an operation may prompt the user.
    pub const fn with_prompts(mut self) -> Self {
        self.may_prompt = true;
        self
    }

    /// Sets the lifetime of entries.
    pub const fn with_persistence(mut self, persistence: Persistence) -> Self {
        self.persistence = persistence;
        self
    }

    /// Sets whether values are encrypted on their way to the program that serves the store.
    pub const fn with_session_encrypted(mut self, encrypted: Option<bool>) -> Self {
        self.session_encrypted = encrypted;
        self
    }

    /// Declares that other programs of the user may read entries.
    pub const fn with_user_programs(mut self) -> Self {
        self.read_by_user_programs = true;
        self
    }

    /// Declares that containers under the same user id may read entries.
    pub const fn with_containers(mut self) -> Self {
        self.read_by_containers = true;
        self
    }

    /// Declares that entries are in a file without encryption.
    pub const fn with_plaintext(mut self) -> Self {
        self.plaintext = true;
        self
    }

    /// Sets whether a write is acknowledged seconds before it is on disk.
    pub const fn with_late_writes(mut self, writes_late: bool) -> Self {
        self.writes_late = writes_late;
        self
    }

    /// Sets whether replaced and deleted values stay in a history.
    pub const fn with_history(mut self, keeps_deleted: bool) -> Self {
        self.keeps_deleted = keeps_deleted;
        self
    }

    /// Returns the warnings about the protection, the most important first.
    ///
    /// Empty for a permanent store whose only weakness is that of all stores: programs of the user can read
    /// it.
    pub fn warnings(&self) -> Vec<Warning> {
        let lasting = self.persistence;
        let candidates = [
            (self.plaintext, Warning::Plaintext),
            // `None` is no weakness: no value has crossed a connection.
            (self.session_encrypted == Some(false), Warning::SessionNotEncrypted),
            (lasting != Persistence::Permanent, Warning::NotPersistent(lasting)),
            (self.read_by_containers, Warning::ReadByContainers),
            (self.writes_late, Warning::WritesLate),
            (self.keeps_deleted, Warning::KeepsDeleted),
        ];
        candidates.into_iter().filter_map(|(holds, warning)| holds.then_some(warning)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(capabilities: Capabilities) -> Vec<&'static str> {
        capabilities.warnings().iter().map(Warning::code).collect()
    }

    #[test]
    fn a_store_that_lasts_has_nothing_to_warn_of() {
        let lasting = Capabilities::new(Persistence::Permanent).with_user_programs();
        assert!(codes(lasting).is_empty());
        assert!(codes(lasting.with_session_encrypted(Some(true))).is_empty());
    }

    #[test]
    fn each_weakness_has_its_warning() {
        let lasting = Capabilities::new(Persistence::Permanent);
        for (weak, code) in [
            (lasting.with_persistence(Persistence::Session), "not_persistent"),
            (lasting.with_persistence(Persistence::UntilLogout), "not_persistent"),
            (lasting.with_session_encrypted(Some(false)), "session_not_encrypted"),
            (lasting.with_plaintext(), "plaintext"),
            (lasting.with_containers(), "read_by_containers"),
            (lasting.with_late_writes(true), "writes_late"),
            (lasting.with_history(true), "keeps_deleted"),
        ] {
            assert_eq!(codes(weak), [code]);
        }
    }
}
