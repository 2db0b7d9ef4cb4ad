//! The keys of encrypted files that a configuration names.

/// The keys that the application names, and its function that asks for a passphrase.
#[derive(Clone, Default)]
#[cfg(feature = "sealed")]
pub(crate) struct KeyConfig {
    pub(crate) sources: Vec<strongroom_sealed::KeySource>,
    pub(crate) ask: Option<crate::vault::sealed::AskPassphrase>,
}

/// No keys: this build has no encrypted files.
#[derive(Clone, Default)]
#[cfg(not(feature = "sealed"))]
pub(crate) struct KeyConfig {
    ask: Option<std::convert::Infallible>,
}

impl KeyConfig {
    /// Returns whether the user can be asked for a passphrase.
    pub(crate) const fn can_ask(&self) -> bool {
        self.ask.is_some()
    }
}
