//! Changes of a vault: several at once, all or nothing.

use strongroom_core::{
    ErrorKind, ExposeSecret, Operation, Result, Secret, SecretBytes, SecretKey, SecretMetadata,
};

use super::{SealedFile, View};
use crate::about::{About, Unknown};
use crate::error::fault;
use crate::head::State;
use crate::rows;

/// The largest value, in bytes: 16 MiB. A value is held in memory as a whole, both sealed and in the clear.
pub const MAX_VALUE_BYTES: usize = 16 * 1024 * 1024;

/// A change in progress. Its reads see its own writes; other handles and processes see neither before the
/// commit.
pub struct Change<'a> {
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
        self.write(Operation::Set, |view| {
            let state = view.state().map_err(|error| view.file.named(Operation::Set, error))?;
            let mut change = Change { view, state, is_edited: false };
            let done = work(&mut change)?;
            let named = |error| self.named(Operation::Set, error);
            change.finish().map_err(named)?;
            Ok((done, None))
        })
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
        read.map_err(|error| self.view.file.named(Operation::Get, error))
    }

    /// As [`SealedFile::get_bytes`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get_bytes(&mut self, key: &SecretKey) -> Result<Option<SecretBytes>> {
        let read = self.read(key).map_err(|error| self.view.file.named(Operation::Get, error))?;
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
        let read = || {
            let Some(place) = self.view.rows().find(key)? else { return Ok(None) };
            let metadata = self.view.rows().about(&place)?.metadata();
            metadata.map(Some).ok_or_else(rows::damaged)
        };
        read().map_err(|error| self.view.file.named(Operation::Get, error))
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
        found.map_err(|error| self.view.file.named(Operation::Exists, error))
    }

    /// As [`SealedFile::list`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn list(&mut self) -> Result<Vec<(SecretKey, SecretMetadata)>> {
        self.view.list(&self.state).map_err(|error| self.view.file.named(Operation::List, error))
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
            .map_err(|error| self.view.file.named(Operation::Set, error))
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
        self.write(key, metadata, value)
            .map_err(|error| self.view.file.named(Operation::Set, error))
    }

    /// Removes a secret, readable or not, and returns whether it existed.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn remove(&mut self, key: &SecretKey) -> Result<bool> {
        self.delete(key).map_err(|error| self.view.file.named(Operation::Delete, error))
    }

    /// Returns the generation of the vault after this change, if it changes anything.
    pub const fn generation(&self) -> u64 {
        self.state.generation + 1
    }

    fn read(&mut self, key: &SecretKey) -> Result<Option<(SecretMetadata, SecretBytes)>> {
        let found = self.view.rows().read(key)?;
        if found.is_none() {
            self.view.check(&self.state)?;
        }
        Ok(found)
    }

    fn write(&mut self, key: &SecretKey, metadata: &SecretMetadata, value: &[u8]) -> Result<()> {
        key.validate()?;
        if value.len() > MAX_VALUE_BYTES {
            let (len, max) = (value.len(), MAX_VALUE_BYTES);
            let message = format!("the value has {len} bytes; a sealed file takes at most {max}");
            return Err(fault(ErrorKind::TooLarge, message));
        }
        let rows = self.view.rows();
        let old = rows.find(key)?;
        // Fields that a newer version of this program has written are kept.
        let unknown = match &old {
            Some(place) => rows.about(place)?.into_unknown(),
            None => Unknown::new(),
        };
        let about = About::new(key, metadata, unknown).to_json();
        self.is_edited = true;
        rows.write(&mut self.state, old, key, &about, value)
    }

    fn delete(&mut self, key: &SecretKey) -> Result<bool> {
        let Some(place) = self.view.rows().find(key)? else {
            self.view.check(&self.state)?;
            return Ok(false);
        };
        self.is_edited = true;
        self.view.rows().delete(&mut self.state, &place)?;
        Ok(true)
    }

    fn finish(mut self) -> Result<()> {
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
