//! The inspection of all backends and their state.

use strongroom_core::{Capabilities, Error, Probe};

use crate::open::{Here, Platform};
use crate::{Backend, Config};

/// A backend and the findings about it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The backend.
    pub backend: Backend,
    /// Its capabilities; `None` if this build doesn't have it.
    pub capabilities: Option<Capabilities>,
    /// The result of its probe; `NoBackend` if this build doesn't have it.
    pub state: Result<Probe, Error>,
    /// The prefix of the environment variables that choose a backend and its keys.
    pub(crate) env_prefix: String,
}

impl Config {
    /// Probes the application's own store, if the configuration has such a store, and every backend of
    /// [`Backend::ALL`], in that order, each within its deadline.
    ///
    /// Nothing is written or unlocked, and the user is not asked. The deadlines, the prompt policy and the
    /// locations are those of the configuration; its choice of a backend is ignored.
    ///
    /// ```
    /// use strongroom::{Backend, Config};
    ///
    /// for found in Config::new("app").backend(Backend::Memory).inspect() {
    ///     match &found.state {
    ///         Ok(probe) => println!("{}: served by {}", found.backend, probe.provider),
    ///         Err(error) => println!("{}: {error}. {}", found.backend, error.hint()),
    ///     }
    /// }
    /// ```
    pub fn inspect(&self) -> Vec<Inspection> {
        inspect_on(&Here, self)
    }
}

fn inspect_on(platform: &dyn Platform, config: &Config) -> Vec<Inspection> {
    let own = config.backend_of_own_store();
    let all = own.into_iter().chain(Backend::ALL.iter().copied());
    all.map(|backend| {
        let (capabilities, state) = match platform.open_guarded(backend, config) {
            Ok(store) => {
                let state = store.probe();
                // Some capabilities are known only after the store was contacted.
                (Some(store.capabilities()), state)
            }
            Err(error) => (None, Err(error)),
        };
        Inspection { backend, capabilities, state, env_prefix: config.env_prefix.clone() }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use strongroom_core::{Deadlines, ErrorKind, MockKeyringStore, Operation};

    use super::*;
    use crate::choose::tests::Stage;

    #[test]
    fn the_applications_own_store_comes_first() {
        let config = Config::new("app").store(Arc::new(MockKeyringStore::new()));
        let found = inspect_on(&Stage::default(), &config);
        assert_eq!(found[0].backend, Backend::custom("mock"));
        assert_eq!(found[0].state.as_ref().unwrap(), &Probe::new("a mock"));
        assert_eq!(found.len(), Backend::ALL.len() + 1);
    }

    #[test]
    fn every_backend_is_told_even_if_one_hangs() {
        let (hung, locked) = (MockKeyringStore::new(), MockKeyringStore::new());
        hung.hang(Operation::Probe);
        locked.fail(Operation::Probe, ErrorKind::Locked);
        let stage = Stage::default()
            .with(Backend::SecretService, &hung)
            .with(Backend::Keyutils, &locked)
            .with(Backend::Memory, &MockKeyringStore::new());
        let config = Config::new("app").deadlines(Deadlines::both(Duration::from_millis(500)));
        let found = inspect_on(&stage, &config);

        let backends: Vec<_> = found.iter().map(|found| found.backend).collect();
        assert_eq!(backends, Backend::ALL);
        for found in found {
            let state = found.state.map_err(|error| error.kind());
            let expected = match found.backend {
                Backend::SecretService => Err(ErrorKind::TimedOut),
                Backend::Keyutils => Err(ErrorKind::Locked),
                Backend::Memory => Ok(Probe::new("a mock")),
                _ => Err(ErrorKind::NoBackend),
            };
            let there = state != Err(ErrorKind::NoBackend);
            assert_eq!(state, expected);
            assert_eq!(found.capabilities.is_some(), there);
        }
    }
}
