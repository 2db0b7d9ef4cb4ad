//! The store's settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_core::Deadlines;

/// The settings of a [`CredentialManagerStore`](crate::CredentialManagerStore).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Config {
    /// The lifetime and the reach of entries that the store writes.
    pub persist: Persist,
    /// The longest wait for calls of other processes, 5 seconds by default.
    pub deadline: Duration,
    /// The directory of the lock file; `None` is `AppData\Local\strongroom` in the user's home.
    pub state_dir: Option<PathBuf>,
}

/// The lifetime of an entry, and the computers and sessions that see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Persist {
    /// Until it is deleted, on this computer alone (`CRED_PERSIST_LOCAL_MACHINE`).
    #[default]
    LocalMachine,
    /// Until it is deleted, on each computer that the user's profile roams to
    /// (`CRED_PERSIST_ENTERPRISE`). It is copied there by way of a server.
    Enterprise,
    /// Until the user logs off, in this logon session alone (`CRED_PERSIST_SESSION`).
    Session,
}

impl Config {
    /// Sets the lifetime and the reach of entries that the store writes.
    pub fn with_persist(mut self, persist: Persist) -> Self {
        self.persist = persist;
        self
    }

    /// Sets the longest wait for calls of other processes.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the directory of the lock file.
    pub fn with_state_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.state_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Returns the lock file's directory, which does not depend on the session.
    pub(crate) fn lock_dir(&self) -> Option<PathBuf> {
        self.state_dir.clone().or_else(|| strongroom_files::state_dir().ok().flatten())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { persist: Persist::default(), deadline: Deadlines::default().call, state_dir: None }
    }
}
