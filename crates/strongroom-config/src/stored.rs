//! The store's side of a file's secrets.

use std::collections::BTreeMap;

use strongroom::blocking::SecretManager;
use strongroom::{ErrorKind, ExposeSecret, Result, Secret, SecretKey, SecretString, Timestamp};

/// The ages of the two values of a secret, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ages {
    /// The time of the last write to the file.
    pub file: Option<Timestamp>,
    /// The time at which the store's value was last written.
    pub store: Option<Timestamp>,
    /// Set if the store's value has expired. An expired value is not compared with the file's.
    pub store_expired: bool,
}

/// The secrets of a store that belong to a file.
#[derive(Default)]
pub(crate) struct StoredSecrets {
    /// Set if there was a store to ask.
    pub(crate) is_known: bool,
    secrets: BTreeMap<SecretKey, StoredSecret>,
}

/// A secret in the store.
pub(crate) enum StoredSecret {
    Valid(Secret),
    /// An expired secret. The store doesn't return its value.
    Expired {
        updated_at: Option<Timestamp>,
    },
}

impl StoredSecrets {
    /// Reads the secrets of these keys from the store, if there is one.
    ///
    /// # Errors
    ///
    /// The errors of reading the store, except `Expired`.
    pub(crate) fn read<'a>(
        manager: Option<&SecretManager>,
        keys: impl Iterator<Item = &'a SecretKey>,
    ) -> Result<Self> {
        let Some(manager) = manager else { return Ok(Self::default()) };
        let mut secrets = BTreeMap::new();
        for key in keys {
            let secret = match manager.get(key) {
                Ok(secret) => secret.map(StoredSecret::Valid),
                Err(error) if error.kind() == ErrorKind::Expired => expired(manager, key)?,
                Err(error) => return Err(error),
            };
            secrets.extend(secret.map(|secret| (key.clone(), secret)));
        }
        Ok(Self { is_known: true, secrets })
    }

    pub(crate) fn get(&self, key: &SecretKey) -> Option<&StoredSecret> {
        self.secrets.get(key)
    }

    /// Returns the stored value, unless it has expired.
    pub(crate) fn value(&self, key: &SecretKey) -> Option<&SecretString> {
        match self.get(key)? {
            StoredSecret::Valid(secret) => Some(&secret.value),
            StoredSecret::Expired { .. } => None,
        }
    }
}

/// Returns an expired secret. `get` refuses it; the list has its metadata, and doesn't read its value.
fn expired(manager: &SecretManager, key: &SecretKey) -> Result<Option<StoredSecret>> {
    let info = manager.list()?.into_iter().find(|info| info.key == *key);
    Ok(info.map(|info| StoredSecret::Expired { updated_at: info.metadata.updated_at }))
}

impl StoredSecret {
    /// Returns whether the store has this value, and returns it.
    pub(crate) fn has_value(&self, value: &str) -> bool {
        matches!(self, Self::Valid(secret) if secret.value.expose_secret() == value)
    }

    /// Returns the ages of this value, and of the value in a file that was last written at this time.
    pub(crate) fn ages(&self, file: Option<Timestamp>) -> Ages {
        let (store, store_expired) = match self {
            Self::Valid(secret) => (secret.metadata.updated_at, false),
            Self::Expired { updated_at } => (*updated_at, true),
        };
        Ages { file, store, store_expired }
    }
}
