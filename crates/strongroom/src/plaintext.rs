//! Entries in a file that anybody who reads it understands, for applications that ask for it by a name
//! that says so.
//!
//! One line for each entry: service, user and value, with tabs between them. Names have `%XX` for control
//! characters and for `%`; values are encoded as [`armor`] says, so most of them stand there as they are.
//! A line that begins with `#` is a remark.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use strongroom_core::{
    Capabilities, EntryName, Error, ErrorKind, ExposeSecret as _, Operation, Persistence, Probe,
    Result, SecretBytes, ServiceName, Store, StoreContext, StoreKind, UserName, WriteMode, armor,
    secret_bytes, secret_copy,
};
use strongroom_files::{Lock, NotHeld, Source};
use zeroize::Zeroizing;

/// The file without encryption as a kind of store. Its setting is a [`PlaintextPath`].
pub(crate) const KIND: StoreKind = StoreKind::new("plaintext-file", open)
    .with_label("a file without encryption")
    .with_protection("the permissions of its file alone; it is not encrypted");

/// The path of the file.
#[derive(Clone, Debug)]
pub(crate) struct PlaintextPath(pub(crate) PathBuf);

fn open(context: &StoreContext<'_>) -> Result<Arc<dyn Store>> {
    let Some(PlaintextPath(path)) = context.settings.get() else {
        return Err(Error::new(ErrorKind::NoBackend, Operation::Choose)
            .with_store(KIND.name())
            .with_message("this program was not told where its plaintext file is")
            .with_hint("Use the application that made the file."));
    };
    Ok(Arc::new(PlaintextStore::new(path.clone(), context.deadlines.call)))
}

/// What stands at the top of each file.
const REMARK: &str = "# Secrets, not encrypted: whoever can read this file has them.\n";

/// The largest file that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// What is escaped in a name, beside what begins a remark.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%').add(b'#');

/// Entries in a plaintext file.
pub(crate) struct PlaintextStore {
    path: PathBuf,
    lock: Arc<Lock>,
    deadline: Duration,
}

type Entries = BTreeMap<EntryName, SecretBytes>;

impl PlaintextStore {
    /// The store's name.
    pub(crate) const NAME: &str = "plaintext-file";

    /// The entries in this file. `deadline` is the longest that a write waits for others.
    pub(crate) fn new(path: PathBuf, deadline: Duration) -> Self {
        let mut lock = path.clone().into_os_string();
        lock.push(".lock");
        Self { path, lock: Lock::new(Some(lock.into())), deadline }
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

    /// What is in the file, if there is one and it is the user's alone.
    fn bytes(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        match strongroom_files::read(&self.path, Source::Private, LARGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Changes the entries, alone among all processes. `None` from the work is no change.
    fn change(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut Entries) -> Result<Option<()>>,
    ) -> Result<bool> {
        let _held = match self.lock.take(self.deadline) {
            Ok((held, None)) => held,
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
            false => strongroom_files::replace(&self.target(), text(&entries).expose_secret()),
        };
        written.map(|()| true).map_err(|error| self.failed(operation, error))
    }

    /// The file itself, where the path is a link to it.
    fn target(&self) -> PathBuf {
        self.path.canonicalize().unwrap_or_else(|_| self.path.clone())
    }

    fn failed(&self, operation: Operation, cause: io::Error) -> Error {
        strongroom_files::error(operation, &self.path, cause).with_store(Self::NAME)
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

impl fmt::Debug for PlaintextStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaintextStore").field("path", &self.path).finish_non_exhaustive()
    }
}

fn fault(kind: ErrorKind, operation: Operation, message: String) -> Error {
    Error::new(kind, operation).with_store(PlaintextStore::NAME).with_message(message)
}

/// The entries in a file, or the number of the first line that is none.
fn parse(bytes: &[u8]) -> Result<Entries, usize> {
    let mut entries = Entries::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let (name, value) = entry(line).ok_or(index + 1)?;
        if entries.insert(name, value).is_some() {
            return Err(index + 1);
        }
    }
    Ok(entries)
}

fn entry(line: &[u8]) -> Option<(EntryName, SecretBytes)> {
    let mut fields = line.splitn(3, |byte| *byte == b'\t');
    let mut name = || {
        let escaped = std::str::from_utf8(fields.next()?).ok()?;
        Some(percent_decode_str(escaped).decode_utf8().ok()?.into_owned())
    };
    let (service, user) = (ServiceName::new(name()?).ok()?, UserName::new(name()?).ok()?);
    let value = fields.next().filter(|value| !value.is_empty())?;
    Some((EntryName::from_parts(service, user), armor::decode(value.to_vec())))
}

fn text(entries: &Entries) -> SecretBytes {
    let lines: Vec<_> = entries
        .iter()
        .map(|(name, value)| {
            let escaped = |name| utf8_percent_encode(name, ESCAPED);
            let (service, user) = (name.service().as_str(), name.user().as_str());
            let names = format!("{}\t{}\t", escaped(service), escaped(user));
            (names, armor::encode(value.expose_secret()))
        })
        .collect();
    let len =
        |(names, value): &(String, SecretBytes)| names.len() + value.expose_secret().len() + 1;
    // Room beforehand: a vector that grows leaves an unwiped copy behind.
    let mut text = Vec::with_capacity(REMARK.len() + lines.iter().map(len).sum::<usize>());
    text.extend_from_slice(REMARK.as_bytes());
    for (names, value) in &lines {
        text.extend_from_slice(names.as_bytes());
        text.extend_from_slice(value.expose_secret());
        text.push(b'\n');
    }
    secret_bytes(text)
}

/// What must hold of any bytes at all, for the fuzzer: whatever is read as entries is written so that it
/// reads the same again. Says whether they are entries.
///
/// # Panics
///
/// When that does not hold.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(file: &[u8]) -> bool {
    let Ok(entries) = parse(file) else { return false };
    let again = parse(text(&entries).expose_secret()).expect("what was written can be read");
    let open = |entries: &Entries| {
        let open = |(name, value): (&EntryName, &SecretBytes)| {
            (name.clone(), value.expose_secret().to_vec())
        };
        entries.iter().map(open).collect::<Vec<_>>()
    };
    assert!(open(&again) == open(&entries), "what is read again is something else");
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strongroom_core::KeyringStore as _;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    strongroom_conformance::conformance_tests!({
        let dir = tempfile::tempdir().unwrap();
        move || PlaintextStore::new(dir.path().join("made/secrets"), PATIENCE)
    });

    proptest! {
        #[test]
        fn any_line_is_an_entry_or_refused(line in ".*") {
            check(line.as_bytes());
        }

        #[test]
        fn any_entry_reads_as_it_was_written(
            service in "[^\0\u{feff}]{1,60}", user in "[^\0\u{feff}]{1,60}", value in any::<Vec<u8>>()
        ) {
            let name = EntryName::new(service, user).unwrap();
            let entries = Entries::from([(name.clone(), secret_bytes(value.clone()))]);
            let read = parse(text(&entries).expose_secret()).unwrap();
            prop_assert!(read[&name].expose_secret() == value.as_slice());
        }
    }

    /// A store in a directory of its own, with this text in its file.
    fn with_text(text: &str) -> (tempfile::TempDir, PlaintextStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = PlaintextStore::new(dir.path().join("secrets"), PATIENCE);
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
        let by_link = PlaintextStore::new(link.clone(), PATIENCE);
        let value = secret_copy(b"2");
        by_link.set_bytes("app", "key", &value).unwrap();
        assert!(link.is_symlink());
        assert!(store.get_bytes("app", "key").unwrap().unwrap().expose_secret() == b"2");
    }
}
