//! The file beside a vault's entry, as the storage sees it.

use std::any::Any;
use std::path::{Path, PathBuf};

use strongroom_core::{Error, ErrorKind, Operation, Result, SecretBytes, Timestamp};

use super::content::Content;
use super::payload::{KeyEntry, Payload};

/// The bit that marks the generation of an entry with a key. An inline vault keeps its id when it becomes
/// sealed, and a process that remembers the inline entry must not take the new entry for it.
pub(crate) const KEYED: u64 = 1 << 63;

/// A file that holds a vault which its entry does not hold.
pub(crate) trait VaultFile: Any + Send + Sync {
    /// Returns the path of the file, which need not exist.
    fn path(&self) -> &Path;

    /// Returns whether the file is the whole vault, without an entry. Otherwise the vault's entry holds its key.
    fn is_whole_vault(&self) -> bool;

    /// Returns whether the file can't be opened without asking for a passphrase.
    fn must_ask(&self) -> bool;

    /// Asks for the passphrase of the file if that is needed, so that no lock is held during the question. With
    /// `creates` it also asks for the passphrase of a file that does not exist yet.
    fn prepare(&self, creates: bool) -> Result<Prepared>;

    /// Opens the file with the key from the vault's entry.
    fn open(&self, entry: &KeyEntry) -> Result<Content>;

    /// Opens a file that no entry holds the key of, with another key. Returns `None` if there is no file.
    ///
    /// # Errors
    ///
    /// `KeyMissing` if the vault's entry is gone and no other key is available or fits; the errors of opening
    /// a file.
    fn recover(&self, prepared: &mut Prepared) -> Result<Option<Content>>;

    /// Writes a whole vault into a new file. Returns it with the line for the vault's entry if that is to hold
    /// the key. A file that the entry does not refer to is put aside.
    fn create(
        &self,
        vault: &Payload,
        prepared: &Prepared,
        now: Timestamp,
    ) -> Result<(Content, Option<SecretBytes>)>;

    /// Deletes the file, and returns whether it existed.
    fn remove(&self) -> Result<bool>;

    /// Moves the file aside, and returns its new path.
    fn put_aside(&self, now: Timestamp) -> Result<Option<PathBuf>>;

    /// Checks that no program, this process included, keeps the file from being deleted.
    ///
    /// # Errors
    ///
    /// `Busy` if a program has it open. Only Windows refuses to delete open files.
    fn check_free(&self) -> Result<()>;
}

/// The result of a question for a passphrase that was asked before a lock was taken. Its content is the
/// file's own matter.
#[derive(Default)]
#[cfg_attr(not(feature = "sealed"), allow(dead_code, reason = "no file asks for a passphrase"))]
pub(crate) struct Prepared(Option<Box<dyn Any>>);

#[cfg_attr(not(feature = "sealed"), allow(dead_code, reason = "no file asks for a passphrase"))]
impl Prepared {
    /// Stores the result of the question.
    pub(crate) fn new(answer: impl Any) -> Self {
        Self(Some(Box::new(answer)))
    }

    /// Returns the result of the question, if it was asked.
    pub(crate) fn answer<T: Any>(&self) -> Option<&T> {
        self.0.as_ref()?.downcast_ref()
    }

    /// Returns the result of the question, if it was asked.
    pub(crate) fn answer_mut<T: Any>(&mut self) -> Option<&mut T> {
        self.0.as_mut()?.downcast_mut()
    }
}

/// Returns the error for a vault that needs a file where none can be.
pub(super) fn no_file() -> Error {
    Error::new(ErrorKind::Unsupported, Operation::Get)
        .with_message(
            "the vault lies in a sealed file, or is to, and there is no place for one here",
        )
        .with_hint("It takes the feature `sealed`, and a home directory.")
}
