//! A Keychain in memory that behaves as Apple documents the real one, with scripted statuses.
//!
//! - `SecItemAdd` of a service and account that exist returns `errSecDuplicateItem`; `SecItemUpdate`,
//!   `SecItemCopyMatching` and `SecItemDelete` of a missing item return `errSecItemNotFound` (Keychain
//!   Services, "Adding a password to the keychain", "Updating and deleting keychain items").
//! - Attributes can be read while the keychain is locked, without a prompt; values can't ("Searching
//!   for keychain items"). A search in a keychain whose file is missing finds nothing, and
//!   `SecKeychainGetStatus` says that it is missing (`KCCursor.cpp` in Apple's Security).
//! - Only the programs in an item's access list read its value without a prompt ("Access Control
//!   Lists"). Other programs may replace it: encryption is open to all (`Access::makeStandard`).
//! - With the switch for prompts off, a call that needs a prompt returns `errSecAuthFailed` (`Globals.cpp`,
//!   `acl_keychain.cpp`); without a screen to show it, `errSecInteractionNotAllowed` (`agentquery.cpp`).

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strongroom_core::{EntryName, ExposeSecret, SecretBytes, ServiceName};

use crate::keychain::{KIND, Keychain, State, label};
use crate::prompt_switch::{Mode, PromptSwitch, Turns};
use crate::status::Status;

/// A simulated Keychain. Clones are handles to the same Keychain.
#[derive(Clone)]
pub(crate) struct Simulated(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    turns: Turns,
}

/// The whole state of the Keychain, for tests to arrange and to inspect.
pub(crate) struct World {
    pub(crate) items: BTreeMap<EntryName, Item>,
    /// The status of a file that can't be used.
    pub(crate) broken: Option<Status>,
    pub(crate) locked: bool,
    pub(crate) screen: bool,
    /// The user's answers to the next prompts. After them, each answer is "Always Allow", or the right
    /// password.
    pub(crate) answers: VecDeque<Answer>,
    /// The number of prompts that were shown.
    pub(crate) prompts: usize,
    /// The calls so far, in order.
    pub(crate) calls: Vec<Call>,
    /// True if the switch for prompts is on.
    pub(crate) switch: bool,
    broken_switch: Option<Status>,
    interventions: VecDeque<(Call, Intervention)>,
}

/// An event right before a call: another process's work, or a status in place of the call.
type Intervention = Box<dyn FnOnce(&mut World) -> Result<(), Status> + Send>;

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) value: Vec<u8>,
    pub(crate) label: String,
    pub(crate) kind: String,
    /// True if this program is in the item's access list.
    pub(crate) trusts_us: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Allow,
    Cancel,
    WrongPassword,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Accounts,
    Add,
    Delete,
    Find,
    Read,
    Update,
}

impl Simulated {
    /// Creates an empty, unlocked Keychain on a desktop.
    pub(crate) fn new() -> Self {
        let world = World {
            items: BTreeMap::new(),
            broken: None,
            locked: false,
            screen: true,
            answers: VecDeque::new(),
            prompts: 0,
            calls: Vec::new(),
            switch: true,
            broken_switch: None,
            interventions: VecDeque::new(),
        };
        Self(Arc::new(Shared { world: Mutex::new(world), turns: Turns::new() }))
    }

    /// Locks the state and returns it.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` right before the next such call that has no intervention yet.
    pub(crate) fn before(&self, call: Call, work: impl FnOnce(&mut World) + Send + 'static) {
        let intervention: Intervention = Box::new(|world| {
            work(world);
            Ok(())
        });
        self.world().interventions.push_back((call, intervention));
    }

    /// Returns a status in place of the next such call that has no intervention yet.
    pub(crate) fn fail(&self, call: Call, status: i32) {
        let intervention: Intervention = Box::new(move |_| Err(Status(status)));
        self.world().interventions.push_back((call, intervention));
    }

    /// Makes the switch for prompts fail with a status when it is read or turned.
    pub(crate) fn break_switch(&self, status: Status) {
        self.world().broken_switch = Some(status);
    }

    /// Counts a call and lets the script intervene.
    fn enter(&self, call: Call) -> Result<MutexGuard<'_, World>, Status> {
        let mut world = self.world();
        world.calls.push(call);
        let position = world.interventions.iter().position(|(of, _)| *of == call);
        let next = position.and_then(|position| world.interventions.remove(position));
        if let Some((_, intervene)) = next {
            intervene(&mut world)?;
        }
        Ok(world)
    }
}

impl World {
    /// Adds an item as another program stores it.
    pub(crate) fn put_foreign(&mut self, entry: &EntryName, value: &str) {
        let item = Item {
            value: value.into(),
            label: "theirs".to_owned(),
            kind: String::new(),
            trusts_us: false,
        };
        self.items.insert(entry.clone(), item);
    }

    /// Returns the item, if a search finds it.
    fn item(&mut self, entry: &EntryName) -> Result<&mut Item, Status> {
        let found = if self.broken.is_none() { self.items.get_mut(entry) } else { None };
        found.ok_or(Status::NOT_FOUND)
    }

    /// Unlocks the keychain by a prompt, if the user agrees.
    fn unlock(&mut self) -> Result<(), Status> {
        if self.locked {
            self.ask()?;
            self.locked = false;
        }
        Ok(())
    }

    fn ask(&mut self) -> Result<(), Status> {
        if !self.switch {
            return Err(Status::AUTH_FAILED);
        }
        if !self.screen {
            return Err(Status::NO_INTERACTION);
        }
        self.prompts += 1;
        match self.answers.pop_front() {
            None | Some(Answer::Allow) => Ok(()),
            Some(Answer::Cancel) => Err(Status::CANCELED),
            Some(Answer::WrongPassword) => Err(Status::AUTH_FAILED),
        }
    }
}

impl Keychain for Simulated {
    fn description(&self) -> String {
        "a simulated keychain".to_owned()
    }

    fn state(&self) -> Result<State, Status> {
        let world = self.world();
        match world.broken {
            Some(status) => Err(status),
            None if world.locked => Ok(State::Locked),
            None => Ok(State::Unlocked),
        }
    }

    fn add(&self, entry: &EntryName, value: &SecretBytes) -> Result<(), Status> {
        let mut world = self.enter(Call::Add)?;
        if let Some(status) = world.broken {
            return Err(status);
        }
        world.unlock()?;
        if world.items.contains_key(entry) {
            return Err(Status::DUPLICATE);
        }
        let item = Item {
            value: value.expose_secret().to_vec(),
            label: label(entry),
            kind: KIND.to_owned(),
            trusts_us: true,
        };
        world.items.insert(entry.clone(), item);
        Ok(())
    }

    fn update(&self, entry: &EntryName, value: &SecretBytes) -> Result<(), Status> {
        let mut world = self.enter(Call::Update)?;
        world.item(entry)?;
        world.unlock()?;
        let bytes = value.expose_secret();
        // The real Keychain takes an update without bytes as no change of the value.
        if !bytes.is_empty() {
            world.item(entry)?.value = bytes.to_vec();
        }
        Ok(())
    }

    fn read(&self, entry: &EntryName, _mode: Mode) -> Result<Vec<u8>, Status> {
        let mut world = self.enter(Call::Read)?;
        world.item(entry)?;
        world.unlock()?;
        if !world.item(entry)?.trusts_us {
            world.ask()?;
            world.item(entry)?.trusts_us = true;
        }
        Ok(world.item(entry)?.value.clone())
    }

    fn find(&self, entry: &EntryName) -> Result<(), Status> {
        self.enter(Call::Find)?.item(entry).map(drop)
    }

    fn accounts(&self, service: &ServiceName) -> Result<Vec<String>, Status> {
        let world = self.enter(Call::Accounts)?;
        let ours = world.items.keys().filter(|entry| entry.service() == service);
        let accounts: Vec<_> = ours.map(|entry| entry.user().as_str().to_owned()).collect();
        if accounts.is_empty() || world.broken.is_some() {
            return Err(Status::NOT_FOUND);
        }
        Ok(accounts)
    }

    fn delete(&self, entry: &EntryName) -> Result<(), Status> {
        let mut world = self.enter(Call::Delete)?;
        world.item(entry)?;
        world.items.remove(entry);
        Ok(())
    }

    fn has_screen(&self) -> bool {
        self.world().screen
    }
}

impl PromptSwitch for Simulated {
    fn prompts_allowed(&self) -> Result<bool, Status> {
        let world = self.world();
        world.broken_switch.map_or(Ok(world.switch), Err)
    }

    fn allow_prompts(&self, allowed: bool) -> Result<(), Status> {
        let mut world = self.world();
        if let Some(status) = world.broken_switch {
            return Err(status);
        }
        world.switch = allowed;
        Ok(())
    }

    fn turns(&self) -> &Turns {
        &self.0.turns
    }
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulated")
            .field("items", &self.world().items.len())
            .finish_non_exhaustive()
    }
}
