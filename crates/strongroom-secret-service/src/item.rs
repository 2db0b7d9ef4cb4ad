//! Calls about items: search, read, write, delete, describe.

use std::collections::HashMap;

use strongroom_core::{Candidate, EntryName, Timestamp};
use zbus::{ObjectPath, OwnedObjectPath, Variant};

use crate::budget::Budget;
use crate::bus::Bus;
use crate::error::Failure;
use crate::protocol::{COLLECTION, ITEM, SERVICE, SERVICE_PATH, WireSecret};

/// Attributes that name an item.
pub(crate) type Attributes<'a> = HashMap<&'a str, &'a str>;

/// The items that a search found.
pub(crate) struct SearchResult {
    pub(crate) unlocked: Vec<OwnedObjectPath>,
    pub(crate) locked: Vec<OwnedObjectPath>,
}

/// An item to create.
pub(crate) struct NewItem<'a> {
    pub(crate) label: String,
    pub(crate) attributes: Attributes<'a>,
    pub(crate) secret: WireSecret,
}

impl SearchResult {
    /// Returns the collections of the locked items, without duplicates.
    pub(crate) fn locked_collections(&self) -> Vec<OwnedObjectPath> {
        let mut collections: Vec<_> =
            self.locked.iter().filter_map(|item| collection_of(item).ok()).collect();
        collections.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        collections.dedup();
        collections
    }
}

/// Returns the collection of an item, which is the parent of its path.
pub(crate) fn collection_of(item: &ObjectPath<'_>) -> Result<OwnedObjectPath, Failure> {
    let parent = item.as_str().rsplit_once('/').map_or("/", |(parent, _)| parent);
    Ok(OwnedObjectPath::try_from(parent)?)
}

/// Searches all collections for items with these attributes.
pub(crate) async fn search(
    bus: &mut Bus,
    budget: &Budget,
    attributes: &Attributes<'_>,
) -> Result<SearchResult, Failure> {
    let service = ObjectPath::from_static_str(SERVICE_PATH)?;
    let (unlocked, locked) =
        bus.call(budget, &service, (SERVICE, "SearchItems"), attributes).await?;
    Ok(SearchResult { unlocked, locked })
}

/// Reads an item's value.
pub(crate) async fn get_secret(
    bus: &mut Bus,
    budget: &Budget,
    item: &ObjectPath<'_>,
    session: &ObjectPath<'_>,
) -> Result<WireSecret, Failure> {
    bus.call(budget, item, (ITEM, "GetSecret"), session).await
}

/// Replaces an item's value. `CreateItem` can replace a value, too, but hangs in KeePassXC.
pub(crate) async fn set_secret(
    bus: &mut Bus,
    budget: &Budget,
    item: &ObjectPath<'_>,
    secret: &WireSecret,
) -> Result<(), Failure> {
    bus.call(budget, item, (ITEM, "SetSecret"), &(secret,)).await
}

/// Creates an item. Returns the prompt that has to be answered first, `/` if there is none.
pub(crate) async fn create(
    bus: &mut Bus,
    budget: &Budget,
    collection: &ObjectPath<'_>,
    new: NewItem<'_>,
) -> Result<OwnedObjectPath, Failure> {
    let properties = HashMap::from([
        ("org.freedesktop.Secret.Item.Label", Variant::from(new.label)),
        ("org.freedesktop.Secret.Item.Attributes", Variant::from(new.attributes)),
    ]);
    // `false`: never replace an item, see `set_secret`.
    let body = &(properties, new.secret, false);
    let (_, prompt): (OwnedObjectPath, OwnedObjectPath) =
        bus.call(budget, collection, (COLLECTION, "CreateItem"), body).await?;
    Ok(prompt)
}

/// Deletes an item. Returns the prompt that has to be answered first, `/` if there is none.
pub(crate) async fn delete(
    bus: &mut Bus,
    budget: &Budget,
    item: &ObjectPath<'_>,
) -> Result<OwnedObjectPath, Failure> {
    bus.call(budget, item, (ITEM, "Delete"), &()).await
}

/// Reads an item's attributes.
pub(crate) async fn attributes(
    bus: &mut Bus,
    budget: &Budget,
    item: &ObjectPath<'_>,
) -> Result<HashMap<String, String>, Failure> {
    bus.property(budget, item, (ITEM, "Attributes")).await
}

/// Describes an item, for the user's choice among several.
pub(crate) async fn describe(
    bus: &mut Bus,
    budget: &Budget,
    item: &ObjectPath<'_>,
) -> Result<Candidate, Failure> {
    let label: String = bus.property(budget, item, (ITEM, "Label")).await?;
    let mut candidate = Candidate::new(item.as_str(), label);
    candidate.created = time(bus.property(budget, item, (ITEM, "Created")).await?);
    candidate.modified = time(bus.property(budget, item, (ITEM, "Modified")).await?);
    Ok(candidate)
}

/// Converts seconds since 1970 to a time; `None` for 0, which a provider reports for an unknown time.
fn time(second: u64) -> Option<Timestamp> {
    i64::try_from(second).ok().filter(|second| *second > 0).and_then(Timestamp::from_second)
}

/// Returns the label that the desktop's password manager shows. It has no slash, since KWallet takes the text
/// before a slash for a folder.
pub(crate) fn label(entry: &EntryName) -> String {
    format!("{}@{}", entry.user().as_str(), entry.service().as_str()).replace('/', "|")
}
