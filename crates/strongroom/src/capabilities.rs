//! The capabilities of a vault, as plain data.

use crate::{Layout, SecretManager, blocking};

/// The capabilities of a vault, which depend on its layout: see [`SecretManager::capabilities`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaultCapabilities {
    /// `true` if provider, scope, expiry and times are kept beside the values. Otherwise, storing a secret
    /// with a provider, a scope or an expiry fails with `Unsupported`, and no secret is listed with a time.
    pub keeps_metadata: bool,
    /// `true` if a batch or a restore is a single change: all of it, or none. Otherwise it is made secret by
    /// secret, and changes made before a failure stay.
    pub is_atomic: bool,
    /// `true` if reads are answered without asking the store, as long as nothing changed. Otherwise each read
    /// asks the store, and sees at once the changes by other programs.
    pub is_cached: bool,
    /// `true` if commits are counted. Otherwise [`SecretManager::generation`] fails with `Unsupported`.
    pub counts_generations: bool,
    /// `true` if [`SecretManager::subscribe`] also reports the changes that were not made by this handle.
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
    /// Returns the capabilities of the vault in its current layout. It has all of them, except in
    /// [`Layout::Entries`].
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
    /// Returns the capabilities of the vault, as
    /// [`SecretManager::capabilities`](crate::SecretManager::capabilities) does.
    pub fn capabilities(&self) -> VaultCapabilities {
        VaultCapabilities::of(self.layout())
    }
}
