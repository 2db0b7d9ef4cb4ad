//! Opening a vault: the choices of an application.

use std::fmt;
use std::sync::Arc;

use strongroom_core::{Deadlines, Error, ErrorKind, PromptPolicy, Result, ServiceName, Timestamp};

use crate::binding::{Binding, BindingFile};
use crate::choose::{FIRST_THERE, choose_for, warn};
use crate::manager::Shared;
use crate::pool;
use crate::vault::{Clock, Vault};
use crate::{Backend, ChoiceReason, Chosen, Fallback, Layout, Options, SecretManager, blocking};

/// A [`SecretManager`] in the making.
#[derive(Clone)]
#[must_use]
pub struct SecretManagerBuilder {
    pub(crate) service: String,
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) starts_anew: bool,
}

impl SecretManagerBuilder {
    /// Takes these options in place of all that were set before.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Uses this backend and no other.
    pub fn backend(self, backend: Backend) -> Self {
        self.with(|options| options.with_backend(backend))
    }

    /// Sets the prefix of the environment variables that are read: see [`Options::with_env_prefix`].
    pub fn env_prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|options| options.with_env_prefix(prefix))
    }

    /// Sets how long a call may wait, and a commit for the lock.
    pub fn deadlines(self, deadlines: Deadlines) -> Self {
        self.with(|options| options.with_deadlines(deadlines))
    }

    /// Sets whether the system may ask the user.
    pub fn prompt(self, prompt: PromptPolicy) -> Self {
        self.with(|options| options.with_prompt(prompt))
    }

    /// Sets what to do where the platform's default store can't be used.
    pub fn fallback(self, fallback: Fallback) -> Self {
        self.with(|options| options.with_fallback(fallback))
    }

    /// Sets how the vault lies in its store.
    pub fn layout(self, layout: Layout) -> Self {
        self.with(|options| options.with_layout(layout))
    }

    /// Sets the directory of encrypted files, in place of the user's own.
    pub fn data_dir(self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.with(|options| options.with_data_dir(directory))
    }

    /// Sets the directory of the lock and the generation file, in place of the user's own. All processes
    /// that use the vault must name the same one. The memory backend has none unless it is named here.
    pub fn state_dir(self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.with(|options| options.with_state_dir(directory))
    }

    /// Begins a new vault where the one that was there is gone from a store that lasts: without this, opening is an error
    /// of the kind `Gone`, because a keyring that was replaced, or a disk that is not mounted, looks the same.
    pub fn starting_anew(mut self) -> Self {
        self.starts_anew = true;
        self
    }

    /// Sets the clock that expiry and timestamps go by.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where an application can remember something about its vault, beside the vault's lock: a file whose name
    /// ends so. The directory may not be there yet. `None` if the user has no home.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; `AccessDenied` if the directory is another user's.
    pub fn state_file(&self, ending: &str) -> Result<Option<std::path::PathBuf>> {
        let service = ServiceName::new(self.service.as_str())?;
        Ok(self.options.state_dir()?.file(&service, ending))
    }

    /// Chooses the store and reads the vault, once.
    ///
    /// # Errors
    ///
    /// `Invalid` for a service name that can't be used; as [`choose`](crate::choose()) says; `Corrupt` if the vault
    /// can't be read.
    pub async fn open(self) -> Result<SecretManager> {
        let shared = pool::run(move || self.open_shared()).await?;
        Ok(SecretManager { shared })
    }

    /// The same for callers that block.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_blocking(self) -> Result<blocking::SecretManager> {
        self.open_shared().map(blocking::SecretManager::from_shared)
    }

    fn open_shared(self) -> Result<Arc<Shared>> {
        let service = self.service.clone();
        let (vault, chosen) = self.unread()?;
        let before = chosen.store().capabilities().persistence;
        vault.open().map_err(|error| away(error, &service, &chosen))?;
        if chosen.store().capabilities().persistence != before {
            // Where in its store the vault lies is known only now.
            warn(chosen.backend(), chosen.store().as_ref(), FIRST_THERE);
        }
        Ok(Arc::new(Shared { vault: Arc::new(vault), chosen }))
    }

    /// The vault before its first read.
    pub(crate) fn unread(self) -> Result<(Vault, Chosen)> {
        let service = ServiceName::new(self.service.as_str())?;
        let state_dir = self.options.state_dir()?;
        let binding = BindingFile::new(&state_dir, &service);
        let chosen = choose_for(&service, &binding, &self.options)?;
        let backend = chosen.backend();
        let has_entries = self.has_entries(backend, &binding)?;
        let vault = self.vault_on(&chosen, &service, has_entries)?;
        let vault = vault.starting_anew(self.starts_anew);
        let vault = match backend {
            Backend::Memory => vault,
            backend => vault.bound_by(Binding::new(binding, backend)?),
        };
        Ok((vault, chosen))
    }

    pub(crate) fn with(mut self, change: impl FnOnce(Options) -> Options) -> Self {
        self.options = change(self.options);
        self
    }
}

/// The store of a vault that was there before is away: another one would show an empty vault.
fn away(error: Error, service: &str, chosen: &Chosen) -> Error {
    if error.kind() != ErrorKind::NoBackend || !matches!(chosen.reason(), ChoiceReason::Bound) {
        return error;
    }
    let hint = format!(
        "The secrets of \"{}\" are kept in {}. {}",
        service.escape_debug(),
        chosen.backend(),
        error.hint()
    );
    error.with_hint(hint)
}

impl fmt::Debug for SecretManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretManagerBuilder")
            .field("service", &self.service)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
