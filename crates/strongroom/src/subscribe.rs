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

/// The changes of a vault, for async callers. Made by [`SecretManager::subscribe`].
///
/// It does not end by itself. Read it or drop it: what is not read is kept.
pub struct Changes {
    receiver: Pin<Box<Receiver<Change>>>,
    _vault: Arc<Vault>,
}

/// The changes of a vault, for callers that block. Made by
/// [`SecretManager::subscribe`](crate::blocking::SecretManager::subscribe).
///
/// As an iterator it waits for the next change, however long, and does not end by itself. Read it or
/// drop it: what is not read is kept.
pub struct BlockingChanges {
    receiver: Receiver<Change>,
    _vault: Arc<Vault>,
}

impl SecretManager {
    /// Tells which secrets change from now on, by this process or another.
    ///
    /// - Changes of this handle are told at once, those of other processes within half a second,
    ///   where there is a state directory; without one, when a call of this handle finds them.
    /// - It tells what is different from the last look: a secret that was added and removed in between
    ///   is not mentioned, and several updates are one.
    /// - In [`Layout::Entries`](crate::Layout::Entries) it tells the changes of this handle, and what was added and
    ///   removed by others when one of those is told.
    /// - It never asks the user: what others do while the store is locked, or this handle by
    ///   [`forget`](Self::forget), is told after the next read.
    ///
    /// # Errors
    ///
    /// `Io` if the system gives no thread to watch with.
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
    /// As [`SecretManager::subscribe`](crate::SecretManager::subscribe).
    ///
    /// # Errors
    ///
    /// As there.
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
    /// The next change if there is one already. Waits for nothing.
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
