//! The state of the service, shared between its thread and the test's thread.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use zruntime::Event;

use super::call::Failure;
use super::prompt::Pending;
use super::script::Script;
use super::session::Session;

/// The object path of the service.
pub(super) const ROOT: &str = "/org/freedesktop/secrets";
/// The prefix of the object paths of collections.
pub(super) const COLLECTIONS: &str = "/org/freedesktop/secrets/collection/";
/// The prefix of the object paths of collections under their aliases.
pub(super) const ALIASES: &str = "/org/freedesktop/secrets/aliases/";

/// A collection, without its items.
pub(super) struct Collection {
    pub(super) label: String,
    pub(super) created: u64,
    pub(super) modified: u64,
}

/// An item as it is stored.
pub(super) struct Item {
    pub(super) collection: String,
    pub(super) label: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) secret: Vec<u8>,
    pub(super) content_type: String,
    pub(super) created: u64,
    pub(super) modified: u64,
}

/// An item as a client sends it.
pub(super) struct NewItem {
    pub(super) collection: String,
    pub(super) label: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) secret: Vec<u8>,
    pub(super) content_type: String,
}

/// The state of the service.
#[derive(Default)]
pub(super) struct State {
    pub(super) script: Script,
    pub(super) calls: Vec<String>,
    pub(super) collections: BTreeMap<String, Collection>,
    pub(super) items: BTreeMap<String, Item>,
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) prompts: BTreeMap<String, Pending>,
    /// The prompt of an Unlock has completed, which ends `locked_property_lies`.
    pub(super) unlock_seen: bool,
    /// The number of `OpenSession` calls without an answer.
    pub(super) opening: u32,
    pub(super) crashed: bool,
    numbers: u64,
}

impl State {
    /// Creates the default collection, unless the script excludes it.
    pub(super) fn settle(&mut self) {
        if !self.script.no_default_collection && !self.aliases.contains_key("default") {
            let path = format!("{COLLECTIONS}login");
            self.ensure_collection(&path, "Login");
            self.aliases.insert("default".into(), path);
        }
    }

    /// Clears the state that ends with a provider's process.
    pub(super) fn restarted(&mut self) {
        self.sessions.clear();
        self.prompts.clear();
        self.unlock_seen = false;
        self.opening = 0;
        self.crashed = false;
    }

    /// Returns an unused number of fixed width, so that paths sort by age.
    pub(super) fn number(&mut self) -> String {
        self.numbers += 1;
        format!("{:06}", self.numbers)
    }

    pub(super) fn ensure_collection(&mut self, path: &str, label: &str) {
        let now = now();
        self.collections.entry(path.into()).or_insert_with(|| Collection {
            label: label.into(),
            created: now,
            modified: now,
        });
    }

    /// Returns the path of the collection behind an alias.
    pub(super) fn alias(&self, name: &str) -> Option<&String> {
        if name == "default" && self.script.no_default_collection {
            return None;
        }
        self.aliases.get(name).filter(|path| self.collections.contains_key(*path))
    }

    /// Returns the path of a collection, given its path or the path of an alias.
    pub(super) fn collection(&self, path: &str) -> Result<String, Failure> {
        let real = match path.strip_prefix(ALIASES) {
            Some(name) => self.alias(name).map(String::as_str),
            None => Some(path),
        };
        real.filter(|path| self.collections.contains_key(*path))
            .map(Into::into)
            .ok_or_else(|| Failure::no_such_object(path))
    }

    pub(super) fn item(&mut self, path: &str) -> Result<&mut Item, Failure> {
        self.items.get_mut(path).ok_or_else(|| Failure::no_such_object(path))
    }

    /// Returns the value of the `Locked` properties. It can be wrong with `locked_property_lies`.
    pub(super) fn shown_as_locked(&self) -> bool {
        self.script.locked || (self.script.locked_property_lies && !self.unlock_seen)
    }

    /// Returns the paths of the items that have at least these attributes.
    pub(super) fn search(
        &self,
        collection: Option<&str>,
        attributes: &BTreeMap<String, String>,
    ) -> Vec<String> {
        let found = self.items.iter().filter(|(_, item)| {
            collection.is_none_or(|path| item.collection == path)
                && attributes.iter().all(|(name, value)| item.attributes.get(name) == Some(value))
        });
        found.map(|(path, _)| path.clone()).collect()
    }

    /// Returns the path of the item with exactly these attributes: `CreateItem` with `replace` replaces it.
    pub(super) fn twin(&self, new: &NewItem) -> Option<String> {
        let mut found = self.items.iter().filter(|(_, item)| {
            item.collection == new.collection && item.attributes == new.attributes
        });
        found.next().map(|(path, _)| path.clone())
    }

    /// Stores an item. Returns its path.
    pub(super) fn store(&mut self, new: NewItem, replace: bool) -> String {
        let twin = if replace { self.twin(&new) } else { None };
        let path = twin.unwrap_or_else(|| format!("{}/{}", new.collection, self.number()));
        let now = now();
        if let Some(collection) = self.collections.get_mut(&new.collection) {
            collection.modified = now;
        }
        let created = self.items.get(&path).map_or(now, |item| item.created);
        let item = Item {
            collection: new.collection,
            label: new.label,
            attributes: new.attributes,
            secret: new.secret,
            content_type: new.content_type,
            created,
            modified: now,
        };
        self.items.insert(path.clone(), item);
        path
    }

    /// Returns the secret as it is stored, damaged if the script demands it.
    pub(super) fn as_stored(&self, mut secret: Vec<u8>, content_type: &str) -> Vec<u8> {
        if self.script.damage_high_bytes && !content_type.starts_with("text/") {
            for byte in secret.iter_mut().filter(|byte| **byte >= 0x80) {
                *byte = b'?';
            }
        }
        secret
    }
}

/// Returns the time in seconds since the Unix epoch.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs())
}

/// The state, and the events to wait for calls and releases.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    called: Condvar,
    releases: AtomicU64,
    released: Event,
}

impl Shared {
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a closure of the test fails the test, and must not stop the thread of the service.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a call to the list of calls.
    pub(super) fn log(&self, name: &str) {
        self.with(|state| state.calls.push(name.into()));
        self.called.notify_all();
    }

    /// Waits until the calls so far satisfy `enough`. Returns false at the deadline.
    pub(super) fn wait_for_calls(
        &self,
        patience: Duration,
        enough: impl Fn(&[String]) -> bool,
    ) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        while !enough(&state.calls) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.called.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Returns the number of releases of hung calls.
    pub(super) fn releases(&self) -> u64 {
        self.releases.load(Ordering::Acquire)
    }

    pub(super) fn release_hung(&self) {
        self.releases.fetch_add(1, Ordering::AcqRel);
        self.released.notify(usize::MAX);
    }

    /// Waits until there are more than `arrived` releases.
    pub(super) async fn hang(&self, arrived: u64) {
        loop {
            // Listening comes before the check, so that no release in between is missed.
            let listener = self.released.listen();
            if self.releases() > arrived {
                return;
            }
            listener.await;
        }
    }
}
