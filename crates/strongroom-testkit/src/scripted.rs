//! A Secret Service whose behaviour a test scripts: slow, hung, locked, prompting,
//! forgetful, or with the bugs of real providers.
//!
//! The service has a thread and a connection of its own. It serves calls concurrently:
//! a hung call does not delay other calls.

mod call;
mod collection;
mod dh;
mod item;
mod prompt;
mod properties;
mod run;
mod script;
mod service;
mod session;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use script::{DhBehaviour, LockedReads, LockedWrites, PromptBehaviour, Script};

use run::Run;
use state::{COLLECTIONS, NewItem, Shared};

/// An item as the service stores it.
#[derive(Clone, PartialEq, Eq)]
pub struct ItemView {
    /// The item's object path.
    pub path: String,
    /// The object path of its collection.
    pub collection: String,
    /// The label that a keyring manager shows.
    pub label: String,
    /// The attributes that searches match.
    pub attributes: BTreeMap<String, String>,
    /// The decrypted value.
    pub secret: Vec<u8>,
    /// The content type of the value, as the client gave it.
    pub content_type: String,
}

impl ItemView {
    fn new(path: &str, item: &state::Item) -> Self {
        Self {
            path: path.to_owned(),
            collection: item.collection.clone(),
            label: item.label.clone(),
            attributes: item.attributes.clone(),
            secret: item.secret.clone(),
            content_type: item.content_type.clone(),
        }
    }
}

impl fmt::Debug for ItemView {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the secret.
        formatter
            .debug_struct("ItemView")
            .field("path", &self.path)
            .field("label", &self.label)
            .field("attributes", &self.attributes)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// A scripted Secret Service. It leaves the bus when it is dropped.
pub struct ScriptedService {
    address: String,
    shared: Arc<Shared>,
    run: Mutex<Option<Run>>,
}

impl fmt::Debug for ScriptedService {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ScriptedService")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl ScriptedService {
    /// Starts a service. It owns `org.freedesktop.secrets` on this bus when the function returns.
    ///
    /// # Errors
    ///
    /// If the bus can't be reached, or another connection owns the name and keeps it for two seconds.
    pub fn start(bus_address: &str, script: Script) -> zbus::Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.with(|state| {
            state.script = script;
            state.settle();
        });
        let run = Run::start(bus_address, &shared)?;
        Ok(Self { address: bus_address.into(), shared, run: Mutex::new(Some(run)) })
    }

    /// Changes the script while the service runs. The change applies to calls that arrive later.
    pub fn set(&self, change: impl FnOnce(&mut Script)) {
        self.shared.with(|state| {
            change(&mut state.script);
            state.settle();
        });
    }

    /// Returns the current script. Calls change it: `locked`, `no_default_collection`, and the counts in `dh`.
    pub fn script(&self) -> Script {
        self.shared.with(|state| state.script.clone())
    }

    /// Returns the names of the calls so far, in order, as in [`Script`]. They contain no values.
    pub fn calls(&self) -> Vec<String> {
        self.shared.with(|state| state.calls.clone())
    }

    /// Clears the list of calls.
    pub fn clear_calls(&self) {
        self.shared.with(|state| state.calls.clear());
    }

    /// Waits until a call of this name has arrived `count` times. Returns false at the deadline.
    pub fn wait_for_call(&self, name: &str, count: usize, patience: Duration) -> bool {
        self.shared.wait_for_calls(patience, |calls| {
            calls.iter().filter(|call| *call == name).count() >= count
        })
    }

    /// Returns all items, sorted by collection, the oldest first.
    pub fn items(&self) -> Vec<ItemView> {
        self.shared.with(|state| {
            state.items.iter().map(|(path, item)| ItemView::new(path, item)).collect()
        })
    }

    /// Stores an item without a client. Returns its path. The collection is an object path or
    /// its last part (`login`), and is created if it does not exist.
    pub fn add_item(
        &self,
        collection: &str,
        label: &str,
        attributes: &[(&str, &str)],
        secret: impl Into<Vec<u8>>,
    ) -> String {
        let path = match collection.strip_prefix('/') {
            Some(_) => collection.to_owned(),
            None => format!("{COLLECTIONS}{collection}"),
        };
        let attributes = attributes.iter().copied();
        let item = NewItem {
            collection: path.clone(),
            label: label.into(),
            attributes: attributes.map(|(name, value)| (name.into(), value.into())).collect(),
            secret: secret.into(),
            content_type: "text/plain".into(),
        };
        self.shared.with(|state| {
            state.ensure_collection(&path, collection);
            state.store(item, false)
        })
    }

    /// Gives a collection an alias. The collection is the last part of its path (`login`), and is created if it does not exist.
    pub fn set_alias(&self, alias: &str, collection: &str) {
        let path = format!("{COLLECTIONS}{collection}");
        self.shared.with(|state| {
            state.ensure_collection(&path, collection);
            state.aliases.insert(alias.to_owned(), path);
        });
    }

    /// Ends all sessions: later calls that use them answer `NoSession`.
    pub fn forget_sessions(&self) {
        self.shared.with(|state| state.sessions.clear());
    }

    /// Carries out and answers the calls that hang at this moment. Later calls hang again.
    pub fn answer_hung(&self) {
        self.shared.release_hung();
    }

    /// Returns whether the service has crashed because of
    /// [`crash_on_concurrent_open_session`](Script::crash_on_concurrent_open_session).
    pub fn crashed(&self) -> bool {
        self.shared.with(|state| state.crashed)
    }

    /// Leaves the bus. When the function returns the name is free and the thread has ended. Hung calls
    /// are never answered. Items and script stay.
    pub fn leave(&self) {
        if let Some(run) = self.running().take() {
            run.end();
        }
    }

    /// Leaves the bus and starts again, as a new process would: with the same items and script, but
    /// without sessions and prompts.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn restart(&self) -> zbus::Result<()> {
        self.leave();
        self.shared.with(state::State::restarted);
        *self.running() = Some(Run::start(&self.address, &self.shared)?);
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, Option<Run>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ScriptedService {
    fn drop(&mut self) {
        self.leave();
    }
}
