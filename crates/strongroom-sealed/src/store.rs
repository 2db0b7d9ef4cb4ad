//! Sealed files as a store: a file for each service.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use strongroom_core::{
    Capabilities, EntryName, Error, ErrorKind, Fault, Operation, Persistence, Probe, Result,
    SecretBytes, SecretKey, SecretMetadata, ServiceName, Store, Timestamp, WriteMode,
};

use strongroom_files::check_private_dir;

use crate::config::{Config, FileConfig};
use crate::error::{self, STORE, corrupt, no_source};
use crate::file::SealedFile;
use crate::file::change::Change;
use crate::limits::MAX_VALUE_BYTES;

/// The largest number of files that stay open. Each takes three descriptors, and up to nine while
/// several threads read it.
const OPEN_FILES: usize = 16;

/// A directory with a sealed file for each service.
///
/// - An entry is the record that has the entry's user as its name. A service without a file has no entries;
///   reading does not create a file.
/// - All files of a directory are opened by the same sources. The last 16 stay open, since a passphrase takes
///   half a second. Clones of a store share the open files.
/// - The user is never prompted. A value has at most 16 MiB.
#[derive(Clone, Debug)]
pub struct SealedStore {
    config: Arc<Config>,
    /// Ordered by the time of opening, the oldest first.
    open: Arc<Mutex<VecDeque<Arc<SealedFile>>>>,
}

impl SealedStore {
    /// The store's name.
    pub const NAME: &str = STORE;

    /// Creates a store with these settings. Accesses no file.
    pub fn new(config: Config) -> Self {
        Self { config: Arc::new(config), open: Arc::default() }
    }

    /// Returns the path of a service's file, which need not exist.
    pub fn path_of(&self, service: &ServiceName) -> PathBuf {
        strongroom_files::names::sealed_file(&self.config.directory, service.as_str())
    }

    /// Runs `work` on a service's file; `None` if there is no file.
    fn read<T>(
        &self,
        service: &ServiceName,
        work: impl Fn(&SealedFile) -> Result<T>,
    ) -> Result<Option<T>> {
        self.with_file(service, SealedFile::open, |file| work(file).map(Some)).or_else(|error| {
            if error.kind() == ErrorKind::NotFound { Ok(None) } else { Err(error) }
        })
    }

    /// Changes a service's file. Creates the file if there is none.
    fn change<T>(
        &self,
        service: &ServiceName,
        work: impl Fn(&mut Change<'_>) -> Result<T>,
    ) -> Result<T> {
        self.with_file(
            service,
            |config| SealedFile::open_or_create(config, Timestamp::now()),
            |file| file.change(&work),
        )
    }

    /// Runs `work` on a file. If the file was replaced while it was open, nothing was done, and `work` runs
    /// once more on the new file.
    fn with_file<T>(
        &self,
        service: &ServiceName,
        open: impl Fn(&FileConfig) -> Result<SealedFile>,
        work: impl Fn(&SealedFile) -> Result<T>,
    ) -> Result<T> {
        let path = self.path_of(service);
        let file = self.open_file(&path, &open)?;
        match work(&file) {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                self.forget(&file);
                work(&*self.open_file(&path, &open)?)
            }
            done => done,
        }
    }

    fn open_file(
        &self,
        path: &Path,
        open: impl Fn(&FileConfig) -> Result<SealedFile>,
    ) -> Result<Arc<SealedFile>> {
        // Held while the file is opened, so that threads that need the same file derive its passphrase only
        // once.
        let mut files = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.iter().find(|file| file.path() == path) {
            return Ok(Arc::clone(file));
        }
        let Config { sources, deadline, .. } = &*self.config;
        let config =
            FileConfig { path: path.to_path_buf(), sources: sources.clone(), deadline: *deadline };
        let file = Arc::new(open(&config)?);
        files.push_back(Arc::clone(&file));
        if files.len() > OPEN_FILES {
            files.pop_front();
        }
        Ok(file)
    }

    /// Checks that a source can be read, and that the directory is the user's alone or missing.
    fn check(&self) -> Result<(), Fault> {
        let Config { directory, sources, .. } = &*self.config;
        let materials = sources.iter().map(|source| source.material().map(drop));
        // A single readable source is enough.
        materials.reduce(Result::or).unwrap_or_else(|| Err(no_source()))?;
        match check_private_dir(directory) {
            // The first write creates a missing directory.
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                Err(error::from_io(directory, cause))
            }
            _ => Ok(()),
        }
    }

    fn forget(&self, file: &Arc<SealedFile>) {
        let mut files = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|open| !Arc::ptr_eq(open, file));
    }
}

impl Store for SealedStore {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Persistence::Permanent)
            .with_user_programs()
            .with_max_secret_len(MAX_VALUE_BYTES)
            .with_binary_safe()
            .with_list()
    }

    fn probe(&self) -> Result<Probe> {
        self.check().map_err(|fault| fault.during(Operation::Probe).with_store(STORE))?;
        Ok(Probe::new(format!("sealed files in {}", self.config.directory.display())))
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        let read = self.read(entry.service(), |file| file.get_bytes(&key(entry)));
        read.map(Option::flatten).map_err(|error| of_entry(Operation::Get, entry, error))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        let key = key(entry);
        let written = self.change(entry.service(), |change| {
            if mode == WriteMode::CreateNew && change.contains(&key)? {
                let exists = Fault::new(ErrorKind::AlreadyExists);
                return Err(exists.during(Operation::Set).with_store(STORE));
            }
            change.put_bytes(&key, value, &SecretMetadata::default())
        });
        written.map_err(|error| of_entry(Operation::Set, entry, error))
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        let key = key(entry);
        let removed = self.read(entry.service(), |file| file.change(|change| change.remove(&key)));
        removed
            .map(|removed| removed.unwrap_or(false))
            .map_err(|error| of_entry(Operation::Delete, entry, error))
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        let found = self.read(entry.service(), |file| file.contains(&key(entry)));
        found
            .map(|found| found.unwrap_or(false))
            .map_err(|error| of_entry(Operation::Exists, entry, error))
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        let listed = self.read(service, SealedFile::list);
        let listed = listed.map_err(|error| error.during(Operation::List))?.unwrap_or_default();
        let names = listed.into_iter().map(|(key, _)| {
            EntryName::new(service.as_str(), key.name()).map_err(|_| {
                corrupt("a record has a name that is not valid")
                    .during(Operation::List)
                    .with_store(STORE)
            })
        });
        names.collect()
    }
}

/// Returns the error of an operation on this entry: its file may have been opened for it.
fn of_entry(operation: Operation, entry: &EntryName, error: Error) -> Error {
    error.during(operation).with_entry(entry)
}

fn key(entry: &EntryName) -> SecretKey {
    SecretKey::new(entry.user().as_str())
}
