//! The choice of the store that a service's vault is already in.

use std::sync::Arc;

use strongroom_core::{Persistence, Result, ServiceName, Store};

use super::{ChoiceReason, Chosen, FIRST_THERE, choose_on, default_store, place, warn};
use crate::binding::{BindingFile, has_vault};
use crate::config::FallbackChoice;
use crate::open::{Here, Platform};
use crate::sealed_files::backend_of_file;
use crate::{Backend, Config, Fallback};

/// A store with a service's vault, and the reason to expect the vault there.
struct Bound {
    backend: Backend,
    store: Arc<dyn Store>,
    why: String,
}

/// Chooses and opens the store that a service's vault lives in, or is to live in.
///
/// A backend that the caller or the environment names must be the vault's, if that is known. If none is
/// named, it is the vault's, or else the choice of [`choose_unbound`](super::choose_unbound).
pub(crate) fn choose_for(
    service: &ServiceName,
    file: &BindingFile,
    config: &Config,
) -> Result<Chosen> {
    choose_for_on(&Here, service, file, config)
}

/// Chooses and opens the store that a service's vault is to be moved from: the store that it is in, even if
/// the environment names another.
pub(crate) fn choose_source(
    service: &ServiceName,
    file: &BindingFile,
    config: &Config,
) -> Result<Chosen> {
    if config.backend.is_none()
        // Feature `testing` takes precedence over the user's own binding.
        && Here.stand_in(&config.service).is_none()
        && let Some(bound) = bound(&Here, service, file, config)?
    {
        return Ok(Chosen::new(bound.backend, bound.store, ChoiceReason::Bound));
    }
    choose_for(service, file, config)
}

pub(crate) fn choose_for_on(
    platform: &dyn Platform,
    service: &ServiceName,
    file: &BindingFile,
    config: &Config,
) -> Result<Chosen> {
    let named = config.named_backend()?;
    let Some(named) = named else {
        if platform.stand_in(&config.service).is_some() {
            return choose_on(platform, config);
        }
        return match bound(platform, service, file, config)? {
            Some(bound) => Ok(bound.chosen()),
            None => choose_on(platform, config),
        };
    };
    // Nothing remembers such a store, so the binding to another store does not count.
    if named.backend.is_of_this_process() {
        return choose_on(platform, config);
    }
    let home = file.home()?.map(|home| home.backend);
    match (bound(platform, service, file, config), home) {
        (Ok(Some(bound)), _) if bound.backend != named.backend => {
            Err(file.elsewhere(bound.backend, &named))
        }
        (Err(_), Some(home)) if home != named.backend => Err(file.elsewhere(home, &named)),
        (Err(error), Some(_)) => Err(error),
        // The vault is in the named backend or nowhere, or its place can't be found out: the name decides.
        (Err(_), None) | (Ok(_), _) => choose_on(platform, config),
    }
}

/// Returns the store that the vault lives in, as the binding remembers, or else as found.
fn bound(
    platform: &dyn Platform,
    service: &ServiceName,
    file: &BindingFile,
    config: &Config,
) -> Result<Option<Bound>> {
    if let Some(home) = file.home()? {
        let store = platform.open_guarded(home.backend, config)?;
        let lasts = store.capabilities().persistence == Persistence::Permanent;
        // An error is not absence: only a definite `false` ends the binding.
        if lasts || !matches!(home.is_inhabited(store.as_ref(), service), Ok(false)) {
            return Ok(Some(Bound::new(home.backend, store, FIRST_THERE)));
        }
        // The store has forgotten the vault, as such stores do. The next vault may live in another store.
        file.forget();
    }
    found(platform, service, config)
}

/// Looks for a vault in the stores that answer quickly and without asking the user.
fn found(platform: &dyn Platform, service: &ServiceName, config: &Config) -> Result<Option<Bound>> {
    if let Some(backend) = backend_of_file(config, service, platform.default_backend())? {
        let store = platform.open_guarded(backend, config)?;
        return Ok(Some(Bound::new(backend, store, "its encrypted file is there")));
    }
    if config.plaintext_file().is_some()
        && let Some(store) = with_vault(platform, Backend::PlaintextFile, config, service)
    {
        return Ok(Some(Bound::new(Backend::PlaintextFile, store, FIRST_THERE)));
    }
    if platform.container().is_some()
        && config.fallback != Some(FallbackChoice::Safe(Fallback::Session))
    {
        // The vault in the kernel's keyring may be another container's.
        return Ok(None);
    }
    let Some(kernel) = with_vault(platform, Backend::Keyutils, config, service) else {
        return Ok(None);
    };
    let kernels = place(Backend::Keyutils.name());
    // The store that lasts takes precedence if both have a vault.
    match default_store(platform, config) {
        Ok((backend, default)) if holds(default.as_ref(), service) => {
            tracing::warn!(
                "there is a vault of \"{service}\" in {backend} and another one in {kernels}; that in {backend} is used"
            );
            Ok(Some(Bound::new(backend, default, FIRST_THERE)))
        }
        Ok((backend, default)) if default.probe().is_ok() => {
            let why = format!("they were found there, and {backend}, which can be used, has none");
            Ok(Some(Bound::new(Backend::Keyutils, kernel, why)))
        }
        _ => Ok(Some(Bound::new(Backend::Keyutils, kernel, FIRST_THERE))),
    }
}

/// Opens a store if it holds a vault of the service.
fn with_vault(
    platform: &dyn Platform,
    backend: Backend,
    config: &Config,
    service: &ServiceName,
) -> Option<Arc<dyn Store>> {
    let store = platform.open_guarded(backend, config).ok()?;
    holds(store.as_ref(), service).then_some(store)
}

/// Returns whether a store holds a vault of the service. A store that fails is passed over, because this is
/// only a search.
fn holds(store: &dyn Store, service: &ServiceName) -> bool {
    has_vault(store, service).unwrap_or(false)
}

impl Bound {
    fn new(backend: Backend, store: Arc<dyn Store>, why: impl Into<String>) -> Self {
        Self { backend, store, why: why.into() }
    }

    fn chosen(self) -> Chosen {
        let Self { backend, store, why } = self;
        warn(backend, store.as_ref(), why);
        let chosen = Chosen::new(backend, store, ChoiceReason::Bound);
        tracing::debug!(backend = backend.name(), reason = %chosen.reason, "chose a store");
        chosen
    }
}
