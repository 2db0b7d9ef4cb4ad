//! One operation on the Secret Service, step by step: find, unlock, read, write, delete.

use std::collections::HashMap;

use strongroom_core::{Candidate, EntryName, ErrorKind, SecretBytes, ServiceName, WriteMode};
use zbus::OwnedObjectPath;

use crate::Config;
use crate::budget::Budget;
use crate::bus::Bus;
use crate::dh::KeyPair;
use crate::error::{Failure, Retry};
use crate::facts::Facts;
use crate::item;
use crate::process_lock::{Guarded, ProcessLock};
use crate::prompt::Shown;
use crate::protocol::{
    ATTRIBUTE_SCHEMA, ATTRIBUTE_SERVICE, ATTRIBUTE_USER, GENERIC_SCHEMA, WireSecret,
};
use crate::provider::Provider;
use crate::session::{Content, Session};
use crate::target;

/// Attributes that name an item.
pub(crate) type Attributes<'a> = HashMap<&'a str, &'a str>;

/// A running operation: the bus and session that it uses, its settings and its time budget.
pub(crate) struct Work<'a> {
    pub(crate) bus: &'a mut Bus,
    pub(crate) session: &'a mut Option<Session>,
    pub(crate) pair: &'a mut Option<KeyPair>,
    pub(crate) left_behind: &'a mut Option<Shown>,
    pub(crate) budget: Budget,
    pub(crate) config: &'a Config,
    pub(crate) facts: &'a Facts,
    /// Set once a change was requested, which may take effect even if no answer comes.
    pub(crate) writing: bool,
}

impl Work<'_> {
    /// Reads the value of an entry; `None` if the entry does not exist.
    pub(crate) async fn read(&mut self, entry: &EntryName) -> Result<Option<SecretBytes>, Failure> {
        let found = self.find(&attributes_of(entry)).await?;
        // An only item is read whatever its target is: to look would take a third call, and there is no other to mistake it
        // for. Changes do look, because they could lose another secret.
        if let [item] = found.as_slice() {
            return self.read_item(item).await.map(Some);
        }
        let Some(item) = only(self.of_entry(entry, found).await?)? else {
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
        let items = match self.items(entry).await {
            Err(failure) if failure.kind == ErrorKind::NoDefaultCollection => {
                self.create_default_collection().await?;
                Vec::new()
            }
            found => found?,
        };
        match only(items)? {
            Some(item) => self.replace(&item, value, mode).await,
            None => self.create(entry, value, mode).await,
        }
    }

    /// Deletes an entry and returns whether it existed.
    pub(crate) async fn remove(&mut self, entry: &EntryName) -> Result<bool, Failure> {
        match only(self.items(entry).await?)? {
            Some(item) => self.delete(&item).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// Returns whether an entry exists. An item that a locked collection shows counts.
    pub(crate) async fn contains(&mut self, entry: &EntryName) -> Result<bool, Failure> {
        // A hit, even a locked item, answers the question without a prompt. An empty result does not: `items`
        // tells "locked" from "missing".
        if let Ok(found) = item::search(self.bus, &self.budget, &attributes_of(entry)).await {
            let shown = [found.open, found.locked].concat();
            // As `read` would find it.
            if shown.len() == 1 || !self.without_target(shown).await?.is_empty() {
                return Ok(true);
            }
        }
        let found = self.find(&attributes_of(entry)).await?;
        Ok(found.len() == 1 || !self.of_entry(entry, found).await?.is_empty())
    }

    /// Returns the entries of a service, without duplicates.
    pub(crate) async fn list(&mut self, service: &ServiceName) -> Result<Vec<EntryName>, Failure> {
        let users = self.users(service).await?;
        let entries = users.into_iter().map(|user| EntryName::new(service.as_str(), user));
        // An item whose user name is empty or otherwise not valid here is no entry.
        let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
        entries.sort();
        entries.dedup();
        Ok(entries)
    }

    /// Returns the number of a service's items without a user name.
    pub(crate) async fn count_unnamed(&mut self, service: &ServiceName) -> Result<usize, Failure> {
        Ok(self.users(service).await?.iter().filter(|user| user.is_empty()).count())
    }

    /// Returns the user name in the entry of each item of a service; an empty string if the item has no user
    /// name.
    async fn users(&mut self, service: &ServiceName) -> Result<Vec<String>, Failure> {
        let attributes = Attributes::from([(ATTRIBUTE_SERVICE, service.as_str())]);
        let mut users = Vec::new();
        for item in self.find(&attributes).await? {
            let Some(attributes) = self.attributes(&item).await? else { continue };
            users.push(target::user_in_entry(&attributes));
        }
        Ok(users)
    }

    /// Returns the items that answer to an entry's name, most recently changed first.
    pub(crate) async fn candidates(
        &mut self,
        entry: &EntryName,
    ) -> Result<Vec<Candidate>, Failure> {
        let mut candidates = Vec::new();
        for path in self.items(entry).await? {
            candidates.push(item::describe(self.bus, &self.budget, &path).await?);
        }
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.modified));
        Ok(candidates)
    }

    /// Reads the value of the item with this id, among the items that answer to an entry's name.
    pub(crate) async fn read_candidate(
        &mut self,
        entry: &EntryName,
        id: &str,
    ) -> Result<SecretBytes, Failure> {
        let item = named(self.items(entry).await?, id)?;
        self.read_item(&item).await
    }

    /// Replaces the value of the item with this id, among the items that answer to an entry's name.
    pub(crate) async fn write_candidate(
        &mut self,
        entry: &EntryName,
        id: &str,
        value: &[u8],
    ) -> Result<(), Failure> {
        let item = named(self.items(entry).await?, id)?;
        self.replace(&item, value, WriteMode::Overwrite).await
    }

    /// Keeps the item with this id, deletes the other items that answer to the entry's name, and returns
    /// their number.
    pub(crate) async fn keep(&mut self, entry: &EntryName, id: &str) -> Result<usize, Failure> {
        let items = self.items(entry).await?;
        // Checked before anything is deleted: with an unknown id all items would go.
        named(items.clone(), id)?;
        let others: Vec<_> = items.iter().filter(|item| item.as_str() != id).collect();
        for item in &others {
            self.delete(item).await?;
        }
        Ok(others.len())
    }

    /// Completes the failure for a call without an answer: names the provider, and warns if a requested
    /// change may still take effect.
    pub(crate) async fn explain_silence(&self, failure: Failure) -> Failure {
        let known = Provider::find(self.bus).await.map(|provider| provider.explain_silence());
        let (failure, hint) = match known {
            Some((message, hint)) => (failure.message(message), hint),
            None => (failure, "See whether the keyring's daemon runs, and try again.".into()),
        };
        let warning = if self.writing { " The change may still take effect." } else { "" };
        failure.hint(hint.text(warning))
    }

    /// Returns the items of an entry, all of them readable now.
    ///
    /// An item without a target comes first. Only if there is none, the entry's name is read as a user name
    /// with a target.
    async fn items(&mut self, entry: &EntryName) -> Result<Vec<OwnedObjectPath>, Failure> {
        let found = self.find(&attributes_of(entry)).await?;
        self.of_entry(entry, found).await
    }

    /// Returns the items of an entry, given those that have its user name.
    async fn of_entry(
        &mut self,
        entry: &EntryName,
        found: Vec<OwnedObjectPath>,
    ) -> Result<Vec<OwnedObjectPath>, Failure> {
        let mut items = self.without_target(found).await?;
        let mut targets = target::attributes_of(entry);
        while items.is_empty()
            && let Some(attributes) = targets.next()
        {
            items = self.find(&attributes).await?;
        }
        Ok(items)
    }

    /// Returns those of the items that have no target. A search also finds items with additional attributes.
    async fn without_target(
        &mut self,
        items: Vec<OwnedObjectPath>,
    ) -> Result<Vec<OwnedObjectPath>, Failure> {
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            let attributes = self.attributes(&item).await?;
            if attributes.is_some_and(|attributes| target::of(&attributes).is_none()) {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    /// Returns an item's attributes; `None` if the item was deleted meanwhile.
    async fn attributes(
        &mut self,
        item: &OwnedObjectPath,
    ) -> Result<Option<HashMap<String, String>>, Failure> {
        match item::attributes(self.bus, &self.budget, item).await {
            Err(failure) if failure.is_vanished() => Ok(None),
            attributes => attributes.map(Some),
        }
    }

    /// Returns the items with these attributes, all of them readable now. Unlocks collections if necessary.
    ///
    /// Several providers find nothing in a locked collection and report no error, so an empty result counts
    /// only if the default collection exists and is open.
    async fn find(&mut self, attributes: &Attributes<'_>) -> Result<Vec<OwnedObjectPath>, Failure> {
        let locked = match item::search(self.bus, &self.budget, attributes).await {
            Err(failure) if failure.kind == ErrorKind::Locked => Vec::new(),
            Err(failure) => return Err(failure),
            Ok(found) if found.locked.is_empty() && !found.open.is_empty() => return Ok(found.open),
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
        if found.locked.is_empty() { Ok(found.open) } else { Err(Failure::new(ErrorKind::Locked)) }
    }

    async fn read_item(&mut self, item: &OwnedObjectPath) -> Result<SecretBytes, Failure> {
        self.open_session().await?;
        let collection = item::collection_of(item)?;
        self.note_collection(&collection);
        let session = self.session.as_ref().ok_or_else(no_session)?;
        let secret = item::get_secret(self.bus, &self.budget, item, session.path()).await?;
        match session.unseal(secret)? {
            Content::Value(value) => Ok(value),
            Content::Empty => self.believe_empty(item).await,
        }
    }

    async fn replace(
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
        self.writing = true;
        item::set_secret(self.bus, &self.budget, item, &secret).await?;
        // KWallet acknowledges a write to a wallet that was closed meanwhile, and drops it.
        let collection = item::collection_of(item)?;
        self.note_collection(&collection);
        if self.is_locked(&collection).await? {
            return Err(Failure::new(ErrorKind::Locked)
                .message("the keyring was locked during the write, which may be lost"));
        }
        Ok(())
    }

    fn seal(&self, value: &[u8]) -> Result<WireSecret, Failure> {
        self.session.as_ref().ok_or_else(no_session)?.seal(value, self.config.keeps_lines)
    }

    async fn delete(&mut self, item: &OwnedObjectPath) -> Result<(), Failure> {
        self.writing = true;
        let prompt = item::delete(self.bus, &self.budget, item).await?;
        self.ask(prompt).await
    }

    /// Creates an item. If another process created it meanwhile, continues as for an existing item.
    async fn create(
        &mut self,
        entry: &EntryName,
        value: &[u8],
        mode: WriteMode,
    ) -> Result<(), Failure> {
        let collection = self.default_collection().await?;
        if self.is_locked(&collection).await? {
            self.unlock(std::slice::from_ref(&collection)).await?;
        }
        self.open_session().await?;
        let dir = self.config.lock_dir();
        // The protocol has no "create unless it exists", so processes take turns between search and creation.
        // The calls that follow need the other half of the time; without the lock the operation goes on.
        let wait = self.budget.left() / 2;
        let _lock = ProcessLock::acquire(Guarded::CreateItem, dir.as_deref(), wait);
        let mut attributes = attributes_of(entry);
        let items = item::search(self.bus, &self.budget, &attributes).await?.open;
        let items = self.without_target(items).await?;
        if let Some(item) = only(items)? {
            return self.replace(&item, value, mode).await;
        }
        // Added after the search, which has to find items of any schema.
        attributes.insert(ATTRIBUTE_SCHEMA, GENERIC_SCHEMA);
        let secret = self.seal(value)?;
        let new = item::NewItem { label: item::label(entry), attributes, secret };
        self.writing = true;
        let created = item::create(self.bus, &self.budget, &collection, new).await;
        // The item may exist already, and another try would then report `AlreadyExists` to its creator.
        let prompt = created.map_err(|failure| match (mode, failure.kind) {
            (WriteMode::CreateNew, ErrorKind::NoBackend) => failure
                .message("the Secret Service ended during the write; it may have taken effect")
                .retry(Retry::No),
            _ => failure,
        })?;
        self.ask(prompt).await
    }

    /// Opens a session if there is none, and checks that this store may use it.
    pub(crate) async fn open_session(&mut self) -> Result<(), Failure> {
        let is_new = self.session.is_none();
        if is_new {
            let pair = self.pair.take();
            let opening = Session::open(self.bus, &self.budget, self.config, pair);
            *self.session = Some(opening.await?);
        }
        let is_encrypted = self.session.as_ref().is_some_and(Session::is_encrypted);
        // The session is shared by all stores on the bus: another store may have allowed a plain session.
        if !is_encrypted && !self.config.unencrypted_session {
            return Err(Failure::not_encrypted());
        }
        if (is_new || !self.facts.know_session())
            && let Some(provider) = Provider::find(self.bus).await
        {
            self.facts.note_provider(&provider);
        }
        self.facts.note_session(is_encrypted);
        Ok(())
    }

    /// Decides on the meaning of an empty answer.
    ///
    /// From KWallet it means a closed wallet, or a lost value: KWallet writes an item's name at once and its
    /// value seconds later. From other providers it is an empty value, which another program stored: this
    /// library never stores an empty value as such.
    async fn believe_empty(&mut self, item: &OwnedObjectPath) -> Result<SecretBytes, Failure> {
        let collection = item::collection_of(item)?;
        if self.is_locked(&collection).await? {
            return Err(Failure::new(ErrorKind::Locked));
        }
        match Provider::find(self.bus).await {
            Some(provider) if provider.is_kwallet() => Err(Failure::new(ErrorKind::Corrupt)
                .message("KWallet lost the value: it ended before it had written it")
                .hint("Store the value again.")),
            _ => Ok(strongroom_core::secret_bytes(Vec::new())),
        }
    }
}

/// Returns the attributes that an entry is searched by.
fn attributes_of(entry: &EntryName) -> Attributes<'_> {
    Attributes::from([
        (ATTRIBUTE_SERVICE, entry.service().as_str()),
        (ATTRIBUTE_USER, entry.user().as_str()),
    ])
}

/// Returns the only item, if any. Several items are `Ambiguous`.
fn only(mut items: Vec<OwnedObjectPath>) -> Result<Option<OwnedObjectPath>, Failure> {
    if items.len() > 1 {
        return Err(Failure::new(ErrorKind::Ambiguous)
            .message(format!("{} items answer to this name", items.len())));
    }
    Ok(items.pop())
}

/// Returns the item with this id, else `NotFound`. It never guesses, since the caller may delete all other
/// items.
fn named(items: Vec<OwnedObjectPath>, id: &str) -> Result<OwnedObjectPath, Failure> {
    items.into_iter().find(|item| item.as_str() == id).ok_or_else(|| {
        Failure::new(ErrorKind::NotFound)
            .message("none of the items has this id")
            .hint("List the items again and take an id from there. Nothing was changed.")
    })
}

fn no_session() -> Failure {
    Failure::new(ErrorKind::Other).message("the session is gone").retry(Retry::Session)
}
