//! Operations on candidates, the items that answer to the same name.

use std::cmp::Reverse;

use strongroom_core::{Candidate, EntryName, ErrorKind, SecretBytes, WriteMode};
use zbus::OwnedObjectPath;

use super::OperationContext;
use crate::error::Failure;
use crate::item;

impl OperationContext<'_> {
    /// Returns the items that answer to an entry's name, most recently changed first.
    pub(crate) async fn candidates(
        &mut self,
        entry: &EntryName,
    ) -> Result<Vec<Candidate>, Failure> {
        let mut candidates = Vec::new();
        for path in self.items_of(entry).await? {
            candidates.push(item::describe(self.bus, &self.budget, &path).await?);
        }
        candidates.sort_by_key(|candidate| Reverse(candidate.modified));
        Ok(candidates)
    }

    /// Reads the value of the item with this id, among the items that answer to an entry's name.
    pub(crate) async fn read_candidate(
        &mut self,
        entry: &EntryName,
        id: &str,
    ) -> Result<SecretBytes, Failure> {
        let item = by_id(self.items_of(entry).await?, id)?;
        self.read_item(&item).await
    }

    /// Replaces the value of the item with this id, among the items that answer to an entry's name.
    pub(crate) async fn write_candidate(
        &mut self,
        entry: &EntryName,
        id: &str,
        value: &[u8],
    ) -> Result<(), Failure> {
        let item = by_id(self.items_of(entry).await?, id)?;
        self.replace(&item, value, WriteMode::Overwrite).await
    }

    /// Keeps the item with this id, deletes the other items that answer to the entry's name, and returns
    /// their number.
    pub(crate) async fn keep_candidate(
        &mut self,
        entry: &EntryName,
        id: &str,
    ) -> Result<usize, Failure> {
        let items = self.items_of(entry).await?;
        // Checked before anything is deleted: with an unknown id all items would go.
        by_id(items.clone(), id)?;
        let others: Vec<_> = items.iter().filter(|item| item.as_str() != id).collect();
        for item in &others {
            self.delete(item).await?;
        }
        Ok(others.len())
    }
}

/// Returns the item with this id, else `NotFound`. It never guesses, since the caller may delete all other
/// items.
fn by_id(items: Vec<OwnedObjectPath>, id: &str) -> Result<OwnedObjectPath, Failure> {
    items.into_iter().find(|item| item.as_str() == id).ok_or_else(|| {
        Failure::new(ErrorKind::NotFound)
            .with_message("none of the items has this id")
            .with_hint("List the items again and take an id from there. Nothing was changed.")
    })
}
