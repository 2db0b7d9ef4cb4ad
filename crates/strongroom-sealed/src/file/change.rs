//! Changes: several at once, all or nothing.

use strongroom_core::{
    ErrorKind, ExposeSecret, Operation, Result, Secret, SecretBytes, SecretKey, SecretMetadata,
};

use super::{SealedFile, View};
use crate::about::{About, Unknown};
use crate::error::fault;
use crate::head::State;
use crate::rows;

/// The largest value, in bytes: 16 MiB. It is held in memory as a whole, sealed and open.
pub const MAX_VALUE_BYTES: usize = 16 * 1024 * 1024;

/// A change under way: what it reads includes what it wrote, and nobody else sees either until the
/// end.
pub struct Change<'a> {
    view: View<'a>,
    state: State,
    is_edited: bool,
}

impl SealedFile {
    /// Changes the vault, all or nothing.
    ///
    /// - Nobody else changes it meanwhile; others read what was before.
    /// - When it returns, the change is durable, and the generation is one higher. If the closure
    ///   fails, or changes nothing, everything is as it was.
    ///
    /// # Errors
    ///
    /// Those of the closure; `Busy` if others change the file past the deadline; `QuotaExceeded` if
    /// the disk is full.
    pub fn change<T>(&self, work: impl FnOnce(&mut Change<'_>) -> Result<T>) -> Result<T> {
        self.write(Operation::Set, |view| {
            let state = view.state().map_err(|error| view.file.named(Operation::Set, error))?;
            let mut change = Change { view, state, is_edited: false };
            let done = work(&mut change)?;
            let named = |error| self.named(Operation::Set, error);
            change.finish().map_err(named)?;
            Ok(done)
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

    /// What is known about a secret beside its value, for who is about to write it.
    ///
    /// Opens no value, and costs the same however many secrets there are: unlike
    /// [`get`](Self::get), it takes a missing row for a missing secret.
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

    /// Writes a secret and its metadata as they are, over the one of that key if there is one.
    ///
    /// # Errors
    ///
    /// `Invalid` if the key can't be used; `TooLarge` for more than [`MAX_VALUE_BYTES`]; `Corrupt`
    /// if the record that is there is damaged: remove it first, if that is meant.
    pub fn put(&mut self, key: &SecretKey, secret: &Secret) -> Result<()> {
        let value = secret.value.expose_secret().as_bytes();
        self.write(key, &secret.metadata, value)
            .map_err(|error| self.view.file.named(Operation::Set, error))
    }

    /// The same with a value of any bytes.
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

    /// Removes a secret, readable or not, and says whether it was there.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn remove(&mut self, key: &SecretKey) -> Result<bool> {
        self.delete(key).map_err(|error| self.view.file.named(Operation::Delete, error))
    }

    /// The generation that the vault has when the change is done, if it changes anything.
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
