//! Refreshing a secret: a single process fetches the new value, and the other processes wait for it.

use strongroom_core::{Error, Operation, Result, Secret, SecretKey, SecretString};

use crate::vault::Vault;
use crate::{SecretManager, blocking};

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
    /// - In [`Layout::Entries`](crate::Layout::Entries) no expiry is known, so `is_stale` must see it in the
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
        if let Found::Fresh(secret) = self.found(&key, &is_stale).await? {
            return Ok(secret);
        }
        let wanted = key.clone();
        // `fetch` may take long, so it runs under the lock of this secret alone and not under the vault's.
        let _alone = self.run(move |vault| vault.lock_refresh(&wanted)).await?;
        // Another caller may have fetched while this call waited for the lock.
        let old = match self.found(&key, &is_stale).await? {
            Found::Fresh(secret) => return Ok(secret),
            Found::Stale(old) => old,
        };
        let base = value(old.as_ref());
        let wanted = key.clone();
        self.run(move |vault| vault.check_writable(&wanted)).await?;
        let new = fetch(old).await?;
        Ok(self.run(move |vault| vault.refreshed(&key, base.as_ref(), new)).await?)
    }

    /// Returns the keys of the secrets that a refresh fetched and could not store. They are in this manager's
    /// memory.
    pub fn unstored(&self) -> Vec<SecretKey> {
        self.shared.vault.unstored()
    }

    async fn found(&self, key: &SecretKey, is_stale: impl Fn(&Secret) -> bool) -> Result<Found> {
        let key = key.clone();
        let found = self.run(move |vault| vault.for_refresh(&key)).await?;
        Ok(Found::new(found, &self.shared.vault, is_stale))
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
        let vault = &self.shared.vault;
        if let Found::Fresh(secret) = Found::new(vault.for_refresh(key)?, vault, &is_stale) {
            return Ok(secret);
        }
        let _alone = vault.lock_refresh(key)?;
        // Another caller may have fetched while this call waited for the lock.
        let old = match Found::new(vault.for_refresh(key)?, vault, &is_stale) {
            Found::Fresh(secret) => return Ok(secret),
            Found::Stale(old) => old,
        };
        let base = value(old.as_ref());
        vault.check_writable(key)?;
        let new = fetch(old)?;
        Ok(vault.refreshed(key, base.as_ref(), new)?)
    }

    /// Returns the secrets that could not be stored, as
    /// [`SecretManager::unstored`](crate::SecretManager::unstored) does.
    pub fn unstored(&self) -> Vec<SecretKey> {
        self.shared.vault.unstored()
    }
}

/// The state of a secret that is to be refreshed.
enum Found {
    Fresh(Secret),
    Stale(Option<Secret>),
}

impl Found {
    fn new(found: Option<Secret>, vault: &Vault, is_stale: impl Fn(&Secret) -> bool) -> Self {
        let now = vault.now();
        match found {
            Some(secret) if !secret.is_expired(now) && !is_stale(&secret) => Self::Fresh(secret),
            stale => Self::Stale(stale),
        }
    }
}

/// Returns a copy of the value, to tell later whether the stored value is still the same.
fn value(secret: Option<&Secret>) -> Option<SecretString> {
    secret.map(|secret| secret.duplicate().value)
}
