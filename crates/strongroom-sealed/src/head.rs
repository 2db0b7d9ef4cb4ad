//! The head of a sealed file: its id, the id of its key, and its sealed state.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use crate::aead;
use crate::error::{Result, corrupt, from_sqlite};
use crate::keys::{self, KeyId, KeyRing, Keys, VaultId};

/// The single row of the table `vault`.
pub(crate) struct Head {
    pub(crate) id: VaultId,
    pub(crate) key_id: KeyId,
    state: Vec<u8>,
    /// The previous key, sealed, during a rotation.
    pub(crate) previous: Option<Vec<u8>>,
}

/// The sealed state of a vault. Without the key, no row can be removed unnoticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The revision number, which every change increases by 1.
    pub(crate) generation: u64,
    /// The number of records.
    pub(crate) records: u64,
    /// The exclusive or of the marks of all rows.
    pub(crate) rows: [u8; 32],
}

impl Head {
    pub(crate) fn new(id: VaultId, keys: &Keys) -> Result<Self> {
        let mut head = Self { id, key_id: *keys.id(), state: Vec::new(), previous: None };
        head.seal_state(keys, &State::default())?;
        Ok(head)
    }

    pub(crate) fn read(connection: &Connection) -> Result<Self> {
        // The lengths are checked in SQL, so that no blob of a hostile file is read in full.
        let sql = "SELECT id, key_id, checksum, state, previous FROM vault
                   WHERE octet_length(id) = 16 AND octet_length(key_id) = 8 AND octet_length(checksum) = 8
                     AND octet_length(state) < 1000 AND ifnull(octet_length(previous), 0) < 1000
                   LIMIT 1";
        let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
        let (head, checksum) = statement.query_row([], Self::from_row).map_err(from_sqlite)?;
        if head.checksum() != checksum.as_slice() {
            return Err(corrupt("the head of the sealed file is damaged"));
        }
        Ok(head)
    }

    pub(crate) fn write(&self, connection: &Connection) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO vault (one, id, key_id, checksum, state, previous)
                   VALUES (1, ?1, ?2, ?3, ?4, ?5)";
        let row = params![self.id, self.key_id, self.checksum(), self.state, self.previous];
        let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
        statement.execute(row).map(drop).map_err(from_sqlite)
    }

    /// Returns the head in a row, and its checksum.
    fn from_row(row: &Row<'_>) -> rusqlite::Result<(Self, Vec<u8>)> {
        let head = Self {
            id: row.get(0)?,
            key_id: row.get(1)?,
            state: row.get(3)?,
            previous: row.get(4)?,
        };
        Ok((head, row.get(2)?))
    }

    /// Derives the keys of the records from the vault's key.
    pub(crate) fn key_ring(&self, vault_key: aead::Key) -> Result<KeyRing> {
        let current = Arc::new(Keys::of(vault_key, &self.id));
        if *current.id() != self.key_id {
            return Err(corrupt("the head of the sealed file names another key"));
        }
        let previous = match &self.previous {
            None => None,
            Some(sealed) => {
                let key = aead::open(current.state(), &self.previous_context(), sealed);
                let key = key.and_then(|key| aead::key_from(&key));
                let key = key.ok_or_else(|| corrupt("the sealed file's earlier key is damaged"))?;
                Some(Arc::new(Keys::of(key, &self.id)))
            }
        };
        Ok(KeyRing { current, previous })
    }

    pub(crate) fn open_state(&self, keys: &Keys) -> Result<State> {
        let plain = aead::open(keys.state(), &self.state_context(), &self.state);
        plain
            .and_then(|plain| State::from_bytes(&plain))
            .ok_or_else(|| corrupt("the state of the sealed file is damaged"))
    }

    pub(crate) fn seal_state(&mut self, keys: &Keys, state: &State) -> Result<()> {
        self.state = aead::seal(keys.state(), &self.state_context(), &state.to_bytes())?;
        Ok(())
    }

    /// Switches to the next key, and keeps the old key for the records that are sealed with it.
    pub(crate) fn rotate(&mut self, old: &Keys, new: &Keys, state: &State) -> Result<()> {
        self.key_id = *new.id();
        self.previous = Some(aead::seal(new.state(), &self.previous_context(), old.vault())?);
        self.seal_state(new, state)
    }

    fn checksum(&self) -> [u8; 8] {
        keys::checksum("strongroom-sealed/1 vault checksum", &[&self.id, &self.key_id])
    }

    fn state_context(&self) -> Vec<u8> {
        keys::bind("strongroom-sealed/1 state", &[&self.id, &self.key_id])
    }

    fn previous_context(&self) -> Vec<u8> {
        keys::bind("strongroom-sealed/1 previous key", &[&self.id, &self.key_id])
    }
}

impl State {
    /// Adds a row to the sum, or removes it.
    pub(crate) fn toggle(&mut self, mark: &[u8; 32]) {
        self.rows.iter_mut().zip(mark).for_each(|(sum, mark)| *sum ^= mark);
    }

    /// Encodes generation and number of records in eight bytes each, in big-endian order, then the sum.
    fn to_bytes(self) -> Vec<u8> {
        let numbers = [self.generation.to_be_bytes(), self.records.to_be_bytes()];
        [numbers.concat().as_slice(), &self.rows].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (generation, rest) = bytes.split_first_chunk()?;
        let (records, rest) = rest.split_first_chunk()?;
        Some(Self {
            generation: u64::from_be_bytes(*generation),
            records: u64::from_be_bytes(*records),
            rows: rest.try_into().ok()?,
        })
    }
}
