//! Subscriptions to the changes of a vault.

use std::sync::Arc;

use async_channel::Receiver;
use strongroom_core::Result;

use crate::changes::{BlockingChanges, Changes};
use crate::shared::Shared;
use crate::subscribers::Change;
use crate::watcher::Watcher;
use crate::{SecretManager, blocking};

impl SecretManager {
    /// Subscribes to the changes of secrets from now on, by this process or another.
    ///
    /// - Changes of this handle are reported at once. Those of other processes are reported within half a
    ///   second if there is a state directory; without a state directory, when a call of this handle finds
    ///   them.
    /// - It reports the differences from the last look: a secret that was added and removed in between is not
    ///   mentioned, and several updates are reported as a single change.
    /// - In [`Layout::Entries`](crate::Layout::Entries) it reports the changes of this handle, and together
    ///   with them the entries that other programs added or removed.
    /// - It never asks the user. Changes by other processes while the store is locked, or after
    ///   [`forget`](Self::forget) on this handle, are reported after the next read.
    ///
    /// # Errors
    ///
    /// `Io` if the system can't start a thread that watches the vault.
    ///
    /// ```
    /// use futures_lite::StreamExt as _;
    /// use strongroom::{Backend, ChangeKind, Config};
    ///
    /// # futures_lite::future::block_on(async {
    /// # let secrets = Config::new("example-changes").backend(Backend::Memory).open().await?;
    /// let mut changes = secrets.subscribe()?;
    /// secrets.set_api_key("API_KEY", "sk-1", None).await?;
    /// let change = changes.next().await.expect("it does not end");
    /// assert_eq!((change.key.name(), change.kind), ("API_KEY", ChangeKind::Added));
    /// # Ok::<(), strongroom::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn subscribe(&self) -> Result<Changes> {
        let shared = &self.blocking.shared;
        Ok(Changes::new(shared.subscribe()?, Arc::clone(&shared.engine)))
    }
}

impl blocking::SecretManager {
    /// Subscribes to changes, as [`SecretManager::subscribe`](crate::SecretManager::subscribe) does.
    ///
    /// # Errors
    ///
    /// The errors of the async method.
    pub fn subscribe(&self) -> Result<BlockingChanges> {
        Ok(BlockingChanges::new(self.shared.subscribe()?, Arc::clone(&self.shared.engine)))
    }
}

impl Shared {
    /// Returns the changes from now on.
    pub(crate) fn subscribe(&self) -> Result<Receiver<Change>> {
        // It looks at the vault, so it is made before the subscribers are locked.
        let watcher = Watcher::new(&self.engine, &self.subscribers);
        self.subscribers.add(|| watcher.start())
    }
}
