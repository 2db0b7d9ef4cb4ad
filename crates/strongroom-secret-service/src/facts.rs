//! Facts about the provider that only contact reveals, for [`Capabilities`].

use std::sync::atomic::{AtomicU8, Ordering};

use strongroom_core::{Capabilities, Persistence};

use crate::provider::Provider;

/// Facts that only contact reveals. There is no lock, so that reading them never waits.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    encrypted: Fact,
    until_logout: Fact,
    writes_late: Fact,
    keeps_deleted: Fact,
}

/// A fact: yes, no, or not known yet.
#[derive(Debug, Default)]
struct Fact(AtomicU8);

impl Facts {
    /// Records whether the session is encrypted.
    pub(crate) fn note_session(&self, is_encrypted: bool) {
        self.encrypted.note(is_encrypted);
    }

    /// Returns whether a session was recorded.
    pub(crate) fn is_session_known(&self) -> bool {
        self.encrypted.known().is_some()
    }

    /// Records whether the collection in use lasts until logout only.
    pub(crate) fn note_collection(&self, until_logout: bool) {
        self.until_logout.note(until_logout);
    }

    /// Records the known habits of this provider.
    pub(crate) fn note_provider(&self, provider: &Provider) {
        self.writes_late.note(provider.is_kwallet());
        self.keeps_deleted.note(provider.is_keepassxc());
    }

    /// Returns the capabilities, completed by the facts that are known so far.
    pub(crate) fn add_to(&self, capabilities: Capabilities) -> Capabilities {
        let capabilities = match self.until_logout.known() {
            Some(true) => capabilities.with_persistence(Persistence::UntilLogout),
            _ => capabilities,
        };
        capabilities
            .with_session_encrypted(self.encrypted.known())
            .with_late_writes(self.writes_late.known() == Some(true))
            .with_history(self.keeps_deleted.known() == Some(true))
    }
}

impl Fact {
    const NO: u8 = 1;
    const YES: u8 = 2;

    fn note(&self, holds: bool) {
        self.0.store(if holds { Self::YES } else { Self::NO }, Ordering::Relaxed);
    }

    fn known(&self) -> Option<bool> {
        match self.0.load(Ordering::Relaxed) {
            Self::YES => Some(true),
            Self::NO => Some(false),
            _ => None,
        }
    }
}
