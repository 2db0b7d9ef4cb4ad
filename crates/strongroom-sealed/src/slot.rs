//! Key slots: the vault's key, wrapped for each source that opens it.

use rusqlite::{Connection, Row, params};
use sha2::{Digest as _, Sha256};
use strongroom_core::{ErrorKind, Fault, Timestamp};

use crate::aead::{self, Key};
use crate::budget::Budget;
use crate::error::{Result, corrupt, fault, from_sqlite, wrong_key};
use crate::keys::{self, KeyId, VaultId};
use crate::passphrase::Cost;
use crate::source::{Derived, Material};
use crate::{KeySource, SlotId, SlotKind};

/// The largest number of slots in a vault, as in LUKS2.
pub const MAX_SLOTS: usize = 32;

/// The size limit of a slot, in bytes, for all texts and blobs together. Only labels can be long.
const MAX_SLOT_BYTES: i64 = 64 * 1024;

/// The number of digits of a slot's id.
pub(crate) const ID: usize = 8;

/// The length of a slot's salt, in random bytes.
const SALT: usize = 16;

/// A slot as shown to the vault's owner. Nothing in it is secret: it can be read without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Slot {
    /// The id in the file.
    pub id: SlotId,
    /// The kind of source that opens the slot.
    pub kind: SlotKind,
    /// The owner's label.
    pub label: String,
    /// The time at which the slot was added.
    pub created_at: Timestamp,
    /// `true` if the slot is not as it was written with the vault's key: a program without the key changed or
    /// added it, and it may open nothing. Always `false` if the file was read without a key.
    pub is_changed: bool,
}

/// A slot as it is stored.
pub(crate) struct StoredSlot {
    id: String,
    kind: String,
    label: String,
    created_at: String,
    salt: Vec<u8>,
    cost: Option<Cost>,
    wrapped: Vec<u8>,
}

/// The slot that opened the vault. After a rotation by another process it yields the new key.
pub(crate) struct Opener {
    pub(crate) slot: String,
    pub(crate) key: Key,
}

/// A slot that is not in the file yet. The slow part, the derivation of its key, is done.
pub(crate) struct NewSlot {
    slot: StoredSlot,
    key: Key,
}

impl NewSlot {
    /// Derives the slot's key. For a passphrase this is slow on purpose, as its cost says.
    pub(crate) fn prepare(
        source: &KeySource,
        created_at: Timestamp,
        budget: &mut Budget,
    ) -> Result<Self> {
        let (material, cost, salt) = (source.material()?, source.cost()?, aead::random::<SALT>()?);
        let key = match material.slot_key(&salt, cost, budget)? {
            Derived::Key(key) => key,
            Derived::Skipped(skip) => return Err(budget.refused_new(skip, cost)),
            Derived::OtherKind => unreachable!("the cost is the source's own"),
        };
        let [a, b, c, d] = aead::random()?;
        let slot = StoredSlot {
            id: format!("{a:02x}{b:02x}{c:02x}{d:02x}"),
            kind: source.kind().as_str().to_owned(),
            label: source.label().to_owned(),
            created_at: created_at.to_string(),
            salt: salt.to_vec(),
            cost,
            wrapped: Vec::new(),
        };
        Ok(Self { slot, key })
    }

    /// Writes the slot. Returns it together with the opener that it makes.
    pub(crate) fn insert(
        mut self,
        connection: &Connection,
        vault: &VaultId,
        keys: &keys::Keys,
    ) -> Result<(StoredSlot, Opener)> {
        if count(connection)? >= MAX_SLOTS {
            return Err(fault(
                ErrorKind::QuotaExceeded,
                format!("the vault has {MAX_SLOTS} key slots, and can't have more"),
            )
            .with_hint("Remove one that is not needed any more."));
        }
        self.slot.wrap(&self.key, vault, keys)?;
        self.slot.write(connection)?;
        let opener = Opener { slot: self.slot.id.clone(), key: self.key };
        Ok((self.slot, opener))
    }
}

impl StoredSlot {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn to_slot(&self) -> Result<Slot> {
        let kind = SlotKind::from_word(&self.kind);
        let (Some(kind), Ok(created_at)) = (kind, self.created_at.parse()) else {
            return Err(self.damaged());
        };
        let (id, label) = (SlotId::new(self.id.as_str()), self.label.clone());
        Ok(Slot { id, kind, label, created_at, is_changed: false })
    }

    /// Derives the slot's key from this material.
    pub(crate) fn key(&self, material: &Material, budget: &mut Budget) -> Result<Derived> {
        material.slot_key(&self.salt, self.cost, budget)
    }

    /// Returns the work and memory of an attempt, for comparison; zeros for a key.
    pub(crate) fn effort(&self) -> (u64, u32) {
        self.cost.map_or((0, 0), |cost| (cost.work(), cost.memory_kib))
    }

    /// Returns the id and kind, for messages.
    pub(crate) fn name(&self) -> String {
        format!("{} ({})", self.id, self.kind)
    }

    /// Unwraps the vault's key; `None` if `key` is not the slot's key.
    pub(crate) fn unwrap(&self, key: &Key, vault: &VaultId, key_id: &KeyId) -> Option<Key> {
        let vault_key = aead::open(key, &self.context(vault, key_id), &self.wrapped)?;
        aead::key_from(&vault_key)
    }

    /// Wraps another key of the vault with the slot's key.
    pub(crate) fn wrap(&mut self, key: &Key, vault: &VaultId, keys: &keys::Keys) -> Result<()> {
        self.wrapped = aead::seal(key, &self.context(vault, keys.id()), keys.vault())?;
        Ok(())
    }

    pub(crate) fn write(&self, connection: &Connection) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO slot VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let Self { id, kind, label, created_at, salt, cost, wrapped } = self;
        let (memory_kib, passes) = (cost.map(|c| c.memory_kib), cost.map(|c| c.passes));
        let (lanes, checksum) = (cost.map(|c| c.lanes), self.checksum());
        let row = params![
            id, kind, label, created_at, salt, memory_kib, passes, lanes, wrapped, checksum
        ];
        connection.execute(sql, row).map(drop).map_err(from_sqlite)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<(Self, Vec<u8>)> {
        let cost = match (row.get(5)?, row.get(6)?, row.get(7)?) {
            (Some(memory_kib), Some(passes), Some(lanes)) => {
                Some(Cost { memory_kib, passes, lanes })
            }
            _ => None,
        };
        let slot = Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            label: row.get(2)?,
            created_at: row.get(3)?,
            salt: row.get(4)?,
            cost,
            wrapped: row.get(8)?,
        };
        Ok((slot, row.get(9)?))
    }

    /// Returns a digest of the whole slot.
    pub(crate) fn digest(&self) -> [u8; 16] {
        let cost = self.cost_bytes();
        let [a, b, c, d, e, f] = self.fields(&cost);
        let parts = [a, b, c, d, e, f, &self.wrapped];
        let mut digest = [0; 16];
        let bound = keys::bind("strongroom-sealed/1 slot digest", &parts);
        digest.copy_from_slice(&Sha256::digest(bound)[..16]);
        digest
    }

    /// Returns the context that binds the wrapped key to the other fields.
    fn context(&self, vault: &VaultId, key_id: &KeyId) -> Vec<u8> {
        let cost = self.cost_bytes();
        let [a, b, c, d, e, f] = self.fields(&cost);
        keys::bind("strongroom-sealed/1 slot", &[vault, key_id, a, b, c, d, e, f])
    }

    fn checksum(&self) -> [u8; 8] {
        let cost = self.cost_bytes();
        let [a, b, c, d, e, f] = self.fields(&cost);
        let parts = [a, b, c, d, e, f, &self.wrapped];
        keys::checksum("strongroom-sealed/1 slot checksum", &parts)
    }

    fn fields<'a>(&'a self, cost: &'a [u8]) -> [&'a [u8]; 6] {
        let [id, kind, label, created_at] =
            [&self.id, &self.kind, &self.label, &self.created_at].map(String::as_bytes);
        [id, kind, label, created_at, &self.salt, cost]
    }

    /// Encodes memory, passes and lanes in four bytes each, in big-endian order; empty for a key.
    fn cost_bytes(&self) -> Vec<u8> {
        let numbers = self.cost.map(|cost| [cost.memory_kib, cost.passes, cost.lanes]);
        numbers.into_iter().flatten().flat_map(u32::to_be_bytes).collect()
    }

    fn damaged(&self) -> Fault {
        corrupt(format!("key slot {:?} of the sealed file is damaged", self.id))
    }
}

/// Returns all slots.
///
/// # Errors
///
/// `Corrupt` if a slot is damaged. The message names the slot.
pub(crate) fn read_all(connection: &Connection) -> Result<Vec<StoredSlot>> {
    read_each(connection)?.into_iter().collect()
}

/// Deletes a slot and returns whether it existed.
pub(crate) fn delete(connection: &Connection, id: &str) -> Result<bool> {
    let deleted = connection.execute("DELETE FROM slot WHERE id = ?1", [id]);
    deleted.map(|rows| rows > 0).map_err(from_sqlite)
}

/// Returns the number of slots, at most [`MAX_SLOTS`] plus 1.
pub(crate) fn count(connection: &Connection) -> Result<usize> {
    lengths(connection).map(|lengths| lengths.len()).map_err(from_sqlite)
}

/// Returns all slots, the oldest first, with an error for each damaged slot.
pub(crate) fn read_each(connection: &Connection) -> Result<Vec<Result<StoredSlot>>> {
    let lengths = lengths(connection).map_err(from_sqlite)?;
    // The lengths are checked first, so that no oversized slot is read.
    let is_each_short =
        lengths.iter().all(|length| length.is_some_and(|length| length <= MAX_SLOT_BYTES));
    if lengths.is_empty() || lengths.len() > MAX_SLOTS || !is_each_short {
        return Err(corrupt("the key slots are damaged"));
    }
    let mut slots = read_rows(connection).map_err(from_sqlite)?;
    slots.sort_by(|(a, _), (b, _)| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
    let checked = slots.into_iter().map(|(slot, checksum)| {
        let is_whole = slot.checksum() == checksum.as_slice()
            // A hostile file must not set the memory and time that an attempt takes.
            && slot.cost.is_none_or(Cost::is_bearable)
            && slot.salt.len() == SALT
            && slot.id.len() == ID
            && slot.to_slot().is_ok();
        if is_whole { Ok(slot) } else { Err(slot.damaged()) }
    });
    Ok(checked.collect())
}

/// Returns the length of each slot in bytes, without reading the slots: at most [`MAX_SLOTS`] plus 1 lengths.
fn lengths(connection: &Connection) -> rusqlite::Result<Vec<Option<i64>>> {
    let sql = "SELECT octet_length(id) + octet_length(kind) + octet_length(label)
                    + octet_length(created_at) + octet_length(salt) + octet_length(wrapped)
                    + octet_length(checksum)
               FROM slot";
    let mut statement = connection.prepare(sql)?;
    statement.query_map([], |row| row.get(0))?.take(MAX_SLOTS + 1).collect()
}

fn read_rows(connection: &Connection) -> rusqlite::Result<Vec<(StoredSlot, Vec<u8>)>> {
    let mut statement = connection.prepare("SELECT * FROM slot")?;
    statement.query_map([], StoredSlot::read)?.take(MAX_SLOTS).collect()
}

impl Opener {
    /// Unwraps the vault's key of this id, by the slot that opened the vault before.
    ///
    /// # Errors
    ///
    /// `WrongKey` if the slot was removed, or has another key by now.
    pub(crate) fn open(
        &self,
        connection: &Connection,
        vault: &VaultId,
        key_id: &KeyId,
    ) -> Result<Key> {
        let slots = read_each(connection)?;
        let slot = slots.iter().flatten().find(|slot| slot.id == self.slot);
        slot.and_then(|slot| slot.unwrap(&self.key, vault, key_id)).ok_or_else(|| {
            wrong_key().with_message("the vault has a new key, and the slot that was used is gone")
        })
    }
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("slot", &self.slot).finish_non_exhaustive()
    }
}
