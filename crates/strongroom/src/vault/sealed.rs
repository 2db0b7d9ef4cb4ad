//! The layout `sealed`: the vault lies in an encrypted file, and its entry holds the key.
//!
//! The vault's entry stays as it is while secrets change: the file's own transactions keep those
//! apart, and each read sees the last one. The protocol between processes guards the entry alone, so
//! that nobody works on with a file that another process has replaced or moved away.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_core::{
    Error, ErrorKind, Operation, Result, SecretBytes, SecretKey, SecretMetadata, SecretString,
    ServiceName, Timestamp,
};
use strongroom_files::names::sealed_file;
use strongroom_files::{check_free, is_in_use, is_there};
use strongroom_sealed::{FileConfig, KeySource, SealedFile, SealingKey, Slot};

use super::coherence::Revision;
use super::content::Edit;
use super::payload::{KeyEntry, Payload, VaultId};
use super::place::{KEYED, Prepared};
use super::repair::file_stamp;
use super::unlock::{self, Unlock};

mod secrets;

use secrets::Changing;

/// What is appended to a file's name for its log.
const LOG: &str = "-wal";

/// What is appended to a file's name for one that is being made of what was salvaged, and for one that is
/// whole and waits for its place.
const BUILDING: &str = ".building";
const BUILT: &str = ".built";

/// Where a vault's sealed file lies, and where its key comes from.
pub(crate) enum SealedPlace {
    /// The key stands in the vault's entry. Without the entry only another slot's key opens the file.
    Keyed { path: PathBuf, deadline: Duration, recovery: Recovery },
    /// The file is the vault, and others keep its key.
    Direct(Unlock),
}

/// What else may open the file; looked up when it is needed.
pub(crate) type Recovery = Box<dyn Fn(&Path) -> Result<Unlock> + Send + Sync>;

/// A sealed vault, open.
pub(super) struct Sealed {
    file: SealedFile,
    /// What it was opened with, where that is needed.
    sources: Vec<KeySource>,
    id: VaultId,
    /// The vault's revision number before the file's first.
    base: u64,
    /// Whether the key stands in the vault's entry.
    is_by_entry: bool,
}

/// A secret of a file, as it stands there.
pub(super) type Record = (SecretKey, SecretMetadata, SecretBytes);

impl SealedPlace {
    /// Beside a store, whose entry holds the key.
    pub(crate) fn keyed(
        directory: &Path,
        service: &ServiceName,
        deadline: Duration,
        recovery: Recovery,
    ) -> Self {
        Self::Keyed { path: sealed_file(directory, service.as_str()), deadline, recovery }
    }

    /// Where the file is, or would be.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Keyed { path, .. } => path,
            Self::Direct(unlock) => &unlock.config.path,
        }
    }

    /// Whether there is a file, or the log of one.
    pub(super) fn is_there(&self) -> Result<bool> {
        is_anything_at(self.path())
    }

    /// Whether the file can't be opened without asking for a passphrase.
    pub(super) fn must_ask(&self) -> bool {
        matches!(self, Self::Direct(unlock) if unlock.must_ask())
    }

    /// The file's key slots, which nobody vouches for.
    pub(super) fn slots_without_key(&self) -> Result<Vec<Slot>> {
        let config = FileConfig::keyless(self.path()).with_deadline(self.deadline());
        SealedFile::slots_without_key(&config)
    }

    /// Opens the file by the key from the vault's entry.
    pub(super) fn open(&self, entry: &KeyEntry) -> Result<Sealed> {
        self.settle()?;
        let config = self.config(SealingKey::from_text(&entry.key)?);
        let file = unlock::open(&config);
        let file = file.map_err(|error| self.named(error, entry.generation))?;
        let sources = config.sources;
        Ok(Sealed { file, sources, id: entry.id, base: entry.generation, is_by_entry: true })
    }

    /// Opens a file whose entry is gone by another key of its own, if one is at hand.
    ///
    /// # Errors
    ///
    /// `KeyMissing` if there is none, or none that fits; `Corrupt` and `Io`.
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

    /// Writes a whole vault into a new file. The entry that is to hold the key comes with it, where
    /// there is to be one.
    ///
    /// A file that is in the way is put aside: the vault's entry, which is the truth, does not know it.
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

    /// Makes the file of a vault that has none, and needs no entry, empty and with this key beside those
    /// at hand. Returns the slot that it got.
    pub(super) fn begin(&self, source: &KeySource, now: Timestamp) -> Result<Option<Slot>> {
        let Self::Direct(unlock) = self else { return Ok(None) };
        let file = SealedFile::create(&unlock.config.clone().or(source.clone()), now)?;
        Ok(file.slots()?.pop())
    }

    /// Makes a new file of these records, opened by these sources, in the place of the damaged one, and
    /// says where that is now.
    ///
    /// Whoever is killed in between leaves one of them in its place, or the new one beside it, where the
    /// next one who opens the vault finds it.
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
        // The last handle that goes empties the log into the file.
        drop(file);
        rename(&building, &built)?;
        let aside = put_aside(path, now)?;
        self.settle()?;
        config.path = path.to_owned();
        let file = SealedFile::open(&config)?;
        Ok(((file, config.sources).into(), aside))
    }

    /// Takes the last step of a salvage that was killed before it.
    fn settle(&self) -> Result<()> {
        let built = with(self.path(), BUILT);
        if is_anything_at(self.path())? || !is_there(&built)? {
            return Ok(());
        }
        rename(&built, self.path())
    }

    /// Deletes the file, and says whether there was one.
    pub(super) fn remove(&self) -> Result<bool> {
        self.forget_built()?;
        let was_there = is_anything_at(self.path())?;
        remove_parts(self.path())?;
        Ok(was_there)
    }

    /// Puts the file out of the way, and returns where it is now.
    pub(super) fn put_aside(&self, now: Timestamp) -> Result<Option<PathBuf>> {
        self.forget_built()?;
        put_aside(self.path(), now)
    }

    /// What a killed salvage had built must not take the place of a file that is to go.
    fn forget_built(&self) -> Result<()> {
        [BUILT, BUILDING].iter().try_for_each(|ending| remove_parts(&with(self.path(), ending)))
    }

    fn deadline(&self) -> Duration {
        match self {
            Self::Keyed { deadline, .. } => *deadline,
            Self::Direct(unlock) => unlock.config.deadline,
        }
    }

    /// Checks that the file can be deleted, as far as others that have it open are concerned.
    ///
    /// # Errors
    ///
    /// `Busy`.
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

    /// The entry has a key, so there was a file.
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

/// Puts a sealed file that nobody has a key to out of the way, and returns where it is now.
fn put_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
    if !is_anything_at(path)? {
        return Ok(None);
    }
    let stamp = file_stamp(now);
    let free = |number: u32| with(path, &format!(".{stamp}-{number}"));
    let aside = (1..).map(free).find(|aside| !aside.exists()).unwrap_or_else(|| free(0));
    // The log first: without its file it is nothing, and the file without it is an older one.
    for (from, to) in parts(path).into_iter().zip(parts(&aside)).rev() {
        rename(&from, &to)?;
    }
    Ok(Some(aside))
}

/// Moves what is there. That nothing is there is no failure: somebody else may have done it.
fn rename(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(from, error)),
        _ => Ok(()),
    }
}

/// Deletes a file with what lies beside it.
fn remove_parts(path: &Path) -> Result<()> {
    parts(path).iter().try_for_each(|part| match fs::remove_file(part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(part, error)),
        _ => Ok(()),
    })
}

impl Sealed {
    /// What stands in the vault's entry, which says nothing of the secrets.
    pub(super) fn revision(&self) -> Revision {
        Revision { vault: self.id.to_bytes(), generation: self.base | KEYED }
    }

    /// What can be read of a damaged file, text or not, and how many records can't.
    pub(super) fn salvage(&self) -> (Vec<Record>, u64) {
        let mut records = Vec::new();
        let damaged =
            self.file.salvage(|key, metadata, value| records.push((key, metadata, value)));
        // A file that ends too early has lost one at least.
        (records, damaged.unwrap_or(1))
    }

    /// Counts on from this number of changes, as the vault that its entry names; the entry comes back.
    pub(super) fn count_from(&mut self, generation: u64, key: SecretString) -> Result<SecretBytes> {
        self.base = generation.saturating_sub(self.file.generation()?);
        Ok(KeyEntry { id: self.id, generation: self.base, key }.to_line())
    }

    pub(super) fn forget_sources(&mut self) {
        self.sources = Vec::new();
    }

    /// Whether the key stands in the vault's entry.
    pub(super) const fn is_by_entry(&self) -> bool {
        self.is_by_entry
    }

    /// Whether the file at its place is still this one.
    pub(super) fn is_in_place(&self) -> bool {
        self.file.is_in_place()
    }

    /// The file, and what it was opened with.
    pub(super) fn opened(&self) -> (&SealedFile, &[KeySource]) {
        (&self.file, &self.sources)
    }

    /// Checks that the file takes a change, by one that is taken back.
    pub(super) fn check_writable(&self) -> Result<()> {
        let mut is_writable = false;
        let taken_back = self.file.change(|_| {
            is_writable = true;
            Err::<(), _>(Error::new(ErrorKind::Other, Operation::Set))
        });
        if is_writable { Ok(()) } else { taken_back }
    }

    pub(super) fn change<T>(&self, work: impl FnOnce(&mut dyn Edit) -> Result<T>) -> Result<T> {
        self.file.change(|change| work(&mut Changing(change)))
    }
}

/// Whether there is a file, or the log that a killed purge left of one.
///
/// # Errors
///
/// As [`is_there`].
pub(super) fn is_anything_at(path: &Path) -> Result<bool> {
    Ok(is_there(path)? || is_there(&with(path, LOG))?)
}

/// The file, and what SQLite keeps beside it.
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

/// A file whose key stands in no entry, with what opened it.
impl From<(SealedFile, Vec<KeySource>)> for Sealed {
    fn from((file, sources): (SealedFile, Vec<KeySource>)) -> Self {
        let id = VaultId::new(file.id());
        Self { file, sources, id, base: 0, is_by_entry: false }
    }
}
