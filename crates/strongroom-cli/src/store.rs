//! Opening the store.

use std::sync::Arc;
use std::time::Duration;

use strongroom::blocking::SecretManager;
use strongroom::store::{ChoiceReason, Chosen, ServiceEntries, VAULT_ENTRY, choose_unbound};
use strongroom::{Backend, Config, Error, KeyringStore as _, Layout, Store};

use crate::failure::Result;
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

/// Opens the entries of a service: in the store that its secrets are in, or in the one that a flag names. An encrypted file
/// may want a passphrase; `writes` makes one where there is none.
pub(crate) fn open_entries(
    service: &str,
    writes: bool,
    settings: &Settings,
) -> Result<ServiceEntries> {
    let open = |config: Config| match settings.backend {
        Some(_) => config.entries_elsewhere(),
        None => config.entries(),
    };
    let entries = open(settings.config(settings.deadlines.call).service(service))?;
    if entries.backend() != Backend::File {
        return Ok(entries);
    }
    Ok(open(for_entries(service, writes, entries.backend(), settings)?)?)
}

/// Returns the configuration for entries of a service, with a passphrase for its encrypted file: a store asks nobody, so
/// it is typed here. `writes` makes a file where there is none.
pub(crate) fn for_entries(
    service: &str,
    writes: bool,
    backend: Backend,
    settings: &Settings,
) -> Result<Config> {
    let config = settings.config(settings.deadlines.call).service(service);
    if backend != Backend::File || config.has_key() {
        return Ok(config);
    }
    // Opening the vault asks, and finds out whether it was the right one.
    let is_there = config.clone().open_blocking()?.layout() == Layout::Sealed;
    if !is_there && writes {
        settings.keys.choose()?;
    }
    Ok(match settings.keys.typed_key() {
        Some(key) => config.key(key),
        None => config,
    })
}

/// Opens the store of a vault that is open, to ask what only the store knows.
pub(crate) fn open_of(vault: &SecretManager, settings: &Settings) -> Result<Opened, Error> {
    let mut config = settings.config(settings.deadlines.call).backend(vault.backend());
    if let Some(key) = settings.keys.typed_key() {
        config = config.key(key);
    }
    let chosen = choose_unbound(&config)?;
    Ok(Opened { reason: vault.reason().clone(), ..Opened::from(chosen) })
}

/// Returns the names of a service's entries that are not its vault; none if the store does not tell.
pub(crate) fn entries_without_vault(vault: &SecretManager, settings: &Settings) -> Vec<String> {
    let names = open_of(vault, settings).and_then(|opened| opened.store.list(&settings.service));
    let names = names.unwrap_or_default().into_iter().map(|user| user.as_str().to_owned());
    names.filter(|user| user != VAULT_ENTRY).collect()
}

/// Where the service's secrets are or would be kept, and why. It is known beforehand how long the store
/// takes.
///
/// The warning about the fallback is left to the caller.
pub(crate) fn choice(
    settings: &Settings,
    spent: Duration,
) -> Result<(Backend, ChoiceReason), Error> {
    let config = settings.config(what_is_left(settings.deadlines.call, spent));
    let unread = quietly(settings, || config.repair())?;
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
