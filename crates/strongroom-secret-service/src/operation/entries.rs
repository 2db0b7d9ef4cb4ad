//! Operations on entries: read, write, remove, look up, list.

use strongroom_core::{EntryName, ErrorKind, SecretBytes, ServiceName, WriteMode};

use super::OperationContext;
use super::items::at_most_one;
use super::search::attributes_of;
use crate::error::Failure;
use crate::item::{self, Attributes};
use crate::protocol::ATTRIBUTE_SERVICE;
use crate::target;

impl OperationContext<'_> {
    /// Reads the value of an entry; `None` if the entry does not exist.
    pub(crate) async fn read(&mut self, entry: &EntryName) -> Result<Option<SecretBytes>, Failure> {
        let found = self.find_items(&attributes_of(entry)).await?;
        // A single item is read, whatever its target: the check would take a third call, and there is no other
        // item to mistake it for. Changes do check, because they could lose another secret.
        if let [item] = found.as_slice() {
            return self.read_item(item).await.map(Some);
        }
        let Some(item) = at_most_one(self.narrow_to_entry(entry, found).await?)? else {
            return Ok(None);
        };
        self.read_item(&item).await.map(Some)
    }

    /// Writes the value of an entry.
    pub(crate) async fn write(
        &mut self,
        entry: &EntryName,
        value: &[u8],
        mode: WriteMode,
    ) -> Result<(), Failure> {
        let items = match self.items_of(entry).await {
            Err(failure) if failure.kind() == ErrorKind::NoDefaultCollection => {
                self.create_default_collection().await?;
                Vec::new()
            }
            found => found?,
        };
        match at_most_one(items)? {
            Some(item) => self.replace(&item, value, mode).await,
            None => self.create(entry, value, mode).await,
        }
    }

    /// Deletes an entry and returns whether it existed.
    pub(crate) async fn remove(&mut self, entry: &EntryName) -> Result<bool, Failure> {
        match at_most_one(self.items_of(entry).await?)? {
            Some(item) => self.delete(&item).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// Returns whether an entry exists. An item that a locked collection shows counts.
    pub(crate) async fn contains(&mut self, entry: &EntryName) -> Result<bool, Failure> {
        // A hit, even a locked item, answers the question without a prompt. An empty result does not:
        // `find_items` distinguishes "locked" from "missing".
        if let Ok(found) = item::search(self.bus, &self.budget, &attributes_of(entry)).await {
            let shown = [found.unlocked, found.locked].concat();
            // The same condition as in `read`.
            if shown.len() == 1 || !self.without_target(shown).await?.is_empty() {
                return Ok(true);
            }
        }
        let found = self.find_items(&attributes_of(entry)).await?;
        Ok(found.len() == 1 || !self.narrow_to_entry(entry, found).await?.is_empty())
    }

    /// Returns the entries of a service, without duplicates.
    pub(crate) async fn list(&mut self, service: &ServiceName) -> Result<Vec<EntryName>, Failure> {
        let users = self.list_users(service).await?;
        let entries = users.into_iter().map(|user| EntryName::new(service.as_str(), user));
        // An item whose user name is empty or otherwise not valid here is no entry.
        let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
        entries.sort();
        entries.dedup();
        Ok(entries)
    }

    /// Returns the number of a service's items without a user name.
    pub(crate) async fn count_unnamed(&mut self, service: &ServiceName) -> Result<usize, Failure> {
        Ok(self.list_users(service).await?.iter().filter(|user| user.is_empty()).count())
    }

    /// Returns the user name in the entry of each item of a service; an empty string if the item has no user
    /// name.
    async fn list_users(&mut self, service: &ServiceName) -> Result<Vec<String>, Failure> {
        let attributes = Attributes::from([(ATTRIBUTE_SERVICE, service.as_str())]);
        let mut users = Vec::new();
        for item in self.find_items(&attributes).await? {
            let Some(attributes) = self.read_attributes(&item).await? else { continue };
            users.push(target::user_in_entry(&attributes));
        }
        Ok(users)
    }
}
