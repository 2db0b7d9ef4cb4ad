//! An open sealed file.

pub(crate) mod change;
mod key_slots;
mod location;
pub(crate) mod rotation;
mod sessions;
mod view;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use strongroom_core::{
    Error, ErrorKind, Fault, Operation, Result, Secret, SecretBytes, SecretKey, SecretMetadata,
    Timestamp,
};

use location::Location;
use sessions::{RowCheck, Sessions};
use view::{LookUp, Unlocked, View};

use crate::aead;
use crate::budget::Budget;
use crate::config::FileConfig;
use crate::database::{self, Database};
use crate::error::{self, fault, from_io, from_sqlite, replaced};
use crate::head::Head;
use crate::keys::{Keys, VaultId};
use crate::opening;
use crate::rows::{self, Rows};
use crate::sidecar;
use crate::slot::{self, NewSlot, Opener};
use crate::slot_list::{self, SlotList};

/// The sealed file of a vault, open.
///
/// Handles, threads and processes of a single user may have the same file open. Each sees the changes that
/// the other handles committed. Reads of several threads run at the same time, on up to 4 connections of a
/// handle, also while a thread changes the vault. Further reads, and further changes, wait.
///
/// # Errors
///
/// Besides the kinds that each method names, every method can fail with `Busy` (other processes held the file
/// past the deadline), `Corrupt` (a part of the file is not as it was written), `Conflict` (the file was
/// replaced or deleted while it was open), `WrongKey` (another process rotated the key, and the slot that
/// this handle was opened by is gone), `AccessDenied` and `Io`.
pub struct SealedFile {
    location: Location,
    id: VaultId,
    sessions: Sessions,
    /// Locked after a session, never before, and not while an operation runs.
    unlocked: Mutex<Arc<Unlocked>>,
}

impl SealedFile {
    /// Creates a new, empty vault with a new key and a slot for each source.
    ///
    /// - The file appears complete and durable, or not at all. Of several processes that create it at the
    ///   same time, a single process succeeds.
    /// - `now` becomes the creation time of the slots. Missing directories are created, for the user alone.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the file exists; `Invalid` if there is no source, or more than
    /// [`MAX_SLOTS`](crate::MAX_SLOTS); the errors of a [`KeySource`](crate::KeySource) that can't be read; `TimedOut` if a
    /// passphrase costs more work than the deadline allows; `AccessDenied` if other users can use the
    /// directory; `QuotaExceeded` if the disk is full.
    pub fn create(config: &FileConfig, now: Timestamp) -> Result<Self> {
        let made = Self::make(config, now);
        made.map_err(|fault| error::error(&config.path, Operation::Set, fault))?;
        Self::open(config)
    }

    /// Opens an existing vault by the first source that fits.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no file; `WrongKey` if no source fits; `KeyMissing` if there is no source, or
    /// no source can be read because its file does not exist; `TimedOut` if a slot costs more work than the
    /// deadline allows; `Corrupt` if the file is not a vault, or has an unknown version; `AccessDenied` if
    /// other users can use the file or its directory, if the file belongs to another user, or if it is a
    /// symbolic link.
    pub fn open(config: &FileConfig) -> Result<Self> {
        let opened = Self::open_by_key(config);
        opened.map_err(|fault| error::error(&config.path, Operation::Open, fault))
    }

    fn open_by_key(config: &FileConfig) -> Result<Self, Fault> {
        let mut budget = Budget::new(config.deadline);
        sidecar::refuse_orphan(&config.path)?;
        let (location, database) = Location::open(&config.path, config.deadline)?;
        let (head, keys, opener) = {
            let snapshot = database::begin_reading(&database.connection)?;
            let head = Head::read(&snapshot)?;
            let slots = slot::read_each(&snapshot)?;
            let (key, opener) =
                opening::open(slots, &head.id, &head.key_id, &config.sources, &mut budget)?;
            let keys = head.key_ring(key)?;
            (head, keys, opener)
        };
        // SQLite may write to the file from here on, so a key has to authenticate it first.
        database.trust()?;
        let sessions = Sessions::new();
        sessions.keep(&mut sessions.main(), database, &config.path)?;
        let unlocked = Unlocked { keys, opener: Arc::new(opener) };
        let unlocked = Mutex::new(Arc::new(unlocked));
        Ok(Self { location, id: head.id, sessions, unlocked })
    }

    /// Opens the vault, or creates it if there is no file.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`create`](Self::create), except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(config: &FileConfig, now: Timestamp) -> Result<Self> {
        match Self::open(config) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
        match Self::create(config, now) {
            // Another process has created the file since the first attempt.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::open(config),
            created => created,
        }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.location.path
    }

    /// Returns whether the file at the path is still the file that was opened.
    pub fn is_in_place(&self) -> bool {
        self.location.is_in_place()
    }

    /// Returns the vault's id: random, independent of the file's name, and never changed.
    pub const fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Returns a secret with its metadata, or `None` if there is none. Decrypts no other record.
    ///
    /// # Errors
    ///
    /// `Invalid` if the value is not text: [`get_bytes`](Self::get_bytes) reads it.
    pub fn get(&self, key: &SecretKey) -> Result<Option<Secret>> {
        self.look_up(Operation::Get, |rows| rows.read(key)?.map(rows::secret).transpose())
    }

    /// Returns the bytes of a secret, or `None` if there is none. Decrypts no other record.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn get_bytes(&self, key: &SecretKey) -> Result<Option<SecretBytes>> {
        self.look_up(Operation::Get, |rows| Ok(rows.read(key)?.map(|(_, value)| value)))
    }

    /// Returns whether a secret exists. Decrypts no record.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn contains(&self, key: &SecretKey) -> Result<bool> {
        self.look_up(Operation::Exists, |rows| rows.find(key)).map(|found| found.is_some())
    }

    /// Returns the keys and metadata of all secrets, in no particular order. Reads no value.
    ///
    /// # Errors
    ///
    /// `Corrupt` if a record is damaged or missing. For damaged records, the message says how many.
    pub fn list(&self) -> Result<Vec<(SecretKey, SecretMetadata)>> {
        self.read(Operation::List, |view| view.list(&view.state()?))
    }

    /// Passes every secret to `take`, in the state of a single moment. Other processes may change the vault
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// `Corrupt` if a record is damaged or missing, after the readable secrets were passed on.
    pub fn read_all(&self, take: impl FnMut(SecretKey, SecretMetadata, SecretBytes)) -> Result<()> {
        self.read(Operation::Get, |view| {
            let (damaged, state) = (view.rows().salvage(take)?, view.state()?);
            if damaged > 0 {
                return Err(rows::some_damaged(damaged, state.records));
            }
            view.check(&state)
        })
    }

    /// Passes every readable secret to `take`, even if other data is damaged, and returns the number of unreadable
    /// records.
    ///
    /// Missing records are not detected: the method is for files that the other methods fail on.
    ///
    /// # Errors
    ///
    /// `Corrupt` if the file itself ends too early, after all reachable secrets were passed on.
    pub fn salvage(&self, take: impl FnMut(SecretKey, SecretMetadata, SecretBytes)) -> Result<u64> {
        self.read(Operation::Repair, |view| view.rows().salvage(take))
    }

    /// Returns the number of secrets, from the sealed state. The cost does not depend on the number.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn len(&self) -> Result<u64> {
        self.read(Operation::List, |view| view.state().map(|state| state.records))
    }

    /// Returns whether the vault has no secret.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn is_empty(&self) -> Result<bool> {
        self.len().map(|len| len == 0)
    }

    /// Returns the vault's generation, which every change increases by 1.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn generation(&self) -> Result<u64> {
        self.read(Operation::Get, |view| view.state().map(|state| state.generation))
    }

    /// Returns a number that changes when another handle or process changes the file.
    ///
    /// Changes by this handle leave it the same, unless the handle has to open the file for each operation.
    /// Numbers of two handles can't be compared.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn data_version(&self) -> Result<i64> {
        self.read_version().map_err(|fault| self.error(Operation::Get, fault))
    }

    fn make(config: &FileConfig, now: Timestamp) -> Result<(), Fault> {
        if config.sources.is_empty() || config.sources.len() > slot::MAX_SLOTS {
            return Err(fault(
                ErrorKind::Invalid,
                format!("a vault has 1 to {} key sources", slot::MAX_SLOTS),
            ));
        }
        // Checked before the passphrases, which take about a second each. The rename at the end decides.
        if config.path.symlink_metadata().is_ok() {
            return Err(from_io(&config.path, std::io::ErrorKind::AlreadyExists.into()));
        }
        let mut slots = Vec::new();
        for source in &config.sources {
            slots.push(NewSlot::prepare(source, now, &mut Budget::new(config.deadline))?);
        }
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

    /// Returns the error of an operation on this file.
    fn error(&self, operation: Operation, fault: Fault) -> Error {
        error::error(&self.location.path, operation, fault)
    }

    /// Runs `work` on a consistent snapshot, for a public method.
    fn read<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut View<'_>) -> Result<T, Fault>,
    ) -> Result<T> {
        self.with_snapshot(work).map_err(|fault| self.error(operation, fault))
    }

    /// Looks for a secret by `find`.
    fn look_up<T>(
        &self,
        operation: Operation,
        find: impl Fn(Rows<'_>) -> Result<Option<T>, Fault>,
    ) -> Result<Option<T>> {
        let looked = match self.read(operation, |view| view.look_up(&find, false))? {
            // The first connection may be free by now, and need no check.
            LookUp::Unchecked => self.read(operation, |view| view.look_up(&find, true))?,
            looked => looked,
        };
        match looked {
            LookUp::Found(found) => Ok(Some(found)),
            LookUp::Absent | LookUp::Unchecked => Ok(None),
        }
    }

    fn read_version(&self) -> Result<i64, Fault> {
        let (mut session, database) = self.sessions.to_write(&self.location)?;
        let version = database.version(&self.location.path).map_err(from_sqlite);
        self.sessions.keep(&mut session, database, &self.location.path)?;
        version
    }

    /// Runs `work` on a consistent snapshot.
    fn with_snapshot<T>(
        &self,
        work: impl FnOnce(&mut View<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (mut session, database) = self.sessions.to_read(&self.location)?;
        let done = self.read_on(&database, &mut session.row_check, work);
        // This error wins: a read without locks can meet a half-written file, which looks damaged and is not.
        self.sessions.keep(&mut session, database, &self.location.path)?;
        done
    }

    fn read_on<T>(
        &self,
        database: &Database,
        row_check: &mut RowCheck,
        work: impl FnOnce(&mut View<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let Database { connection, clock, .. } = database;
        clock.restart();
        loop {
            // Taken before the snapshot, so that they are not newer.
            let unlocked = Arc::clone(&self.unlocked());
            let snapshot = database::begin_reading(connection)?;
            let head = self.head(&snapshot)?;
            if unlocked.is_current(&head) {
                return work(&mut View::of(&snapshot, clock, head, &unlocked, row_check));
            }
            drop(snapshot);
            let mut unlocked = self.unlocked();
            let snapshot = database::begin_reading(connection)?;
            unlocked.follow(&snapshot, &self.head(&snapshot)?)?;
        }
    }

    /// Runs `work` in a transaction: when this returns, all of its changes are durable, or none is made.
    ///
    /// The handle takes over the opener that `work` returns.
    fn write<T, E: From<Fault>>(
        &self,
        work: impl FnOnce(View<'_>) -> Result<(T, Option<Opener>), E>,
    ) -> Result<T, E> {
        let (mut session, database) = self.sessions.to_write(&self.location)?;
        database.check_writable(&self.location.path)?;
        let done = self.write_on(&database, &mut session.row_check, work);
        database.shorten_log(&self.location.path, self.location.deadline);
        self.sessions.keep(&mut session, database, &self.location.path)?;
        done
    }

    fn write_on<T, E: From<Fault>>(
        &self,
        database: &Database,
        row_check: &mut RowCheck,
        work: impl FnOnce(View<'_>) -> Result<(T, Option<Opener>), E>,
    ) -> Result<T, E> {
        let Database { connection, clock, .. } = database;
        let transaction = database::begin_writing(connection, self.location.deadline)?;
        clock.restart();
        let head = self.head(&transaction)?;
        self.unlocked().follow(&transaction, &head)?;
        let unlocked = Arc::clone(&self.unlocked());
        let (done, opener) = work(View::of(&transaction, clock, head, &unlocked, row_check))?;
        // Locked before the commit, so that no read looks for the opener among the new slots in vain.
        let mut unlocked = opener.is_some().then(|| self.unlocked());
        transaction.commit().map_err(from_sqlite)?;
        if let (Some(unlocked), Some(opener)) = (&mut unlocked, opener) {
            unlocked.replace_opener(opener);
        }
        Ok(done)
    }

    /// Reads the head of the file.
    fn head(&self, connection: &Connection) -> Result<Head, Fault> {
        let head = Head::read(connection)?;
        if head.id == self.id { Ok(head) } else { Err(replaced()) }
    }

    fn unlocked(&self) -> MutexGuard<'_, Arc<Unlocked>> {
        self.unlocked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFile").field("path", &self.location.path).finish_non_exhaustive()
    }
}
