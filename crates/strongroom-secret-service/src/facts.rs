//! What the program that serves the store turned out to do, for [`Capabilities`].

use std::sync::atomic::{AtomicU8, Ordering};

use strongroom_core::{Capabilities, Persistence};

use crate::provider::Provider;

/// Facts that only contact tells. Without a lock, so that reading them never waits.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    encrypted: Fact,
    until_logout: Fact,
    writes_late: Fact,
    keeps_deleted: Fact,
}

/// Yes, no, or not known yet.
#[derive(Debug, Default)]
struct Fact(AtomicU8);

impl Facts {
    /// Notes whether the session is encrypted.
    pub(crate) fn note_session(&self, is_encrypted: bool) {
        self.encrypted.note(is_encrypted);
    }

    /// Whether a session was opened.
    pub(crate) fn know_session(&self) -> bool {
        self.encrypted.known().is_some()
    }

    /// Notes whether the collection in use lasts until logout only.
    pub(crate) fn note_collection(&self, until_logout: bool) {
        self.until_logout.note(until_logout);
    }

    /// Notes what is known of this provider.
    pub(crate) fn note_provider(&self, provider: &Provider) {
        self.writes_late.note(provider.is_kwallet());
        self.keeps_deleted.note(provider.is_keepassxc());
    }

    /// The capabilities with what is known so far.
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
