//! Operations on single items: read, replace, create, delete.

use std::slice;

use strongroom_core::{EntryName, ErrorKind, SecretBytes, WriteMode, secret_bytes};
use zbus::OwnedObjectPath;

use super::OperationContext;
use super::search::attributes_of;
use crate::error::{Failure, Retry};
use crate::item;
use crate::process_lock::{ExclusiveStep, ProcessLock};
use crate::protocol::{ATTRIBUTE_SCHEMA, GENERIC_SCHEMA, WireSecret};
use crate::provider::Provider;
use crate::session::Content;

impl OperationContext<'_> {
    /// Reads the value of an item.
    pub(super) async fn read_item(
        &mut self,
        item: &OwnedObjectPath,
    ) -> Result<SecretBytes, Failure> {
        self.open_session().await?;
        let collection = item::collection_of(item)?;
        self.note_collection(&collection);
        let session = self.session.as_ref().ok_or_else(no_session)?;
        let secret = item::get_secret(self.bus, &self.budget, item, session.path()).await?;
        match session.unseal(secret)? {
            Content::Value(value) => Ok(value),
            Content::Empty => self.resolve_empty_value(item).await,
        }
    }

    /// Replaces the value of an item, unless the mode forbids it.
    pub(super) async fn replace(
        &mut self,
        item: &OwnedObjectPath,
        value: &[u8],
        mode: WriteMode,
    ) -> Result<(), Failure> {
        if mode == WriteMode::CreateNew {
            return Err(Failure::new(ErrorKind::AlreadyExists));
        }
        self.open_session().await?;
        let secret = self.seal(value)?;
        self.has_requested_change = true;
        item::set_secret(self.bus, &self.budget, item, &secret).await?;
        // KWallet acknowledges a write to a wallet that was closed meanwhile, and drops it.
        let collection = item::collection_of(item)?;
        self.note_collection(&collection);
        if self.is_locked(&collection).await? {
            return Err(Failure::new(ErrorKind::Locked)
                .with_message("the keyring was locked during the write, which may be lost"));
        }
        Ok(())
    }

    /// Creates an item. If another process created it meanwhile, continues as for an existing item.
    pub(super) async fn create(
        &mut self,
        entry: &EntryName,
        value: &[u8],
        mode: WriteMode,
    ) -> Result<(), Failure> {
        let collection = self.default_collection().await?;
        if self.is_locked(&collection).await? {
            self.unlock(slice::from_ref(&collection)).await?;
        }
        self.open_session().await?;
        // The protocol has no "create unless it exists", so processes take turns between search and creation.
        // The calls that follow need the other half of the time; without the lock the operation goes on.
        let (dir, wait) = (self.config.lock_dir(), self.budget.left() / 2);
        let _lock = ProcessLock::acquire(ExclusiveStep::CreateItem, dir.as_deref(), wait);
        let items = item::search(self.bus, &self.budget, &attributes_of(entry)).await?.unlocked;
        let items = self.without_target(items).await?;
        match at_most_one(items)? {
            Some(item) => self.replace(&item, value, mode).await,
            None => self.create_in(&collection, entry, value, mode).await,
        }
    }

    async fn create_in(
        &mut self,
        collection: &OwnedObjectPath,
        entry: &EntryName,
        value: &[u8],
        mode: WriteMode,
    ) -> Result<(), Failure> {
        let secret = self.seal(value)?;
        // Only here, since a search has to find items of any schema.
        let mut attributes = attributes_of(entry);
        attributes.insert(ATTRIBUTE_SCHEMA, GENERIC_SCHEMA);
        let new = item::NewItem { label: item::label(entry), attributes, secret };
        self.has_requested_change = true;
        let created = item::create(self.bus, &self.budget, collection, new).await;
        // The item may exist already, and another try would then report `AlreadyExists` to its creator.
        let prompt = created.map_err(|failure| match (mode, failure.kind()) {
            (WriteMode::CreateNew, ErrorKind::NoBackend) => failure
                .with_message("the Secret Service ended during the write; it may have taken effect")
                .with_retry(Retry::No),
            _ => failure,
        })?;
        self.show_prompt(prompt).await
    }

    /// Deletes an item.
    pub(super) async fn delete(&mut self, item: &OwnedObjectPath) -> Result<(), Failure> {
        self.has_requested_change = true;
        let prompt = item::delete(self.bus, &self.budget, item).await?;
        self.show_prompt(prompt).await
    }

    /// Decides on the meaning of an empty answer.
    ///
    /// From KWallet it means a closed wallet, or a lost value: KWallet writes an item's name at once and its
    /// value seconds later. From other providers it is an empty value, which another program stored: this
    /// library never stores an empty value as such.
    async fn resolve_empty_value(
        &mut self,
        item: &OwnedObjectPath,
    ) -> Result<SecretBytes, Failure> {
        let collection = item::collection_of(item)?;
        if self.is_locked(&collection).await? {
            return Err(Failure::new(ErrorKind::Locked));
        }
        match Provider::find(self.bus).await {
            Some(provider) if provider.is_kwallet() => Err(Failure::new(ErrorKind::Corrupt)
                .with_message("KWallet lost the value: it ended before it had written it")
                .with_hint("Store the value again.")),
            _ => Ok(secret_bytes(Vec::new())),
        }
    }

    fn seal(&self, value: &[u8]) -> Result<WireSecret, Failure> {
        self.session.as_ref().ok_or_else(no_session)?.seal(value, self.config.keeps_lines)
    }
}

/// Returns the only item, if any. Several items are `Ambiguous`.
pub(super) fn at_most_one(
    mut items: Vec<OwnedObjectPath>,
) -> Result<Option<OwnedObjectPath>, Failure> {
    if items.len() > 1 {
        return Err(Failure::new(ErrorKind::Ambiguous)
            .with_message(format!("{} items answer to this name", items.len())));
    }
    Ok(items.pop())
}

fn no_session() -> Failure {
    Failure::new(ErrorKind::Other).with_message("the session is gone").with_retry(Retry::Session)
}
