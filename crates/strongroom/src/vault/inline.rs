//! The layout `inline`: all secrets in the vault's entry, and in memory.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use strongroom_core::{
    Error, ErrorKind, ExposeSecret as _, Operation, Result, Secret, SecretKey, SecretMetadata,
};

use super::coherence::Revision;
use super::content::{EditVault, Fingerprint, ReadVault, SecretInfo};
use super::payload::{Payload, VaultId};

impl Payload {
    pub(crate) fn revision(&self) -> Revision {
        Revision { vault: self.id.to_bytes(), generation: self.generation }
    }

    /// Advances to the next generation. The first generation draws the vault's id.
    pub(crate) fn advance(&mut self) -> Result<()> {
        if self.id == VaultId::NONE {
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(|error| {
                Error::new(ErrorKind::Io, Operation::Set)
                    .with_message("the system gave no random numbers")
                    .with_source(error)
            })?;
            self.id = VaultId::new(random);
        }
        self.generation += 1;
        Ok(())
    }
}

impl ReadVault for Payload {
    fn generation(&self) -> Result<u64> {
        Ok(self.generation)
    }

    fn get(&self, key: &SecretKey) -> Result<Option<Secret>> {
        Ok(self.secrets().get(key).map(Secret::duplicate))
    }

    fn contains(&self, key: &SecretKey) -> Result<bool> {
        Ok(self.secrets().contains_key(key))
    }

    fn list(&self) -> Result<Vec<SecretInfo>> {
        let secrets = self.secrets().iter().map(|(key, secret)| SecretInfo {
            key: key.clone(),
            metadata: secret.metadata.clone(),
        });
        Ok(secrets.collect())
    }

    fn snapshot(&self) -> Result<Payload> {
        Ok(self.duplicate()?)
    }

    fn fingerprints(&self, hasher: &RandomState) -> Result<BTreeMap<SecretKey, Fingerprint>> {
        let secrets = self.secrets().iter();
        Ok(secrets.map(|(key, secret)| (key.clone(), fingerprint(secret, hasher))).collect())
    }
}

impl EditVault for Payload {
    fn get(&mut self, key: &SecretKey) -> Result<Option<Secret>> {
        ReadVault::get(self, key)
    }

    fn metadata(&mut self, key: &SecretKey) -> Result<Option<SecretMetadata>> {
        Ok(self.secrets().get(key).map(|secret| secret.metadata.clone()))
    }

    fn put(&mut self, key: &SecretKey, secret: &Secret) -> Result<()> {
        self.insert(key.clone(), secret.duplicate());
        Ok(())
    }

    fn remove(&mut self, key: &SecretKey) -> Result<bool> {
        Ok(self.take(key).is_some())
    }

    #[cfg(feature = "backup")]
    fn snapshot(&mut self) -> Result<Payload> {
        Ok(self.duplicate()?)
    }

    #[cfg(feature = "backup")]
    fn copy_from(&mut self, other: &Payload, key: &SecretKey) -> Result<()> {
        Self::copy_from(self, other, key);
        Ok(())
    }

    fn rename(&mut self, old: &SecretKey, new: &SecretKey) -> Result<()> {
        self.give_key(old, new);
        Ok(())
    }
}

fn fingerprint(secret: &Secret, hasher: &RandomState) -> Fingerprint {
    Fingerprint {
        value: Some(hasher.hash_one(secret.value.expose_secret())),
        metadata: Some(hasher.hash_one(&secret.metadata)),
        changes: None,
    }
}
