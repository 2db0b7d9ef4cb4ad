//! The content of an open sealed file.

use std::any::Any;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use strongroom_core::{
    Error, ErrorKind, Operation, Result, Secret, SecretBytes, SecretKey, SecretMetadata,
    SecretString, secret_text,
};
use strongroom_sealed::{Change, KeySource, SealedFile};

use crate::Layout;
use crate::vault::coherence::Revision;
use crate::vault::content::{
    self, Content, EditVault, Fingerprint, ReadVault, RecordCheck, SecretInfo, StoredContent,
};
use crate::vault::file::KEYED;
use crate::vault::payload::{KeyEntry, Payload, VaultId};

/// A secret as the file holds it.
pub(crate) type Record = (SecretKey, SecretMetadata, SecretBytes);

/// An open sealed vault.
pub(crate) struct Sealed {
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

impl Sealed {
    /// Returns the content as that of a sealed file, or `None` in another layout.
    pub(crate) fn of(content: &Content) -> Option<&Self> {
        match content {
            Content::Inline(_) => None,
            Content::Stored(content) => (content.as_ref() as &dyn Any).downcast_ref(),
        }
    }

    /// Converts the content to that of a sealed file. Returns `None` in another layout.
    pub(crate) fn take(content: Content) -> Option<Box<Self>> {
        match content {
            Content::Inline(_) => None,
            Content::Stored(content) => (content as Box<dyn Any>).downcast().ok(),
        }
    }

    /// Returns the content of a file whose key is in the vault's entry.
    pub(super) fn by_entry(
        file: SealedFile,
        sources: Vec<KeySource>,
        id: VaultId,
        base: u64,
    ) -> Self {
        Self { file, sources, id, base, is_by_entry: true }
    }

    /// Returns the readable records of a damaged file, text or not, and the number of unreadable records.
    pub(crate) fn salvage(&self) -> (Vec<Record>, u64) {
        let mut records = Vec::new();
        let damaged =
            self.file.salvage(|key, metadata, value| records.push((key, metadata, value)));
        // A truncated file can't be counted to its end, so at least one record is lost.
        (records, damaged.unwrap_or(1))
    }

    /// Continues the vault's numbering at `generation`. Returns the line of the entry that holds `key`.
    pub(crate) fn count_from(&mut self, generation: u64, key: SecretString) -> Result<SecretBytes> {
        self.base = generation.saturating_sub(self.file.generation()?);
        Ok(KeyEntry { id: self.id, generation: self.base, key }.to_line())
    }

    /// Returns whether the vault's entry holds the key.
    pub(crate) const fn is_by_entry(&self) -> bool {
        self.is_by_entry
    }

    /// Returns the file and the sources that opened it.
    pub(crate) fn opened(&self) -> (&SealedFile, &[KeySource]) {
        (&self.file, &self.sources)
    }
}

/// A file whose key is stored in no entry, with the sources that opened it.
impl From<(SealedFile, Vec<KeySource>)> for Sealed {
    fn from((file, sources): (SealedFile, Vec<KeySource>)) -> Self {
        let id = VaultId::new(file.id());
        Self { file, sources, id, base: 0, is_by_entry: false }
    }
}

impl StoredContent for Sealed {
    fn layout(&self) -> Layout {
        Layout::Sealed
    }

    fn revision(&self) -> Revision {
        Revision { vault: self.id.to_bytes(), generation: self.base | KEYED }
    }

    fn is_none(&self) -> bool {
        false
    }

    /// Returns whether the file at the path is still the open file.
    fn is_in_place(&self) -> bool {
        self.file.is_in_place()
    }

    fn commits(&self) -> Result<u64> {
        self.generation()
    }

    fn change(&self, change: content::Change<'_>) -> Result<()> {
        self.file.change(|file| change(&mut Changing(file)))
    }

    /// Makes a change that is rolled back.
    fn check_writable(&self, _: &SecretKey) -> Result<()> {
        let mut is_writable = false;
        let rolled_back = self.file.change(|_| {
            is_writable = true;
            // An error rolls the transaction back.
            Err::<(), _>(Error::new(ErrorKind::Other, Operation::Set))
        });
        if is_writable { Ok(()) } else { rolled_back }
    }

    fn forget_sources(&mut self) {
        self.sources = Vec::new();
    }

    fn check_records(&self) -> Option<RecordCheck> {
        let (records, damaged) = self.salvage();
        let readable = records.iter().map(|(key, ..)| key.name().to_owned()).collect();
        Some(RecordCheck { readable, damaged })
    }
}

impl ReadVault for Sealed {
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
        // The closure can't fail, so binary values are refused after the last record.
        self.file.read_all(|key, metadata, value| match secret_text(&value) {
            Some(value) => drop(vault.insert(key, secret_of(value, metadata))),
            None => is_text = false,
        })?;
        if !is_text {
            return Err(not_text());
        }
        vault.generation = ReadVault::generation(self)?;
        Ok(vault)
    }

    /// Returns fingerprints of the metadata alone. It tells when a value was written, so that no value has to
    /// be decrypted.
    fn fingerprints(&self, hasher: &RandomState) -> Result<BTreeMap<SecretKey, Fingerprint>> {
        let secrets = self.file.list()?.into_iter().map(|(key, metadata)| {
            let metadata = Some(hasher.hash_one(metadata));
            (key, Fingerprint { metadata, ..Fingerprint::default() })
        });
        Ok(secrets.collect())
    }
}

/// A change of the file that is not committed yet.
struct Changing<'a, 'b>(&'a mut Change<'b>);

impl EditVault for Changing<'_, '_> {
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
