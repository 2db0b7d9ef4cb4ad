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
use strongroom_sealed::{Change, FileConfig, KeySource, SealedFile, SealingKey, file_in};

use super::coherence::Revision;
use super::content::{Edit, Look};
use super::payload::{KeyEntry, Payload, VaultId};
use super::secrets::SecretInfo;
use crate::keys::{AskPassphrase, PassphraseRequest};

/// How often somebody may mistype a passphrase.
const TRIES: u32 = 3;

/// Where a vault's sealed file lies, and where its key comes from.
pub(crate) enum SealedPlace {
    /// The key stands in the vault's entry.
    Keyed { path: PathBuf, deadline: Duration },
    /// The file is the vault, and others keep its key.
    Direct { config: FileConfig, ask: Option<AskPassphrase> },
}

/// A sealed vault, open.
pub(super) struct Sealed {
    file: SealedFile,
    id: VaultId,
    /// The vault's revision number before the file's first.
    base: u64,
}

impl SealedPlace {
    /// Beside a store, whose entry holds the key.
    pub(crate) fn keyed(directory: &Path, service: &ServiceName, deadline: Duration) -> Self {
        Self::Keyed { path: file_in(directory, service.as_str()), deadline }
    }

    /// Where the file is, or would be.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Keyed { path, .. } => path,
            Self::Direct { config, .. } => &config.path,
        }
    }

    /// Opens the file by the key from the vault's entry.
    pub(super) fn open(&self, entry: &KeyEntry) -> Result<Sealed> {
        let key = SealingKey::from_text(&entry.key)?;
        let file = SealedFile::open(&self.config(KeySource::key(key)));
        let file = file.map_err(|error| self.named(error, entry.generation))?;
        Ok(Sealed { file, id: entry.id, base: entry.generation })
    }

    /// Opens a file that needs no entry; `None` if there is none yet.
    pub(super) fn open_direct(
        config: &FileConfig,
        ask: Option<&AskPassphrase>,
    ) -> Result<Option<Sealed>> {
        if !is_anything_at(&config.path) {
            return Ok(None);
        }
        let file = match ask.filter(|_| config.sources.is_empty()) {
            None if config.sources.is_empty() => return Err(no_key(&config.path)),
            None => SealedFile::open(config)?,
            Some(ask) => open_asking(config, ask)?,
        };
        Ok(Some(Sealed { id: VaultId::new(file.id()), file, base: 0 }))
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
            Self::Direct { config, ask } => (with_new_key(config, ask.as_ref())?, None),
            Self::Keyed { path, .. } => {
                put_aside(path, now)?;
                let key = SealingKey::generate()?;
                (self.config(KeySource::key(key.clone())), Some(key))
            }
        };
        let file = SealedFile::create(&config, now)?;
        file.change(|change| {
            vault.secrets().iter().try_for_each(|(key, secret)| change.put(key, secret))
        })?;
        Ok(match key {
            None => (Sealed { id: VaultId::new(file.id()), file, base: 0 }, None),
            Some(key) => {
                let base = vault.generation.saturating_sub(file.generation()?);
                let entry = KeyEntry { id: vault.id, generation: base, key: key.to_text() };
                (Sealed { file, id: vault.id, base }, Some(entry.to_line()))
            }
        })
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

    fn config(&self, source: KeySource) -> FileConfig {
        match self {
            Self::Keyed { path, deadline } => {
                FileConfig::new(path, source).with_deadline(*deadline)
            }
            Self::Direct { config, .. } => config.clone(),
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

/// Opens a file by a passphrase that somebody types, in three tries.
fn open_asking(config: &FileConfig, ask: &AskPassphrase) -> Result<SealedFile> {
    let mut attempt = 1;
    loop {
        let passphrase = asked(
            config,
            ask,
            PassphraseRequest { path: config.path.clone(), is_new: false, attempt },
        )?;
        match SealedFile::open(&config.clone().or(KeySource::passphrase(passphrase))) {
            Err(error) if error.kind() == ErrorKind::WrongKey && attempt < TRIES => attempt += 1,
            opened => return opened,
        }
    }
}

/// What opens a new file.
fn with_new_key(config: &FileConfig, ask: Option<&AskPassphrase>) -> Result<FileConfig> {
    if !config.sources.is_empty() {
        return Ok(config.clone());
    }
    let ask = ask.ok_or_else(|| no_key(&config.path))?;
    let request = PassphraseRequest { path: config.path.clone(), is_new: true, attempt: 1 };
    let passphrase = asked(config, ask, request)?;
    Ok(config.clone().or(KeySource::passphrase(passphrase)))
}

fn asked(
    config: &FileConfig,
    ask: &AskPassphrase,
    request: PassphraseRequest,
) -> Result<SecretString> {
    ask(&request)?.ok_or_else(|| {
        Error::new(ErrorKind::Dismissed, Operation::Get)
            .with_message(format!("nobody gave the passphrase of {}", config.path.display()))
    })
}

fn no_key(path: &Path) -> Error {
    Error::new(ErrorKind::KeyMissing, Operation::Get)
        .with_message(format!("nothing was named that opens {}", path.display()))
        .with_hint(
            "Name a file with the passphrase in <PREFIX>_PASSPHRASE_FILE, or one with a key in \
             <PREFIX>_KEY_FILE; STRONGROOM is the usual prefix.",
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
