//! The store: the contract's methods, on a single file.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use strongroom_core::{
    Capabilities, EntryName, Error, ErrorKind, ExposeSecret as _, Operation, Persistence, Probe,
    Result, SecretBytes, ServiceName, Store, WriteMode, secret_copy,
};
use strongroom_files::{Lock, NotHeld, Source};
use zeroize::Zeroizing;

use crate::Config;
use crate::error::{fault, from_io};
use crate::format::{Entries, parse, text};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// The most links that lead to a file, as in Linux (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// A store that keeps entries in a file without encryption.
///
/// The file must be private to the user: a file of another user, or a file that other users can read or
/// write, is refused. It is created by the first write and deleted with its last entry. A lock keeps writes
/// of several processes apart.
pub struct PlaintextStore {
    path: PathBuf,
    lock: Arc<Lock>,
    deadline: Duration,
}

impl PlaintextStore {
    /// The store's name.
    pub const NAME: &str = "plaintext-file";

    /// Creates a store on the configured file, or on the file that it is a link to. Reads and creates nothing.
    pub fn new(config: Config) -> Self {
        let path = followed(config.path);
        let mut lock = path.clone().into_os_string();
        lock.push(".lock");
        Self { path, lock: Lock::new(Some(lock.into())), deadline: config.deadlines.call }
    }

    fn read(&self, operation: Operation) -> Result<Entries> {
        let bytes = self.bytes().map_err(|error| self.failed(operation, error))?;
        let Some(bytes) = bytes else { return Ok(Entries::new()) };
        parse(&bytes).map_err(|line| {
            let message = format!("line {line} of {} is no entry", self.path.display());
            fault(ErrorKind::Corrupt, operation, message)
                .with_hint("Nothing was changed. Mend the line, or take it out.")
        })
    }

    /// Reads the file; `None` if there is no file.
    fn bytes(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        match strongroom_files::read(&self.path, Source::Private, LARGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Changes the entries under the lock. If `work` returns `None`, nothing is written, and the result is
    /// `false`.
    fn change(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut Entries) -> Result<Option<()>>,
    ) -> Result<bool> {
        let _held = match self.lock.take(self.deadline) {
            Ok((held, None)) => held,
            // No write without the lock: it could undo the write of another process.
            Ok((_, Some(error))) | Err(NotHeld::Io(error)) => {
                return Err(self.failed(operation, error));
            }
            Err(NotHeld::Refused(error)) => {
                return Err(error.during(operation).with_store(Self::NAME));
            }
            Err(_) => {
                let message = format!("another process is writing {}", self.path.display());
                return Err(fault(ErrorKind::Busy, operation, message));
            }
        };
        let mut entries = self.read(operation)?;
        if work(&mut entries)?.is_none() {
            return Ok(false);
        }
        let written = match entries.is_empty() {
            true => fs::remove_file(&self.path),
            false => strongroom_files::replace(&self.path, text(&entries).expose_secret()),
        };
        written.map(|()| true).map_err(|error| self.failed(operation, error))
    }

    fn failed(&self, operation: Operation, cause: io::Error) -> Error {
        from_io(operation, &self.path, cause)
    }
}

impl Store for PlaintextStore {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Persistence::Permanent)
            .with_binary_safe()
            .with_list()
            .with_user_programs()
            .with_plaintext()
    }

    fn probe(&self) -> Result<Probe> {
        self.bytes().map_err(|error| self.failed(Operation::Probe, error))?;
        Ok(Probe::new(format!("{}, not encrypted", self.path.display())))
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        Ok(self.read(Operation::Get)?.remove(entry))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        let write = |entries: &mut Entries| {
            if mode == WriteMode::CreateNew && entries.contains_key(entry) {
                return Err(Error::new(ErrorKind::AlreadyExists, Operation::Set)
                    .with_store(Self::NAME)
                    .with_entry(entry));
            }
            entries.insert(entry.clone(), secret_copy(value.expose_secret()));
            Ok(Some(()))
        };
        self.change(Operation::Set, write).map(drop)
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        self.change(Operation::Delete, |entries| Ok(entries.remove(entry).map(drop)))
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        Ok(self.read(Operation::Exists)?.contains_key(entry))
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        let entries = self.read(Operation::List)?.into_keys();
        Ok(entries.filter(|entry| entry.service() == service).collect())
    }
}

/// Returns the file that a path leads to by links, there or not. The file is replaced and deleted by its own name, and so the link
/// stays, and all names of it have one lock.
fn followed(mut path: PathBuf) -> PathBuf {
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().map_or(target.clone(), |parent| parent.join(target));
    }
    path
}

impl fmt::Debug for PlaintextStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaintextStore").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use strongroom_core::KeyringStore as _;

    use super::*;

    /// A store in a directory of its own, with this text in its file.
    fn with_text(text: &str) -> (tempfile::TempDir, PlaintextStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = PlaintextStore::new(Config::at(dir.path().join("secrets")));
        strongroom_files::replace(&store.path, text.as_bytes()).unwrap();
        (dir, store)
    }

    #[test]
    fn what_somebody_wrote_by_hand_is_read() {
        let (_dir, store) = with_text("# mine\r\n\r\napp\tkey\tvalue with\ta tab\r\n");
        let value = store.get_bytes("app", "key").unwrap().unwrap();
        assert!(value.expose_secret() == b"value with\ta tab");
    }

    #[test]
    fn a_line_that_is_no_entry_is_named_and_the_file_stays() {
        for line in ["app", "app\tkey", "app\tkey\t", "\tkey\tvalue", "a%ff\tkey\tvalue"] {
            let text = format!("# mine\napp\tother\tmarker\n{line}\n");
            let (_dir, store) = with_text(&text);
            let value = secret_copy(b"new");
            let entry = EntryName::new("app", "new").unwrap();
            let error = store.write_entry(&entry, &value, WriteMode::Overwrite).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{line}");
            assert!(error.to_string().contains("line 3"), "{error}");
            assert!(!error.to_string().contains("marker"));
            assert!(fs::read(&store.path).unwrap() == text.as_bytes());
        }
    }

    #[test]
    fn an_entry_that_stands_twice_is_refused() {
        let (_dir, store) = with_text("app\tkey\t1\napp\tkey\t2\n");
        assert_eq!(store.get_bytes("app", "key").unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn nothing_stays_when_the_last_entry_goes() {
        let (_dir, store) = with_text("app\tkey\t1\n");
        assert!(store.delete_password("app", "key").unwrap());
        assert!(!store.path.exists());
        assert!(!store.delete_password("app", "key").unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_and_a_new_one_is_the_users_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let (_dir, store) = with_text("app\tkey\t1\n");
        let mode =
            |mode| fs::set_permissions(&store.path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(fs::metadata(&store.path).unwrap().permissions().mode() & 0o777, 0o600);
        mode(0o640);
        let error = store.get_bytes("app", "key").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
        assert!(error.hint().contains("chmod 600"), "{}", error.hint());
        mode(0o600);
        assert!(store.get_bytes("app", "key").unwrap().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let (dir, store) = with_text("app\tkey\t1\n");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&store.path, &link).unwrap();
        let by_link = PlaintextStore::new(Config::at(link.clone()));
        let value = secret_copy(b"2");
        by_link.set_bytes("app", "key", &value).unwrap();
        assert!(link.is_symlink());
        assert!(store.get_bytes("app", "key").unwrap().unwrap().expose_secret() == b"2");
        assert!(by_link.delete_password("app", "key").unwrap());
        assert!(!store.path.exists() && link.is_symlink(), "the file goes, not its link");
        PlaintextStore::new(Config::at(link.clone())).set_bytes("app", "key", &value).unwrap();
        assert!(link.is_symlink() && store.path.is_file());
    }
}
