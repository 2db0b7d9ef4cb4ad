//! The store, which keeps entries in the Windows Credential Manager.

use std::io;

use strongroom_core::{
    Capabilities, EntryName, Error, ErrorKind, ExposeSecret, Fault, Operation, Persistence, Probe,
    Result, SecretBytes, ServiceName, Store, WriteMode,
};
use strongroom_files::{Held, Lock, NotHeld};

use crate::error::{busy, from_windows, is_refused_name, no_logon_session};
use crate::sys::{self, Credential, NewCredential};
use crate::{Config, Persist, blob, comment, target};

/// The name of the lock file.
const LOCK: &str = "credential-manager.lock";

/// The largest value in bytes: `CRED_MAX_CREDENTIAL_BLOB_SIZE`.
pub const MAX_SECRET_BYTES: usize = sys::MAX_BLOB_BYTES;

/// The credentials of the user in the Windows Credential Manager.
///
/// Holds no state: handles, threads and processes of one user see the same entries.
///
/// ```no_run
/// use strongroom_core::{KeyringStore, SecretString};
/// use strongroom_credential_manager::CredentialManagerStore;
///
/// let store = CredentialManagerStore::new();
/// store.set_password("example", "api-key", &SecretString::from("s3cret"))?;
/// # Ok::<(), strongroom_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CredentialManagerStore {
    config: Config,
}

impl CredentialManagerStore {
    /// The store's name.
    pub const NAME: &str = "credential-manager";

    /// Creates a store with the default settings. Makes no call to Windows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a store with these settings. Makes no call to Windows.
    pub fn with_config(config: Config) -> Self {
        Self { config }
    }

    fn read(&self, entry: &EntryName) -> Result<Option<SecretBytes>, Fault> {
        let _lock = self.lock_to_read();
        find(entry).map_err(from_windows)
    }

    fn write(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<(), Fault> {
        let _lock = self.lock_to_write()?;
        if mode == WriteMode::CreateNew && find(entry).map_err(from_windows)?.is_some() {
            return Err(Fault::new(ErrorKind::AlreadyExists));
        }
        let blob = value.expose_secret();
        sys::write(&NewCredential {
            target: &target::of_entry(entry),
            user: entry.user().as_str(),
            comment: &comment::of_entry(entry, blob.len()),
            blob,
            persist: self.config.persist,
        })
        .map_err(from_windows)
    }

    fn remove(&self, entry: &EntryName) -> Result<bool, Fault> {
        let _lock = self.lock_to_write()?;
        delete(entry).map_err(from_windows)
    }

    fn list(&self, service: &ServiceName) -> Result<Vec<EntryName>, Fault> {
        let _lock = self.lock_to_read();
        let targets = sys::targets(&target::beginning(service)).map_err(from_windows)?;
        let entries = targets.iter().filter_map(|target| target::parse(target));
        Ok(entries.filter(|entry| entry.service() == service).collect())
    }

    /// Takes the lock for a call that only reads; `None` if the call goes on without it.
    fn lock_to_read(&self) -> Option<Held> {
        let locked = self.lock();
        locked.inspect_err(|reason| tracing::debug!(?reason, "reading without a lock")).ok()
    }

    /// Takes the lock for a call that changes an entry; `None` if there is no lock to take.
    ///
    /// # Errors
    ///
    /// `Busy` if another process holds the lock past the deadline, and the fault of a lock file that another
    /// user may have created.
    fn lock_to_write(&self) -> Result<Option<Held>, Fault> {
        match self.lock() {
            Ok(held) => Ok(Some(held)),
            Err(NotHeld::Busy(_)) => Err(busy()),
            Err(NotHeld::Refused(fault)) => Err(fault),
            Err(reason) => {
                tracing::debug!(?reason, "writing without a lock");
                Ok(None)
            }
        }
    }

    fn lock(&self) -> Result<Held, NotHeld> {
        let Some(dir) = self.config.lock_dir() else {
            return Err(NotHeld::Io(io::ErrorKind::NotFound.into()));
        };
        match Lock::shared(&dir.join(LOCK)).take(self.config.deadline)? {
            (held, None) => Ok(held),
            // Only the turn among this process's threads was taken, not the file's lock.
            (_, Some(error)) => Err(NotHeld::Io(error)),
        }
    }
}

impl Store for CredentialManagerStore {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        let persistence = match self.config.persist {
            Persist::LocalMachine | Persist::Enterprise => Persistence::Permanent,
            Persist::Session => Persistence::Session,
        };
        Capabilities::new(persistence)
            .with_user_programs()
            .with_max_secret_len(MAX_SECRET_BYTES)
            .with_binary_safe()
            .with_list()
    }

    fn probe(&self) -> Result<Probe> {
        match sys::can_keep(self.config.persist) {
            Ok(true) => Ok(Probe::new("the Windows Credential Manager")),
            Ok(false) => Err(error(no_logon_session(), Operation::Probe)),
            Err(cause) => Err(error(from_windows(cause), Operation::Probe)),
        }
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        self.read(entry).map_err(during(Operation::Get, entry))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        self.write(entry, value, mode).map_err(during(Operation::Set, entry))
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        self.remove(entry).map_err(during(Operation::Delete, entry))
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        let value = self.read(entry).map_err(during(Operation::Exists, entry))?;
        Ok(value.is_some())
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        self.list(service).map_err(|fault| error(fault, Operation::List))
    }
}

/// Reads the value of an entry: the store's own credential, or else that of the `keyring` crate.
fn find(entry: &EntryName) -> io::Result<Option<SecretBytes>> {
    let Some(Credential { comment, blob, .. }) = sys::read(&target::of_entry(entry))? else {
        return Ok(find_of_keyring(entry)?.map(blob::decode_foreign));
    };
    let len = blob.expose_secret().len();
    let is_ours = comment.is_some_and(|comment| comment::is_ours(&comment, len));
    Ok(Some(if is_ours { blob } else { blob::decode_foreign(blob) }))
}

/// Reads the value that the `keyring` crate stored under this entry's names; `None` if the credential belongs
/// to other names that make the same target.
fn find_of_keyring(entry: &EntryName) -> io::Result<Option<SecretBytes>> {
    let target = target::of_keyring(entry);
    let credential = match sys::read(&target) {
        Err(cause) if is_refused_name(&cause) => return Ok(None),
        read => read?,
    };
    Ok(credential
        .filter(|credential| {
            credential.target.as_ref() == Some(&target)
                && credential.user.as_deref() == Some(entry.user().as_str())
        })
        .map(|credential| credential.blob))
}

/// Deletes the credentials of an entry and returns whether there were any.
fn delete(entry: &EntryName) -> io::Result<bool> {
    // The `keyring` crate's credential first: if only the store's own were deleted, the other would reappear
    // as the entry.
    let of_keyring = match find_of_keyring(entry)? {
        Some(_) => sys::delete(&target::of_keyring(entry))?,
        None => false,
    };
    Ok(sys::delete(&target::of_entry(entry))? || of_keyring)
}

/// Returns the conversion of a fault to the error of an operation on an entry.
fn during(operation: Operation, entry: &EntryName) -> impl Fn(Fault) -> Error {
    move |fault| error(fault, operation).with_entry(entry)
}

fn error(fault: Fault, operation: Operation) -> Error {
    fault.during(operation).with_store(CredentialManagerStore::NAME)
}
