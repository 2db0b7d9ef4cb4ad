//! The store, which keeps entries in the Keychain.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use strongroom_core::{
    Capabilities, EntryName, Error, Fault, Operation, Persistence, Probe, Result, SecretBytes,
    ServiceName, Store, WriteMode,
};

use crate::Config;
use crate::error::{busy, from_status, locked, no_turn};
use crate::keychain::{Keychain, State};
use crate::payload;
use crate::prompt_switch::{Mode, Turn};
use crate::status::Status;

/// The number of attempts of a write, while other processes add and delete the same entry.
const ATTEMPTS: usize = 100;

/// A service without entries, to test whether the keychain can be searched.
const PROBE_SERVICE: &str = "strongroom probe";

/// The macOS Keychain.
///
/// Holds no state: all stores, threads and processes of one user see the same entries.
#[derive(Clone, Debug)]
pub struct KeychainStore {
    config: Config,
    keychain: Arc<dyn Keychain>,
}

impl KeychainStore {
    /// The store's name.
    pub const NAME: &str = "keychain";

    /// Creates a store with these settings. Makes no call to the Keychain.
    #[cfg(target_os = "macos")]
    pub fn new(config: Config) -> Self {
        let keychain = Arc::new(crate::mac::MacKeychain::new(config.keychain.clone()));
        Self { config, keychain }
    }

    fn mode(&self) -> Mode {
        if self.config.prompt.allows(self.keychain.has_screen()) {
            Mode::Asking
        } else {
            Mode::Silent
        }
    }

    fn read(&self, entry: &EntryName) -> Result<Option<SecretBytes>, Fault> {
        let stored = self.run_on_values(|keychain, mode| optional(keychain.read(entry, mode)))?;
        Ok(stored.map(payload::decode))
    }

    fn write(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<(), Fault> {
        let stored = payload::encode(value);
        let written = self.run_on_values(|keychain, _| match mode {
            WriteMode::CreateNew => keychain.add(entry, &stored).map(Some),
            _ => overwrite(keychain, entry, &stored),
        })?;
        written.ok_or_else(busy)
    }

    fn accounts(&self, service: &ServiceName) -> Result<Vec<String>, Fault> {
        let accounts =
            self.run_on_attributes(|keychain, _| optional(keychain.accounts(service)))?;
        Ok(accounts.unwrap_or_default())
    }

    /// Checks that the keychain can be searched and is unlocked. Only a search reveals that an entitlement is
    /// missing.
    fn check_access(&self, service: &ServiceName) -> Result<(), Fault> {
        let state = self.run_on_attributes(|keychain, state| {
            optional(keychain.accounts(service)).map(|_| state)
        })?;
        match state {
            State::Locked => Err(locked()),
            State::Unlocked => Ok(()),
        }
    }

    /// Runs work that may make the Keychain prompt, under the prompt policy.
    ///
    /// The state is checked first. A search in a missing keychain finds nothing, as in an empty keychain
    /// (`KCCursorImpl::next` in Apple's Security), and a locked keychain refuses without a reason.
    fn run_on_values<T>(
        &self,
        work: impl FnOnce(&dyn Keychain, Mode) -> Result<T, Status>,
    ) -> Result<T, Fault> {
        let (keychain, limit, mode) = (&*self.keychain, self.config.deadline, self.mode());
        // Held for the whole operation, so that the switch does not change between its calls.
        let _turn = Turn::take(keychain, mode, limit).map_err(|reason| no_turn(reason, limit))?;
        let state = keychain.state().map_err(|status| from_status(status, mode))?;
        if state == State::Locked && mode == Mode::Silent {
            return Err(locked());
        }
        work(keychain, mode).map_err(|status| from_status(status, mode))
    }

    /// Runs work on attributes alone, which shows no prompt.
    fn run_on_attributes<T>(
        &self,
        work: impl FnOnce(&dyn Keychain, State) -> Result<T, Status>,
    ) -> Result<T, Fault> {
        let result = self.keychain.state().and_then(|state| work(&*self.keychain, state));
        // `Mode::Asking`, so that no status is taken for a suppressed prompt.
        result.map_err(|status| from_status(status, Mode::Asking))
    }
}

impl Store for KeychainStore {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Persistence::Permanent).with_binary_safe().with_list().with_prompts()
    }

    fn probe(&self) -> Result<Probe> {
        let service = ServiceName::new(PROBE_SERVICE)?;
        self.check_access(&service).map_err(|fault| error(fault, Operation::Probe))?;
        Ok(Probe::new(self.keychain.description()))
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        self.read(entry).map_err(during(Operation::Get, entry))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        self.write(entry, value, mode).map_err(during(Operation::Set, entry))
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        let deleted = self.run_on_values(|keychain, _| optional(keychain.delete(entry)));
        Ok(deleted.map_err(during(Operation::Delete, entry))?.is_some())
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        let item = self.run_on_attributes(|keychain, _| optional(keychain.find(entry)));
        Ok(item.map_err(during(Operation::Exists, entry))?.is_some())
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        let accounts = self.accounts(service).map_err(|fault| error(fault, Operation::List))?;
        let entries = accounts.into_iter().map(|account| EntryName::new(service.as_str(), account));
        // Another program's item whose account is not a valid user name is no entry.
        Ok(entries.filter_map(Result::ok).collect())
    }
}

/// Updates the item, or adds it if it is missing; `None` if other processes got in between at each attempt.
///
/// The update comes first, since most writes are to existing items. It keeps the list of programs that the
/// user trusts with the item, which deleting and adding would not.
fn overwrite(
    keychain: &dyn Keychain,
    entry: &EntryName,
    value: &SecretBytes,
) -> Result<Option<()>, Status> {
    for _ in 0..ATTEMPTS {
        if let Some(()) = optional(keychain.update(entry, value))? {
            return Ok(Some(()));
        }
        match keychain.add(entry, value) {
            // Another process added the item after the update missed it.
            Err(Status::DUPLICATE) => {}
            added => return added.map(Some),
        }
    }
    Ok(None)
}

/// Returns the result of a call; `None` if the item does not exist.
fn optional<T>(outcome: Result<T, Status>) -> Result<Option<T>, Status> {
    match outcome {
        Ok(it) => Ok(Some(it)),
        Err(status) if status.is_gone() => Ok(None),
        Err(status) => Err(status),
    }
}

/// Returns the conversion of a fault to the error of an operation on an entry.
fn during(operation: Operation, entry: &EntryName) -> impl Fn(Fault) -> Error {
    move |fault| error(fault, operation).with_entry(entry)
}

fn error(fault: Fault, operation: Operation) -> Error {
    fault.during(operation).with_store(KeychainStore::NAME)
}
