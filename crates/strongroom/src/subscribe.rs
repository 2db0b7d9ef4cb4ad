//! The changes of a vault, as a stream and as an iterator.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_channel::Receiver;
use futures_core::Stream;
use strongroom_core::Result;

use crate::vault::{Change, Vault};
use crate::{SecretManager, blocking};

/// The changes of a vault, for async callers, as returned by [`SecretManager::subscribe`].
///
/// The stream does not end by itself. Read it or drop it: changes that are not read stay in memory.
pub struct Changes {
    receiver: Pin<Box<Receiver<Change>>>,
    // The watching thread holds the vault weakly, so the subscription keeps it alive.
    _vault: Arc<Vault>,
}

/// The changes of a vault, for callers that block, as returned by
/// [`SecretManager::subscribe`](crate::blocking::SecretManager::subscribe).
///
/// As an iterator it waits for the next change without a limit, and does not end by itself. Read it or drop
/// it: changes that are not read stay in memory.
pub struct BlockingChanges {
    receiver: Receiver<Change>,
    _vault: Arc<Vault>,
}

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
        let vault = Arc::clone(&self.shared.vault);
        Ok(Changes { receiver: Box::pin(vault.subscribe()?), _vault: vault })
    }
}

impl blocking::SecretManager {
    /// Subscribes to changes, as [`SecretManager::subscribe`](crate::SecretManager::subscribe) does.
    ///
    /// # Errors
    ///
    /// The errors of the async method.
    pub fn subscribe(&self) -> Result<BlockingChanges> {
        let vault = Arc::clone(&self.shared.vault);
        Ok(BlockingChanges { receiver: vault.subscribe()?, _vault: vault })
    }
}

impl Stream for Changes {
    type Item = Change;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Change>> {
        self.receiver.as_mut().poll_next(context)
    }
}

impl BlockingChanges {
    /// Returns the next change if there is a change already, without waiting.
    pub fn try_next(&mut self) -> Option<Change> {
        self.receiver.try_recv().ok()
    }
}

impl Iterator for BlockingChanges {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        self.receiver.recv_blocking().ok()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

impl fmt::Debug for BlockingChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingChanges").finish_non_exhaustive()
    }
}
