//! The store, which keeps entries in the kernel's user keyring.

use linux_keyutils::{Key, KeyError};
use strongroom_core::{
    Capabilities, EntryName, Error, ErrorKind, Fault, MAX_NAME_BYTES, Operation, Persistence,
    Probe, Result, SecretBytes, ServiceName, Store, WriteMode,
};

use crate::error::{busy, from_kernel, is_lost_race, kernel_too_old};
use crate::keyring::{self, KeyState};
use crate::payload::{self, MAX_BYTES, Payload};
use crate::{Config, description, sys};

/// The number of attempts of a call, while other processes change the same entry.
const ATTEMPTS: usize = 100;

/// The user keyring of the Linux kernel (`user-keyring(7)`).
///
/// Holds no state: handles, threads and processes of one user see the same entries. No call blocks
/// on anything outside the kernel. A write at the limit of the quota may wait some 100 ms for the
/// kernel to release keys that were just deleted.
#[derive(Clone, Debug, Default)]
pub struct KeyutilsStore {
    config: Config,
}

impl KeyutilsStore {
    /// The store's name.
    pub const NAME: &str = "keyutils";

    /// Creates a store with the default settings. Makes no system call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a store with these settings. Makes no system call.
    ///
    /// # Errors
    ///
    /// `Invalid` if the namespace is empty, holds a NUL character or is longer than
    /// [`MAX_NAME_BYTES`].
    pub fn with_config(config: Config) -> Result<Self> {
        let namespace = &config.namespace;
        if namespace.is_empty() || namespace.contains('\0') || namespace.len() > MAX_NAME_BYTES {
            return Err(Error::new(ErrorKind::Invalid, Operation::Choose)
                .with_store(Self::NAME)
                .with_message(format!(
                    "a namespace has 1 to {MAX_NAME_BYTES} bytes and no NUL character"
                )));
        }
        Ok(Self { config })
    }

    fn description(&self, entry: &EntryName) -> String {
        description::of_entry(&self.config.namespace, entry)
    }

    fn find(&self, entry: &EntryName) -> Result<Option<Key>, KeyError> {
        Ok(match keyring::find(&self.description(entry))? {
            KeyState::Live(key) => Some(key),
            KeyState::Dead | KeyState::Missing => None,
        })
    }

    fn read(&self, entry: &EntryName) -> Result<Option<SecretBytes>, KeyError> {
        let Some(key) = self.find(entry)? else {
            return Ok(None);
        };
        keyring::read(key).map(payload::value).map(Some)
    }

    fn write(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<(), Fault> {
        let payload = Payload::new(value)?;
        let written = retry(|| self.try_write(entry, &payload, mode))?;
        written.ok_or_else(|| Fault::new(ErrorKind::AlreadyExists))
    }

    /// Writes a payload; `None` if the entry exists and `mode` is [`WriteMode::CreateNew`].
    fn try_write(
        &self,
        entry: &EntryName,
        payload: &Payload<'_>,
        mode: WriteMode,
    ) -> Result<Option<()>, KeyError> {
        let (description, payload) = (self.description(entry), payload.bytes());
        match keyring::find(&description)? {
            KeyState::Live(_) if mode == WriteMode::CreateNew => return Ok(None),
            KeyState::Live(key) => keyring::update(key, &description, payload),
            KeyState::Missing => keyring::create(&description, payload),
            // The dead key still occupies the description.
            KeyState::Dead => keyring::reap().and_then(|()| keyring::create(&description, payload)),
        }
        .map(Some)
    }
}

impl Store for KeyutilsStore {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Persistence::UntilReboot)
            .with_user_programs()
            .with_containers()
            .with_max_secret_len(MAX_BYTES)
            .with_binary_safe()
            .with_list()
    }

    fn probe(&self) -> Result<Probe> {
        check_kernel().map_err(|fault| error(fault, Operation::Probe))?;
        Ok(Probe::new(format!("kernel keyring of user {}", sys::user_id())))
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        retry(|| self.read(entry)).map_err(during(Operation::Get, entry))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        self.write(entry, value, mode).map_err(during(Operation::Set, entry))
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        retry(|| self.find(entry)?.map_or(Ok(false), keyring::unlink))
            .map_err(during(Operation::Delete, entry))
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        retry(|| self.find(entry).map(|key| key.is_some()))
            .map_err(during(Operation::Exists, entry))
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        let descriptions =
            keyring::descriptions().map_err(|cause| error(from_kernel(cause), Operation::List))?;
        Ok(descriptions
            .iter()
            .filter_map(|description| description::parse(&self.config.namespace, description))
            .filter(|entry| entry.service() == service)
            .collect())
    }
}

/// Checks that the kernel has the keyring, and all calls that the store makes.
fn check_kernel() -> Result<(), Fault> {
    keyring::look_up().map_err(from_kernel)?;
    sys::can_add().map_err(from_kernel)?;
    if sys::can_move().map_err(from_kernel)? { Ok(()) } else { Err(kernel_too_old()) }
}

/// Runs `work`, and again while other processes interfere, up to [`ATTEMPTS`] times; then fails with `Busy`.
fn retry<T>(work: impl Fn() -> Result<T, KeyError>) -> Result<T, Fault> {
    for _ in 0..ATTEMPTS {
        match work() {
            Err(cause) if is_lost_race(cause) => {}
            result => return result.map_err(from_kernel),
        }
    }
    Err(busy())
}

/// Returns the conversion of a fault to the error of an operation on an entry.
fn during(operation: Operation, entry: &EntryName) -> impl Fn(Fault) -> Error {
    move |fault| error(fault, operation).with_entry(entry)
}

fn error(fault: Fault, operation: Operation) -> Error {
    fault.during(operation).with_store(KeyutilsStore::NAME)
}
