//! The choice of a store: explicit, environment, platform default, fallback.

mod bound;
mod refusals;

use std::fmt;
use std::sync::Arc;

use strongroom_core::advice::Advice;
use strongroom_core::{Error, ErrorKind, Operation, Persistence, Reason, Result, Store, Warning};

#[cfg(test)]
pub(crate) use self::bound::choose_for_on;
pub(crate) use self::bound::{choose_for, choose_source};
use self::refusals::{because, neither, no_fallback, shared_with};
use crate::config::FallbackChoice;
use crate::open::{Here, Platform, guarded};
use crate::{Backend, Config, Fallback};

/// A chosen store, and the reason for the choice.
///
/// Clones are handles to the same store.
#[derive(Clone)]
pub struct Chosen {
    backend: Backend,
    store: Arc<dyn Store>,
    reason: ChoiceReason,
}

/// The reason for the choice of a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ChoiceReason {
    /// The environment variable of this name names the backend.
    Environment(String),
    /// The store holds the vault already.
    Bound,
    /// The caller named the backend.
    Explicit,
    /// The platform's default can't be used, for this reason, and the fallback took its place.
    Fallback(Arc<Error>),
    /// The store is the platform's default.
    PlatformDefault,
    /// Feature `testing` is on, and no backend was named.
    Testing,
}

/// Chooses and opens a store.
///
/// 1. The backend of [`Config::backend`], else the backend that the environment names. No other store takes
///    its place, and it is not contacted: the first call finds out whether it can be used.
/// 2. Else the platform's default, unless [`probe`](Store::probe) returns `NoBackend`. A store that is locked
///    or without a collection stays the choice, because the secrets may be in it.
/// 3. Else the store of [`Config::fallback`]. It never takes the place of a default that belongs to another
///    user or that encrypts no session. In a container, the kernel's keyring is taken only if that fallback
///    was set.
///
/// It does not look for the store that a service's secrets are already in. Every call on the returned store
/// ends by its deadline, because the store is behind a [`Guard`](crate::store::Guard).
///
/// # Errors
///
/// - `Invalid` if the environment names an unknown backend.
/// - `TimedOut` if the platform's default does not answer, because the first call would wait as long again.
/// - `NoBackend` if the named backend is not in this build, or if the platform's default can't be used and
///   the fallback is not allowed or can't be used either.
pub fn choose_unbound(config: &Config) -> Result<Chosen> {
    choose_on(&Here, config)
}

impl Chosen {
    /// Returns the backend.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Returns the store, behind a guard.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Returns the reason for the choice.
    pub fn reason(&self) -> &ChoiceReason {
        &self.reason
    }
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chosen")
            .field("backend", &self.backend)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ChoiceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound => f.write_str("the secrets are there"),
            Self::Environment(variable) => write!(f, "named by {variable}"),
            Self::Explicit => f.write_str("named by the application"),
            Self::Fallback(cause) => f.write_str(&because(cause)),
            Self::PlatformDefault => f.write_str("this platform's default"),
            Self::Testing => f.write_str("feature `testing` is on"),
        }
    }
}

pub(crate) fn choose_on(platform: &dyn Platform, config: &Config) -> Result<Chosen> {
    let chosen = if let Some(backend) = config.backend {
        let store = platform.open_guarded(backend, config)?;
        Chosen::new(backend, store, ChoiceReason::Explicit)
    } else if let Some(backend) = config.environment_backend()? {
        named_by_environment(platform, config, backend)?
    } else if let Some(store) = platform.stand_in(&config.service) {
        // A backend that the application or the environment names is not replaced by the mock.
        let store = guarded(store, config);
        Chosen::new(Backend::Memory, store, ChoiceReason::Testing)
    } else {
        automatic(platform, config)?
    };
    tracing::debug!(backend = chosen.backend.name(), reason = %chosen.reason, "chose a store");
    Ok(chosen)
}

impl Chosen {
    pub(crate) fn new(backend: Backend, store: Arc<dyn Store>, reason: ChoiceReason) -> Self {
        Self { backend, store, reason }
    }
}

fn named_by_environment(
    platform: &dyn Platform,
    config: &Config,
    backend: Backend,
) -> Result<Chosen> {
    let variable = config.backend_variable();
    let store = platform.open_guarded(backend, config).map_err(|error| {
        let advice = Advice::from(format!("{variable} names it.")).and_all(error.advice());
        error.with_advice(advice)
    })?;
    let reason = ChoiceReason::Environment(variable);
    Ok(Chosen::new(backend, store, reason))
}

fn automatic(platform: &dyn Platform, config: &Config) -> Result<Chosen> {
    let cause = match default_store(platform, config) {
        Ok((backend, store)) => {
            warn(backend, store.as_ref(), "it is this platform's default");
            return Ok(Chosen::new(backend, store, ChoiceReason::PlatformDefault));
        }
        Err(cause) if is_replaceable(&cause) => cause,
        Err(error) if error.kind() == ErrorKind::NoBackend => {
            // The default is there but must not be used, so no fallback takes its place.
            return Err(no_fallback(error, config));
        }
        Err(error) => return Err(error),
    };
    let default = FallbackChoice::Safe(Fallback::default());
    let backend = match config.fallback.as_ref().unwrap_or(&default) {
        FallbackChoice::PlaintextFile(_) => Backend::PlaintextFile,
        FallbackChoice::Safe(Fallback::Error) => return Err(no_fallback(cause, config)),
        FallbackChoice::Safe(Fallback::Sealed) => Backend::File,
        FallbackChoice::Safe(Fallback::Session) => match platform.container() {
            // The caller did not ask for the kernel's keyring, and other containers may read it.
            Some(container) if config.fallback.is_none() => {
                return Err(shared_with(&container, &cause, config));
            }
            _ => Backend::Keyutils,
        },
    };
    fall_back(platform, backend, config, cause)
}

/// Returns whether the fallback may take the place of a default that can't be used. A default that is there
/// but must not be used is left for the user to look at.
fn is_replaceable(cause: &Error) -> bool {
    let is_there =
        matches!(cause.reason(), Some(Reason::ForeignOwner | Reason::SessionNotEncrypted));
    cause.kind() == ErrorKind::NoBackend && !is_there
}

/// Returns the platform's default store, unless it can't be used or hangs. Other errors are left to the first
/// call: the store is there, and the secrets may be in it.
pub(crate) fn default_store(
    platform: &dyn Platform,
    config: &Config,
) -> Result<(Backend, Arc<dyn Store>)> {
    let backend = platform.default_backend().ok_or_else(|| {
        Error::new(ErrorKind::NoBackend, Operation::Choose)
            .with_message("this platform has no default store")
    })?;
    let store = platform.open_guarded(backend, config)?;
    match store.probe() {
        Err(error) if matches!(error.kind(), ErrorKind::NoBackend | ErrorKind::TimedOut) => {
            Err(error)
        }
        _ => Ok((backend, store)),
    }
}

fn fall_back(
    platform: &dyn Platform,
    backend: Backend,
    config: &Config,
    cause: Error,
) -> Result<Chosen> {
    let opened = platform.open_guarded(backend, config);
    let usable = opened.and_then(|store| match store.probe() {
        // The user is asked for the passphrase when the file is used.
        Err(error) if error.kind() == ErrorKind::KeyMissing && config.can_ask() => Ok(store),
        probed => probed.map(|_| store),
    });
    let store = usable.map_err(|error| neither(&cause, &error, config))?;
    warn(backend, store.as_ref(), because(&cause));
    let reason = ChoiceReason::Fallback(Arc::new(cause));
    Ok(Chosen::new(backend, store, reason))
}

/// The reason to use the store of an existing vault, for warnings.
pub(crate) const FIRST_THERE: &str = "they were first stored there";

/// Warns of a store that does not last, or of a file without encryption. The field `warning` has the
/// warning's code, by which a program recognizes a warning that it has its own advice for.
pub(crate) fn warn(backend: Backend, store: &dyn Store, why: impl fmt::Display) {
    let lasting = store.capabilities().persistence;
    if backend == Backend::PlaintextFile {
        tracing::warn!("secrets are kept in a file without encryption: {why}");
    } else if lasting != Persistence::Permanent {
        let (backend, warning) = (backend.name(), Warning::NotPersistent(lasting).code());
        tracing::warn!(
            backend,
            warning,
            "secrets are kept in {} and last {lasting}: {why}",
            place(backend)
        );
    }
}

pub(crate) fn place(backend: &str) -> &str {
    if backend == Backend::Keyutils.name() { "the kernel's keyring" } else { backend }
}

#[cfg(test)]
pub(crate) mod tests;
