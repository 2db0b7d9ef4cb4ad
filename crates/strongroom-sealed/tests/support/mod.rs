//! What the tests share: a directory, a key, and vaults in it.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use strongroom_core::{Error, ErrorKind, ExposeSecret, Secret, SecretKey, SecretString, Timestamp};
use strongroom_sealed::{Cost, FileConfig, KeySource, MIN_MEMORY_KIB, SealedFile, SealingKey};
use tempfile::TempDir;

/// A directory for one test, and a key.
pub(crate) struct Sandbox {
    dir: TempDir,
    pub(crate) key: SealingKey,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), key: SealingKey::generate().unwrap() }
    }

    /// The directory above that.
    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// A directory that the store makes, for the user alone.
    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir().join("vault.sealed")
    }

    pub(crate) fn config(&self) -> FileConfig {
        FileConfig::new(self.path(), KeySource::key(self.key.clone()))
    }

    pub(crate) fn create(&self) -> SealedFile {
        SealedFile::create(&self.config(), now()).unwrap()
    }

    pub(crate) fn open(&self) -> SealedFile {
        SealedFile::open(&self.config()).unwrap()
    }

    /// A closed vault with these secrets, each with its own name as its value.
    pub(crate) fn filled(names: &[&str]) -> Self {
        let sandbox = Self::new();
        let file = sandbox.create();
        names.iter().for_each(|name| put(&file, name, name));
        sandbox
    }

    /// Changes the closed file by SQL.
    pub(crate) fn sql(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        let changed = connection.execute_batch(sql);
        changed.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// All bytes of all files in the directory.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let files = fs::read_dir(self.dir()).unwrap().map(|file| file.unwrap().path());
        files.flat_map(|file| fs::read(file).unwrap()).collect()
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

pub(crate) fn put(file: &SealedFile, name: &str, value: &str) {
    file.change(|change| change.put(&SecretKey::new(name), &Secret::new(value))).unwrap();
}

pub(crate) fn value(file: &SealedFile, name: &str) -> Option<String> {
    let secret = file.get(&SecretKey::new(name)).unwrap();
    secret.map(|secret| secret.value.expose_secret().to_owned())
}

/// A passphrase at the least cost that a vault takes.
pub(crate) fn passphrase(text: &str) -> KeySource {
    let cost = Cost::new(MIN_MEMORY_KIB, 1).unwrap();
    KeySource::passphrase_with_cost(SecretString::from(text), cost)
}

/// Adds passphrase slots as somebody could who has the file and no key: whole, and older than every other.
pub(crate) fn plant_slots(sandbox: &Sandbox, count: usize, memory_kib: u32, passes: u32) {
    let connection = rusqlite::Connection::open(sandbox.path()).unwrap();
    for number in 0..count {
        let slot = PlantedSlot {
            id: &format!("0000{number:04}"),
            label: "",
            created_at: "2000-01-01T00:00:00Z",
            memory_kib,
            passes,
        };
        slot.write(&connection);
    }
}

/// A passphrase slot that is whole and opens nothing.
pub(crate) struct PlantedSlot<'a> {
    pub(crate) id: &'a str,
    pub(crate) label: &'a str,
    pub(crate) created_at: &'a str,
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
}

impl PlantedSlot<'_> {
    /// Writes it, over the one of its id if there is one.
    pub(crate) fn write(&self, connection: &rusqlite::Connection) {
        let Self { id, label, created_at, memory_kib, passes } = *self;
        let (kind, lanes, salt, wrapped) = ("passphrase", 1_u32, [7_u8; 16], [7_u8; 72]);
        let cost = [memory_kib, passes, lanes].map(u32::to_be_bytes).concat();
        let texts = ["strongroom-sealed/1 slot checksum", id, kind, label, created_at];
        let parts = texts.into_iter().map(str::as_bytes).chain([&salt[..], &cost, &wrapped]);
        let bound: Vec<u8> = parts
            .flat_map(|part| [&u32::try_from(part.len()).unwrap().to_be_bytes()[..], part].concat())
            .collect();
        let checksum = &Sha256::digest(bound)[..8];
        let row = rusqlite::params![
            id, kind, label, created_at, salt, memory_kib, passes, lanes, wrapped, checksum
        ];
        let sql = "INSERT OR REPLACE INTO slot VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        connection.execute(sql, row).unwrap();
    }
}

#[track_caller]
pub(crate) fn refused<T>(result: Result<T, Error>, kind: ErrorKind) -> Error {
    match result {
        Ok(_) => panic!("it must be refused as {kind:?}, and was done"),
        Err(error) => {
            assert_eq!(error.kind(), kind, "{error:?}");
            error
        }
    }
}

/// Returns a command that runs a function of this program, which finds the vault by its environment.
pub(crate) fn child(function: &str, sandbox: &Sandbox) -> Command {
    let mut command = strongroom_testkit::child::command(function);
    command.env("SEALED_TEST_VAULT", sandbox.path());
    command.env("SEALED_TEST_KEY", sandbox.key.to_text().expose_secret());
    command
}

/// Returns the vault that this child was started for.
pub(crate) fn vault_of_child() -> FileConfig {
    let path = std::env::var_os("SEALED_TEST_VAULT").unwrap();
    let key = std::env::var("SEALED_TEST_KEY").unwrap();
    let key = SealingKey::from_text(&key.into()).unwrap();
    FileConfig::new(Path::new(&path), KeySource::key(key))
}
