//! Refreshing a secret: one process fetches the new value, the others wait and take it.

use strongroom_core::{Error, Operation, Result, Secret, SecretKey, SecretString};

use crate::vault::Vault;
use crate::{SecretManager, blocking};

impl SecretManager {
    /// Returns a secret that is not stale, and fetches a new one if it must.
    ///
    /// - A missing or expired secret is stale, and one of which `is_stale` says so.
    /// - Of all tasks and processes that call this at the same time, one runs `fetch`; the others wait,
    ///   no longer than [`Deadlines::refresh`](crate::Deadlines::refresh), and take its result. They wait
    ///   for this secret alone: meanwhile all others can be read and changed.
    /// - If the one that fetches fails, ends or is dropped, the next one fetches.
    /// - `fetch` gets the old secret, expired or not. It has no deadline but its own: give its requests
    ///   one.
    /// - If somebody stores another value while it is fetched, theirs stands and is returned.
    /// - Before `fetch` runs, the store must take a write: a provider may give each new token once. If the store fails
    ///   all the same afterwards, the new secret is returned, with a warning, and kept in memory: the next refresh of it, and the next change
    ///   of any secret, store it. [`unstored`](Self::unstored) tells of it.
    /// - If `fetch` finds no old secret because the user has logged out, let it fail: what it returns is stored.
    /// - In [`Layout::Entries`](crate::Layout::Entries) no expiry is known: `is_stale` must see it in the value. Only the
    ///   value is stored of what `fetch` returns.
    ///
    /// # Errors
    ///
    /// The error of `fetch`; `Busy` if another process refreshes for longer than the deadline; `Conflict` if the secret was
    /// deleted while it was fetched, and then it stays deleted; `Invalid` for a key that can't be used; as a change if the
    /// store can't be written, and then `fetch` did not run.
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
        let _alone = self.run(move |vault| vault.lock_refresh(&wanted)).await?;
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

    /// Returns the secrets that a refresh fetched and could not store; they are in this manager's memory.
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
    /// As [`SecretManager::refresh`](crate::SecretManager::refresh).
    ///
    /// # Errors
    ///
    /// As there.
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
        let old = match Found::new(vault.for_refresh(key)?, vault, &is_stale) {
            Found::Fresh(secret) => return Ok(secret),
            Found::Stale(old) => old,
        };
        let base = value(old.as_ref());
        vault.check_writable(key)?;
        let new = fetch(old)?;
        Ok(vault.refreshed(key, base.as_ref(), new)?)
    }

    /// As [`SecretManager::unstored`](crate::SecretManager::unstored).
    pub fn unstored(&self) -> Vec<SecretKey> {
        self.shared.vault.unstored()
    }
}

/// What a refresh finds in the vault.
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

/// A second copy of the value, to tell later whether it is still the one that was refreshed.
fn value(secret: Option<&Secret>) -> Option<SecretString> {
    secret.map(|secret| secret.duplicate().value)
}
