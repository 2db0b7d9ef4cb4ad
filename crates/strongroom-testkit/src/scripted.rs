//! A Secret Service of our own whose behaviour a test scripts: late, hung, locked, prompting,
//! forgetful, or wrong in the ways in which real providers are wrong.
//!
//! It runs on a thread of its own, with a connection of its own, and serves every call side by
//! side: a call that hangs holds up no other.

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

/// An item as the service holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct ItemView {
    /// The item's object path.
    pub path: String,
    /// The object path of its collection.
    pub collection: String,
    /// What a person sees.
    pub label: String,
    /// What it is found by.
    pub attributes: BTreeMap<String, String>,
    /// The value, decrypted.
    pub secret: Vec<u8>,
    /// What the client said that the value is.
    pub content_type: String,
}

impl fmt::Debug for ItemView {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ItemView")
            .field("path", &self.path)
            .field("label", &self.label)
            .field("attributes", &self.attributes)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// A scripted Secret Service, which leaves the bus when it is dropped.
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
    /// Starts a service, which owns `org.freedesktop.secrets` on this bus when this returns.
    ///
    /// # Errors
    ///
    /// The bus can't be reached, or somebody else owns the name and keeps it for two seconds.
    pub fn start(bus_address: &str, script: Script) -> zbus::Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.with(|state| {
            state.script = script;
            state.settle();
        });
        let run = Run::start(bus_address, &shared)?;
        Ok(Self { address: bus_address.into(), shared, run: Mutex::new(Some(run)) })
    }

    /// Changes the script while the service runs; calls that arrive later see the change.
    pub fn set(&self, change: impl FnOnce(&mut Script)) {
        self.shared.with(|state| {
            change(&mut state.script);
            state.settle();
        });
    }

    /// The script as it is now, with what calls changed in it: `locked`, and what counts down.
    pub fn script(&self) -> Script {
        self.shared.with(|state| state.script.clone())
    }

    /// The calls that arrived so far, in order, by the names that [`Script`] uses; never values.
    pub fn calls(&self) -> Vec<String> {
        self.shared.with(|state| state.calls.clone())
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.shared.with(|state| state.calls.clear());
    }

    /// Waits until a call of this name has arrived `count` times; false if it doesn't in time.
    pub fn wait_for_call(&self, name: &str, count: usize, patience: Duration) -> bool {
        self.shared.wait_for_calls(patience, |calls| {
            calls.iter().filter(|call| *call == name).count() >= count
        })
    }

    /// What is stored, oldest first in each collection.
    pub fn items(&self) -> Vec<ItemView> {
        self.shared.with(|state| {
            let view = |(path, item): (&String, &state::Item)| ItemView {
                path: path.clone(),
                collection: item.collection.clone(),
                label: item.label.clone(),
                attributes: item.attributes.clone(),
                secret: item.secret.clone(),
                content_type: item.content_type.clone(),
            };
            state.items.iter().map(view).collect()
        })
    }

    /// Stores an item without a client, and tells its path. The collection is an object path or
    /// its last part (`login`), and is made if it isn't there.
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
        let owned = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
        let item = NewItem {
            collection: path.clone(),
            label: label.into(),
            attributes: attributes.iter().map(owned).collect(),
            secret: secret.into(),
            content_type: "text/plain".into(),
        };
        self.shared.with(|state| {
            state.ensure_collection(&path, collection);
            state.store(item, false)
        })
    }

    /// Gives a collection an alias. It is named as in [`add_item`](Self::add_item), and made if it isn't
    /// there.
    pub fn set_alias(&self, alias: &str, collection: &str) {
        let path = format!("{COLLECTIONS}{collection}");
        self.shared.with(|state| {
            state.ensure_collection(&path, collection);
            state.aliases.insert(alias.to_owned(), path);
        });
    }

    /// Ends all sessions: what uses one of them answers `NoSession`.
    pub fn forget_sessions(&self) {
        self.shared.with(|state| state.sessions.clear());
    }

    /// Lets the calls that hang now be carried out and answered. Later ones hang again.
    pub fn answer_hung(&self) {
        self.shared.release_hung();
    }

    /// Whether the service has crashed, as
    /// [`crash_on_concurrent_open_session`](Script::crash_on_concurrent_open_session) makes it.
    pub fn crashed(&self) -> bool {
        self.shared.with(|state| state.crashed)
    }

    /// Leaves the bus: the name is free and the thread has ended when this returns, and calls that
    /// hang never get an answer. Items and the script stay.
    pub fn leave(&self) {
        if let Some(run) = self.running().take() {
            run.end();
        }
    }

    /// Leaves, and comes back as a new process would: the same items and script, no sessions, no
    /// prompts.
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
