//! Search: the items of an entry, and the unlocking of collections that may hold more.

use std::collections::HashMap;

use strongroom_core::{EntryName, ErrorKind};
use zbus::OwnedObjectPath;

use super::OperationContext;
use crate::error::Failure;
use crate::item::{self, Attributes};
use crate::protocol::{ATTRIBUTE_SERVICE, ATTRIBUTE_USER};
use crate::target;

impl OperationContext<'_> {
    /// Returns the items of an entry, all of them readable now.
    ///
    /// An item without a target comes first. Only if there is none, the entry's name is read as a user name
    /// with a target.
    pub(super) async fn items_of(
        &mut self,
        entry: &EntryName,
    ) -> Result<Vec<OwnedObjectPath>, Failure> {
        let found = self.find_items(&attributes_of(entry)).await?;
        self.narrow_to_entry(entry, found).await
    }

    /// Returns the items of an entry, given those that have its user name.
    pub(super) async fn narrow_to_entry(
        &mut self,
        entry: &EntryName,
        found: Vec<OwnedObjectPath>,
    ) -> Result<Vec<OwnedObjectPath>, Failure> {
        let mut items = self.without_target(found).await?;
        let mut targets = target::attributes_of(entry);
        while items.is_empty()
            && let Some(attributes) = targets.next()
        {
            items = self.find_items(&attributes).await?;
        }
        Ok(items)
    }

    /// Returns those of the items that have no target. A search also finds items with additional attributes.
    pub(super) async fn without_target(
        &mut self,
        items: Vec<OwnedObjectPath>,
    ) -> Result<Vec<OwnedObjectPath>, Failure> {
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            let attributes = self.read_attributes(&item).await?;
            if attributes.is_some_and(|attributes| target::of(&attributes).is_none()) {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    /// Returns the items with these attributes, all of them readable now. Unlocks collections if necessary.
    ///
    /// Several providers find nothing in a locked collection and report no error, so an empty result counts
    /// only if the default collection exists and is open.
    pub(super) async fn find_items(
        &mut self,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<OwnedObjectPath>, Failure> {
        let locked = match item::search(self.bus, &self.budget, attributes).await {
            Err(failure) if failure.kind() == ErrorKind::Locked => Vec::new(),
            Err(failure) => return Err(failure),
            Ok(found) if found.locked.is_empty() && !found.unlocked.is_empty() => {
                return Ok(found.unlocked);
            }
            Ok(found) => found.locked_collections(),
        };
        if !locked.is_empty() {
            self.unlock(&locked).await?;
        } else {
            let default = self.default_collection().await?;
            if !self.is_locked(&default).await? {
                return Ok(Vec::new());
            }
            self.unlock(&[default]).await?;
        }
        // Searched again: unlocking may reveal items that the locked collection did not show.
        let found = item::search(self.bus, &self.budget, attributes).await?;
        if found.locked.is_empty() {
            Ok(found.unlocked)
        } else {
            Err(Failure::new(ErrorKind::Locked))
        }
    }

    /// Returns an item's attributes; `None` if the item was deleted meanwhile.
    pub(super) async fn read_attributes(
        &mut self,
        item: &OwnedObjectPath,
    ) -> Result<Option<HashMap<String, String>>, Failure> {
        match item::attributes(self.bus, &self.budget, item).await {
            Err(failure) if failure.is_vanished() => Ok(None),
            attributes => attributes.map(Some),
        }
    }
}

/// Returns the attributes that an entry is searched by.
pub(super) fn attributes_of(entry: &EntryName) -> Attributes<'_> {
    Attributes::from([
        (ATTRIBUTE_SERVICE, entry.service().as_str()),
        (ATTRIBUTE_USER, entry.user().as_str()),
    ])
}
