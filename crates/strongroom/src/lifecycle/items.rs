//! The items that a store holds in the place of a vault, readable or not.

use strongroom_core::{
    Candidate, Error, ErrorKind, ExposeSecret as _, Result, SecretBytes, SecretKey,
};

use crate::vault::{Content, Prepared, Storage, Stored, readable_names};

/// An item of a store in the place of a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaultItem {
    /// The store's name for the item, if there are several items.
    pub candidate: Option<Candidate>,
    /// The length of the item in bytes, or 0 if the store can't read it.
    pub len: usize,
    /// The content of the item.
    pub content: VaultContent,
}

/// The content of an item, without any value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultContent {
    /// A vault.
    Readable {
        /// The vault's revision number.
        generation: u64,
        /// The vault's secrets.
        keys: Vec<SecretKey>,
    },
    /// Data that can't be read as a vault.
    Unreadable {
        /// The reason why it can't be read, as a clause.
        problem: String,
        /// The names of secrets that are still readable.
        names: Vec<String>,
        /// The number of secrets that can be read whole, if the vault is in a sealed file. A salvage recovers
        /// them.
        readable: Option<u64>,
    },
}

/// An item of the store with its bytes.
pub(super) struct StoredItem {
    pub(super) candidate: Option<Candidate>,
    pub(super) bytes: Option<SecretBytes>,
    pub(super) opened: Result<Content>,
}

/// Returns all items in the place of a vault.
///
/// # Errors
///
/// Errors that tell nothing about the items, such as `Locked` or `TimedOut`.
pub(super) fn find_all(storage: &Storage, prepared: &mut Prepared) -> Result<Vec<StoredItem>> {
    if storage.is_whole_file() {
        return file_item(storage, prepared);
    }
    let candidates = storage.store.candidates(&storage.entry)?;
    if candidates.len() > 1 {
        let items = candidates.into_iter().map(|candidate| {
            let bytes = storage.store.read_candidate(&storage.entry, &candidate.id);
            StoredItem::open(Some(candidate), bytes, storage)
        });
        return items.collect();
    }
    match storage.store.read_entry(&storage.entry) {
        Ok(None) => file_item(storage, prepared),
        Ok(Some(bytes)) => Ok(vec![StoredItem::open(None, Ok(bytes), storage)?]),
        Err(error) => Ok(vec![StoredItem::open(None, Err(error), storage)?]),
    }
}

/// Returns the item of a vault that has no entry, if there is any.
fn file_item(storage: &Storage, prepared: &mut Prepared) -> Result<Vec<StoredItem>> {
    let opened = split_errors(storage.recover(prepared)).map_err(|error| storage.named(error))?;
    Ok(match opened {
        Ok(content) if content.is_none() => Vec::new(),
        opened => vec![StoredItem { candidate: None, bytes: None, opened }],
    })
}

impl StoredItem {
    /// Returns the item with its content, or with the reason in the item itself why it can't be read.
    ///
    /// # Errors
    ///
    /// Errors that tell nothing about the item, such as `Locked` or `TimedOut`.
    fn open(
        candidate: Option<Candidate>,
        bytes: Result<SecretBytes>,
        storage: &Storage,
    ) -> Result<Self> {
        let (bytes, opened) = match bytes {
            Ok(bytes) => {
                let stored = Stored::parse(&bytes).map_err(Error::from);
                let opened = split_errors(stored.and_then(|stored| storage.open(stored)))?;
                (Some(bytes), opened)
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => (None, Err(error)),
            Err(error) => return Err(error),
        };
        Ok(Self { candidate, bytes, opened })
    }

    /// Returns whether the item can be read completely.
    pub(super) fn is_whole(&self) -> bool {
        self.read().is_ok()
    }

    /// Reads the whole item. Returns its generation and secrets, or the problem.
    fn read(&self) -> Result<(u64, Vec<SecretKey>), String> {
        let content = self.opened.as_ref().map_err(|error| error.problem().to_owned())?;
        let (generation, secrets) =
            generation_and_keys(content).map_err(|error| error.problem().to_owned())?;
        // A list decrypts no values. Only reading them all shows whether they are intact.
        match content.check_records() {
            Some(check) if check.damaged > 0 => {
                Err(format!("{} of {} records are damaged", check.damaged, secrets.len()))
            }
            _ => Ok((generation, secrets)),
        }
    }

    /// Returns the item without any value.
    pub(super) fn describe(&self) -> VaultItem {
        let bytes = self.bytes.as_ref().map(|bytes| bytes.expose_secret()).unwrap_or_default();
        let content = match self.read() {
            Ok((generation, keys)) => VaultContent::Readable { generation, keys },
            Err(problem) => {
                let check = self.opened.as_ref().ok().and_then(Content::check_records);
                let readable = check.as_ref().map(|check| check.readable.len() as u64);
                let names = check.map_or_else(|| readable_names(bytes), |check| check.readable);
                VaultContent::Unreadable { problem, names, readable }
            }
        };
        VaultItem { candidate: self.candidate.clone(), len: bytes.len(), content }
    }
}

/// Splits the result of opening a vault. The outer error tells nothing about the vault, which may be intact.
/// The inner result is the vault's state.
fn split_errors(opened: Result<Content>) -> Result<Result<Content>> {
    use ErrorKind::{AccessDenied, Busy, Conflict, Io, TimedOut};
    match opened {
        Err(error) if matches!(error.kind(), AccessDenied | Busy | Conflict | Io | TimedOut) => {
            Err(error)
        }
        opened => Ok(opened),
    }
}

fn generation_and_keys(content: &Content) -> Result<(u64, Vec<SecretKey>)> {
    let vault = content.reader();
    let (generation, secrets) = (vault.generation()?, vault.list()?);
    Ok((generation, secrets.into_iter().map(|secret| secret.key).collect()))
}
