//! The store: the contract's methods, on a single file.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use strongroom_core::{
    Capabilities, EntryName, Error, ErrorKind, ExposeSecret as _, Fault, Operation, Persistence,
    Probe, Result, SecretBytes, ServiceName, Store, WriteMode, secret_copy,
};
use strongroom_files::{Held, Lock, NotHeld, Source};
use zeroize::Zeroizing;

use crate::Config;
use crate::error::{busy, corrupt};
use crate::format::{Entries, parse, serialize};

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The most links that lead to a file, as in Linux (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

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
        let path = follow_links(config.path);
        let mut lock = path.clone().into_os_string();
        lock.push(".lock");
        Self { path, lock: Lock::new(Some(lock.into())), deadline: config.deadlines.call }
    }

    /// Reads the entries; none if there is no file.
    fn entries(&self) -> Result<Entries, Fault> {
        let bytes = self.bytes().map_err(|cause| self.fault(cause))?;
        parse(bytes.as_deref().map_or(&[], Vec::as_slice)).map_err(|line| corrupt(&self.path, line))
    }

    /// Reads the file; `None` if there is no file.
    fn bytes(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        match strongroom_files::read(&self.path, Source::Private, MAX_FILE_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    fn insert(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<(), Fault> {
        let _lock = self.lock()?;
        let mut entries = self.entries()?;
        if mode == WriteMode::CreateNew && entries.contains_key(entry) {
            return Err(Fault::new(ErrorKind::AlreadyExists));
        }
        entries.insert(entry.clone(), secret_copy(value.expose_secret()));
        self.write(&entries)
    }

    fn remove(&self, entry: &EntryName) -> Result<bool, Fault> {
        let _lock = self.lock()?;
        let mut entries = self.entries()?;
        if entries.remove(entry).is_none() {
            return Ok(false);
        }
        self.write(&entries).map(|()| true)
    }

    /// Takes the lock for a change. A write without it could undo the write of another process.
    fn lock(&self) -> Result<Held, Fault> {
        match self.lock.take(self.deadline) {
            Ok((held, None)) => Ok(held),
            Ok((_, Some(cause))) | Err(NotHeld::Io(cause)) => Err(self.fault(cause)),
            Err(NotHeld::Refused(fault)) => Err(fault),
            Err(_) => Err(busy(&self.path)),
        }
    }

    /// Replaces the file, or deletes it if there are no entries.
    fn write(&self, entries: &Entries) -> Result<(), Fault> {
        let written = match entries.is_empty() {
            true => fs::remove_file(&self.path),
            false => strongroom_files::replace(&self.path, serialize(entries).expose_secret()),
        };
        written.map_err(|cause| self.fault(cause))
    }

    fn fault(&self, cause: io::Error) -> Fault {
        strongroom_files::fault(&self.path, cause)
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
        match self.bytes() {
            Ok(_) => Ok(Probe::new(format!("{}, not encrypted", self.path.display()))),
            Err(cause) => Err(error(self.fault(cause), Operation::Probe)),
        }
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        let entries = self.entries().map_err(during(Operation::Get, entry));
        entries.map(|mut entries| entries.remove(entry))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        self.insert(entry, value, mode).map_err(during(Operation::Set, entry))
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        self.remove(entry).map_err(during(Operation::Delete, entry))
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        let entries = self.entries().map_err(during(Operation::Exists, entry));
        entries.map(|entries| entries.contains_key(entry))
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        let entries = self.entries().map_err(|fault| error(fault, Operation::List))?;
        Ok(entries.into_keys().filter(|entry| entry.service() == service).collect())
    }
}

/// Returns the conversion of a fault to the error of an operation on an entry.
fn during(operation: Operation, entry: &EntryName) -> impl Fn(Fault) -> Error {
    move |fault| error(fault, operation).with_entry(entry)
}

fn error(fault: Fault, operation: Operation) -> Error {
    fault.during(operation).with_store(PlaintextStore::NAME)
}

/// Returns the path that links at this path lead to, whether a file exists there or not.
///
/// The store replaces and deletes the file under its own name, so that the links stay, and that all names of
/// the file share a lock.
fn follow_links(mut path: PathBuf) -> PathBuf {
    for _ in 0..MAX_LINKS {
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
    fn an_error_names_the_operation_and_the_entry() {
        let (_dir, store) = with_text("not an entry\n");
        let entry = EntryName::new("app", "key").unwrap();
        let errors = [
            (Operation::Get, store.read_entry(&entry).unwrap_err()),
            (Operation::Delete, store.remove_entry(&entry).unwrap_err()),
            (Operation::Exists, store.contains_entry(&entry).unwrap_err()),
        ];
        for (operation, error) in errors {
            assert_eq!((error.operation(), error.entry()), (operation, Some(&entry)));
            assert_eq!(error.store(), Some(PlaintextStore::NAME));
        }
        let error = store.list_entries(entry.service()).unwrap_err();
        assert_eq!((error.operation(), error.entry()), (Operation::List, None));
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
