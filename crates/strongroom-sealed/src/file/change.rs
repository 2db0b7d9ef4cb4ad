//! Changes of a vault: several at once, all or nothing.

use strongroom_core::{
    Error, ErrorKind, ExposeSecret, Fault, Operation, Result, Secret, SecretBytes, SecretKey,
    SecretMetadata,
};

use super::SealedFile;
use super::view::View;
use crate::error::fault;
use crate::head::State;
use crate::limits::MAX_VALUE_BYTES;
use crate::record_info::{RecordInfo, Unknown};
use crate::rows;

/// A change in progress. Its reads see its own writes; other handles and processes see neither before the
/// commit.
pub struct Change<'a> {
    file: &'a SealedFile,
    view: View<'a>,
    state: State,
    is_edited: bool,
}

impl SealedFile {
    /// Changes the vault in a single transaction.
    ///
    /// - No other process changes the vault meanwhile. Readers see the state before the change.
    /// - When it returns `Ok`, the change is durable, and the generation has increased by 1. If the closure
    ///   fails or changes nothing, everything stays as it was.
    ///
    /// # Errors
    ///
    /// Those of the closure; `Busy` if other processes change the file past the deadline; `QuotaExceeded` if
    /// the disk is full.
    pub fn change<T>(&self, work: impl FnOnce(&mut Change<'_>) -> Result<T>) -> Result<T> {
        let changed = self.write(|view| {
            let state = view.state()?;
            let mut change = Change { file: self, view, state, is_edited: false };
            let done = work(&mut change).map_err(Abort::Caller)?;
            change.finish()?;
            Ok((done, None))
        });
        changed.map_err(|abort| match abort {
            Abort::Caller(error) => error,
            Abort::Fault(fault) => self.error(Operation::Set, fault),
        })
    }
}

/// The reason that a change was not made.
enum Abort {
    Fault(Fault),
    /// The error of the caller's closure, which is returned unchanged.
    Caller(Error),
}

impl From<Fault> for Abort {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Change<'_> {
    /// As [`SealedFile::get`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get(&mut self, key: &SecretKey) -> Result<Option<Secret>> {
        let read = self.read(key).and_then(|found| found.map(rows::secret).transpose());
        read.map_err(|fault| self.file.error(Operation::Get, fault))
    }

    /// As [`SealedFile::get_bytes`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get_bytes(&mut self, key: &SecretKey) -> Result<Option<SecretBytes>> {
        let read = self.read(key).map_err(|fault| self.file.error(Operation::Get, fault))?;
        Ok(read.map(|(_, value)| value))
    }

    /// Returns the metadata of a secret that is about to be written, or `None` if there is no such secret.
    ///
    /// No value is decrypted, and the cost does not depend on the number of secrets: unlike
    /// [`get`](Self::get), it does not check that no row is missing, and reports a missing row as a missing
    /// secret.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn metadata(&self, key: &SecretKey) -> Result<Option<SecretMetadata>> {
        self.read_metadata(key).map_err(|fault| self.file.error(Operation::Get, fault))
    }

    /// As [`SealedFile::contains`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn contains(&mut self, key: &SecretKey) -> Result<bool> {
        let found = self.view.rows().find(key).and_then(|found| match found {
            Some(_) => Ok(true),
            None => self.view.check(&self.state).map(|()| false),
        });
        found.map_err(|fault| self.file.error(Operation::Exists, fault))
    }

    /// As [`SealedFile::list`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn list(&mut self) -> Result<Vec<(SecretKey, SecretMetadata)>> {
        self.view.list(&self.state).map_err(|fault| self.file.error(Operation::List, fault))
    }

    /// Writes a secret with exactly this metadata, in place of the secret of that key.
    ///
    /// # Errors
    ///
    /// `Invalid` if the key can't be used; `TooLarge` for more than [`MAX_VALUE_BYTES`]; `Corrupt` if the
    /// existing record is damaged: to replace it on purpose, remove it first.
    pub fn put(&mut self, key: &SecretKey, secret: &Secret) -> Result<()> {
        let value = secret.value.expose_secret().as_bytes();
        self.write(key, &secret.metadata, value)
            .map_err(|fault| self.file.error(Operation::Set, fault))
    }

    /// Writes a value of any bytes, as [`put`](Self::put).
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn put_bytes(
        &mut self,
        key: &SecretKey,
        value: &SecretBytes,
        metadata: &SecretMetadata,
    ) -> Result<()> {
        let value = value.expose_secret();
        self.write(key, metadata, value).map_err(|fault| self.file.error(Operation::Set, fault))
    }

    /// Removes a secret, readable or not, and returns whether it existed.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn remove(&mut self, key: &SecretKey) -> Result<bool> {
        self.delete(key).map_err(|fault| self.file.error(Operation::Delete, fault))
    }

    /// Returns the generation of the vault after this change, if it changes anything.
    pub const fn generation(&self) -> u64 {
        self.state.generation + 1
    }

    fn read_metadata(&self, key: &SecretKey) -> Result<Option<SecretMetadata>, Fault> {
        let Some(row_id) = self.view.rows().find(key)? else { return Ok(None) };
        let metadata = self.view.rows().info(&row_id)?.metadata();
        metadata.map(Some).ok_or_else(rows::damaged)
    }

    fn read(&mut self, key: &SecretKey) -> Result<Option<(SecretMetadata, SecretBytes)>, Fault> {
        let found = self.view.rows().read(key)?;
        if found.is_none() {
            self.view.check(&self.state)?;
        }
        Ok(found)
    }

    fn write(
        &mut self,
        key: &SecretKey,
        metadata: &SecretMetadata,
        value: &[u8],
    ) -> Result<(), Fault> {
        key.validate().map_err(Error::into_fault)?;
        if value.len() > MAX_VALUE_BYTES {
            let (len, max) = (value.len(), MAX_VALUE_BYTES);
            let message = format!("the value has {len} bytes; a sealed file takes at most {max}");
            return Err(fault(ErrorKind::TooLarge, message));
        }
        let rows = self.view.rows();
        let old = rows.find(key)?;
        // Fields that a newer version of this program has written are kept.
        let unknown = match &old {
            Some(row_id) => rows.info(row_id)?.into_unknown(),
            None => Unknown::new(),
        };
        let about = RecordInfo::new(key, metadata, unknown).to_json();
        self.is_edited = true;
        rows.write(&mut self.state, old, key, &about, value)
    }

    fn delete(&mut self, key: &SecretKey) -> Result<bool, Fault> {
        let Some(row_id) = self.view.rows().find(key)? else {
            self.view.check(&self.state)?;
            return Ok(false);
        };
        self.is_edited = true;
        self.view.rows().delete(&mut self.state, &row_id)?;
        Ok(true)
    }

    fn finish(mut self) -> Result<(), Fault> {
        // The generation counts edits only, so it stays here.
        if !self.is_edited {
            return Ok(());
        }
        self.state.generation += 1;
        self.view.head.seal_state(&self.view.keys.current, &self.state)?;
        self.view.head.write(self.view.connection)
    }
}

impl std::fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change").field("generation", &self.generation()).finish_non_exhaustive()
    }
}
