//! Files that somebody made who could write to the place and had no key: each is refused in its own words,
//! within the deadline and a bounded memory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::{Resource, Rlimit, setrlimit};
use strongroom_core::{Secret, SecretKey};
use strongroom_sealed::SealedFile;
use strongroom_testkit::child::{Child, say};
use strongroom_testkit::children;
use support::{Sandbox, child, vault_of_child};

/// The memory that the opener gets, all of its address space.
const MEMORY: u64 = 512 * 1024 * 1024;

/// The deadline that the opener has, and how much later it may end on a busy machine.
const DEADLINE: Duration = Duration::from_secs(2);
const GRACE: Duration = Duration::from_secs(3);

const PAGE: u64 = 4096;

/// The outcome of using a file: of each operation in turn, `ok` or a kind and a problem.
struct Outcome(Vec<String>);

impl Outcome {
    /// Uses the file in a process of its own, which checks that each operation ends in time.
    #[track_caller]
    fn of(sandbox: &Sandbox) -> Self {
        Self(Child::start(child("uses_a_hostile_file", sandbox)).finish())
    }

    /// Checks that the file was not opened, as this kind and in these words.
    #[track_caller]
    fn refused(self, kind: &str, words: &str) {
        let [only] = &self.0[..] else { panic!("it was opened: {:?}", self.0) };
        assert!(only.starts_with(kind) && only.contains(words), "{only}");
    }

    /// Checks that the file was opened, and each operation ended well, as damage, or by the deadline.
    #[track_caller]
    fn opened(self) -> Vec<String> {
        assert!(self.0.len() > 1, "{:?}", self.0);
        for outcome in &self.0 {
            let is_named = ["ok", "Corrupt", "TimedOut"].iter().any(|it| outcome.starts_with(it));
            assert!(is_named, "{:?}", self.0);
        }
        self.0
    }
}

fn uses_a_hostile_file() {
    let config = vault_of_child();
    setrlimit(Resource::As, Rlimit { current: Some(MEMORY), maximum: Some(MEMORY) }).unwrap();
    let mut start = Instant::now();
    let mut tell = |result: strongroom_core::Result<()>| {
        let told = match result {
            Ok(()) => "ok".to_owned(),
            Err(error) => format!(
                "{:?}: {} {:?}",
                error.kind(),
                error.problem(),
                std::error::Error::source(&error)
            ),
        };
        assert!(start.elapsed() < DEADLINE + GRACE, "{:?}: {told}", start.elapsed());
        start = Instant::now();
        say(&told);
    };
    let file = match SealedFile::open(&config.clone().with_deadline(DEADLINE)) {
        Ok(file) => file,
        Err(error) => return tell(Err(error)),
    };
    let key = SecretKey::new;
    tell(file.get(&key("a")).map(drop));
    tell(file.get(&key("missing")).map(drop));
    tell(file.list().map(drop));
    tell(file.slots().map(drop));
    tell(file.salvage(|_, _, _| ()).map(drop));
    tell(file.change(|change| change.put(&key("new"), &Secret::new("x".repeat(20_000)))));
    tell(file.change(|change| change.remove(&key("a"))).map(drop));
    tell(file.rotate(&config.sources, |_| ()));
}

/// A vault with three secrets, one of which is long.
fn vault() -> Sandbox {
    let sandbox = Sandbox::filled(&["a", "b"]);
    let long = Secret::new("x".repeat(20_000));
    sandbox.open().change(|change| change.put(&SecretKey::new("long"), &long)).unwrap();
    sandbox
}

/// Rewrites the statement of a table in the schema, as no statement of SQL could.
fn rewrite(sandbox: &Sandbox, name: &str, statement: &str) {
    let connection = Connection::open(sandbox.path()).unwrap();
    connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
    let sql = "UPDATE sqlite_schema SET sql = ?2 WHERE name = ?1";
    assert_eq!(connection.execute(sql, [name, statement]).unwrap(), 1);
}

fn statement(sandbox: &Sandbox, name: &str) -> String {
    let connection = Connection::open(sandbox.path()).unwrap();
    let sql = "SELECT sql FROM sqlite_schema WHERE name = ?1";
    connection.query_row(sql, [name], |row| row.get(0)).unwrap()
}

fn root_page(sandbox: &Sandbox, name: &str) -> u64 {
    let connection = Connection::open(sandbox.path()).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    connection.query_row(sql, [name], |row| row.get::<_, u32>(0)).unwrap().into()
}

fn beside(sandbox: &Sandbox, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", sandbox.path().display()))
}

/// A new file for the user alone.
fn create(path: PathBuf) -> File {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap()
}

children!(uses_a_hostile_file);

#[test]
fn generated_columns_are_refused_before_they_are_computed() {
    let column = "length(replace(hex(zeroblob(20000000)), '0', 'x'))";
    let sandbox = vault();
    let columns: String =
        (0..100).map(|number| format!(", g{number} INTEGER AS ({column})")).collect();
    let slot = statement(&sandbox, "slot").replace("\n) STRICT", &format!("{columns}\n) STRICT"));
    rewrite(&sandbox, "slot", &slot);
    Outcome::of(&sandbox).refused("Corrupt", "");
    let sandbox = vault();
    let vault = statement(&sandbox, "vault")
        .replace("previous BLOB", &format!("previous BLOB AS (CAST({column} AS BLOB))"));
    rewrite(&sandbox, "vault", &vault);
    Outcome::of(&sandbox).refused("Corrupt", "\"table\" \"vault\" that is not of the format");
}

#[test]
fn virtual_tables_are_refused() {
    for module in ["fts5(about, value)", "rtree(number, a, b)", "dbstat"] {
        let sandbox = vault();
        let connection = Connection::open(sandbox.path()).unwrap();
        connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
        let sql = "UPDATE sqlite_schema SET sql = ?1, rootpage = 0 WHERE name = 'record'";
        connection.execute(sql, [format!("CREATE VIRTUAL TABLE record USING {module}")]).unwrap();
        connection.execute_batch("DELETE FROM sqlite_schema WHERE name LIKE 'record_%'").unwrap();
        drop(connection);
        Outcome::of(&sandbox).refused("Corrupt", "not of the format");
    }
}

#[test]
fn views_triggers_indexes_and_tables_of_others_are_refused() {
    for (sql, words) in [
        ("CREATE VIEW v AS SELECT hex(zeroblob(500000000))", "\"view\" \"v\""),
        (
            "CREATE VIEW v AS WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT * FROM r",
            "not those of the format",
        ),
        (
            "CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM record; END",
            "\"trigger\" \"t\"",
        ),
        ("CREATE INDEX i ON record (hex(value))", "\"index\" \"i\""),
        ("CREATE INDEX i ON record (number) WHERE length(value) > 0", "\"index\" \"i\""),
        ("CREATE TABLE more (a)", "\"table\" \"more\""),
        ("ANALYZE", "\"table\" \"sqlite_stat1\""),
        (
            "DROP INDEX record_by_row_key; CREATE INDEX record_by_row_key ON record (row_key)",
            "record_by_row_key",
        ),
        ("DROP INDEX record_by_row_key", "missing"),
        ("DROP TABLE slot", "missing"),
        ("DROP TABLE slot; CREATE VIEW slot AS SELECT 1", "\"view\" \"slot\""),
        ("ALTER TABLE record ADD COLUMN more BLOB", "\"table\" \"record\""),
        ("ALTER TABLE record RENAME COLUMN about TO abouts", "\"table\" \"record\""),
    ] {
        let sandbox = vault();
        sandbox.sql(sql);
        Outcome::of(&sandbox).refused("Corrupt", words);
    }
}

#[test]
fn a_table_of_another_shape_with_the_same_columns_is_refused() {
    let sandbox = vault();
    let record = statement(&sandbox, "record");
    sandbox.sql(&format!(
        "DROP TABLE record; {}; CREATE UNIQUE INDEX record_by_row_key ON record (row_key, key_id)",
        record.replace(") STRICT", ") STRICT, WITHOUT ROWID")
    ));
    Outcome::of(&sandbox).refused("Corrupt", "\"table\" \"record\"");
}

#[test]
fn a_schema_that_lies_about_types_is_damage() {
    let sandbox = vault();
    let slot = statement(&sandbox, "slot");
    rewrite(&sandbox, "slot", &slot.replace(") STRICT", ")"));
    sandbox.sql("UPDATE slot SET wrapped = 'text', salt = 1.5, created_at = x'00'");
    rewrite(&sandbox, "slot", &slot);
    Outcome::of(&sandbox).refused("Corrupt", "damaged");
}

#[test]
fn a_schema_of_any_size_is_refused() {
    let sandbox = vault();
    let slot = statement(&sandbox, "slot");
    rewrite(&sandbox, "slot", &format!("{slot} --{}", "x".repeat(200_000_000)));
    Outcome::of(&sandbox).refused("Corrupt", "");
    let sandbox = vault();
    sandbox.sql(
        "PRAGMA writable_schema = ON;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500000)
         INSERT INTO sqlite_schema
         SELECT 'table', 't' || i, 't' || i, 2, 'CREATE TABLE t' || i || ' (a)' FROM n",
    );
    Outcome::of(&sandbox).refused("Corrupt", "");
    let sandbox = vault();
    sandbox.sql(
        "ANALYZE; WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000)
         INSERT INTO sqlite_stat1 SELECT 'record', 'record_by_row_key', i FROM n",
    );
    Outcome::of(&sandbox).refused("Corrupt", "");
}

#[test]
fn too_many_rows_and_rows_that_are_too_long_are_not_read() {
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000)";
    for (sql, words) in [
        (
            format!(
                "{many} INSERT INTO slot SELECT i, '', '', '', x'', NULL, NULL, NULL, x'', x'' FROM n"
            ),
            "key slots",
        ),
        ("UPDATE slot SET label = CAST(zeroblob(50000000) AS TEXT)".to_owned(), "key slots"),
        ("UPDATE slot SET wrapped = zeroblob(50000000)".to_owned(), "key slots"),
        ("UPDATE vault SET state = zeroblob(50000000)".to_owned(), "damaged"),
        ("UPDATE vault SET previous = zeroblob(50000000)".to_owned(), "damaged"),
        ("DELETE FROM slot".to_owned(), "key slots"),
        ("DELETE FROM vault".to_owned(), "damaged"),
    ] {
        let sandbox = vault();
        sandbox.sql(&sql);
        Outcome::of(&sandbox).refused("Corrupt", words);
    }
    let sandbox = vault();
    sandbox.sql("UPDATE record SET about = zeroblob(50000000) WHERE number = 1");
    sandbox.sql("UPDATE record SET value = zeroblob(50000000) WHERE number = 2");
    Outcome::of(&sandbox).opened();
    let sandbox = vault();
    sandbox.sql(&format!(
        "{many} INSERT INTO record SELECT 10 + i, CAST(i AS BLOB), x'', x'', x'' FROM n"
    ));
    Outcome::of(&sandbox).opened();
}

#[test]
fn settings_of_the_database_that_are_not_of_the_format_are_refused() {
    for pragma in ["encoding = 'UTF-16le'", "auto_vacuum = FULL", "auto_vacuum = INCREMENTAL"] {
        let sandbox = vault();
        let copy = sandbox.dir().join("copy");
        let connection = Connection::open(&copy).unwrap();
        let attach = format!("ATTACH '{}' AS old", sandbox.path().display());
        connection
            .execute_batch(&format!("PRAGMA {pragma}; CREATE TABLE t (a); DROP TABLE t"))
            .unwrap();
        // An attached database must have the same encoding, so nothing is copied into the first.
        if !pragma.contains("encoding") {
            connection.execute_batch(&attach).unwrap();
        }
        for name in ["vault", "slot", "record", "record_by_row_key"] {
            connection.execute_batch(&statement(&sandbox, name)).unwrap();
        }
        connection
            .execute_batch("PRAGMA application_id = 0x7374726d; PRAGMA user_version = 1")
            .unwrap();
        drop(connection);
        fs::rename(copy, sandbox.path()).unwrap();
        fs::set_permissions(sandbox.path(), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        Outcome::of(&sandbox).refused("Corrupt", "settings");
    }
}

#[test]
fn a_cache_of_any_size_is_not_taken_from_the_file() {
    let sandbox = vault();
    let file = OpenOptions::new().write(true).open(sandbox.path()).unwrap();
    // The suggested size of the page cache stands in the header.
    file.write_all_at(&i32::MAX.to_be_bytes(), 48).unwrap();
    Outcome::of(&sandbox).opened();
}

/// Puts a tree of pages over a table's root, whose leaves are one and the same page many times over.
fn alias_pages(sandbox: &Sandbox, table: &str, depth: u64, width: u16) {
    let root = root_page(sandbox, table);
    let file = OpenOptions::new().read(true).write(true).open(sandbox.path()).unwrap();
    let pages = file.metadata().unwrap().len() / PAGE;
    let at = |page: u64| (page - 1) * PAGE;
    // The old root becomes the leaf, behind all others.
    let mut leaf = [0; PAGE as usize];
    file.read_exact_at(&mut leaf, at(root)).unwrap();
    file.write_all_at(&leaf, at(pages + depth)).unwrap();
    for level in 0..depth {
        let page = if level == 0 { root } else { pages + level };
        let child = u32::try_from(pages + level + 1).unwrap().to_be_bytes();
        let cell: Vec<u8> = [&child[..], &[1]].concat();
        let start = PAGE - u64::from(width) * cell.len() as u64;
        let start = u16::try_from(start).unwrap();
        let mut bytes = vec![5, 0, 0];
        bytes.extend([width.to_be_bytes(), start.to_be_bytes()].concat());
        bytes.push(0);
        bytes.extend(child);
        bytes.extend((0..width).flat_map(|cell| (start + cell * 5).to_be_bytes()));
        bytes.resize(usize::from(start), 0);
        bytes.extend((0..width).flat_map(|_| cell.clone()));
        file.write_all_at(&bytes, at(page)).unwrap();
    }
    let count = u32::try_from(pages + depth).unwrap().to_be_bytes();
    file.write_all_at(&count, 28).unwrap();
}

#[test]
fn pages_that_are_met_again_and_again_end_in_time() {
    for table in ["vault", "slot", "record"] {
        for (depth, width) in [(1, 3), (12, 300)] {
            let sandbox = vault();
            alias_pages(&sandbox, table, depth, width);
            let Outcome(told) = Outcome::of(&sandbox);
            // One row of the head is read: others are nothing to anybody.
            let is_noticed = told.iter().any(|told| told.starts_with("Corrupt"));
            assert!(is_noticed || table == "vault", "{told:?}");
            let is_named =
                |told: &String| ["ok", "Corrupt", "TimedOut"].iter().any(|it| told.starts_with(it));
            assert!(told.iter().all(is_named), "{told:?}");
        }
    }
}

#[test]
fn a_page_that_is_its_own_child_and_lists_of_free_pages_in_a_ring_end_in_time() {
    let sandbox = vault();
    let root = root_page(&sandbox, "record");
    let file = OpenOptions::new().write(true).open(sandbox.path()).unwrap();
    let child = u32::try_from(root).unwrap().to_be_bytes();
    let page = [&[5, 0, 0, 0, 0, 16, 0, 0][..], &child].concat();
    file.write_all_at(&page, (root - 1) * PAGE).unwrap();
    Outcome::of(&sandbox).opened();

    let sandbox = vault();
    sandbox.sql("DELETE FROM record WHERE number = 3");
    let file = OpenOptions::new().read(true).write(true).open(sandbox.path()).unwrap();
    let mut first = [0; 4];
    file.read_exact_at(&mut first, 32).unwrap();
    file.write_all_at(&u32::MAX.to_be_bytes(), 36).unwrap();
    let trunk = u64::from(u32::from_be_bytes(first) - 1) * PAGE;
    file.write_all_at(&[first, [0; 4]].concat(), trunk).unwrap();
    Outcome::of(&sandbox).opened();
}

#[test]
fn a_value_whose_pages_lead_in_a_ring_is_damage() {
    let sandbox = vault();
    let file = OpenOptions::new().read(true).write(true).open(sandbox.path()).unwrap();
    let pages = file.metadata().unwrap().len() / PAGE;
    let mut rings = 0;
    for page in 1..=pages {
        let mut next = [0; 4];
        file.read_exact_at(&mut next, (page - 1) * PAGE).unwrap();
        // The first four bytes of a page of an overflowing value name the next one.
        if (2..=pages).contains(&u64::from(u32::from_be_bytes(next))) {
            file.write_all_at(&u32::try_from(page).unwrap().to_be_bytes(), (page - 1) * PAGE)
                .unwrap();
            rings += 1;
        }
    }
    assert!(rings > 0, "the long value has pages of its own");
    Outcome::of(&sandbox).opened();
}

#[test]
fn a_journal_is_not_played_back_and_deletes_no_file() {
    let sandbox = vault();
    let precious = sandbox.dir().join("precious");
    fs::write(&precious, "kept").unwrap();
    // The end of a journal names a file of journals, which SQLite deletes once it was played back.
    let name = precious.to_str().unwrap().as_bytes();
    let magic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let mut journal = magic.to_vec();
    let pages = u32::try_from(fs::metadata(sandbox.path()).unwrap().len() / PAGE).unwrap();
    for number in [0, 0, pages, 512, 4096] {
        journal.extend(u32::to_be_bytes(number));
    }
    journal.resize(512, 0);
    let sum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
    journal.extend(u32::MAX.to_be_bytes());
    journal.extend(name);
    journal.extend(u32::try_from(name.len()).unwrap().to_be_bytes());
    journal.extend(sum.to_be_bytes());
    journal.extend(magic);
    create(beside(&sandbox, "-journal")).write_all(&journal).unwrap();
    Outcome::of(&sandbox).refused("Corrupt", "a sealed file has no journal");
    assert_eq!(fs::read_to_string(precious).unwrap(), "kept");
}

#[test]
fn a_log_of_any_size_or_kind_ends_in_time() {
    let sandbox = vault();
    create(beside(&sandbox, "-wal")).set_len(1 << 40).unwrap();
    Outcome::of(&sandbox).refused("Corrupt", "has more than 1024 MiB");
    let sandbox = vault();
    create(beside(&sandbox, "-wal")).write_all(&vec![7; 100_000]).unwrap();
    create(beside(&sandbox, "-shm")).write_all(&vec![7; 100_000]).unwrap();
    assert!(Outcome::of(&sandbox).opened().iter().all(|told| told == "ok"));
    for ending in ["-wal", "-shm"] {
        let sandbox = vault();
        let made =
            Command::new("mkfifo").args(["-m", "600"]).arg(beside(&sandbox, ending)).status();
        assert!(made.unwrap().success());
        Outcome::of(&sandbox).refused("Invalid", "is a pipe");
        let sandbox = vault();
        std::os::unix::fs::symlink(sandbox.path(), beside(&sandbox, ending)).unwrap();
        Outcome::of(&sandbox).refused("AccessDenied", "symbolic link");
    }
}

#[test]
fn a_large_log_of_a_foreign_schema_is_left_as_it_is() {
    let sandbox = vault();
    let whole = Connection::open(sandbox.path()).unwrap();
    whole.execute_batch("PRAGMA wal_autocheckpoint = 0; CREATE TABLE more (a);").unwrap();
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000)";
    whole.execute_batch(&format!("{many} INSERT INTO more SELECT zeroblob(4000) FROM n")).unwrap();
    let parts = ["", "-wal"].map(|ending| fs::read(beside(&sandbox, ending)).unwrap());
    drop(whole);
    for (ending, bytes) in ["", "-wal"].into_iter().zip(&parts) {
        drop(fs::remove_file(beside(&sandbox, ending)));
        create(beside(&sandbox, ending)).write_all(bytes).unwrap();
    }
    Outcome::of(&sandbox).refused("Corrupt", "\"more\"");
    for (ending, bytes) in ["", "-wal"].into_iter().zip(&parts) {
        assert!(fs::read(beside(&sandbox, ending)).unwrap() == *bytes, "{ending:?} was changed");
    }
}

#[test]
fn the_database_that_is_built_here_has_no_more_modules_than_it_needs() {
    let connection = Connection::open_in_memory().unwrap();
    let mut statement = connection.prepare("PRAGMA compile_options").unwrap();
    let options = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let options: Vec<_> = options.map(Result::unwrap).collect();
    for module in ["FTS3", "FTS5", "RTREE", "DBSTAT_VTAB", "LOAD_EXTENSION"] {
        let enabled = format!("ENABLE_{module}");
        assert!(!options.contains(&enabled), "{options:?}");
    }
}
