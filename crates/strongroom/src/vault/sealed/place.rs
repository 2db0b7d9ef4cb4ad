//! The place of a sealed file, and the source of its key.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_core::{Error, ErrorKind, Operation, Result, SecretBytes, ServiceName, Timestamp};
use strongroom_files::check_free;
use strongroom_files::names::sealed_file;
use strongroom_sealed::{FileConfig, KeySource, SealedFile, SealingKey, Slot};

use super::content::{Record, Sealed};
use super::files::{file_error, is_anything_at, is_there, put_aside, remove_parts, rename, with};
use super::unlock::{self, Answer, Unlock};
use crate::vault::content::Content;
use crate::vault::file::{Prepared, VaultFile};
use crate::vault::payload::{KeyEntry, Payload};
use crate::vault::storage::Storage;

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

impl VaultFile for SealedPlace {
    fn path(&self) -> &Path {
        match self {
            Self::Keyed { path, .. } => path,
            Self::Direct(unlock) => &unlock.config.path,
        }
    }

    fn is_whole_vault(&self) -> bool {
        matches!(self, Self::Direct(_))
    }

    fn must_ask(&self) -> bool {
        matches!(self, Self::Direct(unlock) if unlock.must_ask())
    }

    fn prepare(&self, creates: bool) -> Result<Prepared> {
        match self {
            Self::Direct(unlock) if creates || self.is_there()? => {
                unlock.prepare().map(Prepared::new)
            }
            _ => Ok(Prepared::default()),
        }
    }

    fn open(&self, entry: &KeyEntry) -> Result<Content> {
        self.settle()?;
        let config = self.config(SealingKey::from_text(&entry.key)?);
        let file = unlock::open(&config);
        let file = file.map_err(|error| file_gone(self.path(), error, entry.generation))?;
        Ok(Sealed::by_entry(file, config.sources, entry.id, entry.generation).into())
    }

    fn recover(&self, prepared: &mut Prepared) -> Result<Option<Content>> {
        self.settle()?;
        if !self.is_there()? {
            return Ok(None);
        }
        let (path, recovery) = match self {
            Self::Direct(unlock) => {
                let opened = unlock.open(prepared.answer_mut::<Answer>())?;
                return Ok(Some(Sealed::from(opened).into()));
            }
            Self::Keyed { path, recovery, .. } => (path, recovery),
        };
        match recovery(path).and_then(|unlock| unlock.open(None)) {
            Ok(opened) => {
                tracing::warn!(
                    file = %path.display(),
                    "the vault's entry is gone; another key slot opened its file"
                );
                Ok(Some(Sealed::from(opened).into()))
            }
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Io) => Err(error),
            Err(_) => Err(entry_gone(path)),
        }
    }

    fn create(
        &self,
        vault: &Payload,
        prepared: &Prepared,
        now: Timestamp,
    ) -> Result<(Content, Option<SecretBytes>)> {
        let (config, key) = match self {
            Self::Direct(unlock) => (unlock.with_new_key(prepared.answer::<Answer>())?, None),
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
        let Some(key) = key else {
            return Ok((Sealed::from((file, config.sources)).into(), None));
        };
        let base = vault.generation.saturating_sub(file.generation()?);
        let entry = KeyEntry { id: vault.id, generation: base, key: key.to_text() };
        let sealed = Sealed::by_entry(file, config.sources, vault.id, base);
        Ok((sealed.into(), Some(entry.to_line())))
    }

    fn remove(&self) -> Result<bool> {
        self.remove_built()?;
        let was_there = self.is_there()?;
        remove_parts(self.path())?;
        Ok(was_there)
    }

    fn put_aside(&self, now: Timestamp) -> Result<Option<PathBuf>> {
        self.remove_built()?;
        put_aside(self.path(), now)
    }

    fn check_free(&self) -> Result<()> {
        check_free(self.path()).map_err(|error| file_error(self.path(), error))
    }
}

impl SealedPlace {
    /// Returns the place of the sealed file in a storage, if it may have one.
    pub(crate) fn of(storage: &Storage) -> Option<&Self> {
        (storage.file()? as &dyn Any).downcast_ref()
    }

    /// Returns the place of a file whose key is stored in the vault's entry.
    pub(crate) fn keyed(
        directory: &Path,
        service: &ServiceName,
        deadline: Duration,
        recovery: Recovery,
    ) -> Self {
        Self::Keyed { path: sealed_file(directory, service.as_str()), deadline, recovery }
    }

    /// Returns whether the file or its log exists.
    pub(crate) fn is_there(&self) -> Result<bool> {
        is_anything_at(self.path())
    }

    /// Returns the file's key slots as they are stored. Without a key their authenticity can't be checked.
    pub(crate) fn slots_without_key(&self) -> Result<Vec<Slot>> {
        let config = FileConfig::keyless(self.path()).with_deadline(self.deadline());
        SealedFile::slots_without_key(&config)
    }

    /// Creates an empty file for a vault that needs no entry, with a key slot for `source` beside those of
    /// the configured sources. Returns the slot of `source`, or `None` if the vault needs an entry.
    pub(crate) fn begin(&self, source: &KeySource, now: Timestamp) -> Result<Option<Slot>> {
        let Self::Direct(unlock) = self else { return Ok(None) };
        let file = SealedFile::create(&unlock.config.clone().or(source.clone()), now)?;
        Ok(file.slots()?.pop())
    }

    /// Replaces a damaged file by a new file with these records and a slot for each source. Returns the path
    /// that the damaged file was moved to.
    ///
    /// If the process is killed in between, either of the two files is in its place, or the complete new file
    /// lies beside it. In that case the next process that opens the vault moves it into its place.
    pub(crate) fn rebuild(
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

    /// Deletes the files of a killed salvage, so that they don't take the place of a file that is removed.
    fn remove_built(&self) -> Result<()> {
        [BUILT, BUILDING].iter().try_for_each(|ending| remove_parts(&with(self.path(), ending)))
    }

    fn deadline(&self) -> Duration {
        match self {
            Self::Keyed { deadline, .. } => *deadline,
            Self::Direct(unlock) => unlock.config.deadline,
        }
    }

    fn config(&self, key: SealingKey) -> FileConfig {
        match self {
            Self::Keyed { path, deadline, .. } => {
                FileConfig::new(path, KeySource::key(key)).with_deadline(*deadline)
            }
            Self::Direct(unlock) => unlock.config.clone(),
        }
    }
}

/// Reports a missing file as `Corrupt`: the entry holds a key, so there was a file.
fn file_gone(path: &Path, error: Error, generation: u64) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    Error::new(ErrorKind::Corrupt, Operation::Get)
        .with_message(format!(
            "its sealed file {} is gone; it was made at generation {generation}",
            path.display()
        ))
        .with_hint("Bring the file back, from a backup of your home for instance.")
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
