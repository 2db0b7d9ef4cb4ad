//! The tables of the format, and the check that a database has these and no other objects.
//!
//! SQLite evaluates parts of a schema: generated columns, expression indexes, virtual tables, views. So the
//! schema of a file is compared before any of its tables is read.

use rusqlite::types::FromSql;
use rusqlite::{Connection, Row};
use strongroom_core::Fault;

use crate::error::{Result, corrupt, from_sqlite};

const VAULT: &str = "CREATE TABLE vault (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL,
    key_id BLOB NOT NULL,
    checksum BLOB NOT NULL,
    state BLOB NOT NULL,
    previous BLOB
) STRICT";

const SLOT: &str = "CREATE TABLE slot (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at TEXT NOT NULL,
    salt BLOB NOT NULL,
    memory_kib INTEGER,
    passes INTEGER,
    lanes INTEGER,
    wrapped BLOB NOT NULL,
    checksum BLOB NOT NULL
) STRICT";

const RECORD: &str = "CREATE TABLE record (
    number INTEGER PRIMARY KEY,
    row_key BLOB NOT NULL,
    key_id BLOB NOT NULL,
    about BLOB NOT NULL,
    value BLOB NOT NULL
) STRICT";

const RECORD_BY_ROW_KEY: &str = "CREATE UNIQUE INDEX record_by_row_key ON record (row_key, key_id)";

/// The table of the sealed list of slots. Files of earlier versions get it with their next change of slots.
const SLOT_LIST: &str = "CREATE TABLE slot_list (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sealed BLOB NOT NULL
) STRICT";

/// The largest number of columns of a table.
pub(crate) const MAX_COLUMNS: i32 = 10;

/// The largest number of schema objects that SQLite loads: those below, the schema table itself, and some
/// more, so that a foreign object can be named in the error.
pub(crate) const MAX_OBJECTS: i32 = 12;

/// The rows of `sqlite_schema`: type, name, table and statement. The last row may be missing.
const OBJECTS: [Object<&str>; 6] = [
    Object { kind: "table", name: "vault", table: "vault", sql: Some(VAULT) },
    Object { kind: "table", name: "slot", table: "slot", sql: Some(SLOT) },
    Object { kind: "index", name: "sqlite_autoindex_slot_1", table: "slot", sql: None },
    Object { kind: "table", name: "record", table: "record", sql: Some(RECORD) },
    Object {
        kind: "index",
        name: "record_by_row_key",
        table: "record",
        sql: Some(RECORD_BY_ROW_KEY),
    },
    Object { kind: "table", name: "slot_list", table: "slot_list", sql: Some(SLOT_LIST) },
];

/// A row of `sqlite_schema`.
struct Object<Text> {
    kind: Text,
    name: Text,
    table: Text,
    sql: Option<Text>,
}

/// Creates the tables of a new file.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    OBJECTS.iter().filter_map(|object| object.sql).try_for_each(|sql| connection.execute_batch(sql))
}

/// Returns whether the file has the table `slot_list`.
pub(crate) fn has_slot_list(connection: &Connection) -> rusqlite::Result<bool> {
    connection.table_exists(None, "slot_list")
}

/// Creates the table `slot_list`.
pub(crate) fn create_slot_list(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SLOT_LIST)
}

/// Checks that a file has the tables and indexes of the format, and no other objects.
///
/// # Errors
///
/// `Corrupt` if it differs, and the errors of SQLite.
pub(crate) fn check(connection: &Connection) -> Result<()> {
    let found = objects(connection).map_err(unloadable)?;
    let mut foreign = found.iter().filter(|found| !OBJECTS.iter().any(|object| object.is(found)));
    if let Some(foreign) = foreign.next() {
        let (kind, name) = (short(&foreign.kind), short(&foreign.name));
        return Err(corrupt(format!(
            "it has a {kind} {name} that is not of the format: another program changed it"
        )));
    }
    // The last table is optional: see `SLOT_LIST`.
    let mut required = OBJECTS[..OBJECTS.len() - 1].iter();
    if !required.all(|object| found.iter().any(|found| object.is(found))) {
        return Err(corrupt("tables of the format are missing"));
    }
    let encoding: String = pragma(connection, "encoding").map_err(from_sqlite)?;
    let auto_vacuum: i64 = pragma(connection, "auto_vacuum").map_err(from_sqlite)?;
    if encoding != "UTF-8" || auto_vacuum != 0 {
        return Err(corrupt("its database has settings that are not of the format"));
    }
    Ok(())
}

/// Returns the value of a setting of the database.
pub(crate) fn pragma<T: FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<T> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// Converts SQLite's error for a schema that it can't load at all or within the limits.
fn unloadable(cause: rusqlite::Error) -> Fault {
    match &cause {
        rusqlite::Error::SqliteFailure(_, Some(message))
            if message.starts_with("malformed database schema") =>
        {
            foreign().with_source(cause)
        }
        _ => from_sqlite(cause),
    }
}

/// Returns the error for tables that are not those of the format.
pub(crate) fn foreign() -> Fault {
    corrupt("its tables are not those of the format: another program changed it")
}

fn objects(connection: &Connection) -> rusqlite::Result<Vec<Object<String>>> {
    let mut statement =
        connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    // A surplus object is enough to refuse the file.
    statement.query_map([], Object::read)?.take(OBJECTS.len() + 1).collect()
}

/// Quotes the start of a text from the schema, for a message.
fn short(text: &str) -> String {
    let start: String = text.chars().take(40).collect();
    format!("{start:?}")
}

impl Object<String> {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? })
    }
}

impl Object<&str> {
    fn is(&self, found: &Object<String>) -> bool {
        self.kind == found.kind
            && self.name == found.name
            && self.table == found.table
            && self.sql.map(plain) == found.sql.as_deref().map(plain)
    }
}

/// Normalizes a statement: without comments, and with single spaces only, where two words need them.
fn plain(sql: &str) -> String {
    let mut plain = String::with_capacity(sql.len());
    for line in sql.split('\n') {
        let code = line.split_once("--").map_or(line, |(code, _)| code);
        for word in code.split([' ', '\t', '\r']).filter(|word| !word.is_empty()) {
            let is_apart = plain.ends_with(|last: char| !"(),".contains(last))
                && !word.starts_with(['(', ')', ',']);
            if is_apart {
                plain.push(' ');
            }
            plain.push_str(word);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_comments_are_no_difference_and_everything_else_is() {
        let same = "CREATE TABLE vault(one INTEGER PRIMARY KEY\tCHECK(one = 1), -- one row\n id BLOB \
                    NOT NULL,key_id BLOB NOT NULL,\r\n checksum BLOB NOT NULL, state BLOB NOT NULL , \
                    previous BLOB)STRICT -- the end";
        assert_eq!(plain(same), plain(VAULT));
        for other in [
            VAULT.replace("STRICT", "STRICT, WITHOUT ROWID"),
            VAULT.replace("previous BLOB", "previous BLOB AS (zeroblob(9))"),
            VAULT.replace("id BLOB", "i d BLOB"),
            VAULT.replace("key_id BLOB", "key_idBLOB"),
            VAULT.replace("previous BLOB", "previous /* */ BLOB"),
            VAULT.replace("previous BLOB", "previous BLOB\0"),
            VAULT.replace("previous BLOB", "'previous' BLOB"),
        ] {
            assert_ne!(plain(&other), plain(VAULT), "{other}");
        }
    }

    #[test]
    fn the_tables_that_are_made_are_those_that_are_accepted() {
        let connection = Connection::open_in_memory().unwrap();
        create(&connection).unwrap();
        check(&connection).unwrap();
        connection.execute_batch("DROP INDEX record_by_row_key").unwrap();
        assert!(check(&connection).unwrap_err().problem().contains("missing"));
        connection.execute_batch("CREATE INDEX more ON record (about)").unwrap();
        assert!(check(&connection).unwrap_err().problem().contains("\"index\" \"more\""));
    }
}
