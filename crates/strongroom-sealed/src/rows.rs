//! The rows of records: finding, opening, sealing and counting them.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row, params};
use strongroom_core::{
    ErrorKind, Fault, Secret, SecretBytes, SecretKey, SecretMetadata, secret_bytes, secret_text,
};
use zeroize::Zeroizing;

use crate::error::{Result, corrupt, fault, from_sqlite};
use crate::head::State;
use crate::keys::{KeyRing, Keys, Part, VaultId};
use crate::limits::{self, Clock};
use crate::record_info::RecordInfo;

/// The records of a vault in a transaction, and the keys that open them.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) clock: &'a Clock,
    pub(crate) vault: &'a VaultId,
    pub(crate) keys: &'a KeyRing,
}

/// The plaintext of a part, wiped when dropped.
type Plain = Zeroizing<Vec<u8>>;

/// The identity of a record in the table.
#[derive(Debug)]
pub(crate) struct RowId {
    pub(crate) number: i64,
    pub(crate) row_key: Vec<u8>,
    key_id: Vec<u8>,
}

/// A record as it is stored.
#[derive(Debug)]
pub(crate) struct SealedRecord {
    pub(crate) row_id: RowId,
    about: Vec<u8>,
    value: Vec<u8>,
}

/// The result of reading the metadata of all records.
#[derive(Debug, Default)]
pub(crate) struct RecordList {
    pub(crate) readable: Vec<(SecretKey, SecretMetadata)>,
    pub(crate) damaged: u64,
}

impl<'a> Rows<'a> {
    /// Finds the record of a secret. Decrypts nothing.
    pub(crate) fn find(self, key: &SecretKey) -> Result<Option<RowId>> {
        let sql = "SELECT number, row_key, key_id FROM record WHERE row_key = ?1 AND key_id = ?2";
        // During a rotation a record may be under either key.
        for keys in self.keys.iter() {
            let mut statement = self.prepare(sql).map_err(unreadable)?;
            let row = statement.query_row(params![keys.row_key(key), keys.id()], RowId::read);
            if let Some(row_id) = row.optional().map_err(unreadable)? {
                return Ok(Some(row_id));
            }
        }
        Ok(None)
    }

    /// Reads the record of a secret.
    pub(crate) fn read(self, key: &SecretKey) -> Result<Option<(SecretMetadata, SecretBytes)>> {
        let Some(row_id) = self.find(key)? else { return Ok(None) };
        self.open(&self.sealed(row_id)?).map(Some)
    }

    /// Reads the name, target and metadata of a record. Does not decrypt the value.
    pub(crate) fn info(self, row_id: &RowId) -> Result<RecordInfo> {
        let sql = "SELECT about FROM record WHERE number = ?1";
        let mut statement = self.prepare(sql).map_err(unreadable)?;
        let sealed: rusqlite::Result<Vec<u8>> =
            statement.query_row([row_id.number], |row| row.get(0));
        self.open_info(row_id, &sealed.map_err(unreadable)?)
    }

    /// Writes a record, in place of the old record if there is one.
    pub(crate) fn write(
        self,
        state: &mut State,
        old: Option<RowId>,
        key: &SecretKey,
        about: &[u8],
        value: &[u8],
    ) -> Result<()> {
        let keys = &self.keys.current;
        let row_key = keys.row_key(key);
        let about = keys.seal_part(self.vault, &row_key, Part::About, about)?;
        let value = keys.seal_part(self.vault, &row_key, Part::Value { about: &about }, value)?;
        let sql = match &old {
            Some(_) => {
                "UPDATE record SET row_key = ?2, key_id = ?3, about = ?4, value = ?5
                        WHERE number = ?1"
            }
            None => "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5)",
        };
        let number = old.as_ref().map(|old| old.number);
        self.execute(sql, params![number, row_key, keys.id(), about, value])?;
        match old {
            Some(old) => state.toggle(&self.mark(&old)?),
            None => state.records += 1,
        }
        state.toggle(&keys.row_mark(&row_key));
        Ok(())
    }

    /// Deletes a record. Does not decrypt it.
    pub(crate) fn delete(self, state: &mut State, row_id: &RowId) -> Result<()> {
        let sql = "DELETE FROM record WHERE number = ?1";
        self.execute(sql, [row_id.number])?;
        state.toggle(&self.mark(row_id)?);
        state.records = state.records.checked_sub(1).ok_or_else(rows_missing)?;
        Ok(())
    }

    /// Checks that the rows match the sealed state: none is missing, and none has an unknown key.
    pub(crate) fn check(self, state: &State) -> Result<()> {
        let sql = "SELECT row_key, key_id FROM record";
        let mut found = State { generation: state.generation, ..State::default() };
        let mut statement = self.prepare(sql).map_err(unreadable)?;
        let mut rows = statement.query([]).map_err(unreadable)?;
        while let Some(row) = rows.next().map_err(unreadable)? {
            let (row_key, key_id) = (blob(row, 0)?, blob(row, 1)?);
            found.toggle(&self.keys_by_id(key_id)?.row_mark(row_key));
            found.records += 1;
            // A hostile file can have any number of rows, so the first surplus row ends the check.
            if found.records > state.records {
                return Err(rows_missing());
            }
            self.clock.restart();
        }
        if found == *state { Ok(()) } else { Err(rows_missing()) }
    }

    /// Reads the metadata of all records, but no values. `records` is the expected number.
    pub(crate) fn list(self, records: u64) -> Result<RecordList> {
        let sql = "SELECT number, row_key, key_id, about FROM record ORDER BY number";
        let (mut listed, mut order) = (RecordList::default(), Ascending::default());
        let mut statement = self.prepare(sql).map_err(unreadable)?;
        let mut rows = statement.query([]).map_err(unreadable)?;
        while let Some(row) = rows.next().map_err(unreadable)? {
            let row_id = RowId::read(row).map_err(unreadable)?;
            order.check(row_id.number)?;
            let about: Vec<u8> = row.get(3).map_err(unreadable)?;
            let about = self.open_info(&row_id, &about);
            match about.ok().and_then(|about| Some((about.key(), about.metadata()?))) {
                Some(record) => {
                    listed.readable.push(record);
                    // The row is authentic, so it earns the next row the full deadline: honest files may be
                    // large.
                    self.clock.restart();
                }
                None => listed.damaged += 1,
            }
            if listed.readable.len() as u64 > records {
                return Err(rows_missing());
            }
        }
        Ok(listed)
    }

    /// Opens each record in turn and returns the number of unreadable records.
    pub(crate) fn salvage(
        self,
        mut take: impl FnMut(SecretKey, SecretMetadata, SecretBytes),
    ) -> Result<u64> {
        // Columns that exceed the format's limits become NULL, so that they are not read and count as
        // damaged.
        let sql = "SELECT number, CASE octet_length(row_key) WHEN 32 THEN row_key END,
                          CASE octet_length(key_id) WHEN 8 THEN key_id END,
                          CASE WHEN octet_length(about) <= ?1 THEN about END,
                          CASE WHEN octet_length(value) <= ?1 THEN value END
                   FROM record ORDER BY number";
        let (mut damaged, mut order) = (0, Ascending::default());
        let mut statement = self.prepare(sql).map_err(unreadable)?;
        let mut rows = statement.query([limits::LONGEST_ROW]).map_err(unreadable)?;
        while let Some(row) = rows.next().map_err(unreadable)? {
            order.check(row.get(0).map_err(unreadable)?)?;
            let record = SealedRecord::read(row).map_err(unreadable).and_then(|sealed| {
                let key = self.open_info(&sealed.row_id, &sealed.about)?.key();
                Ok((key, self.open(&sealed)?))
            });
            match record {
                Ok((key, (metadata, value))) => {
                    take(key, metadata, value);
                    self.clock.restart();
                }
                Err(_) => damaged += 1,
            }
        }
        Ok(damaged)
    }

    /// Returns the records after row `after` that are not sealed with the current key: at most `limit`
    /// records, and no further record once they have `bytes` bytes.
    pub(crate) fn old(self, after: i64, limit: usize, bytes: usize) -> Result<Vec<SealedRecord>> {
        let sql = "SELECT number, row_key, key_id, about, value FROM record
                   WHERE number > ?1 AND key_id <> ?2 ORDER BY number";
        let mut found: Vec<SealedRecord> = Vec::new();
        let (mut size, mut order) = (0, Ascending::after(after));
        let mut statement = self.prepare(sql).map_err(unreadable)?;
        let after = params![after, self.keys.current.id()];
        let mut rows = statement.query(after).map_err(unreadable)?;
        while found.len() < limit
            && size < bytes
            && let Some(row) = rows.next().map_err(unreadable)?
        {
            let sealed = SealedRecord::read(row).map_err(unreadable)?;
            order.check(sealed.row_id.number)?;
            size += sealed.about.len() + sealed.value.len();
            found.push(sealed);
        }
        Ok(found)
    }

    /// Counts the records that are not sealed with the current key.
    pub(crate) fn count_old(self) -> Result<u64> {
        // Not by the index: if it were damaged and named an old key, a rotation would never end.
        let sql = "SELECT count(*) FROM record NOT INDEXED WHERE key_id <> ?1";
        let mut statement = self.prepare(sql).map_err(unreadable)?;
        let count: rusqlite::Result<i64> =
            statement.query_row([self.keys.current.id()], |row| row.get(0));
        count.map(i64::unsigned_abs).map_err(unreadable)
    }

    /// Opens a record. Returns its key, its `about` part as the original JSON, and its value.
    pub(crate) fn open_verbatim(self, sealed: &SealedRecord) -> Result<(SecretKey, Plain, Plain)> {
        let json = self.open_part(&sealed.row_id, Part::About, &sealed.about)?;
        let key = RecordInfo::parse(&json).ok_or_else(damaged)?.key();
        let part = Part::Value { about: &sealed.about };
        let value = self.open_part(&sealed.row_id, part, &sealed.value)?;
        Ok((key, json, value))
    }

    /// Opens a record. Returns its metadata and value.
    pub(crate) fn open(self, sealed: &SealedRecord) -> Result<(SecretMetadata, SecretBytes)> {
        let about = self.open_info(&sealed.row_id, &sealed.about)?;
        let part = Part::Value { about: &sealed.about };
        let mut value = self.open_part(&sealed.row_id, part, &sealed.value)?;
        let metadata = about.metadata().ok_or_else(damaged)?;
        Ok((metadata, secret_bytes(std::mem::take(&mut *value))))
    }

    fn sealed(self, row_id: RowId) -> Result<SealedRecord> {
        let sql = "SELECT about, value FROM record WHERE number = ?1";
        let mut statement = self.prepare(sql).map_err(unreadable)?;
        let parts = statement.query_row([row_id.number], |row| Ok((row.get(0)?, row.get(1)?)));
        let (about, value) = parts.map_err(unreadable)?;
        Ok(SealedRecord { row_id, about, value })
    }

    fn open_info(self, row_id: &RowId, sealed: &[u8]) -> Result<RecordInfo> {
        RecordInfo::parse(&self.open_part(row_id, Part::About, sealed)?).ok_or_else(damaged)
    }

    fn open_part(self, at: &RowId, part: Part<'_>, sealed: &[u8]) -> Result<Plain> {
        let keys = self.keys_by_id(&at.key_id)?;
        keys.open_part(self.vault, &at.row_key, part, sealed).ok_or_else(damaged)
    }

    /// Prepares a statement and gives it the full deadline.
    fn prepare(self, sql: &str) -> rusqlite::Result<CachedStatement<'a>> {
        self.clock.restart();
        self.connection.prepare_cached(sql)
    }

    /// Runs a statement that changes rows.
    fn execute(self, sql: &str, parameters: impl Params) -> Result<()> {
        let mut statement = self.prepare(sql).map_err(from_sqlite)?;
        statement.execute(parameters).map(drop).map_err(from_sqlite)
    }

    fn mark(self, row_id: &RowId) -> Result<[u8; 32]> {
        Ok(self.keys_by_id(&row_id.key_id)?.row_mark(&row_id.row_key))
    }

    fn keys_by_id(self, key_id: &[u8]) -> Result<&'a Keys> {
        self.keys.by_id(key_id).ok_or_else(rows_missing)
    }
}

/// Returns the bytes in a column.
fn blob<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8]> {
    let value = row.get_ref(column).map_err(unreadable)?;
    value.as_blob().map_err(|cause| unreadable(cause.into()))
}

/// Checks that row numbers ascend. In a damaged B-tree a page can occur again and again, without an end.
#[derive(Default)]
struct Ascending(Option<i64>);

impl Ascending {
    const fn after(number: i64) -> Self {
        Self(Some(number))
    }

    fn check(&mut self, number: i64) -> Result<()> {
        if self.0.is_some_and(|last| number <= last) {
            return Err(rows_missing());
        }
        self.0 = Some(number);
        Ok(())
    }
}

impl RowId {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { number: row.get(0)?, row_key: row.get(1)?, key_id: row.get(2)? })
    }
}

impl SealedRecord {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { row_id: RowId::read(row)?, about: row.get(3)?, value: row.get(4)? })
    }
}

/// Converts a record into a secret of a vault, whose values are text.
pub(crate) fn secret((metadata, value): (SecretMetadata, SecretBytes)) -> Result<Secret> {
    let value = secret_text(&value).ok_or_else(|| {
        fault(ErrorKind::Invalid, "its value is not text").with_hint("Read it as bytes.")
    })?;
    let mut secret = Secret::new(value);
    secret.metadata = metadata;
    Ok(secret)
}

/// Returns the error for a vault with some unreadable records.
pub(crate) fn some_damaged(damaged: u64, records: u64) -> Fault {
    corrupt(format!("{damaged} of {records} records are damaged"))
}

/// Returns the error for a record that is not as it was written.
pub(crate) fn damaged() -> Fault {
    corrupt("the record is damaged")
}

/// Converts SQLite's error of a read. A value over the length limit is damage.
fn unreadable(cause: rusqlite::Error) -> Fault {
    let fault = from_sqlite(cause);
    match fault.kind() {
        ErrorKind::TooLarge => corrupt("a record is longer than any can be").with_source(fault),
        _ => fault,
    }
}

fn rows_missing() -> Fault {
    corrupt("records of the sealed file are missing, or their rows are damaged")
}
