//! The layout `sealed`: the vault lies in an encrypted file, and its entry holds the key.
//!
//! The vault's entry stays as it is while secrets change: the file's own transactions keep those
//! apart, and each read sees the last one. The protocol between processes guards the entry alone, so
//! that nobody works on with a file that another process has replaced or moved away.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_core::{
    Error, ErrorKind, Operation, Result, Secret, SecretBytes, SecretKey, SecretMetadata,
    SecretString, ServiceName, Timestamp, secret_text,
};
use strongroom_sealed::{Change, FileConfig, KeySource, SealedFile, SealingKey, Slot, file_in};

use super::coherence::Revision;
use super::content::{Edit, Look};
use super::payload::{KeyEntry, Payload, VaultId};
use super::secrets::SecretInfo;
use crate::keys::{AskPassphrase, PassphraseRequest};

/// How often somebody may mistype a passphrase.
const TRIES: u32 = 3;

/// Where a vault's sealed file lies, and where its key comes from.
pub(crate) enum SealedPlace {
    /// The key stands in the vault's entry. Without the entry only another slot's key opens the file.
    Keyed { path: PathBuf, deadline: Duration, recovery: Recovery },
    /// The file is the vault, and others keep its key.
    Direct(Unlock),
}

/// What else may open the file; looked up when it is needed.
pub(crate) type Recovery = Box<dyn Fn(&Path) -> Result<Unlock> + Send + Sync>;

/// What opens a file whose key stands in no entry.
pub(crate) struct Unlock {
    pub(crate) config: FileConfig,
    /// Who is asked where no source is named.
    pub(crate) ask: Option<AskPassphrase>,
    /// How to name a source.
    pub(crate) hint: String,
}

/// A sealed vault, open.
pub(super) struct Sealed {
    file: SealedFile,
    /// What it was opened with, where that is needed.
    sources: Vec<KeySource>,
    id: VaultId,
    /// The vault's revision number before the file's first.
    base: u64,
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
        Self::Keyed { path: file_in(directory, service.as_str()), deadline, recovery }
    }

    /// Where the file is, or would be.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Keyed { path, .. } => path,
            Self::Direct(unlock) => &unlock.config.path,
        }
    }

    /// Opens the file by the key from the vault's entry.
    pub(super) fn open(&self, entry: &KeyEntry) -> Result<Sealed> {
        let config = self.config(SealingKey::from_text(&entry.key)?);
        let file = SealedFile::open(&config);
        let file = file.map_err(|error| self.named(error, entry.generation))?;
        Ok(Sealed { file, sources: config.sources, id: entry.id, base: entry.generation })
    }

    /// Opens a file whose entry is gone by another key of its own, if one is at hand.
    ///
    /// # Errors
    ///
    /// `KeyMissing` if there is none, or none that fits; `Corrupt` and `Io`.
    pub(super) fn recover(&self) -> Result<Option<Sealed>> {
        let (path, recovery) = match self {
            Self::Direct(unlock) => return unlock.open(),
            Self::Keyed { path, recovery, .. } => (path, recovery),
        };
        if !is_anything_at(path) {
            return Ok(None);
        }
        match recovery(path).and_then(|unlock| unlock.open()) {
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
        now: Timestamp,
    ) -> Result<(Sealed, Option<SecretBytes>)> {
        let (config, key) = match self {
            Self::Direct(unlock) => (unlock.with_new_key()?, None),
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
            None => (Sealed { id: VaultId::new(file.id()), file, sources, base: 0 }, None),
            Some(key) => {
                let base = vault.generation.saturating_sub(file.generation()?);
                let entry = KeyEntry { id: vault.id, generation: base, key: key.to_text() };
                (Sealed { file, sources, id: vault.id, base }, Some(entry.to_line()))
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

    /// Deletes the file, and says whether there was one.
    pub(super) fn remove(&self) -> Result<bool> {
        let was_there = is_anything_at(self.path());
        for path in parts(self.path()) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(file_error(&path, error));
                }
                _ => {}
            }
        }
        Ok(was_there)
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

impl Unlock {
    /// Opens the file; `None` if there is none yet.
    fn open(&self) -> Result<Option<Sealed>> {
        let config = &self.config;
        if !is_anything_at(&config.path) {
            return Ok(None);
        }
        let (file, sources) = match &self.ask {
            _ if !config.sources.is_empty() => (SealedFile::open(config)?, config.sources.clone()),
            Some(ask) => self.open_asking(ask)?,
            None => return Err(self.no_key()),
        };
        Ok(Some(Sealed { id: VaultId::new(file.id()), file, sources, base: 0 }))
    }

    /// Opens the file by a passphrase that somebody types, in three tries.
    fn open_asking(&self, ask: &AskPassphrase) -> Result<(SealedFile, Vec<KeySource>)> {
        let mut attempt = 1;
        loop {
            let config = self.config.clone().or(self.asked(ask, false, attempt)?);
            match SealedFile::open(&config) {
                Err(error) if error.kind() == ErrorKind::WrongKey && attempt < TRIES => {
                    attempt += 1;
                }
                opened => return opened.map(|file| (file, config.sources)),
            }
        }
    }

    /// What opens a new file.
    fn with_new_key(&self) -> Result<FileConfig> {
        if !self.config.sources.is_empty() {
            return Ok(self.config.clone());
        }
        let ask = self.ask.as_ref().ok_or_else(|| self.no_key())?;
        Ok(self.config.clone().or(self.asked(ask, true, 1)?))
    }

    fn asked(&self, ask: &AskPassphrase, is_new: bool, attempt: u32) -> Result<KeySource> {
        let path = self.config.path.clone();
        let passphrase = ask(&PassphraseRequest { path, is_new, attempt })?.ok_or_else(|| {
            Error::new(ErrorKind::Dismissed, Operation::Get).with_message(format!(
                "nobody gave the passphrase of {}",
                self.config.path.display()
            ))
        })?;
        Ok(KeySource::passphrase(passphrase))
    }

    fn no_key(&self) -> Error {
        let path = self.config.path.display();
        Error::new(ErrorKind::KeyMissing, Operation::Get)
            .with_message(format!("nothing was named that opens {path}"))
            .with_hint(self.hint.clone())
    }
}

fn entry_gone(path: &Path) -> Error {
    Error::new(ErrorKind::KeyMissing, Operation::Get)
        .with_message(format!(
            "the vault's entry is gone, which holds the key of {}",
            path.display()
        ))
        .with_hint(
            "Bring the entry back, or restore a backup, or name the key of another slot of the \
             file. `strongroom repair --reset` puts the file aside and begins with an empty vault.",
        )
}

/// Puts a sealed file that nobody has a key to out of the way, and returns where it is now.
pub(super) fn put_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
    if !is_anything_at(path) {
        return Ok(None);
    }
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let free = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{stamp}-{number}"));
        PathBuf::from(name)
    };
    let aside = (1..).map(free).find(|aside| !aside.exists()).unwrap_or_else(|| free(0));
    // The log first: without its file it is nothing, and the file without it is an older one.
    for (from, to) in parts(path).into_iter().zip(parts(&aside)).rev() {
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file_error(&from, error));
            }
            _ => {}
        }
    }
    Ok(Some(aside))
}

impl Sealed {
    /// What stands in the vault's entry, which says nothing of the secrets.
    pub(super) fn revision(&self) -> Revision {
        Revision { vault: self.id.to_bytes(), generation: self.base }
    }

    /// What can be read of a damaged file, text or not, and how many records can't.
    pub(super) fn salvage(&self) -> (Vec<Record>, u64) {
        let mut records = Vec::new();
        let damaged =
            self.file.salvage(|key, metadata, value| records.push((key, metadata, value)));
        // A file that ends too early has lost one at least.
        (records, damaged.unwrap_or(1))
    }

    /// Takes over what was salvaged.
    pub(super) fn fill(&self, records: &[Record]) -> Result<()> {
        self.file.change(|change| {
            let mut records = records.iter();
            records.try_for_each(|(key, metadata, value)| change.put_bytes(key, value, metadata))
        })
    }

    pub(super) fn forget_sources(&mut self) {
        self.sources = Vec::new();
    }

    /// The file, and what it was opened with.
    pub(super) fn opened(&self) -> (&SealedFile, &[KeySource]) {
        (&self.file, &self.sources)
    }

    pub(super) fn change<T>(&self, work: impl FnOnce(&mut dyn Edit) -> Result<T>) -> Result<T> {
        self.file.change(|change| work(&mut Changing(change)))
    }
}

/// Whether there is a file, or the log that a killed purge left of one.
fn is_anything_at(path: &Path) -> bool {
    parts(path).iter().take(2).any(|part| part.exists())
}

/// The file, and what SQLite keeps beside it.
fn parts(path: &Path) -> Vec<PathBuf> {
    let with = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    ["", "-wal", "-shm"].map(with).into()
}

fn file_error(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, Operation::Set)
        .with_message(format!("{} can't be moved or deleted", path.display()))
        .with_source(error)
}

impl Look for Sealed {
    fn generation(&self) -> Result<u64> {
        Ok(self.base + self.file.generation()?)
    }

    fn get(&self, key: &SecretKey) -> Result<Option<Secret>> {
        self.file.get(key)
    }

    fn contains(&self, key: &SecretKey) -> Result<bool> {
        self.file.contains(key)
    }

    fn list(&self) -> Result<Vec<SecretInfo>> {
        Ok(sorted(self.file.list()?))
    }

    fn snapshot(&self) -> Result<Payload> {
        let mut vault = Payload::new(self.id);
        let mut is_text = true;
        self.file.read_all(|key, metadata, value| match secret_text(&value) {
            Some(value) => drop(vault.insert(key, secret_of(value, metadata))),
            None => is_text = false,
        })?;
        if !is_text {
            return Err(not_text());
        }
        vault.generation = Look::generation(self)?;
        Ok(vault)
    }

    /// Of the metadata alone: it says when a value was written, and no value is opened.
    fn fingerprints(&self, hasher: &RandomState) -> Result<BTreeMap<SecretKey, u64>> {
        let secrets = self.file.list()?.into_iter();
        Ok(secrets.map(|(key, metadata)| (key, hasher.hash_one(metadata))).collect())
    }
}

/// A change of the file, under way.
struct Changing<'a, 'b>(&'a mut Change<'b>);

impl Edit for Changing<'_, '_> {
    fn get(&mut self, key: &SecretKey) -> Result<Option<Secret>> {
        self.0.get(key)
    }

    fn metadata(&mut self, key: &SecretKey) -> Result<Option<SecretMetadata>> {
        self.0.metadata(key)
    }

    fn put(&mut self, key: &SecretKey, secret: &Secret) -> Result<()> {
        self.0.put(key, secret)
    }

    fn remove(&mut self, key: &SecretKey) -> Result<bool> {
        self.0.remove(key)
    }

    #[cfg(feature = "backup")]
    fn snapshot(&mut self) -> Result<Payload> {
        let mut vault = Payload::new(VaultId::NONE);
        for (key, _) in self.0.list()? {
            if let Some(secret) = self.0.get(&key)? {
                vault.insert(key, secret);
            }
        }
        Ok(vault)
    }

    #[cfg(feature = "backup")]
    fn copy_from(&mut self, other: &Payload, key: &SecretKey) -> Result<()> {
        match other.secrets().get(key) {
            Some(secret) => self.0.put(key, secret),
            None => self.0.remove(key).map(drop),
        }
    }

    fn rename(&mut self, old: &SecretKey, new: &SecretKey) -> Result<()> {
        if let Some(secret) = self.0.get(old)? {
            self.0.put(new, &secret)?;
            self.0.remove(old)?;
        }
        Ok(())
    }
}

fn secret_of(value: SecretString, metadata: SecretMetadata) -> Secret {
    let mut secret = Secret::new(value);
    secret.metadata = metadata;
    secret
}

fn not_text() -> Error {
    Error::new(ErrorKind::Unsupported, Operation::Get)
        .with_message("the file holds values that are not text")
}

fn sorted(mut secrets: Vec<(SecretKey, SecretMetadata)>) -> Vec<SecretInfo> {
    secrets.sort_by(|(a, _), (b, _)| a.cmp(b));
    secrets.into_iter().map(|(key, metadata)| SecretInfo { key, metadata }).collect()
}
