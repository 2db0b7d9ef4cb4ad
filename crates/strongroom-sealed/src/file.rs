//! A vault's file in one process.

mod change;
mod key_slots;
mod rotation;
mod view;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strongroom_core::{
    Error, ErrorKind, Operation, Result, Secret, SecretBytes, SecretKey, SecretMetadata, Timestamp,
};

pub use change::{Change, MAX_VALUE_BYTES};
pub use rotation::Progress;
use view::{Open, View};

use strongroom_files::Stamp;

use crate::aead;
use crate::beside;
use crate::budget::Budget;
use crate::database;
use crate::error::{fault, from_sqlite, located, opening, replaced};
use crate::head::Head;
use crate::keys::{Keys, VaultId};
use crate::opening;
use crate::rows;
use crate::slot::{self, NewSlot};
use crate::slot_list::{self, SlotList};
use crate::{FileConfig, KeySource};

/// A vault's sealed file, open.
///
/// Handles, threads and processes of one user may have the same file open; each sees what the others
/// committed. A handle does one thing at a time.
///
/// # Errors
///
/// Beside the kinds that each method names, every method can fail with `Busy` (others held the file
/// past the deadline), `Corrupt` (something in it is not as it was written), `Conflict` (the file was
/// replaced or deleted while it was open), `WrongKey` (somebody rotated the key and removed the slot
/// that was used), `AccessDenied` and `Io`.
pub struct SealedFile {
    path: PathBuf,
    stamp: Stamp,
    deadline: Duration,
    id: VaultId,
    open: Mutex<Open>,
}

impl SealedFile {
    /// Makes a new, empty vault with a new key, and a slot for each source.
    ///
    /// - The file appears whole and durable, or not at all; of several that create it at once one
    ///   succeeds.
    /// - `now` is when the slots were added. Missing directories are made, for the user alone.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is a file; `Invalid` if there is no source, or more than
    /// [`MAX_SLOTS`](crate::MAX_SLOTS); what [`KeySource`] says of one that can't be read;
    /// `AccessDenied` if others can use the directory; `QuotaExceeded` if the disk is full.
    pub fn create(config: &FileConfig, now: Timestamp) -> Result<Self> {
        let made = Self::make(config, now);
        made.map_err(|error| located(&config.path, error.during(Operation::Set)))?;
        Self::open(config)
    }

    /// Opens the vault that is there, by the first source that fits.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no file; `WrongKey` if no source fits; `KeyMissing` if no source can
    /// be read because its file is not there; `Corrupt` if it is no vault, or one of an unknown
    /// version; `AccessDenied` if others can use the file or its directory, or it is another
    /// user's, or a symbolic link.
    pub fn open(config: &FileConfig) -> Result<Self> {
        Self::open_by_key(config)
            .map_err(|error| located(&config.path, error.during(Operation::Open)))
    }

    fn open_by_key(config: &FileConfig) -> Result<Self> {
        let mut budget = Budget::new(config.deadline);
        let stamp = || Stamp::at(&config.path).map_err(|cause| opening(&config.path, cause));
        beside::refuse_orphan(&config.path)?;
        let before = stamp()?;
        let database = database::open(&config.path, config.deadline)?;
        let stamp = stamp()?;
        if !stamp.is_same_file(&before) {
            return Err(replaced());
        }
        let (head, keys, opener) = {
            let snapshot = database::begin_reading(&database.connection)?;
            let head = Head::read(&snapshot)?;
            let slots = slot::each(&snapshot)?;
            let (key, opener) =
                opening::open(slots, &head.id, &head.key_id, &config.sources, &mut budget)?;
            let keys = head.key_ring(key)?;
            (head, keys, opener)
        };
        database.trust()?;
        let mut open = Open { database: None, keys, opener, checked: None };
        open.keep(database, &config.path)?;
        let open = Mutex::new(open);
        let FileConfig { path, deadline, .. } = config;
        Ok(Self { path: path.clone(), stamp, deadline: *deadline, id: head.id, open })
    }

    /// Opens the vault, or makes one where there is no file.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`create`](Self::create), but for `NotFound` and `AlreadyExists`.
    pub fn open_or_create(config: &FileConfig, now: Timestamp) -> Result<Self> {
        match Self::open(config) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
        match Self::create(config, now) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::open(config),
            created => created,
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file at its path is still the one that was opened.
    pub fn is_in_place(&self) -> bool {
        Stamp::at(&self.path).is_ok_and(|stamp| stamp.is_same_file(&self.stamp))
    }

    /// Names the vault, whatever its file is called: random, and the same for ever.
    pub const fn id(&self) -> [u8; 16] {
        self.id
    }

    /// A secret with its metadata. Opens its record and no other; a missing one is `None`.
    ///
    /// # Errors
    ///
    /// `Invalid` if the value is not text: [`get_bytes`](Self::get_bytes) reads it.
    pub fn get(&self, key: &SecretKey) -> Result<Option<Secret>> {
        self.read(Operation::Get, |view| view.read(key)?.map(rows::secret).transpose())
    }

    /// A secret's bytes. Opens its record and no other; a missing one is `None`.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn get_bytes(&self, key: &SecretKey) -> Result<Option<SecretBytes>> {
        self.read(Operation::Get, |view| Ok(view.read(key)?.map(|(_, value)| value)))
    }

    /// Whether a secret is there. Decrypts no record.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn contains(&self, key: &SecretKey) -> Result<bool> {
        self.read(Operation::Exists, |view| view.contains(key))
    }

    /// All secrets with their metadata, in no particular order. Reads no value.
    ///
    /// # Errors
    ///
    /// `Corrupt` names how many records are damaged, if not all are.
    pub fn list(&self) -> Result<Vec<(SecretKey, SecretMetadata)>> {
        self.read(Operation::List, |view| view.list(&view.state()?))
    }

    /// Hands over every secret as it was at one moment, while others go on changing the vault.
    ///
    /// # Errors
    ///
    /// `Corrupt` if a record is damaged or missing, after the others were handed over.
    pub fn read_all(&self, take: impl FnMut(SecretKey, SecretMetadata, SecretBytes)) -> Result<()> {
        self.read(Operation::Get, |view| {
            let (damaged, state) = (view.rows().salvage(take)?, view.state()?);
            if damaged > 0 {
                return Err(rows::some_damaged(damaged, state.records));
            }
            view.check(&state)
        })
    }

    /// Hands over every secret that can be read, whatever else is damaged, and says how many can't.
    ///
    /// It does not notice what is missing: that is what is known when the others failed.
    ///
    /// # Errors
    ///
    /// `Corrupt` if the file itself ends too early, after what could be reached was handed over.
    pub fn salvage(&self, take: impl FnMut(SecretKey, SecretMetadata, SecretBytes)) -> Result<u64> {
        self.read(Operation::Repair, |view| view.rows().salvage(take))
    }

    /// The number of secrets, as it was sealed. Costs the same whatever it is.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn len(&self) -> Result<u64> {
        self.read(Operation::List, |view| view.state().map(|state| state.records))
    }

    /// Whether there are none.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn is_empty(&self) -> Result<bool> {
        self.len().map(|len| len == 0)
    }

    /// The vault's revision number, one more at each change.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn generation(&self) -> Result<u64> {
        self.read(Operation::Get, |view| view.state().map(|state| state.generation))
    }

    /// A number that differs from what it was before if another handle or process has changed the
    /// file since, and not if this one has, unless it has to open the file for each operation. It says
    /// nothing to another handle.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn data_version(&self) -> Result<i64> {
        let version = || {
            let mut open = self.lock()?;
            let database = open.take(self)?;
            let version = database.version(&self.path).map_err(from_sqlite);
            open.keep(database, &self.path)?;
            version
        };
        version().map_err(|error| self.named(Operation::Get, error))
    }

    fn make(config: &FileConfig, now: Timestamp) -> Result<()> {
        if config.sources.is_empty() || config.sources.len() > slot::MAX_SLOTS {
            return Err(fault(
                ErrorKind::Invalid,
                format!("a vault has 1 to {} key sources", slot::MAX_SLOTS),
            ));
        }
        if config.path.symlink_metadata().is_ok() {
            return Err(opening(&config.path, std::io::ErrorKind::AlreadyExists.into()));
        }
        let prepare =
            |source: &KeySource| NewSlot::prepare(source, now, &mut Budget::new(config.deadline));
        let slots = config.sources.iter().map(prepare).collect::<Result<Vec<_>>>()?;
        let id = slot_list::marked_id()?;
        let keys = Keys::of(aead::random_key()?, &id);
        database::create(&config.path, config.deadline, |connection| {
            Head::new(id, &keys)?.write(connection)?;
            let mut list = SlotList::default();
            for slot in slots {
                list.add(&slot.insert(connection, &id, &keys)?.0);
            }
            list.write(connection, &id, &keys)
        })
    }

    /// The handle, for one user, if the file is still the one that was opened.
    fn lock(&self) -> Result<MutexGuard<'_, Open>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_in_place() { Ok(open) } else { Err(replaced()) }
    }

    /// An error of this file in this operation.
    fn named(&self, operation: Operation, error: Error) -> Error {
        located(&self.path, error.during(operation))
    }

    /// Reads at one moment.
    fn read<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut View<'_>) -> Result<T>,
    ) -> Result<T> {
        let read = || {
            let mut open = self.lock()?;
            let database = open.take(self)?;
            let done = open.read(&database, self, work);
            // Half of what somebody writes may look like damage, and is none.
            open.keep(database, &self.path)?;
            done
        };
        read().map_err(|error| self.named(operation, error))
    }

    /// Writes as one: all of it is durable when this returns, or nothing is done.
    ///
    /// What the work itself fails with is handed on as it is.
    fn write<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(View<'_>) -> Result<T>,
    ) -> Result<T> {
        let named = |error| self.named(operation, error);
        let mut open = self.lock().map_err(named)?;
        let database = open.take(self).map_err(named)?;
        database.check_writable(&self.path).map_err(named)?;
        let done = open.write(&database, self, operation, work);
        open.keep(database, &self.path).map_err(named)?;
        done
    }
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFile").field("path", &self.path).finish_non_exhaustive()
    }
}
