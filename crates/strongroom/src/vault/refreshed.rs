//! Secrets that a refresh fetched: stored, or kept in memory until they can be.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use strongroom_core::{
    Error, ErrorKind, ExposeSecret as _, Operation, Result, Secret, SecretKey, SecretMetadata,
    SecretString,
};

use super::content::Content;
use super::engine::Vault;

/// Fetched secrets that the store did not take. A leaf: no other lock is taken under it.
#[derive(Default)]
pub(super) struct Unstored(Mutex<BTreeMap<SecretKey, Fetched>>);

struct Fetched {
    /// The value that it was fetched for: another one that is stored by now stands.
    base: Option<SecretString>,
    secret: Secret,
}

impl Vault {
    /// Returns the secret for a refresh, expired or not: a fetched one that could not be stored is the latest.
    pub(crate) fn for_refresh(&self, key: &SecretKey) -> Result<Option<Secret>> {
        let Some(Fetched { base, secret }) = self.unstored.take(key) else { return self.peek(key) };
        self.refreshed(key, base.as_ref(), secret).map(Some)
    }

    /// Checks that the store takes a write, by one that changes no secret. Where there is no vault yet, that the store answers.
    pub(crate) fn check_writable(&self, key: &SecretKey) -> Result<()> {
        let is_inline = self.read_content(|content| match content {
            Content::Entries(entries) => entries.write_again(key).map(|()| false),
            content if content.is_none() => self.store.probe().map(|_| false),
            #[cfg(feature = "sealed")]
            Content::Sealed(sealed) => sealed.check_writable().map(|()| false),
            Content::Inline(_) => Ok(true),
        });
        match is_inline.map_err(|error| self.named(error))? {
            true => self.write_again(),
            false => Ok(()),
        }
    }

    /// Stores what a refresh fetched for the value `base`, unless the secret was changed since: then the stored one stands. Returns the
    /// secret that counts.
    ///
    /// # Errors
    ///
    /// `Conflict` if the secret was deleted meanwhile. What the store does not take is kept in memory, and no error.
    pub(crate) fn refreshed(
        &self,
        key: &SecretKey,
        base: Option<&SecretString>,
        new: Secret,
    ) -> Result<Secret> {
        let copy = new.duplicate();
        match self.store_fetched(key, base, new) {
            Err(error) if error.kind() != ErrorKind::Conflict => {
                tracing::warn!(%error, "{key} was refreshed and could not be stored: it is in memory alone");
                let base = base.map(|base| SecretString::from(base.expose_secret()));
                self.unstored.keep(key, Fetched { base, secret: copy.duplicate() });
                Ok(copy)
            }
            stored => stored,
        }
    }

    pub(crate) fn unstored(&self) -> Vec<SecretKey> {
        self.unstored.all().keys().cloned().collect()
    }

    /// Stores what earlier refreshes fetched, after a change that the store has taken.
    pub(super) fn store_what_was_fetched(&self) {
        for key in self.unstored() {
            if let Some(Fetched { base, secret }) = self.unstored.take(&key) {
                // A failure keeps it once more, and a secret that was deleted stays so.
                drop(self.refreshed(&key, base.as_ref(), secret));
            }
        }
    }

    fn store_fetched(
        &self,
        key: &SecretKey,
        base: Option<&SecretString>,
        new: Secret,
    ) -> Result<Secret> {
        let in_entries = self.read_content(|content| Ok(matches!(content, Content::Entries(_))))?;
        // A change to the layout between this look and the write is found by the write.
        let kept = if in_entries { SecretMetadata::default() } else { new.metadata.clone() };
        let mut theirs = None;
        let stored = self.commit(|vault| {
            let found = vault.get(key)?;
            if found.as_ref().map(|found| found.value.expose_secret())
                != base.map(|base| base.expose_secret())
            {
                theirs = found;
                return Err(deleted_meanwhile(key));
            }
            let mut secret = new;
            secret.metadata = kept;
            self.put(vault, key, secret)
        });
        match theirs {
            Some(theirs) => Ok(theirs),
            None => stored,
        }
    }
}

impl Unstored {
    fn take(&self, key: &SecretKey) -> Option<Fetched> {
        self.all().remove(key)
    }

    fn keep(&self, key: &SecretKey, fetched: Fetched) {
        self.all().insert(key.clone(), fetched);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<SecretKey, Fetched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn deleted_meanwhile(key: &SecretKey) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Set)
        .with_message(format!("{key} was deleted while it was refreshed; it stays deleted"))
        .with_hint("Ask the user to log in again, if nobody logged out on purpose.")
}
