//! The store's settings.

use std::path::PathBuf;
use std::time::Duration;

use strongroom_core::{Deadlines, PromptPolicy};

/// The settings of a [`KeychainStore`](crate::KeychainStore).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Config {
    /// The keychain that holds the entries; the user's default keychain by default.
    pub keychain: KeychainChoice,
    /// The prompt policy.
    pub prompt: PromptPolicy,
    /// The longest time that a call that must not prompt waits for calls of other threads that may, and the
    /// other way round. [`Deadlines::call`] by default.
    pub deadline: Duration,
}

/// The keychain that holds the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeychainChoice {
    /// The user's default keychain: the login keychain, unless the user chose another.
    #[default]
    Login,
    /// The keychain in this file, such as `security create-keychain` creates. It need not be in the user's
    /// search list.
    File(PathBuf),
    /// The data-protection keychain, for programs that are signed with an entitlement to it.
    DataProtection {
        /// The keychain access group that holds the entries; `None` is the program's first group.
        access_group: Option<String>,
    },
}

impl Config {
    /// Sets the keychain that holds the entries.
    pub fn with_keychain(mut self, keychain: KeychainChoice) -> Self {
        self.keychain = keychain;
        self
    }

    /// Sets the prompt policy.
    pub fn with_prompt(mut self, prompt: PromptPolicy) -> Self {
        self.prompt = prompt;
        self
    }

    /// Sets the longest wait for calls of other threads.
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
