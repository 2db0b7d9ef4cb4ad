//! Choosing a store: explicit, environment, platform default, fallback.

use std::fmt;
use std::sync::Arc;

use strongroom_core::{Error, ErrorKind, KeyringStore, Operation, Result};

use crate::backend::{names, supported};
use crate::open::{Here, Platform, guarded};
use crate::{Backend, Fallback, Options};

/// A store that was chosen, and why this one.
///
/// Clones are handles to the same store.
#[derive(Clone)]
pub struct Chosen {
    backend: Backend,
    store: Arc<dyn KeyringStore>,
    reason: ChoiceReason,
}

/// Why a store was chosen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ChoiceReason {
    /// The environment variable of this name says so.
    Environment(String),
    /// The caller named it.
    Explicit,
    /// The platform's default can't be used, for this reason.
    Fallback(Arc<Error>),
    /// It is the platform's default.
    PlatformDefault,
    /// Feature `testing` is on, and nobody named another.
    Testing,
}

/// Chooses and opens a store.
///
/// 1. The backend of [`Options::with_backend`], else the one that the environment names. Nothing
///    takes its place, and nobody is contacted: the first call finds out whether it can be used.
/// 2. Else the platform's default, unless [`probe`](KeyringStore::probe) says `NoBackend`. A store
///    that is locked or without a collection stays the choice: the secrets may be in it.
/// 3. Else what [`Options::with_fallback`] says.
///
/// Every call on the store that comes back ends by its deadline: it is behind a
/// [`Guard`](crate::Guard).
///
/// # Errors
///
/// - `Invalid` if the environment names no backend.
/// - `TimedOut` if the platform's default does not answer: the first call would wait as long again.
/// - `NoBackend` if the backend that was named is not in this build, or if the platform's default
///   can't be used and the fallback forbids another, or can't be used either.
pub fn choose(options: &Options) -> Result<Chosen> {
    choose_on(&Here, options)
}

impl Chosen {
    /// The backend.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The store, behind a guard.
    pub fn store(&self) -> &Arc<dyn KeyringStore> {
        &self.store
    }

    /// Why this one.
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
            Self::Environment(variable) => write!(f, "named by {variable}"),
            Self::Explicit => f.write_str("named by the application"),
            Self::Fallback(cause) => write!(f, "the default can't be used: {cause}"),
            Self::PlatformDefault => f.write_str("this platform's default"),
            Self::Testing => f.write_str("feature `testing` is on"),
        }
    }
}

pub(crate) fn choose_on(platform: &dyn Platform, options: &Options) -> Result<Chosen> {
    let chosen = if let Some(backend) = options.backend {
        let store = platform.open_guarded(backend, options)?;
        Chosen::new(backend, store, ChoiceReason::Explicit)
    } else if let Some(backend) = options.environment_backend()? {
        named_by_environment(platform, options, backend)?
    } else if let Some(store) = platform.stand_in() {
        let store = guarded(store, options);
        Chosen::new(Backend::Memory, store, ChoiceReason::Testing)
    } else {
        automatic(platform, options)?
    };
    tracing::debug!(backend = chosen.backend.name(), reason = %chosen.reason, "chose a store");
    Ok(chosen)
}

impl Chosen {
    fn new(backend: Backend, store: Arc<dyn KeyringStore>, reason: ChoiceReason) -> Self {
        Self { backend, store, reason }
    }
}

fn named_by_environment(
    platform: &dyn Platform,
    options: &Options,
    backend: Backend,
) -> Result<Chosen> {
    let variable = options.backend_variable();
    let store = platform.open_guarded(backend, options).map_err(|error| {
        let hint = format!("{variable} names it. {}", error.hint());
        error.with_hint(hint)
    })?;
    let reason = ChoiceReason::Environment(variable);
    Ok(Chosen::new(backend, store, reason))
}

fn automatic(platform: &dyn Platform, options: &Options) -> Result<Chosen> {
    let cause = match default_store(platform, options) {
        Ok((backend, store)) => {
            return Ok(Chosen::new(backend, store, ChoiceReason::PlatformDefault));
        }
        Err(cause) if cause.kind() == ErrorKind::NoBackend => cause,
        Err(error) => return Err(error),
    };
    match options.fallback {
        Fallback::Error => Err(no_fallback(cause, options)),
        Fallback::Session => session(platform, options, cause),
    }
}

/// The platform's default, unless it can't be used or hangs. Any other trouble is for the first call
/// to meet: the store is there, and the secrets may be in it.
fn default_store(
    platform: &dyn Platform,
    options: &Options,
) -> Result<(Backend, Arc<dyn KeyringStore>)> {
    let backend = platform.default_backend().ok_or_else(|| {
        Error::new(ErrorKind::NoBackend, Operation::Choose)
            .with_message("this platform has no default store")
    })?;
    let store = platform.open_guarded(backend, options)?;
    match store.probe() {
        Err(error) if matches!(error.kind(), ErrorKind::NoBackend | ErrorKind::TimedOut) => {
            Err(error)
        }
        _ => Ok((backend, store)),
    }
}

fn session(platform: &dyn Platform, options: &Options, cause: Error) -> Result<Chosen> {
    let backend = Backend::Keyutils;
    let opened = platform.open_guarded(backend, options);
    let usable = opened.and_then(|store| store.probe().map(|_| store));
    let store = usable.map_err(|error| neither(&cause, &error, options))?;
    let lasting = store.capabilities().persistence;
    tracing::warn!(
        backend = backend.name(),
        "secrets are kept in the kernel's keyring and last {lasting}: {cause}"
    );
    let reason = ChoiceReason::Fallback(Arc::new(cause));
    Ok(Chosen::new(backend, store, reason))
}

fn no_fallback(cause: Error, options: &Options) -> Error {
    let hint = format!("{} {}", cause.hint(), others(options, &[cause.store()]));
    cause.during(Operation::Choose).with_hint(hint)
}

fn neither(default: &Error, session: &Error, options: &Options) -> Error {
    let others = others(options, &[default.store(), session.store()]);
    Error::new(ErrorKind::NoBackend, Operation::Choose)
        .with_message(format!(
            "neither the default can be used ({default}) nor the fallback ({session})"
        ))
        .with_hint(format!("{} {others}", default.hint()))
}

/// What else the user can choose, but for the stores that were tried.
fn others(options: &Options, tried: &[Option<&'static str>]) -> String {
    let mut others = supported();
    others.retain(|backend| !tried.contains(&Some(backend.name())));
    let variable = options.backend_variable();
    format!("{variable} chooses another backend: {}.", names(&others))
}

#[cfg(test)]
pub(crate) mod tests;
