//! Whatever becomes of the file, nobody reads wrong data, and what is lost is not taken for empty.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use strongroom_core::{ErrorKind, ExposeSecret, Secret, SecretKey};
use strongroom_sealed::{FileConfig, KeySource, SealedFile, SealingKey};
use support::{Sandbox, now, put, refused, value};

/// Flips the lowest bit of the first byte of a column that holds bytes.
fn flip(sandbox: &Sandbox, table: &str, column: &str, at: usize) {
    let connection = rusqlite::Connection::open(sandbox.path()).unwrap();
    let sql = format!("SELECT rowid, {column} FROM {table} ORDER BY rowid LIMIT 1");
    let (row, mut bytes) = connection
        .query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .unwrap();
    bytes[at] ^= 1;
    let sql = format!("UPDATE {table} SET {column} = ?1 WHERE rowid = ?2");
    assert_eq!(connection.execute(&sql, rusqlite::params![bytes, row]).unwrap(), 1);
}

#[test]
fn a_flipped_bit_in_the_head_or_a_slot_is_named() {
    let parts = [
        ("vault", "id", "head"),
        ("vault", "key_id", "head"),
        ("vault", "checksum", "head"),
        ("slot", "salt", "key slot"),
        ("slot", "wrapped", "key slot"),
        ("slot", "checksum", "key slot"),
    ];
    for (table, column, word) in parts {
        let sandbox = Sandbox::filled(&["a"]);
        flip(&sandbox, table, column, 0);
        let error = refused(SealedFile::open(&sandbox.config()), ErrorKind::Corrupt);
        assert!(error.problem().contains(word), "{table}.{column}: {error}");
    }
}

#[test]
fn a_damaged_state_is_named_and_records_can_still_be_read() {
    let sandbox = Sandbox::filled(&["a", "b"]);
    flip(&sandbox, "vault", "state", 30);
    let file = sandbox.open();
    assert_eq!(value(&file, "a").as_deref(), Some("a"));
    let error = refused(file.get(&SecretKey::new("c")), ErrorKind::Corrupt);
    assert!(error.problem().contains("state"), "{error}");
    refused(file.list(), ErrorKind::Corrupt);
    refused(file.len(), ErrorKind::Corrupt);
    refused(file.generation(), ErrorKind::Corrupt);
    refused(file.change(|change| change.remove(&SecretKey::new("a"))), ErrorKind::Corrupt);
    assert_eq!(salvaged(&file), (vec!["a".to_owned(), "b".to_owned()], 0));
}

#[test]
fn what_can_still_be_read_can_be_salvaged() {
    for column in ["row_key", "about", "value"] {
        let sandbox = Sandbox::filled(&["a", "b", "c"]);
        flip(&sandbox, "record", column, 3);
        let file = sandbox.open();
        assert_eq!(salvaged(&file), (vec!["b".to_owned(), "c".to_owned()], 1));
        let error = refused(file.read_all(|_, _, _| ()), ErrorKind::Corrupt);
        assert!(error.problem().contains("1 of 3 records"), "{error}");
    }
}

/// The values that can be read, and how many can't.
fn salvaged(file: &SealedFile) -> (Vec<String>, u64) {
    let mut values = Vec::new();
    let damaged = file.salvage(|key, _, value| {
        let value = String::from_utf8(value.expose_secret().to_vec()).unwrap();
        assert_eq!(key.name(), value);
        values.push(value);
    });
    (values, damaged.unwrap())
}

#[test]
fn a_slot_that_asks_for_too_much_is_damage_and_costs_nothing() {
    let sandbox = Sandbox::filled(&["a"]);
    for (column, value) in [("memory_kib", "2000000000"), ("memory_kib", "-1"), ("kind", "'x'")] {
        sandbox.sql(&format!("UPDATE slot SET passes = 1, lanes = 1, {column} = {value}"));
        refused(SealedFile::open(&sandbox.config()), ErrorKind::Corrupt);
    }
}

#[test]
fn a_damaged_slot_does_not_keep_the_others_from_opening() {
    let sandbox = Sandbox::filled(&["a"]);
    let other = KeySource::key(SealingKey::generate().unwrap());
    let added = sandbox.open().add_slot(&other, "2030-01-01T00:00:00Z".parse().unwrap()).unwrap();
    flip(&sandbox, "slot", "wrapped", 0);
    let config = FileConfig::new(sandbox.path(), other);
    let file = SealedFile::open(&config).unwrap();
    assert_eq!(value(&file, "a").as_deref(), Some("a"));
    let error = refused(file.slots(), ErrorKind::Corrupt);
    assert!(!error.problem().contains(added.id.as_str()), "{error}");
    refused(SealedFile::open(&sandbox.config()), ErrorKind::Corrupt);
}

#[test]
fn a_flipped_bit_in_a_record_is_named_and_the_others_can_be_read() {
    for column in ["about", "value", "row_key", "key_id"] {
        for at in [0, 7] {
            let sandbox = Sandbox::filled(&["a", "b"]);
            flip(&sandbox, "record", column, at);
            let file = sandbox.open();
            refused(file.get(&SecretKey::new("a")), ErrorKind::Corrupt);
            assert_eq!(value(&file, "b").as_deref(), Some("b"), "{column}");
            let error = match column {
                "value" => refused(file.get_bytes(&SecretKey::new("a")), ErrorKind::Corrupt),
                _ => refused(file.list(), ErrorKind::Corrupt),
            };
            assert!(error.hint().contains("Keep a copy"), "{error}");
        }
    }
}

#[test]
fn a_damaged_record_is_not_written_over_and_can_be_removed() {
    let sandbox = Sandbox::filled(&["a", "b"]);
    flip(&sandbox, "record", "about", 30);
    let file = sandbox.open();
    let key = SecretKey::new("a");
    let over = file.change(|change| change.put(&key, &Secret::new("new")));
    refused(over, ErrorKind::Corrupt);
    assert!(file.change(|change| change.remove(&key)).unwrap());
    put(&file, "a", "new");
    assert_eq!((value(&file, "a").as_deref(), file.list().unwrap().len()), (Some("new"), 2));
}

#[test]
fn a_row_that_vanished_is_not_a_secret_that_is_not_there() {
    let sandbox = Sandbox::filled(&["a", "b"]);
    sandbox.sql("DELETE FROM record WHERE number = 1");
    let file = sandbox.open();
    refused(file.get(&SecretKey::new("a")), ErrorKind::Corrupt);
    refused(file.contains(&SecretKey::new("c")), ErrorKind::Corrupt);
    refused(file.list(), ErrorKind::Corrupt);
    refused(file.change(|change| change.remove(&SecretKey::new("a"))), ErrorKind::Corrupt);
    assert_eq!(value(&file, "b").as_deref(), Some("b"));
}

#[test]
fn a_row_that_vanishes_while_the_file_is_open_is_noticed_too() {
    let sandbox = Sandbox::filled(&["a", "b"]);
    let file = sandbox.open();
    assert_eq!(value(&file, "c"), None);
    sandbox.sql("DELETE FROM record WHERE number = 1");
    refused(file.get(&SecretKey::new("c")), ErrorKind::Corrupt);
}

#[test]
fn records_that_changed_places_are_not_read() {
    let sandbox = Sandbox::filled(&["a", "b"]);
    sandbox.sql(
        "CREATE TEMP TABLE old AS SELECT * FROM record;
         UPDATE record SET about = (SELECT about FROM old WHERE old.number <> record.number),
                           value = (SELECT value FROM old WHERE old.number <> record.number)",
    );
    let file = sandbox.open();
    refused(file.get(&SecretKey::new("a")), ErrorKind::Corrupt);
    refused(file.get(&SecretKey::new("b")), ErrorKind::Corrupt);
}

#[test]
fn a_value_of_an_earlier_version_does_not_pass_beside_later_metadata() {
    let sandbox = Sandbox::filled(&["a"]);
    let connection = rusqlite::Connection::open(sandbox.path()).unwrap();
    let value = |row: &rusqlite::Row<'_>| row.get::<_, Vec<u8>>(0);
    let kept = connection.query_row("SELECT value FROM record", [], value).unwrap();
    put(&sandbox.open(), "a", "2");
    assert_eq!(connection.execute("UPDATE record SET value = ?1", [kept]).unwrap(), 1);
    refused(sandbox.open().get(&SecretKey::new("a")), ErrorKind::Corrupt);
}

#[test]
fn a_record_of_another_vault_with_the_same_source_is_not_read() {
    let (one, other) = (Sandbox::filled(&["a"]), Sandbox::new());
    let config = FileConfig::new(other.path(), KeySource::key(one.key.clone()));
    put(&SealedFile::create(&config, now()).unwrap(), "b", "b");
    let attach = format!("ATTACH '{}' AS other;", one.path().display());
    for columns in
        ["row_key, key_id, about, value", "row_key, (SELECT key_id FROM vault), about, value"]
    {
        other.sql(&format!(
            "{attach} DELETE FROM record WHERE number > 1;
             INSERT INTO record (row_key, key_id, about, value)
             SELECT {columns} FROM other.record"
        ));
        let file = SealedFile::open(&config).unwrap();
        refused(file.get(&SecretKey::new("a")), ErrorKind::Corrupt);
        refused(file.list(), ErrorKind::Corrupt);
        assert_eq!(value(&file, "b").as_deref(), Some("b"));
    }
}

#[test]
fn what_is_no_sealed_file_is_refused_and_left_alone() {
    let sandbox = Sandbox::filled(&["a"]);
    let whole = fs::read(sandbox.path()).unwrap();
    let contents = [
        Vec::new(),
        vec![0; whole.len()],
        b"no database".to_vec(),
        whole[..whole.len() - 4096].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        whole[..4096].to_vec(),
        whole[..100].to_vec(),
    ];
    for content in contents {
        fs::write(sandbox.path(), &content).unwrap();
        refused(SealedFile::open(&sandbox.config()), ErrorKind::Corrupt);
        refused(SealedFile::open_or_create(&sandbox.config(), now()), ErrorKind::Corrupt);
        assert_eq!(fs::read(sandbox.path()).unwrap(), content, "{} bytes", content.len());
    }
}

#[test]
fn another_database_and_an_unknown_version_are_named() {
    let sandbox = Sandbox::filled(&["a"]);
    sandbox.sql("PRAGMA user_version = 7");
    let before = fs::read(sandbox.path()).unwrap();
    let error = refused(SealedFile::open(&sandbox.config()), ErrorKind::Corrupt);
    assert!(error.problem().contains("format version 7"), "{error}");
    assert_eq!(fs::read(sandbox.path()).unwrap(), before);
    sandbox.sql("PRAGMA user_version = 1; PRAGMA application_id = 0");
    let error = refused(SealedFile::open(&sandbox.config()), ErrorKind::Corrupt);
    assert!(error.problem().contains("not a sealed file"), "{error}");
}

// Windows deletes and replaces no file that is open.
#[cfg(unix)]
#[test]
fn a_log_without_its_file_is_not_replayed_into_a_new_one() {
    let sandbox = Sandbox::new();
    let file = sandbox.create();
    put(&file, "a", "1");
    fs::remove_file(sandbox.path()).unwrap();
    let error = refused(SealedFile::create(&sandbox.config(), now()), ErrorKind::Corrupt);
    assert!(error.hint().contains("-wal"), "{}", error.hint());
    refused(SealedFile::open(&sandbox.config()), ErrorKind::Corrupt);
    refused(file.get(&SecretKey::new("a")), ErrorKind::Conflict);
}

#[cfg(unix)]
#[test]
fn a_file_that_was_replaced_is_not_written_to() {
    let sandbox = Sandbox::filled(&["a"]);
    let copy = sandbox.dir().join("copy");
    fs::copy(sandbox.path(), &copy).unwrap();
    let file = sandbox.open();
    fs::rename(&copy, sandbox.path()).unwrap();
    let late = file.change(|change| change.put(&SecretKey::new("b"), &Secret::new("1")));
    refused(late, ErrorKind::Conflict);
}

#[cfg(windows)]
#[test]
fn a_file_that_is_open_can_be_neither_replaced_nor_deleted() {
    let sandbox = Sandbox::filled(&["a"]);
    let copy = sandbox.dir().join("copy");
    fs::copy(sandbox.path(), &copy).unwrap();
    let file = sandbox.open();
    fs::rename(&copy, sandbox.path()).unwrap_err();
    fs::rename(sandbox.path(), sandbox.dir().join("away")).unwrap_err();
    fs::remove_file(sandbox.path()).unwrap_err();
    put(&file, "b", "1");
    assert!(value(&file, "a").is_some());
}

/// Flips bits all over the file: whatever is read is either right or an error.
#[test]
fn no_flipped_bit_anywhere_gives_wrong_data() {
    let names = ["a", "b", "c"];
    let sandbox = Sandbox::filled(&names);
    let whole = fs::read(sandbox.path()).unwrap();
    let (mut errors, mut tried) = (0, 0);
    for at in (0..whole.len()).filter(|at| whole[*at] != 0).step_by(3) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(sandbox.path(), &flipped).unwrap();
        tried += 1;
        let Ok(file) = SealedFile::open(&sandbox.config()) else {
            errors += 1;
            continue;
        };
        let reads = names.map(|name| (name, file.get(&SecretKey::new(name))));
        for (name, read) in reads {
            match read {
                Ok(Some(secret)) => assert_eq!(secret.value.expose_secret(), name, "byte {at}"),
                Ok(None) => panic!("{name} is taken for missing: byte {at}"),
                Err(_) => errors += 1,
            }
        }
        if let Ok(listed) = file.list() {
            assert_eq!(listed.len(), names.len(), "byte {at}");
        }
    }
    assert!(errors * 4 > tried, "{errors} errors of {tried} flips");
}
