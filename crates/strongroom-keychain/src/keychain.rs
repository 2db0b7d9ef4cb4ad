//! What the store needs of the Keychain, as plain data.

use std::fmt::Debug;

use strongroom_core::{EntryName, SecretBytes, ServiceName};

use crate::error::Status;
use crate::turns::{Mode, Turns};

/// One keychain, through the calls that Security.framework has for it.
pub(crate) trait Keychain: Debug + Send + Sync {
    /// What it is, in words for the user.
    fn description(&self) -> String;

    /// Whether it is locked. Fails if it is not there. Asks nobody.
    fn state(&self) -> Result<State, Status>;

    /// Adds an item, or fails with [`Status::DUPLICATE`].
    fn add(&self, entry: &EntryName, value: &SecretBytes) -> Result<(), Status>;

    /// Replaces an item's value and leaves all else of it alone.
    fn update(&self, entry: &EntryName, value: &SecretBytes) -> Result<(), Status>;

    /// Reads an item's value.
    fn read(&self, entry: &EntryName, mode: Mode) -> Result<Vec<u8>, Status>;

    /// Finds an item by its attributes. Asks nobody.
    fn find(&self, entry: &EntryName) -> Result<(), Status>;

    /// The accounts of a service's items, by their attributes. Asks nobody. Fails with
    /// [`Status::NOT_FOUND`] where there is none.
    fn accounts(&self, service: &ServiceName) -> Result<Vec<String>, Status>;

    /// Deletes an item.
    fn delete(&self, entry: &EntryName) -> Result<(), Status>;

    /// Whether somebody could see a prompt of this process.
    fn has_screen(&self) -> bool;

    /// Whether the switch for prompts is on; false as well where this keychain has none.
    fn prompts_allowed(&self) -> Result<bool, Status>;

    /// Turns the switch for prompts. In the whole process.
    fn allow_prompts(&self, allowed: bool) -> Result<(), Status>;

    /// Who uses the switch at the moment, in the whole process.
    fn turns(&self) -> &Turns;
}

/// Whether a keychain is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Locked,
    Unlocked,
}

/// An item's name in Keychain Access, and in the prompts that the system shows for it.
pub(crate) fn label(entry: &EntryName) -> String {
    format!("{}: {}", entry.service().as_str(), entry.user().as_str())
}

/// An item's kind in Keychain Access, by which all of ours can be found there.
pub(crate) const KIND: &str = "Strongroom entry";
