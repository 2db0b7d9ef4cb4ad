//! Secrets fetched by a refresh, which are stored or kept in memory until the store takes them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use strongroom_core::{
    Error, ErrorKind, ExposeSecret as _, Operation, Result, Secret, SecretKey, SecretMetadata,
    SecretString,
};

use super::content::Content;
use super::engine::Vault;

/// Fetched secrets that the store did not take. A leaf lock: no other lock is taken while it is held.
#[derive(Default)]
pub(super) struct Unstored(Mutex<BTreeMap<SecretKey, Fetched>>);

struct Fetched {
    /// The value that the refresh replaces. If another value is stored by now, that value stays.
    base: Option<SecretString>,
    secret: Secret,
}

impl Vault {
    /// Returns the latest secret for a refresh, expired or not. That is a fetched secret that could not be
    /// stored, if there is any.
    pub(crate) fn for_refresh(&self, key: &SecretKey) -> Result<Option<Secret>> {
        let Some(Fetched { base, secret }) = self.unstored.take(key) else { return self.peek(key) };
        self.refreshed(key, base.as_ref(), secret).map(Some)
    }

    /// Checks that the store accepts writes, by a write that changes no secret. If there is no vault yet,
    /// checks only that the store can be used.
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

    /// Stores a secret that was fetched to replace the value `base`. If the stored value is not `base` any
    /// more, it stays. Returns the secret that is valid now.
    ///
    /// # Errors
    ///
    /// `Conflict` if the secret was deleted meanwhile. If the store does not take the secret, that is no
    /// error: the secret is kept in memory.
    pub(crate) fn refreshed(
        &self,
        key: &SecretKey,
        base: Option<&SecretString>,
        new: Secret,
    ) -> Result<Secret> {
        let copy = new.duplicate();
        match self.store_fetched(key, base, new) {
            // The provider may already have revoked the old value, so the new value must not be lost.
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

    /// Stores the secrets of earlier refreshes, after the store has taken a change.
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
        // If the layout changes between this look and the write, the write finds out.
        // Entries can't hold metadata and would refuse the secret, and the new value matters more.
        let kept = if in_entries { SecretMetadata::default() } else { new.metadata.clone() };
        let mut theirs = None;
        let stored = self.commit(|vault| {
            let found = vault.get(key)?;
            if found.as_ref().map(|found| found.value.expose_secret())
                != base.map(|base| base.expose_secret())
            {
                theirs = found;
                // Any error ends the commit without a write. The caller gets the stored secret, or this error
                // if it was deleted.
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
