//! The Keychain of this Mac.

use std::sync::Arc;

use core_foundation::data::CFData;
use security_framework::base::Error;
use security_framework::item::{
    ItemAddOptions, ItemAddValue, ItemClass, ItemSearchOptions, ItemUpdateOptions, ItemUpdateValue,
    Limit, Location, SearchResult, update_item,
};
use security_framework::os::macos::keychain::SecKeychain;
use strongroom_core::{EntryName, ExposeSecret, SecretBytes, ServiceName, secret_copy};

use crate::KeychainChoice;
use crate::keychain::{KIND, Keychain, State, label};
use crate::prompt_switch::{Mode, PromptSwitch, Turns};
use crate::status::Status;
use crate::sys;

/// The turns at this process's switch for prompts.
static TURNS: Turns = Turns::new();

/// The chosen keychain. It is looked up at each call, since the user may choose another default keychain.
#[derive(Debug)]
pub(crate) struct MacKeychain {
    choice: KeychainChoice,
}

/// A value that is passed to Security.framework, wiped when the framework releases it.
struct Value(SecretBytes);

impl MacKeychain {
    pub(crate) fn new(choice: KeychainChoice) -> Self {
        Self { choice }
    }

    /// Returns the keychain in a file; `None` for the data-protection keychain.
    fn file_keychain(&self) -> Result<Option<SecKeychain>, Status> {
        Ok(match &self.choice {
            KeychainChoice::Login => Some(SecKeychain::default()?),
            KeychainChoice::File(path) => Some(SecKeychain::open(path)?),
            KeychainChoice::DataProtection { .. } => None,
        })
    }

    fn is_data_protection(&self) -> bool {
        matches!(self.choice, KeychainChoice::DataProtection { .. })
    }

    fn access_group(&self) -> Option<&str> {
        match &self.choice {
            KeychainChoice::DataProtection { access_group } => access_group.as_deref(),
            _ => None,
        }
    }

    /// Creates a search in this keychain alone.
    fn search(&self, service: &ServiceName) -> Result<ItemSearchOptions, Status> {
        let mut search = ItemSearchOptions::new();
        search.class(ItemClass::generic_password()).service(service.as_str());
        match self.file_keychain()? {
            Some(keychain) => search.keychains(&[keychain]),
            None => search.ignore_legacy_keychains(),
        };
        if let Some(group) = self.access_group() {
            search.access_group(group);
        }
        Ok(search)
    }

    fn search_entry(&self, entry: &EntryName) -> Result<ItemSearchOptions, Status> {
        let mut search = self.search(entry.service())?;
        search.account(entry.user().as_str());
        Ok(search)
    }
}

impl Keychain for MacKeychain {
    fn description(&self) -> String {
        match &self.choice {
            KeychainChoice::Login => "the user's default keychain".to_owned(),
            KeychainChoice::File(path) => format!("the keychain in {}", path.display()),
            KeychainChoice::DataProtection { .. } => "the data-protection keychain".to_owned(),
        }
    }

    fn state(&self) -> Result<State, Status> {
        match self.file_keychain()? {
            Some(keychain) if !sys::is_unlocked(&keychain)? => Ok(State::Locked),
            _ => Ok(State::Unlocked),
        }
    }

    fn add(&self, entry: &EntryName, value: &SecretBytes) -> Result<(), Status> {
        let (class, data) = (ItemClass::generic_password(), data(value));
        let mut item = ItemAddOptions::new(ItemAddValue::Data { class, data });
        item.set_service(entry.service().as_str())
            .set_account_name(entry.user().as_str())
            .set_label(label(entry))
            .set_description(KIND)
            .set_location(match self.file_keychain()? {
                Some(keychain) => Location::FileKeychain(keychain),
                None => Location::DataProtectionKeychain,
            });
        if let Some(group) = self.access_group() {
            item.set_access_group(group);
        }
        Ok(item.add()?)
    }

    fn update(&self, entry: &EntryName, value: &SecretBytes) -> Result<(), Status> {
        let mut change = ItemUpdateOptions::new();
        change.set_value(ItemUpdateValue::Data(data(value)));
        Ok(update_item(&self.search_entry(entry)?, &change)?)
    }

    fn read(&self, entry: &EntryName, mode: Mode) -> Result<Vec<u8>, Status> {
        let mut search = self.search_entry(entry)?;
        search.load_data(true);
        // The switch for prompts does not affect the data-protection keychain.
        let skips = mode == Mode::Silent && self.is_data_protection();
        search.skip_authenticated_items(skips);
        match search.search() {
            Ok(results) => results.into_iter().find_map(bytes).ok_or(Status::INTERNAL),
            // An item that the search skipped does exist.
            Err(error) if skips && Status::from(error).is_gone() && self.find(entry).is_ok() => {
                Err(Status::NO_INTERACTION)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn find(&self, entry: &EntryName) -> Result<(), Status> {
        self.search_entry(entry)?.load_attributes(true).search()?;
        Ok(())
    }

    fn accounts(&self, service: &ServiceName) -> Result<Vec<String>, Status> {
        let found = self.search(service)?.load_attributes(true).limit(Limit::All).search()?;
        Ok(found.iter().filter_map(account).collect())
    }

    fn delete(&self, entry: &EntryName) -> Result<(), Status> {
        Ok(self.search_entry(entry)?.delete()?)
    }

    fn has_screen(&self) -> bool {
        sys::has_graphic_access()
    }
}

impl PromptSwitch for MacKeychain {
    fn prompts_allowed(&self) -> Result<bool, Status> {
        Ok(!self.is_data_protection() && SecKeychain::user_interaction_allowed()?)
    }

    fn allow_prompts(&self, allowed: bool) -> Result<(), Status> {
        sys::allow_prompts(allowed)
    }

    fn turns(&self) -> &Turns {
        &TURNS
    }
}

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Self(error.code())
    }
}

fn data(value: &SecretBytes) -> CFData {
    // Core Foundation frees its memory without wiping it, so it gets a reference to a value that wipes
    // itself.
    CFData::from_arc(Arc::new(Value(secret_copy(value.expose_secret()))))
}

fn bytes(result: SearchResult) -> Option<Vec<u8>> {
    match result {
        SearchResult::Data(bytes) => Some(bytes),
        _ => None,
    }
}

fn account(result: &SearchResult) -> Option<String> {
    match result {
        SearchResult::Dict(attributes) => sys::account(attributes),
        _ => None,
    }
}
