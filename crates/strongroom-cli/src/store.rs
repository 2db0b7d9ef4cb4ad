//! Opens the store of a command.

use std::sync::Arc;
use std::time::Duration;

use strongroom::blocking::SecretManager;
use strongroom::store::{ChoiceReason, Chosen, ServiceEntries, VAULT_ENTRY, choose_unbound};
use strongroom::{Backend, Config, Error, KeyringStore as _, Layout, Store};

use crate::failure::Result;
use crate::settings::Settings;

/// The deadline of a call when choosing has used up the time: enough for a store that works again.
const LAST_CHANCE: Duration = Duration::from_millis(250);

/// The store that a command works on.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) backend: Backend,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) reason: ChoiceReason,
    /// The layout of the vault in it, if there is a vault.
    pub(crate) layout: Option<Layout>,
}

/// Opens the entries of a service, in the store of its secrets or in the backend that a flag names. An encrypted file may
/// need a passphrase. If there is no file yet, `writes` asks for the passphrase of a new file.
pub(crate) fn open_entries(
    service: &str,
    writes: bool,
    settings: &Settings,
) -> Result<ServiceEntries> {
    // The backend is known only now, and only the file needs a passphrase.
    let config = settings.config(settings.deadlines.call).service(service);
    let entries = entries_of(config, settings)?;
    if entries.backend() != Backend::File {
        return Ok(entries);
    }
    let config = for_entries(service, writes, entries.backend(), settings)?;
    Ok(entries_of(config, settings)?)
}

fn entries_of(config: Config, settings: &Settings) -> Result<ServiceEntries, Error> {
    match settings.backend {
        Some(_) => config.entries_elsewhere(),
        None => config.entries(),
    }
}

/// Returns the configuration for entries of a service, with a passphrase for its encrypted file. A store never asks for
/// a passphrase, so it is asked for here. If there is no file yet, `writes` asks for the passphrase of a new file.
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
    // Opening the vault asks for the passphrase, and finds out whether it is right.
    let is_there = config.clone().open_blocking()?.layout() == Layout::Sealed;
    if !is_there && writes {
        settings.keys.choose(&config.key_hint())?;
    }
    Ok(match settings.keys.typed_key() {
        Some(key) => config.key(key),
        None => config,
    })
}

/// Opens the store of an open vault, for facts that only the store knows.
pub(crate) fn open_of(vault: &SecretManager, settings: &Settings) -> Result<Opened, Error> {
    let mut config = settings.config(settings.deadlines.call).backend(vault.backend());
    if let Some(key) = settings.keys.typed_key() {
        config = config.key(key);
    }
    let chosen = choose_unbound(&config)?;
    let layout = Some(vault.layout());
    Ok(Opened { reason: vault.reason().clone(), layout, ..Opened::from(chosen) })
}

/// Returns the names of a service's entries that are not its vault; none if the store can't list them.
pub(crate) fn entries_without_vault(vault: &SecretManager, settings: &Settings) -> Vec<String> {
    let names = open_of(vault, settings).and_then(|opened| opened.store.list(&settings.service));
    let names = names.unwrap_or_default().into_iter().map(|user| user.as_str().to_owned());
    names.filter(|user| user != VAULT_ENTRY).collect()
}

/// Returns the backend where the service's secrets are or would be kept, and the reason. `spent` is the part of the
/// deadline that earlier calls have used up.
///
/// The warning about the fallback is left to the caller.
pub(crate) fn choice(
    settings: &Settings,
    spent: Duration,
) -> Result<(Backend, ChoiceReason), Error> {
    let config = settings.config(remaining(settings.deadlines.call, spent));
    let unread = quietly(settings, || config.repair())?;
    Ok((unread.backend(), unread.reason().clone()))
}

/// Runs work without its log lines, if the caller is about to say the same in better words. With `-v` they are kept.
pub(crate) fn quietly<T>(settings: &Settings, work: impl FnOnce() -> T) -> T {
    if settings.verbose > 0 {
        return work();
    }
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), work)
}

impl From<Chosen> for Opened {
    fn from(chosen: Chosen) -> Self {
        let (backend, reason) = (chosen.backend(), chosen.reason().clone());
        Self { backend, store: Arc::clone(chosen.store()), reason, layout: None }
    }
}

pub(crate) fn remaining(limit: Duration, spent: Duration) -> Duration {
    limit.saturating_sub(spent).max(LAST_CHANCE.min(limit))
}
