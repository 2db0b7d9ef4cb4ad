//! The layout `sealed`: the vault is stored in a sealed file, and its entry holds the file's key.
//!
//! The vault's entry does not change when secrets do. The file's own transactions isolate changes from each
//! other, and each read sees the last committed state. The protocol between processes guards the entry alone,
//! so that no process goes on with a file that another process has replaced or moved away.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_core::{
    Error, ErrorKind, Operation, Result, SecretBytes, SecretKey, SecretMetadata, SecretString,
    ServiceName, Timestamp,
};
use strongroom_files::names::sealed_file;
use strongroom_files::{check_free, is_in_use};
use strongroom_sealed::{FileConfig, KeySource, SealedFile, SealingKey, Slot};

use super::coherence::Revision;
use super::content::Edit;
use super::payload::{KeyEntry, Payload, VaultId};
use super::place::{KEYED, Prepared};
use super::repair::file_stamp;
use super::unlock::{self, Unlock};

mod secrets;

use secrets::Changing;

/// The suffix of SQLite's write-ahead log.
const LOG: &str = "-wal";

/// The suffix of a file that a salvage is still writing.
const BUILDING: &str = ".building";
/// The suffix of a complete salvaged file that is not yet in its place.
const BUILT: &str = ".built";

/// The location of a vault's sealed file, and the source of its key.
pub(crate) enum SealedPlace {
    /// The vault's entry holds the key. Without the entry, only the key of another slot opens the file.
    Keyed { path: PathBuf, deadline: Duration, recovery: Recovery },
    /// The file is the whole vault. Its key is stored in no entry.
    Direct(Unlock),
}

/// Looks up the other keys that may open a file whose entry is gone. Called only when they are needed.
pub(crate) type Recovery = Box<dyn Fn(&Path) -> Result<Unlock> + Send + Sync>;

/// An open sealed vault.
pub(super) struct Sealed {
    file: SealedFile,
    /// The sources that opened the file. Wiped before the content is shared, unless the handle works on key
    /// slots.
    sources: Vec<KeySource>,
    id: VaultId,
    /// The vault's generation less the file's own, which starts anew with each file.
    base: u64,
    /// Set if the vault's entry holds the key.
    is_by_entry: bool,
}

/// A secret as the file holds it.
pub(super) type Record = (SecretKey, SecretMetadata, SecretBytes);

impl SealedPlace {
    /// Returns the place of a file whose key is stored in the vault's entry.
    pub(crate) fn keyed(
        directory: &Path,
        service: &ServiceName,
        deadline: Duration,
        recovery: Recovery,
    ) -> Self {
        Self::Keyed { path: sealed_file(directory, service.as_str()), deadline, recovery }
    }

    /// Returns the path of the file, which need not exist.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Keyed { path, .. } => path,
            Self::Direct(unlock) => &unlock.config.path,
        }
    }

    /// Returns whether the file or its log exists.
    pub(super) fn is_there(&self) -> Result<bool> {
        is_anything_at(self.path())
    }

    /// Returns whether the file can't be opened without asking for a passphrase.
    pub(super) fn must_ask(&self) -> bool {
        matches!(self, Self::Direct(unlock) if unlock.must_ask())
    }

    /// Returns the file's key slots as they are stored. Without a key their authenticity can't be checked.
    pub(super) fn slots_without_key(&self) -> Result<Vec<Slot>> {
        let config = FileConfig::keyless(self.path()).with_deadline(self.deadline());
        SealedFile::slots_without_key(&config)
    }

    /// Opens the file with the key from the vault's entry.
    pub(super) fn open(&self, entry: &KeyEntry) -> Result<Sealed> {
        self.settle()?;
        let config = self.config(SealingKey::from_text(&entry.key)?);
        let file = unlock::open(&config);
        let file = file.map_err(|error| self.named(error, entry.generation))?;
        let sources = config.sources;
        Ok(Sealed { file, sources, id: entry.id, base: entry.generation, is_by_entry: true })
    }

    /// Opens a file that no entry holds the key of, with the key of another slot. Returns `None` if there is
    /// no file.
    ///
    /// # Errors
    ///
    /// `KeyMissing` if the vault's entry is gone and no other key is available or fits. `Corrupt` and `Io`.
    /// The errors of [`Unlock::open`] for a file that needs no entry.
    pub(super) fn recover(&self, prepared: &mut Prepared) -> Result<Option<Sealed>> {
        self.settle()?;
        if !is_anything_at(self.path())? {
            return Ok(None);
        }
        let (path, recovery) = match self {
            Self::Direct(unlock) => {
                return unlock.open(prepared).map(|opened| Some(opened.into()));
            }
            Self::Keyed { path, recovery, .. } => (path, recovery),
        };
        let recovered = recovery(path).and_then(|unlock| unlock.open(&mut Prepared::default()));
        match recovered.map(Sealed::from).map(Some) {
            Ok(Some(sealed)) => {
                tracing::warn!(
                    file = %path.display(),
                    "the vault's entry is gone; another key slot opened its file"
                );
                Ok(Some(sealed))
            }
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Io) => Err(error),
            _ => Err(entry_gone(path)),
        }
    }

    /// Writes a whole vault into a new file. Returns it with the line for the vault's entry if that is to
    /// hold the key.
    ///
    /// A file that is already at the path of a keyed file is put aside: the vault's entry is authoritative,
    /// and does not refer to it.
    pub(super) fn seal(
        &self,
        vault: &Payload,
        prepared: &Prepared,
        now: Timestamp,
    ) -> Result<(Sealed, Option<SecretBytes>)> {
        let (config, key) = match self {
            Self::Direct(unlock) => (unlock.with_new_key(prepared)?, None),
            Self::Keyed { path, .. } => {
                put_aside(path, now)?;
                let key = SealingKey::generate()?;
                (self.config(key.clone()), Some(key))
            }
        };
        let file = SealedFile::create(&config, now)?;
        file.change(|change| {
            vault.secrets().iter().try_for_each(|(key, secret)| change.put(key, secret))
        })?;
        let sources = config.sources;
        Ok(match key {
            None => ((file, sources).into(), None),
            Some(key) => {
                let base = vault.generation.saturating_sub(file.generation()?);
                let entry = KeyEntry { id: vault.id, generation: base, key: key.to_text() };
                let sealed = Sealed { file, sources, id: vault.id, base, is_by_entry: true };
                (sealed, Some(entry.to_line()))
            }
        })
    }

    /// Creates an empty file for a vault that needs no entry, with a key slot for `source` beside those of
    /// the configured sources. Returns the slot of `source`, or `None` if the vault needs an entry.
    pub(super) fn begin(&self, source: &KeySource, now: Timestamp) -> Result<Option<Slot>> {
        let Self::Direct(unlock) = self else { return Ok(None) };
        let file = SealedFile::create(&unlock.config.clone().or(source.clone()), now)?;
        Ok(file.slots()?.pop())
    }

    /// Replaces a damaged file by a new file with these records and a slot for each source. Returns the path
    /// that the damaged file was moved to.
    ///
    /// If the process is killed in between, either of the two files is in its place, or the complete new file
    /// lies beside it. In that case the next process that opens the vault moves it into its place.
    pub(super) fn rebuild(
        &self,
        sources: Vec<KeySource>,
        records: &[Record],
        now: Timestamp,
    ) -> Result<(Sealed, Option<PathBuf>)> {
        let path = self.path();
        let (building, built) = (with(path, BUILDING), with(path, BUILT));
        remove_parts(&building)?;
        let mut config = FileConfig::keyless(&building).with_deadline(self.deadline());
        config.sources = sources;
        let file = SealedFile::create(&config, now)?;
        file.change(|change| {
            let mut records = records.iter();
            records.try_for_each(|(key, metadata, value)| change.put_bytes(key, value, metadata))
        })?;
        // Closing the last handle writes the log back into the file, which is then renamed alone.
        drop(file);
        rename(&building, &built)?;
        let aside = put_aside(path, now)?;
        self.settle()?;
        config.path = path.to_owned();
        let file = SealedFile::open(&config)?;
        Ok(((file, config.sources).into(), aside))
    }

    /// Completes a salvage that was killed before its last step.
    fn settle(&self) -> Result<()> {
        let built = with(self.path(), BUILT);
        if is_anything_at(self.path())? || !is_there(&built)? {
            return Ok(());
        }
        rename(&built, self.path())
    }

    /// Deletes the file, and returns whether it existed.
    pub(super) fn remove(&self) -> Result<bool> {
        self.forget_built()?;
        let was_there = is_anything_at(self.path())?;
        remove_parts(self.path())?;
        Ok(was_there)
    }

    /// Moves the file aside, and returns its new path.
    pub(super) fn put_aside(&self, now: Timestamp) -> Result<Option<PathBuf>> {
        self.forget_built()?;
        put_aside(self.path(), now)
    }

    /// Deletes the files of a killed salvage, so that they don't take the place of a file that is removed.
    fn forget_built(&self) -> Result<()> {
        [BUILT, BUILDING].iter().try_for_each(|ending| remove_parts(&with(self.path(), ending)))
    }

    fn deadline(&self) -> Duration {
        match self {
            Self::Keyed { deadline, .. } => *deadline,
            Self::Direct(unlock) => unlock.config.deadline,
        }
    }

    /// Checks that no program, this process included, keeps the file from being deleted.
    ///
    /// # Errors
    ///
    /// `Busy` if a program has it open. Only Windows refuses to delete open files.
    pub(super) fn check_free(&self) -> Result<()> {
        check_free(self.path()).map_err(|error| file_error(self.path(), error))
    }

    fn config(&self, key: SealingKey) -> FileConfig {
        match self {
            Self::Keyed { path, deadline, .. } => {
                FileConfig::new(path, KeySource::key(key)).with_deadline(*deadline)
            }
            Self::Direct(unlock) => unlock.config.clone(),
        }
    }

    /// Reports a missing file as `Corrupt`: the entry holds a key, so there was a file.
    fn named(&self, error: Error, generation: u64) -> Error {
        if error.kind() != ErrorKind::NotFound {
            return error;
        }
        Error::new(ErrorKind::Corrupt, Operation::Get)
            .with_message(format!(
                "its sealed file {} is gone; it was made at generation {generation}",
                self.path().display()
            ))
            .with_hint("Bring the file back, from a backup of your home for instance.")
    }
}

fn entry_gone(path: &Path) -> Error {
    Error::new(ErrorKind::KeyMissing, Operation::Open)
        .with_message(format!(
            "the vault's entry is gone, which holds the key of {}",
            path.display()
        ))
        .with_hint(
            "Bring the entry back, or restore a backup, or name the key of another slot of the file.",
        )
}

/// Moves a sealed file and its log aside. Returns the new path, or `None` if there is no file.
fn put_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
    if !is_anything_at(path)? {
        return Ok(None);
    }
    let stamp = file_stamp(now);
    let free = |number: u32| with(path, &format!(".{stamp}-{number}"));
    let aside = (1..).map(free).find(|aside| !aside.exists()).unwrap_or_else(|| free(0));
    // The file goes last. A kill in between leaves it in its place as an older state of the vault, whereas a
    // log that stays behind alone is of no use.
    for (from, to) in parts(path).into_iter().zip(parts(&aside)).rev() {
        rename(&from, &to)?;
    }
    Ok(Some(aside))
}

/// Renames a file. A missing file is no failure: another process may have moved it first.
fn rename(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(from, error)),
        _ => Ok(()),
    }
}

/// Deletes a file, its log and its shared memory.
fn remove_parts(path: &Path) -> Result<()> {
    parts(path).iter().try_for_each(|part| match fs::remove_file(part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(part, error)),
        _ => Ok(()),
    })
}

impl Sealed {
    /// Returns the revision of the vault's entry, which stays the same when secrets change.
    pub(super) fn revision(&self) -> Revision {
        Revision { vault: self.id.to_bytes(), generation: self.base | KEYED }
    }

    /// Returns the readable records of a damaged file, text or not, and the number of unreadable records.
    pub(super) fn salvage(&self) -> (Vec<Record>, u64) {
        let mut records = Vec::new();
        let damaged =
            self.file.salvage(|key, metadata, value| records.push((key, metadata, value)));
        // A truncated file can't be counted to its end, so at least one record is lost.
        (records, damaged.unwrap_or(1))
    }

    /// Continues the vault's numbering at `generation`. Returns the line of the entry that holds `key`.
    pub(super) fn count_from(&mut self, generation: u64, key: SecretString) -> Result<SecretBytes> {
        self.base = generation.saturating_sub(self.file.generation()?);
        Ok(KeyEntry { id: self.id, generation: self.base, key }.to_line())
    }

    pub(super) fn forget_sources(&mut self) {
        self.sources = Vec::new();
    }

    /// Returns whether the vault's entry holds the key.
    pub(super) const fn is_by_entry(&self) -> bool {
        self.is_by_entry
    }

    /// Returns whether the file at the path is still the open one.
    pub(super) fn is_in_place(&self) -> bool {
        self.file.is_in_place()
    }

    /// Returns the file and the sources that opened it.
    pub(super) fn opened(&self) -> (&SealedFile, &[KeySource]) {
        (&self.file, &self.sources)
    }

    /// Checks that the file can be changed, by a change that is rolled back.
    pub(super) fn check_writable(&self) -> Result<()> {
        let mut is_writable = false;
        let taken_back = self.file.change(|_| {
            is_writable = true;
            // An error rolls the transaction back.
            Err::<(), _>(Error::new(ErrorKind::Other, Operation::Set))
        });
        if is_writable { Ok(()) } else { taken_back }
    }

    pub(super) fn change<T>(&self, work: impl FnOnce(&mut dyn Edit) -> Result<T>) -> Result<T> {
        self.file.change(|change| work(&mut Changing(change)))
    }
}

/// Returns whether there is a file, or the log that a killed purge left of it.
///
/// # Errors
///
/// As [`is_there`].
pub(super) fn is_anything_at(path: &Path) -> Result<bool> {
    Ok(is_there(path)? || is_there(&with(path, LOG))?)
}

/// Returns whether a path exists.
///
/// # Errors
///
/// As [`strongroom_files::is_there`].
fn is_there(path: &Path) -> Result<bool> {
    strongroom_files::is_there(path).map_err(|fault| fault.during(Operation::Exists))
}

/// Returns the paths of a file and of the files that SQLite keeps beside it.
fn parts(path: &Path) -> Vec<PathBuf> {
    ["", LOG, "-shm"].map(|ending| with(path, ending)).into()
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn file_error(path: &Path, error: std::io::Error) -> Error {
    if is_in_use(&error) {
        return Error::new(ErrorKind::Busy, Operation::Set)
            .with_message(format!("another program has {} open", path.display()))
            .with_hint("Nothing was changed. Close what uses this vault, and try again.")
            .with_source(error);
    }
    Error::new(ErrorKind::Io, Operation::Set)
        .with_message(format!("{} can't be moved or deleted", path.display()))
        .with_source(error)
}

/// A file whose key is stored in no entry, with the sources that opened it.
impl From<(SealedFile, Vec<KeySource>)> for Sealed {
    fn from((file, sources): (SealedFile, Vec<KeySource>)) -> Self {
        let id = VaultId::new(file.id());
        Self { file, sources, id, base: 0, is_by_entry: false }
    }
}
