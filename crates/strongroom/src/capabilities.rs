//! What a vault can do, as plain data.

use crate::{Layout, SecretManager, blocking};

/// What a vault can do, which depends on how it lies in its store: see [`SecretManager::capabilities`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaultCapabilities {
    /// Whether provider, scope, expiry and times are kept beside the values. Where they are not, storing a secret
    /// that has a provider, a scope or an expiry is `Unsupported`, and none is listed with a time.
    pub keeps_metadata: bool,
    /// Whether a batch or a restore is one change: all of it, or none. Where it is not, it is made secret by
    /// secret, and what was done before a failure stays.
    pub is_atomic: bool,
    /// Whether reads are answered without asking the store, as long as nothing changed. Where they are not,
    /// each asks it, and sees at once what other programs changed there.
    pub is_cached: bool,
    /// Whether commits are counted. Where they are not, [`SecretManager::generation`] is `Unsupported`.
    pub counts_generations: bool,
    /// Whether [`SecretManager::subscribe`] tells what others change, too, and not this handle alone.
    pub tells_others_changes: bool,
}

impl VaultCapabilities {
    const fn of(layout: Layout) -> Self {
        let is_whole = !matches!(layout, Layout::Entries);
        Self {
            keeps_metadata: is_whole,
            is_atomic: is_whole,
            is_cached: is_whole,
            counts_generations: is_whole,
            tells_others_changes: is_whole,
        }
    }
}

impl SecretManager {
    /// What the vault can do, as it lies now. All of it, but in [`Layout::Entries`].
    ///
    /// ```
    /// use strongroom::{Backend, Layout, Config};
    ///
    /// let secrets = Config::new("example").backend(Backend::Memory);
    /// let secrets = secrets.layout(Layout::Entries).open_blocking()?;
    /// let provider = secrets.capabilities().keeps_metadata.then_some("openai");
    /// secrets.set_api_key("OPENAI_API_KEY", "sk-1", provider)?;
    /// # Ok::<(), strongroom::Error>(())
    /// ```
    pub fn capabilities(&self) -> VaultCapabilities {
        VaultCapabilities::of(self.layout())
    }
}

impl blocking::SecretManager {
    /// As [`SecretManager::capabilities`](crate::SecretManager::capabilities).
    pub fn capabilities(&self) -> VaultCapabilities {
        VaultCapabilities::of(self.layout())
    }
}
