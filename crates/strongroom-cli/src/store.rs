//! Opening the store, with one deadline for choosing and using it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use strongroom::{Backend, ChoiceReason, Error, KeyringStore, Options, choose};

use crate::settings::Settings;

/// Less than this is not worth opening the store again for.
const NOTICEABLE: Duration = Duration::from_millis(50);
/// What a call gets when choosing has used up the time: enough for a store that is well again.
const LAST_CHANCE: Duration = Duration::from_millis(250);

/// The store that a command works on.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) backend: Backend,
    pub(crate) store: Arc<dyn KeyringStore>,
    pub(crate) reason: ChoiceReason,
}

/// Chooses and opens the store.
///
/// Choosing asks the store how it is. One that hangs takes the whole deadline for that, so the
/// command that follows gets what is left of it, and not as much again.
pub(crate) fn open(settings: &Settings) -> Result<Opened, Error> {
    let started = Instant::now();
    let limit = settings.deadlines.call;
    let chosen = choose(&settings.options(limit))?;
    let (backend, reason) = (chosen.backend(), chosen.reason().clone());
    let spent = started.elapsed();
    if spent < NOTICEABLE || spent * 20 < limit {
        return Ok(Opened { backend, store: Arc::clone(chosen.store()), reason });
    }
    let again = settings.options(what_is_left(limit, spent)).with_backend(backend);
    let store = Arc::clone(choose(&again)?.store());
    Ok(Opened { backend, store, reason })
}

/// The choice that would be made now, and why. It is known beforehand how long the store takes.
///
/// The warning about the fallback is left to the caller.
pub(crate) fn choice(settings: &Settings, spent: Duration) -> Result<Opened, Error> {
    let options: Options = settings.options(what_is_left(settings.deadlines.call, spent));
    let chosen = quietly(settings, || choose(&options))?;
    let store = Arc::clone(chosen.store());
    Ok(Opened { backend: chosen.backend(), store, reason: chosen.reason().clone() })
}

/// Keeps log lines back, where the same is about to be said in better words. Who asked for log lines
/// gets them.
pub(crate) fn quietly<T>(settings: &Settings, work: impl FnOnce() -> T) -> T {
    if settings.verbose > 0 {
        return work();
    }
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), work)
}

fn what_is_left(limit: Duration, spent: Duration) -> Duration {
    limit.saturating_sub(spent).max(LAST_CHANCE.min(limit))
}
