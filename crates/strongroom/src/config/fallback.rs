//! The behaviour if the platform's default store can't be used.

use std::path::PathBuf;

/// The behaviour if the platform's default store can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// Fails with `NoBackend`. The default of [`SecureStore`](crate::SecureStore), and of every platform but
    /// Linux.
    Error,
    /// Keeps secrets in the encrypted file, which needs a key: see `Config::key` and `Config::passphrase`.
    Sealed,
    /// Keeps secrets in the kernel's keyring, which forgets them at a restart, and warns through `tracing`.
    /// The default of [`SecretManager`](crate::SecretManager) on Linux outside of containers. In a container
    /// it is used only if it is set, because other containers may read that keyring.
    Session,
}

/// A fallback that was chosen, by a setter or by [`Config::dangerous`](crate::Config::dangerous).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FallbackChoice {
    Safe(Fallback),
    PlaintextFile(PathBuf),
}

impl Default for Fallback {
    fn default() -> Self {
        if cfg!(target_os = "linux") { Self::Session } else { Self::Error }
    }
}
