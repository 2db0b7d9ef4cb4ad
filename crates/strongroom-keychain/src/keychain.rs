//! The operations that the store needs of a keychain, on plain data.

use strongroom_core::{EntryName, SecretBytes, ServiceName};

use crate::prompt_switch::{Mode, PromptSwitch};
use crate::status::Status;

/// A keychain, by the calls that Security.framework has for it.
pub(crate) trait Keychain: PromptSwitch + Send + Sync {
    /// Describes the keychain to the user.
    fn description(&self) -> String;

    /// Returns whether the keychain is locked. Fails if it does not exist. Shows no prompt.
    fn state(&self) -> Result<State, Status>;

    /// Adds an item. Fails with [`Status::DUPLICATE`] if it exists.
    fn add(&self, entry: &EntryName, value: &SecretBytes) -> Result<(), Status>;

    /// Replaces an item's value and leaves its attributes alone.
    fn update(&self, entry: &EntryName, value: &SecretBytes) -> Result<(), Status>;

    /// Reads an item's value.
    fn read(&self, entry: &EntryName, mode: Mode) -> Result<Vec<u8>, Status>;

    /// Finds an item by its attributes. Shows no prompt.
    fn find(&self, entry: &EntryName) -> Result<(), Status>;

    /// Returns the accounts of a service's items, from their attributes. Shows no prompt. Fails with
    /// [`Status::NOT_FOUND`] if there are none.
    fn accounts(&self, service: &ServiceName) -> Result<Vec<String>, Status>;

    /// Deletes an item.
    fn delete(&self, entry: &EntryName) -> Result<(), Status>;

    /// Returns whether the user can see a prompt of this process.
    fn has_screen(&self) -> bool;
}

/// The lock state of a keychain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Locked,
    Unlocked,
}

/// Returns an item's name in Keychain Access, and in the prompts that the system shows for it.
pub(crate) fn label(entry: &EntryName) -> String {
    format!("{}: {}", entry.service().as_str(), entry.user().as_str())
}

/// The kind of the store's items in Keychain Access, by which all of them can be found there.
pub(crate) const KIND: &str = "Strongroom entry";
