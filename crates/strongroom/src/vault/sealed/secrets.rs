//! Reading and changing the secrets of a sealed vault.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use strongroom_core::{
    Error, ErrorKind, Operation, Result, Secret, SecretKey, SecretMetadata, SecretString,
    secret_text,
};
use strongroom_sealed::Change;

use super::Sealed;
use crate::vault::content::{Edit, Fingerprint, Look};
use crate::vault::payload::Payload;
#[cfg(feature = "backup")]
use crate::vault::payload::VaultId;
use crate::vault::secrets::SecretInfo;

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
        // The closure can't fail, so binary values are refused after the last record.
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

    /// Returns fingerprints of the metadata alone. It tells when a value was written, so that no value has to
    /// be decrypted.
    fn fingerprints(&self, hasher: &RandomState) -> Result<BTreeMap<SecretKey, Fingerprint>> {
        let fingerprint = |metadata: SecretMetadata| Fingerprint {
            metadata: Some(hasher.hash_one(metadata)),
            ..Fingerprint::default()
        };
        let secrets = self.file.list()?.into_iter();
        Ok(secrets.map(|(key, metadata)| (key, fingerprint(metadata))).collect())
    }
}

/// A change of the file that is not committed yet.
pub(super) struct Changing<'a, 'b>(pub(super) &'a mut Change<'b>);

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
