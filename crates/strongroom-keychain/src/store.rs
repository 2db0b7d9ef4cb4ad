//! The store, which keeps entries in the Keychain.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use strongroom_core::{
    Capabilities, EntryName, Error, Operation, Persistence, Probe, Result, SecretBytes,
    ServiceName, Store, WriteMode,
};

use crate::Config;
use crate::error::{Status, busy, from_status, locked, no_turn};
use crate::keychain::{Keychain, State};
use crate::payload;
use crate::turns::{Mode, Turn};

/// The number of attempts of a write, while other processes add and delete the same entry.
const ATTEMPTS: usize = 100;

/// A service without entries, to test whether the keychain can be searched.
const NOBODY: &str = "strongroom probe";

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

    /// Runs work that may make the Keychain prompt, under the prompt policy.
    ///
    /// The state is checked first. A search in a missing keychain finds nothing, as in an empty keychain
    /// (`KCCursorImpl::next` in Apple's Security), and a locked keychain refuses without a reason.
    fn ask<T>(
        &self,
        entry: &EntryName,
        operation: Operation,
        work: impl FnOnce(&dyn Keychain, Mode) -> std::result::Result<T, Status>,
    ) -> Result<T> {
        let (keychain, limit, mode) = (&*self.keychain, self.config.deadline, self.mode());
        let run = || {
            // Held for the whole operation, so that the switch does not change between its calls.
            let _turn = Turn::take(keychain, mode, limit)
                .map_err(|missed| no_turn(missed, limit, operation))?;
            let failed = |status| from_status(status, mode, operation);
            if keychain.state().map_err(failed)? == State::Locked && mode == Mode::Silent {
                return Err(locked(operation));
            }
            work(keychain, mode).map_err(failed)
        };
        run().map_err(|error: Error| error.with_entry(entry))
    }

    /// Runs work on attributes alone, which shows no prompt.
    fn look<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&dyn Keychain, State) -> std::result::Result<T, Status>,
    ) -> Result<T> {
        let searched = self.keychain.state().and_then(|state| work(&*self.keychain, state));
        // `Mode::Asking`, so that no status is taken for a suppressed prompt.
        searched.map_err(|status| from_status(status, Mode::Asking, operation))
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
        let nobody = ServiceName::new(NOBODY)?;
        let state = self.look(Operation::Probe, |keychain, state| {
            // Only a search reveals that an entitlement is missing.
            found(keychain.accounts(&nobody)).map(|_| state)
        })?;
        match state {
            State::Locked => Err(locked(Operation::Probe)),
            State::Unlocked => Ok(Probe::new(self.keychain.description())),
        }
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        let stored =
            self.ask(entry, Operation::Get, |keychain, mode| found(keychain.read(entry, mode)))?;
        Ok(stored.map(payload::decode))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        let stored = payload::encode(value);
        let written = self.ask(entry, Operation::Set, |keychain, _| match mode {
            WriteMode::CreateNew => keychain.add(entry, &stored).map(Some),
            _ => overwrite(keychain, entry, &stored),
        })?;
        written.ok_or_else(|| busy(Operation::Set).with_entry(entry))
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        self.ask(entry, Operation::Delete, |keychain, _| {
            found(keychain.delete(entry)).map(|deleted| deleted.is_some())
        })
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        let item = self.look(Operation::Exists, |keychain, _| found(keychain.find(entry)));
        item.map(|item| item.is_some()).map_err(|error| error.with_entry(entry))
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        let accounts =
            self.look(Operation::List, |keychain, _| found(keychain.accounts(service)))?;
        // Another program's item whose account is not a valid user name is no entry.
        let entry = |account| EntryName::new(service.as_str(), account).ok();
        Ok(accounts.unwrap_or_default().into_iter().filter_map(entry).collect())
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
) -> std::result::Result<Option<()>, Status> {
    for _ in 0..ATTEMPTS {
        if let Some(()) = found(keychain.update(entry, value))? {
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
fn found<T>(outcome: std::result::Result<T, Status>) -> std::result::Result<Option<T>, Status> {
    match outcome {
        Ok(it) => Ok(Some(it)),
        Err(status) if status.is_gone() => Ok(None),
        Err(status) => Err(status),
    }
}
