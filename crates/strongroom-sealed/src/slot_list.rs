//! The sealed list of key slots, which reveals a slot that was changed without the vault's key.
//!
//! A program that can write the file can change a slot. A slot that was overwritten with garbage under the
//! same id and label would only be noticed when it is needed. So each change of slots writes a list of their
//! digests, sealed with the vault's key.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};

use crate::SlotId;
use crate::aead;
use crate::error::{Result, from_sqlite};
use crate::keys::{self, Keys, VaultId};
use crate::schema;
use crate::slot::{ID, StoredSlot};

/// The number of bytes at the end of a vault's id that mark a file with a list.
const MARK: usize = 4;

/// The number of bytes of a slot's digest.
const DIGEST: usize = 16;

type Digest = [u8; DIGEST];

/// The slots that were written with the vault's key.
#[derive(Debug, Default)]
pub(crate) struct SlotList(BTreeMap<String, Digest>);

/// A key slot that is not as it was written with the vault's key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotChange {
    /// The slot of this id was changed or damaged. The source that opened it may not open it any more.
    Changed(SlotId),
    /// The slot of this id was added without the key, or by a version of this program without lists.
    Added(SlotId),
    /// The slot of this id was removed.
    Removed(SlotId),
}

impl SlotChange {
    /// Returns the slot's id.
    pub fn id(&self) -> &SlotId {
        let (Self::Changed(id) | Self::Added(id) | Self::Removed(id)) = self;
        id
    }
}

/// Returns a random id for a new vault, marked as having a list. An attacker that deletes the list can't
/// change the id, which all sealed data is bound to.
pub(crate) fn marked_id() -> Result<VaultId> {
    let mut id = aead::random()?;
    let mark = mark(&id);
    if let Some(end) = id.last_chunk_mut() {
        *end = mark;
    }
    Ok(id)
}

fn is_marked(id: &VaultId) -> bool {
    id.ends_with(&mark(id))
}

fn mark(id: &VaultId) -> [u8; MARK] {
    let random = &id[..id.len() - MARK];
    let hash = Sha256::digest(keys::bind("strongroom-sealed/1 slots are listed", &[random]));
    let mut mark = [0; MARK];
    mark.copy_from_slice(&hash[..MARK]);
    mark
}

impl SlotList {
    /// Creates the list of these slots, all of which it vouches for.
    pub(crate) fn of<'a>(slots: impl IntoIterator<Item = &'a StoredSlot>) -> Self {
        Self(slots.into_iter().map(entry).collect())
    }

    /// Reads the list of a vault. For a file of a version without lists, the existing slots are listed. If
    /// the list is missing or damaged, the result is empty.
    pub(crate) fn read(
        connection: &Connection,
        vault: &VaultId,
        keys: &Keys,
        slots: &[Result<StoredSlot>],
    ) -> Result<Self> {
        let sealed = sealed(connection).map_err(from_sqlite)?;
        if sealed.is_none() && !is_marked(vault) {
            return Ok(Self::of(slots.iter().flatten()));
        }
        let plain =
            sealed.and_then(|sealed| aead::open(keys.state(), &context(vault, keys), &sealed));
        Ok(plain.map(|plain| Self::from_bytes(&plain)).unwrap_or_default())
    }

    /// Seals and writes the list.
    pub(crate) fn write(
        &self,
        connection: &Connection,
        vault: &VaultId,
        keys: &Keys,
    ) -> Result<()> {
        let sealed = aead::seal(keys.state(), &context(vault, keys), &self.to_bytes())?;
        store(connection, &sealed).map_err(from_sqlite)
    }

    /// Adds a slot that was just written.
    pub(crate) fn add(&mut self, slot: &StoredSlot) {
        self.0.extend([entry(slot)]);
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Returns the differences between the list and the existing slots.
    pub(crate) fn changes(&self, slots: &[Result<StoredSlot>]) -> Vec<SlotChange> {
        let there: BTreeMap<_, _> = slots.iter().flatten().map(entry).collect();
        // A damaged slot has no reliable id, so a listed slot that is not found may be the damaged slot.
        let is_any_damaged = slots.iter().any(Result::is_err);
        let mut changes = Vec::new();
        for (id, digest) in &self.0 {
            match there.get(id) {
                Some(found) if found == digest => {}
                None if !is_any_damaged => changes.push(SlotChange::Removed(SlotId::new(id))),
                _ => changes.push(SlotChange::Changed(SlotId::new(id))),
            }
        }
        let added = there.keys().filter(|id| !self.0.contains_key(*id));
        changes.extend(added.map(|id| SlotChange::Added(SlotId::new(id))));
        changes
    }

    /// Encodes the id and digest of each slot, in the order of the ids.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(id, digest)| [id.as_bytes(), digest].concat()).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.chunks_exact(ID + DIGEST).filter_map(parsed).collect())
    }
}

fn entry(slot: &StoredSlot) -> (String, Digest) {
    (slot.id().to_owned(), slot.digest())
}

fn parsed(entry: &[u8]) -> Option<(String, Digest)> {
    let (id, digest) = entry.split_at(ID);
    Some((String::from_utf8(id.to_vec()).ok()?, digest.try_into().ok()?))
}

fn sealed(connection: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    if !schema::has_slot_list(connection)? {
        return Ok(None);
    }
    let sql = "SELECT sealed FROM slot_list WHERE octet_length(sealed) < 1000 LIMIT 1";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

fn store(connection: &Connection, sealed: &[u8]) -> rusqlite::Result<()> {
    if !schema::has_slot_list(connection)? {
        schema::create_slot_list(connection)?;
    }
    let sql = "INSERT OR REPLACE INTO slot_list (one, sealed) VALUES (1, ?1)";
    connection.execute(sql, [sealed]).map(drop)
}

fn context(vault: &VaultId, keys: &Keys) -> Vec<u8> {
    keys::bind("strongroom-sealed/1 slot list", &[vault, keys.id()])
}
