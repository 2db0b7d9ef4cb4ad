//! Refreshing a secret: a single process fetches the new value, and the other processes wait for it.

use strongroom_core::{
    Error, ErrorKind, ExposeSecret as _, Operation, Result, Secret, SecretKey, SecretMetadata,
    SecretString, Timestamp,
};

use crate::pending::Fetched;
use crate::shared::Shared;
use crate::vault::Content;
use crate::{Layout, SecretManager, blocking, edits};

impl SecretManager {
    /// Returns a secret that is not stale, and fetches a new secret if necessary.
    ///
    /// - A secret is stale if it is missing or expired, or if `is_stale` returns true.
    /// - Of all tasks and processes that call this at the same time, a single caller runs `fetch`. The other
    ///   callers wait, no longer than [`Deadlines::refresh`](crate::Deadlines::refresh), and take its result.
    ///   They wait for this secret alone: all other secrets can be read and changed meanwhile.
    /// - If the caller that fetches fails, ends or is dropped, the next caller fetches.
    /// - `fetch` gets the old secret, expired or not. It has no deadline except its own: give its requests a
    ///   deadline.
    /// - If another value is stored during the fetch, that value stays and is returned.
    /// - Before `fetch` runs, the store must accept a write, because a provider may issue each new token only
    ///   once. If the store fails nevertheless afterwards, the new secret is returned, with a warning, and
    ///   kept in memory. The next refresh of it, or the next change of any secret, stores it.
    ///   [`unstored`](Self::unstored) lists such secrets.
    /// - If `fetch` finds no old secret because the user has logged out, let it fail: its result would be
    ///   stored.
    /// - In [`Layout::Entries`] no expiry is known, so `is_stale` must see it in the
    ///   value. Only the value of the fetched secret is stored.
    ///
    /// # Errors
    ///
    /// The error of `fetch`; `Busy` if another process refreshes for longer than the deadline; `Conflict` if
    /// the secret was deleted during the fetch, in which case it stays deleted; `Invalid` for a key that
    /// can't be used; the errors of a change if the store can't be written, in which case `fetch` did not
    /// run.
    ///
    /// ```
    /// use strongroom::{Backend, ExposeSecret, Secret, Config};
    /// use strongroom::Timestamp;
    /// use std::time::Duration;
    ///
    /// # futures_lite::future::block_on(async {
    /// # let secrets = Config::new("example").backend(Backend::Memory).open().await?;
    /// let soon = Duration::from_secs(5 * 60);
    /// let is_stale = |token: &Secret| token.expires_within(Timestamp::now(), soon);
    /// let fetch = async |_old: Option<Secret>| {
    ///     // Here the application asks its provider.
    ///     Ok::<_, strongroom::Error>(Secret::new("token-1").expires_in(Duration::from_secs(3_600)))
    /// };
    /// let token = secrets.refresh("TOKEN", is_stale, fetch).await?;
    /// assert_eq!(token.value.expose_secret(), "token-1");
    /// # Ok::<(), strongroom::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn refresh<E: From<Error>>(
        &self,
        key: impl Into<SecretKey>,
        is_stale: impl Fn(&Secret) -> bool,
        fetch: impl AsyncFnOnce(Option<Secret>) -> Result<Secret, E>,
    ) -> Result<Secret, E> {
        let key = key.into();
        key.validate().map_err(|error| error.during(Operation::Set))?;
        if let Freshness::Fresh(secret) = self.freshness(&key, &is_stale).await? {
            return Ok(secret);
        }
        let wanted = key.clone();
        // `fetch` may take long, so it runs under the lock of this secret alone and not under the vault's.
        let _alone = self.run(move |secrets| secrets.shared.engine.lock_refresh(&wanted)).await?;
        // Another caller may have fetched while this call waited for the lock.
        let old = match self.freshness(&key, &is_stale).await? {
            Freshness::Fresh(secret) => return Ok(secret),
            Freshness::Stale(old) => old,
        };
        let base = value(old.as_ref());
        let wanted = key.clone();
        self.run(move |secrets| secrets.shared.check_writable(&wanted)).await?;
        let new = fetch(old).await?;
        Ok(self.run(move |secrets| secrets.shared.store_fetched(&key, base.as_ref(), new)).await?)
    }

    /// Returns the keys of the secrets that a refresh fetched and could not store. They are in this manager's
    /// memory.
    pub fn unstored(&self) -> Vec<SecretKey> {
        self.blocking.shared.pending.keys()
    }

    async fn freshness(
        &self,
        key: &SecretKey,
        is_stale: impl Fn(&Secret) -> bool,
    ) -> Result<Freshness> {
        let key = key.clone();
        let secret = self.run(move |secrets| secrets.shared.for_refresh(&key)).await?;
        Ok(Freshness::of(secret, self.blocking.shared.engine.now(), is_stale))
    }
}

impl blocking::SecretManager {
    /// Refreshes a secret, as [`SecretManager::refresh`](crate::SecretManager::refresh) does.
    ///
    /// # Errors
    ///
    /// The errors of the async method.
    pub fn refresh<E: From<Error>>(
        &self,
        key: impl Into<SecretKey>,
        is_stale: impl Fn(&Secret) -> bool,
        fetch: impl FnOnce(Option<Secret>) -> Result<Secret, E>,
    ) -> Result<Secret, E> {
        let key = &key.into();
        key.validate().map_err(|error| error.during(Operation::Set))?;
        let shared = &self.shared;
        if let Freshness::Fresh(secret) = shared.freshness(key, &is_stale)? {
            return Ok(secret);
        }
        let _alone = shared.engine.lock_refresh(key)?;
        // Another caller may have fetched while this call waited for the lock.
        let old = match shared.freshness(key, &is_stale)? {
            Freshness::Fresh(secret) => return Ok(secret),
            Freshness::Stale(old) => old,
        };
        let base = value(old.as_ref());
        shared.check_writable(key)?;
        let new = fetch(old)?;
        Ok(shared.store_fetched(key, base.as_ref(), new)?)
    }

    /// Returns the secrets that could not be stored, as
    /// [`SecretManager::unstored`](crate::SecretManager::unstored) does.
    pub fn unstored(&self) -> Vec<SecretKey> {
        self.shared.pending.keys()
    }
}

/// The steps of a refresh.
impl Shared {
    /// Returns the latest secret for a refresh, expired or not. That is a fetched secret that could not be
    /// stored, if there is any.
    pub(crate) fn for_refresh(&self, key: &SecretKey) -> Result<Option<Secret>> {
        let Some(Fetched { base, secret }) = self.pending.take(key) else {
            return self.engine.read(|vault| vault.get(key));
        };
        self.store_fetched(key, base.as_ref(), secret).map(Some)
    }

    /// Checks that the store accepts writes, by a write that changes no secret. If there is no vault yet,
    /// checks only that the store can be used.
    pub(crate) fn check_writable(&self, key: &SecretKey) -> Result<()> {
        let engine = &self.engine;
        let is_inline = engine.read_content(|content| match content {
            Content::Stored(content) => content.check_writable(key).map(|()| false),
            Content::Inline(_) if content.is_none() => engine.storage.store.probe().map(|_| false),
            Content::Inline(_) => Ok(true),
        });
        match is_inline.map_err(|error| engine.storage.named(error))? {
            true => engine.write_unchanged(),
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
    pub(crate) fn store_fetched(
        &self,
        key: &SecretKey,
        base: Option<&SecretString>,
        new: Secret,
    ) -> Result<Secret> {
        let copy = new.duplicate();
        match self.commit_fetched(key, base, new) {
            // The provider may already have revoked the old value, so the new value must not be lost.
            Err(error) if error.kind() != ErrorKind::Conflict => {
                tracing::warn!(%error, "{key} was refreshed and could not be stored: it is in memory alone");
                let base = base.map(|base| SecretString::from(base.expose_secret()));
                self.pending.keep(key, Fetched { base, secret: copy.duplicate() });
                Ok(copy)
            }
            stored => stored,
        }
    }

    /// Stores the secrets of earlier refreshes, after the store has taken a change.
    pub(crate) fn store_pending(&self) {
        for key in self.pending.keys() {
            if let Some(Fetched { base, secret }) = self.pending.take(&key) {
                // A failure keeps it once more, and a secret that was deleted stays so.
                drop(self.store_fetched(&key, base.as_ref(), secret));
            }
        }
    }

    fn commit_fetched(
        &self,
        key: &SecretKey,
        base: Option<&SecretString>,
        new: Secret,
    ) -> Result<Secret> {
        let in_entries =
            self.engine.read_content(|content| Ok(content.layout() == Layout::Entries))?;
        // If the layout changes between this look and the write, the write finds out.
        // Entries can't hold metadata and would refuse the secret, and the new value matters more.
        let kept = if in_entries { SecretMetadata::default() } else { new.metadata.clone() };
        let mut stored = None;
        let committed = self.commit(|vault| {
            let found = vault.get(key)?;
            if found.as_ref().map(|found| found.value.expose_secret())
                != base.map(|base| base.expose_secret())
            {
                stored = found;
                // Any error ends the commit without a write. The caller gets the stored secret, or this error
                // if it was deleted.
                return Err(deleted_meanwhile(key));
            }
            let mut secret = new;
            secret.metadata = kept;
            edits::set(vault, key, secret, self.engine.now())
        });
        match stored {
            Some(stored) => Ok(stored),
            None => committed,
        }
    }

    fn freshness(&self, key: &SecretKey, is_stale: impl Fn(&Secret) -> bool) -> Result<Freshness> {
        Ok(Freshness::of(self.for_refresh(key)?, self.engine.now(), is_stale))
    }
}

/// The state of a secret that is to be refreshed.
enum Freshness {
    Fresh(Secret),
    Stale(Option<Secret>),
}

impl Freshness {
    fn of(secret: Option<Secret>, now: Timestamp, is_stale: impl Fn(&Secret) -> bool) -> Self {
        match secret {
            Some(secret) if !secret.is_expired(now) && !is_stale(&secret) => Self::Fresh(secret),
            stale => Self::Stale(stale),
        }
    }
}

/// Returns a copy of the value, to tell later whether the stored value is still the same.
fn value(secret: Option<&Secret>) -> Option<SecretString> {
    secret.map(|secret| secret.duplicate().value)
}

fn deleted_meanwhile(key: &SecretKey) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Set)
        .with_message(format!("{key} was deleted while it was refreshed; it stays deleted"))
        .with_hint("Ask the user to log in again, if nobody logged out on purpose.")
}
