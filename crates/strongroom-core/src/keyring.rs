//! The methods of a store for its callers.

use secrecy::{ExposeSecret, SecretString};

use crate::{
    Capabilities, EntryName, Error, ErrorKind, Operation, Result, SecretBytes, ServiceName, Store,
    UserName, WriteMode, secret_copy, secret_text,
};

/// Passwords by service and user, in any [`Store`].
///
/// Every store has these methods. They check names and sizes, and then call the store.
///
/// A store may block for as long as its deadlines allow, so it must not be called from an async task. The
/// `strongroom` crate runs each call on a thread of its own, and can be called from anywhere.
///
/// # Errors
///
/// As [`Store`], and `Invalid` for an invalid name.
///
/// ```
/// use strongroom_core::{ExposeSecret, KeyringStore, MemoryStore, SecretString};
///
/// // A program takes any store, and its tests a mock or memory.
/// fn logout(store: &impl KeyringStore) -> strongroom_core::Result<bool> {
///     store.delete_password("codex-tui", "openai-api-key")
/// }
///
/// let store = MemoryStore::new();
/// store.set_password("codex-tui", "openai-api-key", &SecretString::from("sk-1"))?;
/// assert!(logout(&store)?);
/// # Ok::<(), strongroom_core::Error>(())
/// ```
pub trait KeyringStore: Store {
    /// Reads an entry as text, or returns `None` if there is no such entry.
    ///
    /// # Errors
    ///
    /// As [`Store::read_entry`]; `Invalid` for a value that is not UTF-8: read it with [`get_bytes`](Self::get_bytes).
    fn get_password(&self, service: &str, user: &str) -> Result<Option<SecretString>> {
        let entry = entry_name(service, user, Operation::Get)?;
        let Some(bytes) = self.read_entry(&entry)? else {
            return Ok(None);
        };
        secret_text(&bytes).map(Some).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, Operation::Get)
                .with_store(self.name())
                .with_entry(&entry)
                .with_message("its value is not text")
                .with_hint("Read it as bytes.")
        })
    }

    /// Reads an entry as bytes, or returns `None` if there is no such entry.
    ///
    /// # Errors
    ///
    /// As [`Store::read_entry`].
    fn get_bytes(&self, service: &str, user: &str) -> Result<Option<SecretBytes>> {
        self.read_entry(&entry_name(service, user, Operation::Get)?)
    }

    /// Stores text, in place of an existing value.
    ///
    /// # Errors
    ///
    /// As [`set_bytes`](Self::set_bytes).
    fn set_password(&self, service: &str, user: &str, value: &SecretString) -> Result<()> {
        self.set_bytes(service, user, &bytes_of(value))
    }

    /// Stores bytes, in place of an existing value.
    ///
    /// # Errors
    ///
    /// As [`write_bytes`](Self::write_bytes).
    fn set_bytes(&self, service: &str, user: &str, value: &SecretBytes) -> Result<()> {
        self.write_bytes(service, user, value, WriteMode::Overwrite)
    }

    /// Stores text in a new entry.
    ///
    /// # Errors
    ///
    /// As [`set_bytes`](Self::set_bytes), and `AlreadyExists`.
    fn create_password(&self, service: &str, user: &str, value: &SecretString) -> Result<()> {
        self.create_bytes(service, user, &bytes_of(value))
    }

    /// Stores bytes in a new entry.
    ///
    /// # Errors
    ///
    /// As [`set_bytes`](Self::set_bytes), and `AlreadyExists`.
    fn create_bytes(&self, service: &str, user: &str, value: &SecretBytes) -> Result<()> {
        self.write_bytes(service, user, value, WriteMode::CreateNew)
    }

    /// Stores bytes in this mode.
    ///
    /// # Errors
    ///
    /// As [`Store::write_entry`]; `TooLarge` for a value over [`Capabilities::max_secret_len`]; `Unsupported` for bytes
    /// that are not text in a store that is not binary-safe.
    fn write_bytes(
        &self,
        service: &str,
        user: &str,
        value: &SecretBytes,
        mode: WriteMode,
    ) -> Result<()> {
        let entry = entry_name(service, user, Operation::Set)?;
        check_value(self.capabilities(), value)
            .map_err(|error| error.with_store(self.name()).with_entry(&entry))?;
        self.write_entry(&entry, value, mode)
    }

    /// Deletes an entry, text or bytes. Returns whether it existed.
    ///
    /// # Errors
    ///
    /// As [`Store::remove_entry`].
    fn delete_password(&self, service: &str, user: &str) -> Result<bool> {
        self.remove_entry(&entry_name(service, user, Operation::Delete)?)
    }

    /// Returns whether an entry exists.
    ///
    /// # Errors
    ///
    /// As [`Store::contains_entry`].
    fn exists(&self, service: &str, user: &str) -> Result<bool> {
        self.contains_entry(&entry_name(service, user, Operation::Exists)?)
    }

    /// Lists the users of a service's entries, sorted. Reads no value.
    ///
    /// # Errors
    ///
    /// As [`Store::list_entries`]; `Unsupported` where [`Capabilities::can_list`] is false.
    fn list(&self, service: &str) -> Result<Vec<UserName>> {
        let service = ServiceName::new(service).map_err(|error| error.during(Operation::List))?;
        // The capability decides, so that callers get the same error from every store.
        if !self.capabilities().can_list {
            return Err(Error::new(ErrorKind::Unsupported, Operation::List).with_store(self.name()));
        }
        let mut users: Vec<_> =
            self.list_entries(&service)?.into_iter().map(|entry| entry.user().clone()).collect();
        users.sort();
        Ok(users)
    }
}

impl<S: Store + ?Sized> KeyringStore for S {}

fn bytes_of(value: &SecretString) -> SecretBytes {
    secret_copy(value.expose_secret().as_bytes())
}

fn entry_name(service: &str, user: &str, operation: Operation) -> Result<EntryName> {
    EntryName::new(service, user).map_err(|error| error.during(operation))
}

fn check_value(capabilities: Capabilities, value: &SecretBytes) -> Result<()> {
    let bytes = value.expose_secret();
    if let Some(max) = capabilities.max_secret_len.filter(|max| bytes.len() > *max) {
        return Err(Error::new(ErrorKind::TooLarge, Operation::Set).with_message(format!(
            "the value has {} bytes; this store takes at most {max}",
            bytes.len()
        )));
    }
    if !capabilities.binary_safe && std::str::from_utf8(bytes).is_err() {
        return Err(Error::new(ErrorKind::Unsupported, Operation::Set)
            .with_message("the value is not text, and this store keeps only text"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::MockKeyringStore;

    /// A part of an application that takes any store.
    struct AuthStorage<K: KeyringStore>(K);

    impl<K: KeyringStore> AuthStorage<K> {
        fn login_and_out(&self) -> Result<bool> {
            self.0.set_password("s", "u", &SecretString::from("v"))?;
            self.0.delete_password("s", "u")
        }
    }

    #[test]
    fn pointers_to_stores_are_stores() {
        let mock = MockKeyringStore::new();
        let shared: Arc<dyn Store> = Arc::new(mock.clone());
        assert!(AuthStorage(&mock).login_and_out().unwrap());
        assert!(AuthStorage(Box::new(mock.clone())).login_and_out().unwrap());
        assert!(AuthStorage(Arc::clone(&shared)).login_and_out().unwrap());
        assert!(AuthStorage(&*shared).login_and_out().unwrap());
        assert_eq!(mock.calls().len(), 8);
    }

    #[test]
    fn to_create_an_entry_that_is_there_changes_nothing() {
        let mock = MockKeyringStore::new();
        mock.create_password("s", "u", &SecretString::from("1")).unwrap();
        let error = mock.create_password("s", "u", &SecretString::from("2")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(mock.get_password("s", "u").unwrap().unwrap().expose_secret(), "1");
    }
}
