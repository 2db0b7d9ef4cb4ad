//! Opening the store.

use std::sync::Arc;
use std::time::Duration;

use strongroom::blocking::SecretManager;
use strongroom::{Backend, ChoiceReason, Chosen, Error, Store, choose};

use crate::failure::Result;
use crate::keys::for_entries;
use crate::settings::Settings;

/// What a call gets when choosing has used up the time: enough for a store that is well again.
const LAST_CHANCE: Duration = Duration::from_millis(250);

/// The store that a command works on.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) backend: Backend,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) reason: ChoiceReason,
}

/// Chooses and opens the store.
pub(crate) fn open(settings: &Settings) -> Result<Opened, Error> {
    choose(&settings.options(settings.deadlines.call)).map(Opened::from)
}

/// The same for entries of a service, whose encrypted file may want a passphrase. `writes` makes a file
/// where there is none.
pub(crate) fn open_entries(service: &str, writes: bool, settings: &Settings) -> Result<Opened> {
    let opened = open(settings)?;
    if opened.backend != Backend::File {
        return Ok(opened);
    }
    let options = for_entries(service, writes, opened.backend, settings)?;
    Ok(choose(&options).map(Opened::from)?)
}

/// Opens the store of a vault that is open, to ask what only the store knows.
pub(crate) fn open_of(vault: &SecretManager, settings: &Settings) -> Result<Opened, Error> {
    let mut options = settings.options(settings.deadlines.call).with_backend(vault.backend());
    if let Some(key) = settings.keys.typed_key() {
        options = options.with_key(key);
    }
    let chosen = choose(&options)?;
    Ok(Opened { reason: vault.reason().clone(), ..Opened::from(chosen) })
}

/// Where the service's secrets are or would be kept, and why. It is known beforehand how long the store
/// takes.
///
/// The warning about the fallback is left to the caller.
pub(crate) fn choice(
    settings: &Settings,
    spent: Duration,
) -> Result<(Backend, ChoiceReason), Error> {
    let options = settings.options(what_is_left(settings.deadlines.call, spent));
    let vault = strongroom::SecretManager::builder(settings.service.as_str()).options(options);
    let unread = quietly(settings, || vault.open_repair())?;
    Ok((unread.backend(), unread.reason().clone()))
}

/// Keeps log lines back, where the same is about to be said in better words. Who asked for log lines
/// gets them.
pub(crate) fn quietly<T>(settings: &Settings, work: impl FnOnce() -> T) -> T {
    if settings.verbose > 0 {
        return work();
    }
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), work)
}

impl From<Chosen> for Opened {
    fn from(chosen: Chosen) -> Self {
        let (backend, reason) = (chosen.backend(), chosen.reason().clone());
        Self { backend, store: Arc::clone(chosen.store()), reason }
    }
}

pub(crate) fn what_is_left(limit: Duration, spent: Duration) -> Duration {
    limit.saturating_sub(spent).max(LAST_CHANCE.min(limit))
}
