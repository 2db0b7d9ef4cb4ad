//! Choosing a store: explicit, environment, platform default, fallback.

use std::fmt;
#[cfg(feature = "sealed")]
use std::path::PathBuf;
use std::sync::Arc;

use strongroom_core::{
    Error, ErrorKind, KeyringStore, Operation, Persistence, Reason, Result, ServiceName,
};
#[cfg(feature = "sealed")]
use strongroom_files::names::sealed_file;

use crate::backend::{names, supported};
use crate::binding::{BindingFile, has_vault};
use crate::container::Container;
use crate::open::{Here, Platform, guarded};
use crate::{Backend, Fallback, Options};
#[cfg(feature = "sealed")]
use strongroom_files::is_there;

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
    /// The vault lives there.
    Bound,
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
/// 3. Else what [`Options::with_fallback`] says. Nothing takes the place of a default that belongs to another
///    user, or that encrypts no session; and in a container the kernel's keyring only if that was set.
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
            Self::Bound => f.write_str("the secrets are there"),
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

/// Chooses and opens the store that a service's vault lives in, or is to live in.
///
/// What the caller or the environment names must be where the vault is, if that is known; else it is
/// where the vault is, or as [`choose`] says.
pub(crate) fn choose_for(
    service: &ServiceName,
    file: &BindingFile,
    options: &Options,
) -> Result<Chosen> {
    choose_for_on(&Here, service, file, options)
}

pub(crate) fn choose_for_on(
    platform: &dyn Platform,
    service: &ServiceName,
    file: &BindingFile,
    options: &Options,
) -> Result<Chosen> {
    let named = options.backend.map_or_else(|| options.environment_backend(), |it| Ok(Some(it)))?;
    if named == Some(Backend::Memory) || (named.is_none() && platform.stand_in().is_some()) {
        return choose_on(platform, options);
    }
    let bound = match (
        bound(platform, service, file, options),
        named,
        file.home()?.map(|home| home.backend),
    ) {
        (Err(_), Some(named), Some(bound)) if named != bound => {
            return Err(file.elsewhere(bound, named));
        }
        // Where it is can't be found out, and the caller says it.
        (Err(_), Some(_), None) => None,
        (bound, ..) => bound?,
    };
    match (named, bound) {
        (Some(named), Some((bound, _))) if named != bound => Err(file.elsewhere(bound, named)),
        (None, Some((bound, store))) => {
            warn(bound, store.as_ref(), FIRST_THERE);
            let chosen = Chosen::new(bound, store, ChoiceReason::Bound);
            tracing::debug!(backend = bound.name(), reason = %chosen.reason, "chose a store");
            Ok(chosen)
        }
        _ => choose_on(platform, options),
    }
}

/// Where the vault lives, as it is remembered, or else found.
fn bound(
    platform: &dyn Platform,
    service: &ServiceName,
    file: &BindingFile,
    options: &Options,
) -> Result<Option<(Backend, Arc<dyn KeyringStore>)>> {
    if let Some(home) = file.home()? {
        let store = platform.open_guarded(home.backend, options)?;
        let lasts = store.capabilities().persistence == Persistence::Permanent;
        if lasts || !matches!(home.is_inhabited(store.as_ref(), service), Ok(false)) {
            return Ok(Some((home.backend, store)));
        }
        // It has forgotten the vault, as it must: the next one may be elsewhere.
        file.forget();
    }
    found(platform, service, options)
}

/// A vault in a store that is asked without contacting anybody who may take long, or ask the user.
fn found(
    platform: &dyn Platform,
    service: &ServiceName,
    options: &Options,
) -> Result<Option<(Backend, Arc<dyn KeyringStore>)>> {
    #[cfg(feature = "sealed")]
    if let Some(directory) = options.data_dir()? {
        let has_file_in = |directory: PathBuf| is_there(&sealed_file(&directory, service.as_str()));
        let backend = if has_file_in(Options::file_dir(&directory))? {
            Some(Backend::File)
        } else if has_file_in(Options::keyed_dir(&directory))? {
            platform.default_backend()
        } else {
            None
        };
        if let Some(backend) = backend {
            return Ok(Some((backend, platform.open_guarded(backend, options)?)));
        }
    }
    let holds = |store: &dyn KeyringStore| has_vault(store, service).unwrap_or(false);
    let holding = |backend| {
        let store = platform.open_guarded(backend, options).ok()?;
        holds(store.as_ref()).then_some((backend, store))
    };
    if options.plaintext_file.is_some()
        && let Some(found) = holding(Backend::PlaintextFile)
    {
        return Ok(Some(found));
    }
    if platform.container().is_some() && options.fallback != Some(Fallback::Session) {
        // What lies in the kernel's keyring may be another container's.
        return Ok(None);
    }
    let Some(found) = holding(Backend::Keyutils) else { return Ok(None) };
    // One that lasts comes first, where both have a vault.
    if let Ok((backend, default)) = default_store(platform, options)
        && holds(default.as_ref())
    {
        return Ok(Some((backend, default)));
    }
    Ok(Some(found))
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
            warn(backend, store.as_ref(), "it is this platform's default");
            return Ok(Chosen::new(backend, store, ChoiceReason::PlatformDefault));
        }
        Err(cause) if is_replaceable(&cause) => cause,
        Err(error) if error.kind() == ErrorKind::NoBackend => {
            return Err(no_fallback(error, options));
        }
        Err(error) => return Err(error),
    };
    let backend = match options.fallback() {
        _ if options.plaintext_file.is_some() => Backend::PlaintextFile,
        Fallback::Error => return Err(no_fallback(cause, options)),
        Fallback::Sealed => Backend::File,
        Fallback::Session => match platform.container() {
            Some(container) if options.fallback.is_none() => {
                return Err(shared_with(&container, &cause, options));
            }
            _ => Backend::Keyutils,
        },
    };
    fall_back(platform, backend, options, cause)
}

/// Whether another store may take the place of a default that can't be used. One that is there and must
/// not be used is for the user to look at.
fn is_replaceable(cause: &Error) -> bool {
    let is_there =
        matches!(cause.reason(), Some(Reason::ForeignOwner | Reason::SessionNotEncrypted));
    cause.kind() == ErrorKind::NoBackend && !is_there
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

fn fall_back(
    platform: &dyn Platform,
    backend: Backend,
    options: &Options,
    cause: Error,
) -> Result<Chosen> {
    let opened = platform.open_guarded(backend, options);
    let usable = opened.and_then(|store| match store.probe() {
        // Somebody will be asked for the passphrase.
        Err(error) if error.kind() == ErrorKind::KeyMissing && options.can_ask() => Ok(store),
        probed => probed.map(|_| store),
    });
    let store = usable.map_err(|error| neither(&cause, &error, options))?;
    warn(backend, store.as_ref(), &cause);
    let reason = ChoiceReason::Fallback(Arc::new(cause));
    Ok(Chosen::new(backend, store, reason))
}

/// Why a vault is looked for where it is.
pub(crate) const FIRST_THERE: &str = "they were first stored there";

/// Warns of a store that forgets, or that everybody can read.
pub(crate) fn warn(backend: Backend, store: &dyn KeyringStore, why: impl fmt::Display) {
    let lasting = store.capabilities().persistence;
    if backend == Backend::PlaintextFile {
        tracing::warn!("secrets are kept in a file without encryption: {why}");
    } else if lasting != Persistence::Permanent {
        let backend = backend.name();
        tracing::warn!(backend, "secrets are kept in {} and last {lasting}: {why}", place(backend));
    }
}

fn place(backend: &str) -> &str {
    if backend == Backend::Keyutils.name() { "the kernel's keyring" } else { backend }
}

fn no_fallback(cause: Error, options: &Options) -> Error {
    let hint = format!("{} {}", cause.hint(), others(options, &[cause.store()]));
    cause.during(Operation::Choose).with_hint(hint)
}

/// The kernel's keyring would be the fallback, and is not taken unasked.
fn shared_with(container: &Container, default: &Error, options: &Options) -> Error {
    let variable = options.backend_variable();
    Error::new(ErrorKind::NoBackend, Operation::Choose)
        .with_reason(Reason::Container)
        .with_message(format!(
            "the default can't be used ({default}), and this is a container ({container}), where others of \
             the same user id may read the kernel's keyring"
        ))
        .with_hint(format!(
            "Keep secrets in an encrypted file: `export {variable}=file`, with a key. Or take the kernel's \
             keyring all the same: `export {variable}=keyutils`."
        ))
}

fn neither(default: &Error, fallback: &Error, options: &Options) -> Error {
    let others = others(options, &[default.store(), fallback.store()]);
    #[cfg(feature = "sealed")]
    let others = match fallback.kind() {
        ErrorKind::KeyMissing => format!("{} {others}", options.key_hint()),
        _ => others,
    };
    Error::new(ErrorKind::NoBackend, Operation::Choose)
        .with_message(format!(
            "neither the default can be used ({default}) nor the fallback ({fallback})"
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
