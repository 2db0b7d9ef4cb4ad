//! A vault's file in one process.

mod change;
mod key_slots;
mod rotation;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use strongroom_core::{
    Error, ErrorKind, Operation, Result, Secret, SecretBytes, SecretKey, SecretMetadata, Timestamp,
};

pub use change::{Change, MAX_VALUE_BYTES};
pub use rotation::Progress;

use crate::aead;
use crate::beside;
use crate::budget::Budget;
use crate::database::{self, Database};
use crate::error::{fault, from_sqlite, opening, replaced};
use crate::head::{Head, State};
use crate::keys::{KeyRing, Keys, VaultId};
use crate::limits::Clock;
use crate::opening;
use crate::platform::Stamp;
use crate::rows::{self, Rows};
use crate::slot::{self, NewSlot, Opener};
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

/// What one user of the handle at a time has.
struct Open {
    database: Database,
    keys: KeyRing,
    opener: Opener,
    /// The version of the data whose rows were last found to be those that were sealed.
    checked: Option<i64>,
}

/// All that a transaction works on.
struct View<'a> {
    connection: &'a Connection,
    clock: &'a Clock,
    head: Head,
    keys: &'a KeyRing,
    opener: &'a mut Opener,
    checked: &'a mut Option<i64>,
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
        Self::make(config, now).map_err(|error| error.during(Operation::Set))?;
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
        let mut budget = Budget::new(config.deadline);
        let stamp = || Stamp::at(&config.path).map_err(|cause| opening(&config.path, cause));
        beside::refuse_orphan(&config.path)?;
        let before = stamp()?;
        let database = database::open(&config.path, config.deadline)?;
        let stamp = stamp()?;
        if stamp != before {
            return Err(replaced());
        }
        let (head, keys, opener) = {
            let snapshot = database::begin_reading(&database.connection)?;
            let head = Head::read(&snapshot)?;
            let (key, opener) =
                opening::open(&snapshot, &head.id, &head.key_id, &config.sources, &mut budget)?;
            let keys = head.key_ring(key)?;
            (head, keys, opener)
        };
        database::trust(&database.connection)?;
        let open = Mutex::new(Open { database, keys, opener, checked: None });
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
    /// file since, and not if this one has. It says nothing to another handle.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn data_version(&self) -> Result<i64> {
        let during = |error: Error| error.during(Operation::Get);
        let open = self.lock().map_err(during)?;
        database::data_version(&open.database.connection).map_err(from_sqlite).map_err(during)
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
        let id = aead::random()?;
        let keys = Keys::of(aead::random_key()?, &id);
        database::create(&config.path, |connection| {
            Head::new(id, &keys)?.write(connection)?;
            slots.into_iter().try_for_each(|slot| slot.insert(connection, &id, &keys).map(drop))
        })
    }

    /// The handle, for one user, if the file is still the one that was opened.
    fn lock(&self) -> Result<MutexGuard<'_, Open>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match Stamp::at(&self.path) {
            Ok(stamp) if stamp == self.stamp => Ok(open),
            _ => Err(replaced()),
        }
    }

    /// Reads at one moment.
    fn read<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut View<'_>) -> Result<T>,
    ) -> Result<T> {
        let read = || {
            let mut open = self.lock()?;
            let Open { database: Database { connection, clock }, keys, opener, checked } =
                &mut *open;
            clock.restart();
            let snapshot = database::begin_reading(connection)?;
            work(&mut View::of(&snapshot, clock, self.id, keys, opener, checked)?)
        };
        read().map_err(|error| error.during(operation))
    }

    /// Writes as one: all of it is durable when this returns, or nothing is done.
    ///
    /// What the work itself fails with is handed on as it is.
    fn write<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(View<'_>) -> Result<T>,
    ) -> Result<T> {
        let during = |error: Error| error.during(operation);
        let mut open = self.lock().map_err(during)?;
        let Open { database: Database { connection, clock }, keys, opener, checked } = &mut *open;
        let transaction = database::begin_writing(connection, self.deadline).map_err(during)?;
        clock.restart();
        let view = View::of(&transaction, clock, self.id, keys, opener, checked).map_err(during)?;
        let done = work(view)?;
        transaction.commit().map_err(from_sqlite).map_err(during)?;
        Ok(done)
    }
}

impl<'a> View<'a> {
    /// Looks at the file as it is now, with its key as it is now.
    fn of(
        connection: &'a Connection,
        clock: &'a Clock,
        id: VaultId,
        keys: &'a mut KeyRing,
        opener: &'a mut Opener,
        checked: &'a mut Option<i64>,
    ) -> Result<Self> {
        let head = Head::read(connection)?;
        if head.id != id {
            return Err(replaced());
        }
        if *keys.current.id() != head.key_id {
            *keys = head.key_ring(opener.open(connection, &id, &head.key_id)?)?;
        } else if head.previous.is_none() {
            keys.previous = None;
        }
        Ok(Self { connection, clock, head, keys, opener, checked })
    }

    fn rows(&self) -> Rows<'_> {
        let Self { connection, clock, keys, .. } = *self;
        Rows { connection, clock, vault: &self.head.id, keys }
    }

    fn state(&self) -> Result<State> {
        self.head.open_state(&self.keys.current)
    }

    fn read(&mut self, key: &SecretKey) -> Result<Option<(SecretMetadata, SecretBytes)>> {
        let found = self.rows().read(key)?;
        if found.is_none() {
            self.check(&self.state()?)?;
        }
        Ok(found)
    }

    fn contains(&mut self, key: &SecretKey) -> Result<bool> {
        let found = self.rows().find(key)?.is_some();
        if !found {
            self.check(&self.state()?)?;
        }
        Ok(found)
    }

    fn list(&mut self, state: &State) -> Result<Vec<(SecretKey, SecretMetadata)>> {
        let listed = self.rows().list(state.records)?;
        if listed.damaged > 0 {
            return Err(rows::some_damaged(listed.damaged, state.records));
        }
        self.check(state)?;
        Ok(listed.readable)
    }

    /// Checks that no row is missing, before anybody is told that a secret is not there.
    ///
    /// It looks at every row, once for each version of the data that others wrote: what this handle
    /// writes itself is added to what was checked.
    fn check(&mut self, state: &State) -> Result<()> {
        let version = database::data_version(self.connection).map_err(from_sqlite)?;
        if *self.checked != Some(version) {
            self.rows().check(state)?;
            *self.checked = Some(version);
        }
        Ok(())
    }
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFile").field("path", &self.path).finish_non_exhaustive()
    }
}
