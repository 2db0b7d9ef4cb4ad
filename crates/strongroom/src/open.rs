//! Opening the store of a backend, if this build has it.

use std::env::consts::OS;
use std::sync::Arc;

use strongroom_core::{Error, ErrorKind, Operation, Result, Store, StoreContext, StoreSettings};

use crate::backend::{names, supported};
use crate::container::Container;
use crate::guard::Guard;
use crate::sealed_files::add_settings;
use crate::{Backend, Config};

/// The source of stores. Tests bring their own.
pub(crate) trait Platform {
    /// Returns the default backend of the platform.
    fn default_backend(&self) -> Option<Backend>;

    /// Returns a store that takes the place of every automatic choice for a service.
    fn stand_in(&self, _service: &str) -> Option<Arc<dyn Store>> {
        None
    }

    /// Returns the container that this process runs in, if other containers may read the kernel's keyring
    /// there.
    fn container(&self) -> Option<Container> {
        None
    }

    /// Opens a store without contacting it.
    fn open(&self, backend: Backend, config: &Config) -> Result<Arc<dyn Store>>;

    /// Opens a store without contacting it, behind a guard that keeps it to its deadlines.
    fn open_guarded(&self, backend: Backend, config: &Config) -> Result<Arc<dyn Store>> {
        // The application's own store takes precedence, even if this build has a store of the same name.
        let store = match config.own_store(backend) {
            Some(store) => store,
            None => self.open(backend, config)?,
        };
        Ok(guarded(store, config))
    }
}

/// The platform of this build.
#[derive(Debug)]
pub(crate) struct Here;

impl Platform for Here {
    fn default_backend(&self) -> Option<Backend> {
        Backend::platform_default()
    }

    fn container(&self) -> Option<Container> {
        Container::detect()
    }

    #[cfg(feature = "testing")]
    fn stand_in(&self, service: &str) -> Option<Arc<dyn Store>> {
        let is_test = crate::testing::is_test_program();
        is_test.then(|| Arc::new(crate::testing::mock(service)) as Arc<dyn Store>)
    }

    fn open(&self, backend: Backend, config: &Config) -> Result<Arc<dyn Store>> {
        let Some(kind) = backend.kind() else { return Err(not_here(backend)) };
        let settings = settings(backend, config)?;
        let mut context = StoreContext::new(&settings);
        context.deadlines = config.deadlines;
        context.prompt = config.prompt;
        context.state_dir = config.state_dir.as_deref();
        context.allows_unencrypted_session = config.unencrypted_session;
        context.keeps_lines = config.keeps_lines;
        kind.open(&context)
    }
}

/// Puts a store behind a guard with the configured deadlines and prompt policy.
pub(crate) fn guarded(store: Arc<dyn Store>, config: &Config) -> Arc<dyn Store> {
    let guard = Guard::new(store).with_deadlines(config.deadlines).with_prompt(config.prompt);
    Arc::new(guard)
}

/// Returns the settings of the stores: the application's, with this configuration's for the files of this
/// library.
fn settings(backend: Backend, config: &Config) -> Result<StoreSettings> {
    // For the files of this library, this configuration replaces the settings that the application passed by type.
    let mut settings = config.store_settings.clone();
    if backend == Backend::File {
        add_settings(config, &mut settings)?;
    }
    if backend == Backend::PlaintextFile
        && let Some(path) = config.plaintext_file()
    {
        settings.insert(strongroom_plaintext::Config::at(path));
    }
    Ok(settings)
}

fn not_here(backend: Backend) -> Error {
    if Backend::ALL.contains(&backend) {
        return not_in_this_build(backend);
    }
    Error::new(ErrorKind::NoBackend, Operation::Choose)
        .with_store(backend.name())
        .with_message("this program was not given that store")
        .with_hint("Use the application that brings it.")
}

fn not_in_this_build(backend: Backend) -> Error {
    let available = names(&supported());
    Error::new(ErrorKind::NoBackend, Operation::Choose)
        .with_store(backend.name())
        .with_message(format!("this build for {OS} doesn't have it; it has {available}"))
        .with_hint(format!("Choose one of these, or use a build that has {backend}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_supported_opens_and_the_rest_says_so() {
        let config = Config::new("app");
        for &backend in Backend::ALL {
            let opened = Here.open_guarded(backend, &config);
            if backend.is_supported_here() {
                assert_eq!(opened.unwrap().name(), backend.name());
                continue;
            }
            let error = opened.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NoBackend);
            assert_eq!(error.store(), Some(backend.name()));
            for text in ["this build", OS, &names(&supported())] {
                assert!(error.to_string().contains(text), "{error}");
            }
        }
    }
}
