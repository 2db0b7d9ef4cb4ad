//! How a store is set up.

use std::path::PathBuf;
use std::time::Duration;

use strongroom_core::{Deadlines, PromptPolicy};

/// Which keychain, whether it may ask, and how long to wait for others who ask.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Config {
    /// The keychain that holds the entries: the user's default one, unless another is named.
    pub keychain: KeychainChoice,
    /// Whether the Keychain may ask the user.
    pub prompt: PromptPolicy,
    /// How long a call that must not ask waits for other threads' prompts, and the other way round:
    /// [`Deadlines::call`] by default.
    pub deadline: Duration,
}

/// Which keychain holds the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeychainChoice {
    /// The user's default keychain: the login keychain, unless the user chose another.
    #[default]
    Login,
    /// The keychain in this file, as `security create-keychain` makes one. It need not be in the user's
    /// search list.
    File(PathBuf),
    /// The data-protection keychain, for programs that are signed with an entitlement to it.
    DataProtection {
        /// The keychain access group that holds the entries; `None` is the program's first one.
        access_group: Option<String>,
    },
}

impl Config {
    /// The same, with entries in this keychain.
    pub fn with_keychain(mut self, keychain: KeychainChoice) -> Self {
        self.keychain = keychain;
        self
    }

    /// The same, under this prompt policy.
    pub fn with_prompt(mut self, prompt: PromptPolicy) -> Self {
        self.prompt = prompt;
        self
    }

    /// The same, waiting this long for other threads' prompts.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keychain: KeychainChoice::default(),
            prompt: PromptPolicy::default(),
            deadline: Deadlines::default().call,
        }
    }
}
